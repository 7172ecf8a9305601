process HISTOLOGY_EMBED {
    tag "${meta.id}"
    label 'process_low'
    label 'error_ignore'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(image, stageAs: 'image/*')
    path image_encoder, stageAs: 'image_encoder/*'

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.histology.npz"), emit: histology, optional: true
    tuple val(meta), path("${meta.id}/${meta.id}.histology.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def scale = meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : ''
    def encoder = image_encoder ? '--image-encoder image_encoder' : ''
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    histology_embed.py \\
        --verdict-only \\
        --versions versions.yml \\
        --outdir ${meta.id} \\
        --sample ${meta.id} \\
        --h5ad input/* \\
        --image image/* \\
        --threads ${task.cpus} \\
        ${encoder} ${scale} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.histology.npz
    stub_record.py --step histology --sample ${meta.id} --outdir ${meta.id} --versions versions.yml
    """
}
