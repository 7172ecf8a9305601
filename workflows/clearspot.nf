include { PREPARE } from '../subworkflows/local/prepare'
include { DENOISE } from '../subworkflows/local/denoise'
include { SUPERRESOLVE } from '../subworkflows/local/superresolve'
include { STUDY } from '../subworkflows/local/study'
include { REPORT } from '../subworkflows/local/report'
include { genesOfInterest } from '../subworkflows/local/utils_clearspot_pipeline/genes'

workflow CLEARSPOT {
    take:
    settings  // map: every parameter by name, of the type that the schema says

    main:
    def genes_of_interest = genesOfInterest(settings.genes_of_interest)
    PREPARE(settings, genes_of_interest)
    DENOISE(settings, PREPARE.out.h5ad, genes_of_interest)
    refused = PREPARE.out.refused.mix(DENOISE.out.refused)
    STUDY(settings, DENOISE.out.domains, PREPARE.out.studies, refused)
    SUPERRESOLVE(settings, DENOISE.out.domains, PREPARE.out.images, PREPARE.out.references, genes_of_interest)

    ch_version_texts = channel.topic('versions').map { file -> file.text }.filter { text -> text }.unique()
    ch_version_texts.collectFile(name: 'software_versions.yml', sort: true, storeDir: "${settings.outdir}/pipeline_info")
    // A stored file is written again in each run and would make the cohort report look like new work: it reads one of its own.
    ch_versions = ch_version_texts.collectFile(name: 'software_versions.yml', sort: true)

    REPORT(
        settings,
        DENOISE.out.domains.join(DENOISE.out.denoised).join(SUPERRESOLVE.out.superres),
        PREPARE.out.records.mix(DENOISE.out.records),
        DENOISE.out.refused,
        SUPERRESOLVE.out.run_records,
        STUDY.out.records,
        ch_versions,
    )

    sample_reports = REPORT.out.sample_reports
    verdicts = REPORT.out.verdicts
    cohort_report = REPORT.out.cohort_report
    left_out = REPORT.out.left_out

    emit:
    sample_reports  // channel: [ meta, html ]
    verdicts        // channel: [ sample, word, reason ]
    cohort_report   // channel: html
    refused         // channel: [ sample, step, reasons ] of each sample that a required step refused
    left_out        // channel: [ sample, step, reasons ] of each optional step that a sample, a study or the run goes without
}
