"""Names in the results folder that belong to the run as a whole: a sample's own folder stands beside them."""

from __future__ import annotations

from typing import Final

from clearspot import keys

RUN_NAMES: Final = {
    keys.COHORT: "the record of the whole run",
    "multiqc": "the folder of the cohort report",
    "pipeline_info": "the folder of the run's own records",
    "references": "the folder of the model trained on references",
    keys.STUDIES_FOLDER: "the folder of the studies",
    keys.QC_SUMMARY_NAME: "the table of all samples",
    "ro-crate-metadata.json": "the description of the results",
    "work": "Nextflow's work folder, if the results are written next to it",
}
"""What each name stands for; no sample can have one of them, in upper or lower case."""
