// Makes a run end with an error, without ending it at once: `error()` would break off the copying of results that other tasks
// just made. This task fails and is ignored, and `workflow.failOnIgnore` gives the run its exit code.

process FAIL_RUN {
    executor 'local'
    memory 100.MB
    errorStrategy 'ignore'

    input:
    val samples

    exec:
    throw new IllegalStateException("refused: ${samples.join(', ')}")
}
