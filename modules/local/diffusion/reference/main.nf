process REFERENCE_PREPARE {
    tag "${meta.id}"
    label 'process_medium'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), path(manifest, stageAs: 'manifest.json'), path(image, stageAs: 'image/*'), path(alignment, stageAs: 'alignment/*')
    path image_encoder, stageAs: 'image_encoder/*'

    output:
    tuple val(meta), path("${meta.id}.reference.h5ad"), emit: reference, optional: true
    tuple val(meta), path("${meta.id}.reference.histology.npz"), emit: histology, optional: true
    tuple val(meta), path("${meta.id}.reference.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def optional = [
        image_encoder ? '--image-encoder image_encoder' : '',
        meta.bin_size_um ? "--bin-size-um ${meta.bin_size_um}" : '',
        meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : '',
    ].findAll().join(' ')
    """
    # clearspot ${task.ext.code_version}
    outs=\$(link_outs.py --manifest manifest.json --staged staged)
    # a missing image or alignment is a link to nothing, which link_outs.py makes
    image=\$(compgen -G 'image/*' || true)
    alignment=\$(compgen -G 'alignment/*' || true)
    reference_prepare.py --verdict-only --versions versions.yml --sample ${meta.id} --outs "\$outs" --threads ${task.cpus} \${image:+--image "\$image"} \${alignment:+--image-alignment "\$alignment"} ${optional} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    touch ${meta.id}.reference.h5ad ${image ? "${meta.id}.reference.histology.npz" : ''}
    stub_record.py --step reference --sample ${meta.id} --versions versions.yml
    """
}
