// The records of a step that a sample can do without. Every sample that was given to the step comes out with one: that of
// the step, or, where its task died, one that says so.

include { failedRecord } from './records'
include { readRecord } from './records'
include { recordName } from './records'
include { refusalText } from './records'

workflow OPTIONAL_STEP {
    take:
    settings  // map: every parameter by name
    step      // string: name of the step
    given     // channel: [ meta ] of each sample that was given to the step
    records   // channel: [ meta, json ] that the step wrote

    main:
    ch_all = given.join(records, remainder: true).branch { _meta, json ->
        written: json
        missing: true
    }
    ch_failed = ch_all.missing
        .collectFile { meta, _json -> [recordName(step, meta.id), failedRecord(meta.id, step)] }
        .map { json -> [readRecord(json).sample, json] }
    ch_judged = ch_all.written
        .mix(ch_all.missing.map { meta, _json -> [meta.id, meta] }.join(ch_failed).map { _sample, meta, json -> [meta, json] })
        .map { meta, json -> [meta, json, readRecord(json)] }
        .branch { _meta, _json, record ->
            done: record.status == 'ok'
            left_out: true
        }
    done = ch_judged.done.map { meta, json, _record -> [meta, json] }
    left_out = ch_judged.left_out.map { meta, json, record ->
        log.warn(refusalText(record, settings.monochrome_logs))
        [meta, json]
    }

    emit:
    done      // channel: [ meta, json ] where the step did its work
    left_out  // channel: [ meta, json ] where it refused the sample or failed
}
