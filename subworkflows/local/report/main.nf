// One page a sample, one for the cohort. Samples that were refused are in both, with the reason.

include { SAMPLE_REPORT } from '../../../modules/local/report/sample'
include { COHORT_REPORT } from '../../../modules/local/report/cohort'

workflow REPORT {
    take:
    h5ad      // channel: [ meta, h5ad ] of samples that went through
    records   // channel: [ meta, json ] of every step and sample
    versions  // channel: path of the collated software versions
    code_version  // string

    main:
    ch_records = records
        .groupTuple()
        .map { meta, jsons -> [meta, jsons.sort { json -> json.name }] }
        .join(h5ad, remainder: true)
        .map { meta, jsons, data -> [meta, jsons, data ?: []] }
    SAMPLE_REPORT(ch_records, code_version)

    def configs = [file("${projectDir}/assets/multiqc_config.yml")] + (params.multiqc_config ? [file(params.multiqc_config, checkIfExists: true)] : [])
    ch_cohort = params.skip_multiqc ? channel.empty() : records.map { _meta, json -> json }.toSortedList { a, b -> a.name <=> b.name }.filter { jsons -> jsons }
    COHORT_REPORT(ch_cohort, versions, configs, code_version)

    sample_reports = SAMPLE_REPORT.out.html
    cohort_report = COHORT_REPORT.out.html

    emit:
    sample_reports  // channel: [ meta, html ]
    cohort_report   // channel: html
}
