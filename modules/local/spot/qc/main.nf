process SPOT_QC {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')
    path genes_of_interest, stageAs: 'genes/*'
    val code_version

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad, optional: true
    tuple val(meta), path("${meta.id}.qc.json"), emit: record
    tuple val("${task.process}"), val('scanpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scanpy\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def genes = genes_of_interest ? '--genes-of-interest genes/*' : ''
    """
    # clearspot ${code_version}
    spot_qc.py --verdict-only --sample ${meta.id} --h5ad input/* ${genes} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    touch ${meta.id}.h5ad
    echo '{"sample": "${meta.id}", "step": "qc", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.qc.json
    """
}
