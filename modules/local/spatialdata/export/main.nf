process SPATIALDATA_EXPORT {
    tag "${meta.id}"
    label 'process_low'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(superres, stageAs: 'superres/*')

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.zarr.zip"), emit: zarr, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.vitessce.json"), emit: vitessce, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.tmap"), emit: tissuumaps, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.tissue.tif"), emit: picture, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.spatialdata.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def predicted = superres ? '--superres superres/*' : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    spatialdata_export.py --verdict-only --versions versions.yml --outdir ${meta.id} --sample ${meta.id} --h5ad input/* ${predicted} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.zarr.zip
    stub_record.py --step spatialdata --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
