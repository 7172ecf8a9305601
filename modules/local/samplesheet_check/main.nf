process SAMPLESHEET_CHECK {
    tag "${samplesheet.baseName}"
    label 'process_single'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    path samplesheet, stageAs: 'sheet/*'
    path samplesheet_schema, stageAs: 'schema/samplesheet.json'
    path params_schema, stageAs: 'schema/params.json'
    path params_json, stageAs: 'params.json'
    path thresholds, stageAs: 'thresholds/*'

    output:
    path 'samplesheet.valid.json', emit: rows
    path 'cohort.samplesheet.json', emit: record
    path 'versions.yml', topic: versions

    script:
    def unchecked = params_json ? '' : 'touch params.json'
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    ${unchecked}
    samplesheet_check.py --versions versions.yml --samplesheet sheet/* --schema schema/samplesheet.json --params params.json --params-schema schema/params.json ${limits}
    """

    stub:
    def unchecked = params_json ? '' : 'touch params.json'
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    ${unchecked}
    samplesheet_check.py --versions versions.yml --samplesheet sheet/* --schema schema/samplesheet.json --params params.json --params-schema schema/params.json ${limits}
    """
}
