process SPACERANGER_CHECK {
    tag "${meta.id}"
    label 'process_single'

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), val(manifest_base64), path(image, stageAs: 'image/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}.check.json"), emit: record
    tuple val("${task.process}"), val('clearspot'), eval('clearspot --version | sed "s/.* //"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def optional = [
        image ? '--image image/*' : '',
        meta.bin_size_um ? "--bin-size-um ${meta.bin_size_um}" : '',
        meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : '',
    ].findAll().join(' ')
    """
    # clearspot ${code_version}
    # bash's own echo: a program's argument is limited to 128 KiB
    echo '${manifest_base64}' | base64 -d > manifest.json
    outs=\$(link_outs.py --manifest manifest.json --staged staged)
    spaceranger_check.py --verdict-only --sample ${meta.id} --outs "\$outs" ${optional} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    echo '{"sample": "${meta.id}", "step": "check", "status": "ok", "metrics": {"superres_possible": true}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.check.json
    """
}
