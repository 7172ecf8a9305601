// What the configuration gives scripts as `ext.args`, by the names of the processes (tests/pipeline/test_parameters.py).

process SPATIAL_DOMAINS {
    output:
    path 'arguments.txt'

    script:
    """
    echo "${task.ext.args}" > arguments.txt
    """
}

process DUSTED_DENOISE {
    output:
    path 'arguments.txt'

    script:
    """
    echo "${task.ext.args}" > arguments.txt
    """
}

process DIFFUSION_SAMPLE {
    output:
    path 'arguments.txt'

    script:
    """
    echo "${task.ext.args}" > arguments.txt
    """
}

process COHORT_REPORT {
    output:
    path 'arguments.txt'

    script:
    """
    echo "${task.ext.args}" > arguments.txt
    """
}

workflow {
    SPATIAL_DOMAINS()
    DUSTED_DENOISE()
    DIFFUSION_SAMPLE()
    COHORT_REPORT()
}
