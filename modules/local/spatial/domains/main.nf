process SPATIAL_DOMAINS {
    tag "${meta.id}"
    label 'process_low'
    ext spots: { meta.n_spots ?: 0 }, genes: { meta.n_genes ?: 0 }, entries: { meta.n_entries ?: 0 }

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*'), path(denoised, stageAs: 'denoised/*')
    val code_version

    output:
    tuple val(meta), path("${meta.id}/${meta.id}.h5ad"), emit: h5ad
    tuple val(meta), path("${meta.id}/${meta.id}.domains.json"), emit: record
    tuple val(meta), path("${meta.id}/loupe/*.csv"), emit: loupe
    tuple val("${task.process}"), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    def file_of_denoised = denoised ? '--denoised denoised/*' : ''
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}
    spatial_domains.py --outdir ${meta.id} --sample ${meta.id} --h5ad input/* ${file_of_denoised} ${args}
    """

    stub:
    """
    # clearspot ${code_version}
    mkdir -p ${meta.id}/loupe
    touch ${meta.id}/${meta.id}.h5ad ${meta.id}/loupe/${meta.id}_domains.csv
    echo '{"sample": "${meta.id}", "step": "domains", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}/${meta.id}.domains.json
    """
}
