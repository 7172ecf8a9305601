process SPACERANGER_INGEST {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(files, stageAs: 'staged/?/*'), val(manifest_base64), path(image, stageAs: 'image/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad
    tuple val(meta), path("${meta.id}.ingest.json"), emit: record
    tuple val("${task.process}"), val('anndata'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'anndata\'))"'), topic: versions

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
    spaceranger_ingest.py --sample ${meta.id} --outs "\$outs" ${optional} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    touch ${meta.id}.h5ad
    echo '{"sample": "${meta.id}", "step": "ingest", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.ingest.json
    """
}
