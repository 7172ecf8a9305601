// A cheap gate before costly work. All bad samples are listed together; then the run ends or continues without them.

include { readRecord } from '../utils_clearspot_pipeline/records'
include { refusal } from '../utils_clearspot_pipeline/records'
include { refusalText } from '../utils_clearspot_pipeline/records'
include { colours } from '../utils_clearspot_pipeline/terminal'

workflow GATE {
    take:
    settings  // map: every parameter by name
    records   // channel: [ meta, json ] of every sample

    main:
    ch_read = records.map { meta, json -> [meta, readRecord(json)] }
    ch_refusals = ch_read.filter { _meta, record -> record.status != 'ok' }.map { _meta, record -> record }
    refused = ch_refusals.map { record -> refusal(record) }

    ch_verdict = ch_refusals
        .toSortedList { a, b -> a.sample <=> b.sample }
        .map { bad ->
            bad.each { record -> log.warn(refusalText(record, colours(settings.monochrome_logs))) }
            if (bad && settings.on_bad_sample == 'fail') {
                def steps = bad.collect { record -> "'${record.step}'" }.unique().join(', ')
                error("${bad.size()} sample(s) refused at ${steps}: ${bad.collect { record -> record.sample }.join(', ')}. The reasons are listed above. Fix these samples, remove them from the samplesheet, or run with --on_bad_sample skip.")
            }
            bad.size()
        }

    // With `fail`, no sample passes before all were looked at; with `skip`, none waits for another.
    def checked = ch_read.filter { _meta, record -> record.status == 'ok' }.map { meta, _record -> [meta] }
    good = settings.on_bad_sample == 'fail'
        ? checked.combine(ch_verdict).map { meta, _refused -> [meta] }
        : checked

    emit:
    good     // channel: [ meta ]
    refused  // channel: [ sample, step, reasons ]
}
