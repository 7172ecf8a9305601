include { codeVersion } from '../../../../subworkflows/local/utils_clearspot_pipeline/code_version'

process SPATIAL_DOMAINS {
    tag "${meta.id}"
    label 'process_low'

    input:
    tuple val(meta), path(h5ad, stageAs: 'input/*')

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: h5ad
    tuple val(meta), path("${meta.id}.domains.json"), emit: record
    tuple val(meta), path('loupe/*.csv'), emit: loupe
    tuple val("${task.process}"), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    # clearspot ${codeVersion()}
    spatial_domains.py --sample ${meta.id} --h5ad input/* ${args}
    """

    stub:
    """
    # clearspot ${codeVersion()}
    mkdir loupe
    touch ${meta.id}.h5ad loupe/${meta.id}_domains.csv
    echo '{"sample": "${meta.id}", "step": "domains", "status": "ok", "metrics": {}, "params": {}, "tables": {}, "messages": [], "problems": []}' > ${meta.id}.domains.json
    """
}
