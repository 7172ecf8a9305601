process SPATIALDATA_EXPORT {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.zarr.zip"), emit: zarr
    tuple val("${task.process}"), val('spatialdata'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'spatialdata\'))"'), topic: versions

    script:
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}
    spatialdata_export.py --outdir ${meta.id} --sample ${meta.id} --h5ad input/*
    """

    stub:
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}
    touch ${meta.id}/${meta.id}.zarr.zip
    """
}
