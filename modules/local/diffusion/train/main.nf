process DIFFUSION_TRAIN {
    tag "${meta.id}"
    label 'process_gpu'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(histology, stageAs: 'histology/*')
    path genes_of_interest, stageAs: 'always/*'
    path gene_file, stageAs: 'genes/*'
    val gene_set
    path start_from, stageAs: 'start/*'

    output:
    tuple val(meta), path("${meta.id}/models/${meta.id}.diffst.pt"), emit: checkpoint, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.superres_train.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    // If a GPU is requested and there is none, the script fails; it never falls back to the CPU.
    def device = task.accelerator ? 'cuda' : 'cpu'
    def preset = task.ext.preset ?: (task.accelerator ? 'gpu' : 'cpu')
    def always = genes_of_interest ? '--always-genes always/*' : ''
    def genes = gene_file ? '--genes genes/*' : "--genes ${gene_set}"
    def scale = meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : ''
    def start = start_from ? '--start-from start/*' : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}/models
    diffusion_train.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --histology histology/* \\
        --preset ${preset} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${genes} ${always} ${scale} ${start} ${args}
    # a refused sample has no model
    [ ! -e ${meta.id}/${meta.id}.diffst.pt ] || mv ${meta.id}/${meta.id}.diffst.pt ${meta.id}/models/
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}/models
    touch ${meta.id}/models/${meta.id}.diffst.pt
    stub_record.py --step superres_train --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
