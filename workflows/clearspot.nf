include { PREPARE } from '../subworkflows/local/prepare'
include { DENOISE } from '../subworkflows/local/denoise'
include { SUPERRESOLVE } from '../subworkflows/local/superresolve'
include { REPORT } from '../subworkflows/local/report'

workflow CLEARSPOT {
    take:
    samplesheet        // path
    genes_of_interest  // path or []

    main:
    PREPARE(samplesheet, genes_of_interest)
    DENOISE(PREPARE.out.h5ad, genes_of_interest)
    SUPERRESOLVE(DENOISE.out.h5ad, PREPARE.out.images)

    ch_versions = channel.topic('versions')
        .unique()
        .map { process, tool, version -> "${process.toString().tokenize(':').last()}:\n    ${tool}: \"${version}\"" }
        .collectFile(name: 'software_versions.yml', newLine: true, sort: true, storeDir: params.validate_only ? null : "${params.outdir}/pipeline_info")

    ch_records = PREPARE.out.records.mix(DENOISE.out.records, SUPERRESOLVE.out.records)
    REPORT(DENOISE.out.h5ad, params.validate_only ? channel.empty() : ch_records, ch_versions)

    emit:
    sample_reports = REPORT.out.sample_reports  // channel: [ meta, html ]
    cohort_report  = REPORT.out.cohort_report   // channel: html
    refused        = PREPARE.out.refused        // channel: [ sample, step, problems ]
}
