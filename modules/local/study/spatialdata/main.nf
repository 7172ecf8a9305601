process STUDY_SPATIALDATA {
    tag "${meta.id}"
    label 'process_low'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(sections, stageAs: 'sections/*')

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.zarr.zip"), emit: zarr, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.study_spatialdata.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    study_spatialdata.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --sections sections \\
        ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.zarr.zip
    stub_record.py --step study_spatialdata --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
