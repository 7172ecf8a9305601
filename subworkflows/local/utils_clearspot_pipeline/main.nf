// What stands round the work itself: help, version, the checks before any task, the summary at the end.

include { colours } from './terminal'
include { helpText } from './help'
include { whatIsWrong } from './checks'
include { outcome } from './completion'
include { succeeded } from './success'
include { unencodable } from './paths'
include { unstageable } from './paths'
include { writeCrate } from './crate'
include { completionEmail } from './notify'
include { completionHook } from './notify'
include { writeParameters } from './parameters'

workflow PIPELINE_INITIALISATION {
    take:
    settings  // map: every parameter by name, of the type that the schema says
    given     // map: the parameters as Nextflow has them

    main:
    if (settings.version || settings.help) {
        println(settings.version ? "${workflow.manifest.name} ${workflow.manifest.version}" : helpText(settings.monochrome_logs))
        // Nextflow made it, and nothing went into it
        if (!workflow.workDir.list()) {
            workflow.workDir.delete()
        }
        exit(0)
    }
    def unreadable = settings.findAll { _name, value -> value instanceof CharSequence }.findResults { name, value -> unencodable("--${name}", value) }
    def wrong = unreadable.join('\n') ?: whatIsWrong(settings, given) ?: (settings.input ? unstageable('--input', settings.input) : null)
    if (wrong) {
        error(wrong)
    }
    def c = colours(settings.monochrome_logs)
    log.info("${c.bold}clearspot ${workflow.manifest.version}${c.reset}  ${settings.input ?: "simulated samples (${settings.simulate})"} -> ${settings.outdir}")
}

workflow PIPELINE_COMPLETION {
    take:
    settings       // map: every parameter by name
    reports        // channel: [ meta, html ] of each sample
    verdicts       // channel: [ sample, word, reason ] of each sample
    cohort_report  // channel: html, none where it was skipped
    refused        // channel: [ sample, step, reasons ] of each sample that a required step refused
    left_out       // channel: [ sample, step, reasons ] of each optional step that a sample goes without

    main:
    // What came out so far, whether or not the run comes to its end.
    def results = ['samples', 'verdicts', 'cohort_reports', 'refused', 'left_out'].collectEntries { name -> [name, new java.util.concurrent.ConcurrentLinkedQueue()] }
    reports.subscribe { meta, _html -> results.samples.add(meta.id) }
    verdicts.subscribe { entry -> results.verdicts.add(entry) }
    cohort_report.subscribe { html -> results.cohort_reports.add(html) }
    refused.subscribe { entry -> results.refused.add(entry) }
    left_out.subscribe { entry -> results.left_out.add(entry) }

    // `workflow` is not available inside the handler; inside a function it is.
    workflow.onComplete {
        complete(settings, results)
    }
}

def complete(settings, results) {
    if (workflow.preview) {
        return null
    }
    writeParameters(settings)
    writeCrate(settings)
    def lines = outcome(settings, results, colours(settings.monochrome_logs), false)
    if (succeeded()) {
        lines.each { line -> log.info(line) }
    }
    else {
        // Once a run is stopped, Nextflow's log shows no more, and its progress table overwrites what is written before its end.
        Runtime.runtime.addShutdownHook(new Thread({ -> System.err.println(lines.join('\n')) }))
    }
    def plain = outcome(settings, results, colours(true), true)
    completionEmail(settings, plain)
    completionHook(settings, plain)
    return null
}
