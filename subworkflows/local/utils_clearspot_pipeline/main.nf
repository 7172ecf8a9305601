// What stands round the work itself: help, version, the summary at the end.

include { colours } from './terminal'
include { helpText } from './help'
include { completionEmail } from './notify'
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
    if (!file(params.input).exists()) {
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
        completionSummary(sample_reports, cohort_reports, bad_samples)
        completionEmail()
    }
}

def completionSummary(sample_reports, cohort_reports, bad_samples) {
    def c = colours(params.monochrome_logs)
    if (!workflow.success) {
        def reason = (workflow.errorMessage ?: workflow.errorReport ?: 'see the message above').readLines().take(20).join('\n  ')
        log.error("${c.red}Stopped${c.reset} after ${workflow.duration}: ${reason}")
        log.error('What is finished is kept: mend the cause and run the same command with -resume')
        return null
    }
    def bad = bad_samples.getVal()
    def refused = bad.collect { sample, _step, _problems -> sample }
    if (params.validate_only) {
        log.info("${bad ? c.red : c.green}Checked${c.reset} in ${workflow.duration}: ${bad ? "${bad.size()} refused" : 'every sample is fit to run'}")
    }
    else {
        def done = sample_reports.getVal() - refused
        log.info("${bad ? c.yellow : c.green}Finished${c.reset} in ${workflow.duration}: ${done.size()} done${bad ? ", ${c.red}${bad.size()} refused${c.reset}" : ''}")
    }
    bad.each { sample, step, problems ->
        log.info("  ${c.red}refused${c.reset} ${sample} (${step}): ${problems.collect { problem -> "${problem.file}: ${problem.found}" }.join('; ')}")
    }
    if (!params.validate_only) {
        log.info('Reports:')
        sample_reports.getVal().each { sample -> log.info("  ${params.outdir}/${sample}/${sample}_report.html") }
        cohort_reports.getVal().each { _html -> log.info("  ${params.outdir}/multiqc/multiqc_report.html") }
    }
    return null
}
