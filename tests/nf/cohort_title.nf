// What the configuration makes of `--multiqc_title` (tests/pipeline/test_odd_places.py).

process COHORT_REPORT {
    output:
    path 'arguments.txt'

    script:
    """
    printf '%s\\n' ${task.ext.args} > arguments.txt
    """
}

workflow {
    COHORT_REPORT()
}
