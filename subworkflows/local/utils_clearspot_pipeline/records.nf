// The registry of the steps (src/clearspot/contract/steps.json), and the records that they write.

include { colours } from './terminal'

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

// What the summary says of a sample without which the run goes on, or of a step without which a sample does.
def refusal(record) {
    def reasons = record.problems.collect { problem -> "${problem.file}: ${problem.found}".toString() }
    return [record.sample, record.step, reasons.join('; ')]
}

def refusalText(record, monochrome) {
    def c = colours(monochrome)
    def words = record.problems.collect { problem ->
        "  file     ${problem.file}\n  found    ${problem.found}\n  expected ${problem.expected}\n  to mend  ${problem.mend}"
    }
    def verdict = stepNamed(record.step).required || record.step == 'reference'
        ? "Sample ${record.sample} is refused (${record.step})"
        : "Sample ${record.sample} goes on without ${stepNamed(record.step).title} (${record.step})"
    return "${c.red}${verdict}${c.reset}\n${words.join('\n\n')}"
}

// Stands in for the record of an optional step whose task died.
def failedRecord(sample, step) {
    def problem = [
        sample: sample,
        file: 'task',
        found: "the task ${stepNamed(step).process} (${sample}) failed, and was not tried again",
        expected: 'a task that ends with the record of its step',
        mend: 'read the message of the task in .nextflow.log or in its work folder, mend the cause, and run again with -resume',
    ]
    def record = [sample: sample, step: step, status: 'failed', metrics: [:], params: [:], tables: [:], messages: [], problems: [problem]]
    return groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(record)) + '\n'
}
