include { PREPARE } from '../subworkflows/local/prepare'
include { DENOISE } from '../subworkflows/local/denoise'
include { SUPERRESOLVE } from '../subworkflows/local/superresolve'
include { REPORT } from '../subworkflows/local/report'

workflow CLEARSPOT {
    take:
    samplesheet        // path
    genes_of_interest  // path or []
    code_version       // string: a task is run again when it changes

    main:
    PREPARE(samplesheet, genes_of_interest, code_version)
    DENOISE(PREPARE.out.h5ad, genes_of_interest, code_version)
    SUPERRESOLVE(DENOISE.out.domains, PREPARE.out.images)

    ch_versions = channel.topic('versions')
        .unique()
        .map { process, tool, version -> [process.toString().tokenize(':').last(), "    ${tool}: \"${version.trim()}\""] }
        .groupTuple()
        .map { process, lines -> "${process}:\n${lines.sort().join('\n')}" }
        .collectFile(name: 'software_versions.yml', newLine: true, sort: true, storeDir: "${params.outdir}/pipeline_info")

    ch_records = PREPARE.out.records.mix(DENOISE.out.records, SUPERRESOLVE.out.records)
    REPORT(DENOISE.out.domains, params.validate_only ? channel.empty() : ch_records, ch_versions, code_version)

    sample_reports = REPORT.out.sample_reports
    cohort_report = REPORT.out.cohort_report
    refused = PREPARE.out.refused

    emit:
    sample_reports  // channel: [ meta, html ]
    cohort_report   // channel: html
    refused         // channel: [ sample, step, problems ]
}
