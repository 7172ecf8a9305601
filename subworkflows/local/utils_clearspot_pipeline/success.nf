// Whether a run did all that it should; a file of its own, since several scripts include it (see records.nf).

// Nextflow calls a run a success whose failed tasks were ignored (workflow.failOnIgnore gives it another exit code).
def succeeded() {
    return workflow.success && !workflow.stats.ignoredCount
}
