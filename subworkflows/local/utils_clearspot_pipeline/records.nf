// The registry of the steps (src/clearspot/contract/steps.json), and the records that they write. This file includes no other:
// the strict parser of Nextflow 25.04 lets several scripts include only a file that includes nothing.

def steps() {
    return new groovy.json.JsonSlurperClassic().parseText(file("${moduleDir}/../../../src/clearspot/contract/steps.json").text)
}

def stepNamed(name) {
    return steps().find { step -> step.name == name }
}

// How many records a sample has that no step refused, without those of optional steps.
def requiredRecords() {
    return steps().count { step -> step.scope == 'sample' && step.required && step.record }
}

def recordName(step, sample) {
    return stepNamed(step).record.replace('{sample}', sample)
}

// Read through the path itself, which may lie in a bucket.
def readRecord(json) {
    return new groovy.json.JsonSlurperClassic().parseText(json.text)
}

// What the summary says of a sample with a page: the verdict in the words of the page, and why, from the page's metrics.json.
def verdictOf(json) {
    def metrics = readRecord(json)
    def words = [good: 'USABLE', look: 'LOOK FIRST', bad: 'DO NOT USE', unknown: 'NO VERDICT']
    def word = [bad_input: 'REFUSED', failed: 'FAILED'][metrics.status] ?: words[metrics.verdict?.light]
    def reason = metrics.verdict?.reason ?: ''
    return [word ?: '', (metrics.status == 'ok' ? reason.replaceFirst(/[.]$/, '') : '')]
}

// What the summary says of a sample without which the run goes on, or of a step without which a sample does.
def refusal(record) {
    def reasons = record.problems.collect { problem -> "${problem.file}: ${problem.found}".toString() }
    return [record.sample, record.step, reasons.join('; ')]
}

// `c` are the colours of the terminal.
def refusalText(record, c) {
    def words = record.problems.collect { problem ->
        "  file     ${problem.file}\n  found    ${problem.found}\n  expected ${problem.expected}\n  to fix   ${problem.mend}"
    }
    def step = stepNamed(record.step)
    def who = step.scope == 'run' ? 'The run' : "${step.scope == 'study' ? 'Study' : 'Sample'} ${record.sample}"
    def verdict = step.required || record.step == 'reference'
        ? "${who} is refused (${record.step})"
        : "${who} continues without ${step.title} (${record.step})"
    return "${c.red}${verdict}${c.reset}\n${words.join('\n\n')}"
}

// Replaces the record of an optional step whose task died.
def failedRecord(sample, step) {
    def of_whom = stepNamed(step).scope == 'run' ? '' : " (${sample})"
    def problem = [
        sample: sample,
        file: 'task',
        found: "the task ${stepNamed(step).process}${of_whom} failed and was not retried",
        expected: 'a completed task with the record of its step',
        mend: 'read the error message of the task in .nextflow.log or in its work folder, fix the cause, and run again with -resume',
    ]
    def record = [sample: sample, step: step, status: 'failed', metrics: [:], params: [:], tables: [:], messages: [], problems: [problem]]
    return groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(record)) + '\n'
}

// The records of a step that a sample can do without. Every sample that was given to the step comes out with one: that of
// the step, or, where its task died, one that says so. For a step that runs once, the run (`cohort`) stands for the sample.
workflow OPTIONAL_STEP {
    take:
    step     // string: name of the step
    given    // channel: [ meta ] of each sample that was given to the step
    records  // channel: [ meta, json ] that the step wrote

    main:
    // A channel of keys alone loses its lists where nothing is on the other side: the sample goes twice.
    ch_all = given.map { key -> [key[0], key[0]] }.join(records, remainder: true).map { meta, _given, json -> [meta, json] }.branch { _meta, json ->
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
    left_out = ch_judged.left_out.map { meta, json, _record -> [meta, json] }

    emit:
    done      // channel: [ meta, json ] where the step did its work
    left_out  // channel: [ meta, json ] where it refused the sample or failed
}
