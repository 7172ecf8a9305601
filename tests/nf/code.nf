// A step and a report, whose scripts name the code that they run (tests/pipeline/test_code_version.py).

process SPOT_QC {
    script:
    """
    # clearspot ${task.ext.code_version}
    """
}

process SAMPLE_REPORT {
    script:
    """
    # clearspot ${task.ext.code_version}
    """
}

workflow {
    SPOT_QC()
    SAMPLE_REPORT()
}
