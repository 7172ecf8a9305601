process SPATIAL_GRAPH {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad
    tuple val(meta), path("${meta.id}.graph.json"), emit: record
    tuple val("${task.process}"), val('squidpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'squidpy\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    # clearspot ${code_version}
    spatial_graph.py --sample ${meta.id} --h5ad input/* ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    touch ${meta.id}.h5ad
    echo '{"sample": "${meta.id}", "step": "graph", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.graph.json
    """
}
