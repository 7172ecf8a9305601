process SAMPLE_REPORT {
    tag "${meta.id}"
    label 'process_low'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(records, stageAs: 'records/*'), path(h5ad, stageAs: 'input/*'), path(denoised, stageAs: 'denoised/*'), path(superres, stageAs: 'superres/*')
    path thresholds, stageAs: 'thresholds/*'

    output:
    tuple val(meta), path("${meta.id}/${meta.id}_report.html"), emit: html
    tuple val(meta), path("${meta.id}/metrics.json"), emit: metrics
    path 'versions.yml', topic: versions

    script:
    def data = (h5ad ? '--h5ad input/* ' : '') + (denoised ? '--denoised denoised/* ' : '') + (superres ? '--superres superres/* ' : '')
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    sample_report.py --versions versions.yml --outdir ${meta.id} --sample ${meta.id} ${data} ${limits} --records records
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}_report.html versions.yml
    echo '{}' > ${meta.id}/metrics.json
    """
}
