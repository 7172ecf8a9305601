process STUDY_REPORT {
    tag "${meta.id}"
    label 'process_low'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(record, stageAs: 'records/*'), path(sections, stageAs: 'sections/*')

    output:
    tuple val(meta), path("${meta.id}/${meta.id}_report.html"), emit: html
    tuple val(meta), path("${meta.id}/metrics.json"), emit: metrics
    path 'versions.yml', topic: versions

    script:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    study_report.py \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --record records/* \\
        --sections sections
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}_report.html
    echo '{}' > ${meta.id}/metrics.json
    stub_record.py --step study_report --sample ${meta.id} --versions versions.yml
    """
}
