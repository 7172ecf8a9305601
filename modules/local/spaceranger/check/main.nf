process SPACERANGER_CHECK {
    tag "${meta.id}"
    label 'process_single'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), path(manifest, stageAs: 'manifest.json'), path(image, stageAs: 'image/*')

    output:
    tuple val(meta), path("${meta.id}.check.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    def optional = [
        meta.bin_size_um ? "--bin-size-um ${meta.bin_size_um}" : '',
        meta.unit ? "--unit ${meta.unit}" : '',
        meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : '',
    ].findAll().join(' ')
    """
    # clearspot ${task.ext.code_version}
    outs=\$(link_outs.py --manifest manifest.json --staged staged)
    # a missing image is a link to nothing, which link_outs.py makes
    image=\$(compgen -G 'image/*' || true)
    spaceranger_check.py --verdict-only --versions versions.yml --sample ${meta.id} --outs "\$outs" \${image:+--image "\$image"} ${optional} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    stub_record.py --step check --sample ${meta.id} --versions versions.yml --metric superres_possible=true
    """
}
