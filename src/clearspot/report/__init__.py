"""Reports: a page a sample, and the cohort's MultiQC input. They read what steps wrote and compute nothing."""
