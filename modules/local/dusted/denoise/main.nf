process DUSTED_DENOISE {
    tag "${meta.id}"
    label 'process_gpu'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')
    path genes_of_interest, stageAs: 'always/*'
    path gene_file, stageAs: 'genes/*'
    val gene_set

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}/*.denoised.h5ad", arity: '0..*'), emit: denoised
    tuple val(meta), path("${meta.id}/${meta.id}.dusted.json"), emit: record
    tuple val(meta), path("${meta.id}/models/*"), emit: models, optional: true
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    // If a GPU is requested and there is none, the script fails; it never falls back to the CPU.
    def device = task.accelerator ? 'cuda' : 'cpu'
    // One process a GPU; each attempt after the first halves the tiles.
    def processes = task.accelerator?.request ?: 1
    def always = genes_of_interest ? '--always-genes always/*' : ''
    def genes = gene_file ? '--genes genes/*' : "--genes ${gene_set}"
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    dusted_denoise.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --device ${device} \\
        --threads ${task.cpus} \\
        --processes ${processes} \\
        --attempt ${task.attempt} \\
        ${genes} ${always} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}/models
    touch ${meta.id}/${meta.id}.h5ad ${meta.id}/models/${meta.id}.dusted.pt
    stub_record.py --step dusted --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
