process DIFFUSION_SAMPLE {
    tag "${meta.id}"
    label 'process_gpu'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(histology, stageAs: 'histology/*'), path(checkpoint, stageAs: 'model/*')
    path genes_of_interest, stageAs: 'always/*'
    path gene_file, stageAs: 'genes/*'
    val gene_set

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.superres.h5ad"), emit: superres, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.superres.json"), emit: record
    tuple val(meta), path("${meta.id}/superres_maps/*"), emit: maps, optional: true
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    // If a GPU is requested and there is none, the script fails; it never falls back to the CPU.
    def device = task.accelerator ? 'cuda' : 'cpu'
    def preset = task.ext.preset ?: (task.accelerator ? 'gpu' : 'cpu')
    def always = genes_of_interest ? '--always-genes always/*' : ''
    def genes = gene_file ? '--genes genes/*' : "--genes ${gene_set}"
    def scale = meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : ''
    // Tiles are exact: smaller ones, after running out of memory, change no value.
    def tile = task.attempt > 1 ? "--tile ${[64, 512 >> task.attempt].max()}" : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    diffusion_sample.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --histology histology/* \\
        --checkpoint model/* \\
        --preset ${preset} \\
        --device ${device} \\
        --threads ${task.cpus} \\
        ${genes} ${always} ${scale} ${args} ${tile}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.superres.h5ad
    stub_record.py --step superres --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
