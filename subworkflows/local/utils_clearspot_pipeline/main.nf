// What stands round the work itself: help, version, the summary at the end.

include { colours } from './terminal'
include { helpText } from './help'
include { outcome } from './completion'
include { writeCrate } from './crate'
include { completionEmail } from './notify'
include { completionHook } from './notify'
include { requireEncodable } from './paths'
include { requireStageable } from './paths'
include { writeParameters } from './parameters'

workflow PIPELINE_INITIALISATION {

    main:
    if (params.version) {
        println("${workflow.manifest.name} ${workflow.manifest.version}")
        exit(0)
    }
    if (params.help) {
        println(helpText("${projectDir}/nextflow_schema.json", params.monochrome_logs))
        exit(0)
    }
    def missing = ['input', 'outdir'].findAll { name -> !params[name] }
    if (missing) {
        error("Missing: ${missing.collect { name -> "--${name}" }.join(' and ')}. Try: nextflow run . --input samplesheet.csv --outdir results (--help lists every parameter)")
    }
    requireStageable('--input', params.input)
    requireEncodable('--outdir', params.outdir)
    if (!file(params.input, glob: false).exists()) {
        error("There is no samplesheet at ${params.input} (--input)")
    }
    def c = colours(params.monochrome_logs)
    log.info("${c.bold}clearspot ${workflow.manifest.version}${c.reset}  ${params.input} -> ${params.outdir}")
}

workflow PIPELINE_COMPLETION {
    take:
    reports        // channel: [ meta, html ] of each sample
    cohort_report  // channel: html, none where it was skipped
    refused        // channel: [ sample, step, problems ] of each sample that a check refused

    main:
    def sample_reports = reports.map { meta, _html -> meta.id }.toSortedList()
    def cohort_reports = cohort_report.toList()
    def bad_samples = refused.toList()

    // Inside the handler neither `params` nor `workflow` can be had; inside a function both can.
    workflow.onComplete {
        writeParameters()
        writeCrate()
        tell(sample_reports, cohort_reports, bad_samples)
    }
}

def tell(sample_reports, cohort_reports, bad_samples) {
    def lines = outcome(sample_reports, cohort_reports, bad_samples, colours(params.monochrome_logs))
    if (workflow.success) {
        lines.each { line -> log.info(line) }
    }
    else {
        // The stop after a failed task can interrupt operators; from then on Nextflow shows one more error, then none.
        nextflow.util.LoggerHelper.setAborted(false)
        log.error(lines.join('\n'))
    }
    def plain = outcome(sample_reports, cohort_reports, bad_samples, colours(true))
    completionEmail(plain)
    completionHook(plain)
    return null
}
