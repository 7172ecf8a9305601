process SPATIAL_GRAPH {
    tag "${meta.id}"
    label 'process_low'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}.graph.json"), emit: record
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    # clearspot ${task.ext.code_version}
    spatial_graph.py --verdict-only --versions versions.yml --sample ${meta.id} --h5ad input/* ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    touch ${meta.id}.h5ad
    stub_record.py --step graph --sample ${meta.id} --versions versions.yml
    """
}
