process REFERENCE_PREPARE {
    tag "${meta.id}"
    label 'process_medium'

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), val(manifest_base64)
    val code_version

    output:
    tuple val(meta), path("${meta.id}.reference.h5ad"), emit: reference, optional: true
    tuple val(meta), path("${meta.id}.check.json"), emit: record
    tuple val("${task.process}"), val('anndata'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'anndata\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def optional = [
        meta.bin_size_um ? "--bin-size-um ${meta.bin_size_um}" : '',
        meta.microns_per_pixel ? "--microns-per-pixel ${meta.microns_per_pixel}" : '',
    ].findAll().join(' ')
    """
    # clearspot ${code_version}
    # bash's own echo: a program's argument is limited to 128 KiB
    echo '${manifest_base64}' | base64 -d > manifest.json
    outs=\$(link_outs.py --manifest manifest.json --staged staged)
    reference_prepare.py --verdict-only --sample ${meta.id} --outs "\$outs" ${optional} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    touch ${meta.id}.reference.h5ad
    echo '{"sample": "${meta.id}", "step": "check", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.check.json
    """
}
