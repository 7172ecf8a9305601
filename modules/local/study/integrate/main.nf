process STUDY_INTEGRATE {
    tag "${meta.id}"
    label 'process_gpu'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(sections, stageAs: 'sections/*')

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.study.json"), emit: record
    tuple val(meta), path("${meta.id}/*.csv"), emit: tables, optional: true
    tuple val(meta), path("${meta.id}/loupe/*.csv"), emit: loupe, optional: true
    tuple val(meta), path("${meta.id}/models/*"), emit: models, optional: true
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    // If a GPU is requested and there is none, the script fails; it never falls back to the CPU.
    def device = task.accelerator ? 'cuda' : 'cpu'
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    study_integrate.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --sections sections \\
        --n-expected ${meta.n_sections} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}/loupe ${meta.id}/models
    touch ${meta.id}/${meta.id}.h5ad ${meta.id}/${meta.id}_composition.csv ${meta.id}/models/${meta.id}.dusted.pt
    for section in sections/*; do touch ${meta.id}/loupe/\$(basename "\$section" .h5ad)_domain_study.csv; done
    stub_record.py --step study --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
