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
    SUPERRESOLVE(DENOISE.out.domains, PREPARE.out.images, PREPARE.out.references, genes_of_interest, code_version)

    ch_version_lines = channel.topic('versions')
        .unique()
        .map { process, tool, version -> [process.toString().tokenize(':').last(), "    ${tool}: \"${version.trim()}\""] }
        .groupTuple()
        .map { process, lines -> "${process}:\n${lines.sort().join('\n')}" }
    ch_version_lines.collectFile(name: 'software_versions.yml', newLine: true, sort: true, storeDir: "${params.outdir}/pipeline_info")
    // A stored file is written anew in each run and would make the cohort report look like new work: it reads one of its own.
    ch_versions = ch_version_lines.collectFile(name: 'software_versions.yml', newLine: true, sort: true)

    ch_records = PREPARE.out.records.mix(DENOISE.out.records)
    REPORT(
        DENOISE.out.domains.join(DENOISE.out.denoised).join(SUPERRESOLVE.out.superres),
        params.validate_only ? channel.empty() : ch_records,
        6,
        ch_versions,
        code_version,
    )

    sample_reports = REPORT.out.sample_reports
    cohort_report = REPORT.out.cohort_report
    refused = PREPARE.out.refused

    emit:
    sample_reports  // channel: [ meta, html ]
    cohort_report   // channel: html
    refused         // channel: [ sample, step, problems ]
}
