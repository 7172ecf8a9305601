process SAMPLESHEET_CHECK {
    tag "${samplesheet.baseName}"
    label 'process_single'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    path samplesheet, stageAs: 'sheet/*'
    path samplesheet_schema, stageAs: 'schema/samplesheet.json'
    path params_schema, stageAs: 'schema/params.json'
    val params_json_base64
    path thresholds, stageAs: 'thresholds/*'

    output:
    path 'samplesheet.valid.json', emit: rows
    path 'cohort.samplesheet.json', emit: record
    path 'versions.yml', topic: versions

    script:
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    echo '${params_json_base64}' | base64 -d > params.json
    samplesheet_check.py --versions versions.yml --samplesheet sheet/* --schema schema/samplesheet.json --params params.json --params-schema schema/params.json ${limits}
    """

    stub:
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    echo '${params_json_base64}' | base64 -d > params.json
    samplesheet_check.py --versions versions.yml --samplesheet sheet/* --schema schema/samplesheet.json --params params.json --params-schema schema/params.json ${limits}
    """
}
