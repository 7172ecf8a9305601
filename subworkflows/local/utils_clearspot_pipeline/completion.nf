// What a run came to, in words: for the terminal, the e-mail and the web hook. The first line says it all.

include { containerAdvice } from './container_faults'
include { stepNamed } from './records'
include { succeeded } from './success'

// `with_message`: whether the lines repeat the message that stopped the run. Nextflow has shown it in the terminal already; an
// e-mail has no other copy.
def outcome(settings, results, c, with_message) {
    return workflow.success ? finished(settings, results, c) : stopped(settings, results, c, with_message)
}

def finished(settings, results, c) {
    def bad = results.refused.sort { entry -> entry[0] }
    def left_out = results.left_out.sort { entry -> [entry[0], entry[1]].join(' ') }
    def lines = []
    if (settings.validate_only) {
        lines << "${bad ? c.red : c.green}Checked${c.reset} in ${workflow.duration}: ${bad ? "${bad.size()} refused" : 'all samples passed'}"
    }
    else {
        def done = results.samples - bad.collect { sample, _step, _reasons -> sample }
        lines << "${bad || !succeeded() ? c.yellow : c.green}Finished${c.reset} in ${workflow.duration}: ${done.size()} done${bad ? ", ${c.red}${bad.size()} refused${c.reset}" : ''}"
    }
    if (settings.validate_only) {
        lines.addAll(sampleLines(refusedRows(bad), c))
    }
    left_out.each { sample, step, reasons ->
        def whose = stepNamed(step).scope == 'run' ? '' : " ${sample}"
        lines << "  ${c.yellow}without ${what(step)}${c.reset}${whose} (${step}): ${reasons}"
    }
    if (!settings.validate_only) {
        // in a bucket, two slashes name another object
        def outdir = settings.outdir - ~'/+$'
        lines << 'Reports:'
        lines.addAll(verdictLines(results, outdir, c))
        results.cohort_reports.each { _html -> lines << "  ${outdir}/multiqc/multiqc_report.html" }
    }
    if (!succeeded()) {
        lines << "${c.red}The run failed${c.reset}: ${bad && settings.on_bad_sample == 'fail' ? 'a sample was refused, and --on_bad_sample is fail' : 'a task failed'}. Completed results are kept. Fix the cause and run the same command with -resume."
    }
    return lines*.toString()
}

// A line a sample: name, verdict, why, and its page.
def verdictLines(results, outdir, c) {
    def refused = refusedRows(results.refused).collectEntries { row -> [(row.sample): row] }
    def verdicts = results.verdicts.collectEntries { sample, word, reason -> [(sample): [word: word, reason: reason]] }
    def rows = results.samples.collect { sample ->
        [sample: sample, word: '', reason: ''] + (verdicts[sample] ?: [:]) + (refused[sample] ?: [:]) + [path: "${outdir}/${sample}/${sample}_report.html"]
    }
    return sampleLines(rows, c)
}

def refusedRows(refused) {
    return refused.collect { sample, step, reasons -> [sample: sample, word: 'REFUSED', reason: "${step}: ${reasons}", path: ''] }
}

def sampleLines(rows, c) {
    def shades = [USABLE: c.green, 'LOOK FIRST': c.yellow, 'DO NOT USE': c.red, REFUSED: c.red, FAILED: c.red]
    def width = rows.collect { row -> row.sample.size() }.max() ?: 0
    def words = rows.collect { row -> row.word.size() }.max() ?: 0
    return rows.sort { row -> row.sample }.collect { row ->
        def verdict = words ? "${shades[row.word] ?: ''}${row.word.padRight(words)}${c.reset}" : ''
        def parts = [row.sample.padRight(width), verdict, row.reason, row.path ? "-> ${row.path}" : '']
        "  ${parts.findAll().join('  ')}"
    }
}

def what(step) {
    return [spatialdata: stepNamed(step).title, superres_pretrain: 'training on references', study: 'integration of the study'][step] ?: 'super-resolution'
}

// What failed, where, the samples that came to an end before, and what to do about it.
def stopped(settings, results, c, with_message) {
    def report = workflow.errorReport ?: ''
    def task = firstGroup(report, /Error executing process > '([^']+)'/)
    def folder = firstGroup(report, /Work dir:\s+(.+)/)
    def lines = ["${c.red}Stopped${c.reset} after ${workflow.duration}${task ? " at ${task.tokenize(':').last()}${workflow.exitStatus == null ? '' : ", exit code ${workflow.exitStatus}"}" : ''}"]
    if (with_message) {
        def said = (workflow.errorMessage ?: report ?: 'see the log').readLines().takeRight(25)
        lines += said.collect { line -> "  ${line}" }
    }
    def with_page = results.samples as Set
    lines.addAll(verdictLines(results, settings.outdir - ~'/+$', c))
    lines.addAll(sampleLines(refusedRows(results.refused.findAll { entry -> !(entry[0] in with_page) }), c))
    if (folder) {
        lines << "Work folder of the task: ${folder}"
    }
    if (task) {
        lines << whatToDo(workflow.exitStatus)
    }
    lines << "Completed results are kept. Fix the cause and run the same command with -resume. Log file: ${workflow.launchDir}/.nextflow.log"
    return lines*.toString()
}

def firstGroup(text, pattern) {
    def found = text =~ pattern
    return found.find() ? found.group(1) : null
}

def whatToDo(exit_code) {
    def advice = containerAdvice(exit_code)
    if (advice) {
        return advice
    }
    if (workflow.errorReport?.contains('POSIX compatible file system')) {
        return 'The work folder is on an object store, but this executor requires a file system. Leave out -work-dir, or run the tasks in the cloud (-profile awsbatch, googlebatch).'
    }
    if (exit_code == 65) {
        return 'The input is faulty: fix the problem named in the message.'
    }
    if (exit_code == 69) {
        return 'The requested GPU is unavailable: run the task on a machine with a GPU, or leave out -profile gpu.'
    }
    if (exit_code == 73) {
        return 'The disk of the work folder is full: free some space, or choose another folder with -work-dir.'
    }
    if (exit_code == 74) {
        return 'A file of an earlier step is damaged, for example because of a full or failing disk: fix it as described in the message.'
    }
    if (exit_code == 75) {
        return 'The GPU ran out of memory, even with smaller tiles: decrease --dusted_tile_spots, or use a GPU with more memory.'
    }
    if (exit_code == 127 || workflow.errorMessage?.contains("No module named 'clearspot'")) {
        return 'The software is not installed where the task ran: use a container profile (-profile docker, singularity, ...), or `make run`, which installs it.'
    }
    if (exit_code in ((130..145) - 139 + [104, 175, 2147483647])) {
        return 'The executor killed or lost the task in every attempt: allow more memory or time (process.resourceLimits, docs/usage.md).'
    }
    return 'This is probably a software error, not a problem with the data: report it with the message and the files .command.sh and .command.err of the work folder.'
}
