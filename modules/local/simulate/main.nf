process SIMULATE {
    tag "${preset}"
    label 'process_medium'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    val preset

    output:
    path 'simulated', emit: folder
    path 'versions.yml', topic: versions

    script:
    def args = task.ext.args ?: ''
    """
    # clearspot ${task.ext.code_version}
    clearspot simulate simulated --preset ${preset} ${args}
    printf 'SIMULATE:\\n    clearspot: "%s"\\n' "\$(clearspot --version | sed 's/.* //')" >versions.yml
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir simulated
    printf 'sample,spaceranger_dir\\nphantom_1,phantom_1/outs\\n' >simulated/samplesheet.csv
    printf 'SIMULATE:\\n    clearspot: "%s"\\n' "\$(clearspot --version | sed 's/.* //')" >versions.yml
    """
}
