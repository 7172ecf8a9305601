process DIFFUSION_PRETRAIN {
    label 'process_gpu'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    path references, stageAs: 'references/*', arity: '1..*'

    output:
    path 'references.diffst.pt', emit: model, optional: true
    path 'cohort.superres_pretrain.json', emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    // If a GPU is requested and there is none, the script fails; it never falls back to the CPU.
    def device = task.accelerator ? 'cuda' : 'cpu'
    def preset = task.ext.preset ?: (task.accelerator ? 'gpu' : 'cpu')
    // features of a reference's image lie beside it: the script finds them by name
    def learned = references.findAll { file -> file.name.endsWith('.reference.h5ad') }.collect { reference -> "--reference ${reference}" }.join(' ')
    """
    # clearspot ${task.ext.code_version}
    diffusion_pretrain.py \\
        --verdict-only \\
        --versions versions.yml \\
        --preset ${preset} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${learned} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    touch references.diffst.pt
    stub_record.py --step superres_pretrain --versions versions.yml
    """
}
