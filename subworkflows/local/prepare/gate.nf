// A cheap gate before costly work. All bad samples are told in one go; then the run ends, or goes on without them.

include { colours } from '../utils_clearspot_pipeline/terminal'

workflow GATE {
    take:
    records  // channel: [ meta, json ] of every sample
    step     // name of the gate, for the message

    main:
    ch_read = records.map { meta, json -> [meta, new groovy.json.JsonSlurperClassic().parse(json.toFile())] }
    refused = ch_read
        .filter { _meta, record -> record.status == 'bad_input' }
        .map { meta, record -> [meta.id, step, record.problems] }

    ch_verdict = refused
        .toSortedList { a, b -> a[0] <=> b[0] }
        .map { entries ->
            entries.each { sample, _step, problems -> log.warn(refusal(sample, problems, step)) }
            if (entries && params.on_bad_sample == 'fail') {
                error("${entries.size()} sample(s) refused at '${step}': ${entries.collect { entry -> entry[0] }.join(', ')}. Each reason stands above. Mend them, take them out of the samplesheet, or run with --on_bad_sample skip.")
            }
            entries.size()
        }

    // With `fail`, no sample passes before all were looked at; with `skip`, none waits for another.
    def checked = ch_read.filter { _meta, record -> record.status != 'bad_input' }.map { meta, _record -> [meta] }
    good = params.on_bad_sample == 'fail'
        ? checked.combine(ch_verdict).map { meta, _refused -> [meta] }
        : checked

    emit:
    good     // channel: [ meta ]
    refused  // channel: [ sample, step, problems ]
}

def refusal(sample, problems, step) {
    def c = colours(params.monochrome_logs)
    def words = problems.collect { p ->
        "  file     ${p.file}\n  found    ${p.found}\n  expected ${p.expected}\n  to mend  ${p.mend}"
    }
    return "${c.red}Sample ${sample} is refused (${step})${c.reset}\n${words.join('\n\n')}"
}
