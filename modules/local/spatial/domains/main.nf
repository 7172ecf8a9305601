process SPATIAL_DOMAINS {
    tag "${meta.id}"
    label 'process_low'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(denoised, stageAs: 'denoised/*')

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.domains.json"), emit: record
    tuple val(meta), path("${meta.id}/loupe/*.csv"), emit: loupe, optional: true
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def file_of_denoised = denoised ? '--denoised denoised/*' : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    spatial_domains.py --verdict-only --versions versions.yml --outdir ${meta.id} --sample ${meta.id} --h5ad input/* ${file_of_denoised} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}/loupe
    touch ${meta.id}/${meta.id}.h5ad ${meta.id}/loupe/${meta.id}_domains.csv
    stub_record.py --step domains --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
