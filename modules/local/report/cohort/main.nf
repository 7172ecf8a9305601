process COHORT_REPORT {
    label 'process_single'
    conda "${moduleDir}/environment.yml"
    container "${task.ext.container ?: 'clearspot:0.1.0'}"

    input:
    path records, stageAs: 'records/*'
    path software_versions, stageAs: 'versions/*'
    path multiqc_config, stageAs: 'config/?/*'
    path thresholds, stageAs: 'thresholds/*'

    output:
    path 'multiqc_report.html', emit: html
    path 'multiqc_data', emit: data
    path 'qc_summary.csv', emit: summary

    script:
    def args = task.ext.args ?: ''
    def configs = (multiqc_config instanceof List ? multiqc_config : [multiqc_config]).collect { config -> "--multiqc-config ${config}" }.join(' ')
    def limits = thresholds ? '--thresholds thresholds/*' : ''
    """
    # clearspot ${task.ext.code_version}
    cohort_report.py --records records --versions versions/* ${configs} ${limits} ${args}
    """

    stub:
    """
    # clearspot ${task.ext.code_version}
    mkdir multiqc_data
    # an object store keeps no empty folder
    touch multiqc_data/.stub multiqc_report.html qc_summary.csv
    """
}
