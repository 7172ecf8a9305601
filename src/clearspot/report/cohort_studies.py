"""Studies in the cohort report: a row each, with a link to the study's page."""

from __future__ import annotations

from collections.abc import Sequence

from clearspot.contract.steps import get_step
from clearspot.report import mqc
from clearspot.report.cohort_tables import metrics_table
from clearspot.report.metrics import SampleRecords


def study_label(study: str) -> str:
    """Name of a study in tables, where a sample may have the same."""
    return f"study {study}"


def studies_table(studies: Sequence[SampleRecords]) -> mqc.CustomContent:
    """Table of the studies that were integrated."""
    names = (
        "n_sections", "n_spots", "n_domains", "mixing_before", "mixing_after", "n_conditions", "n_domains_changed",
        "n_genes_changed", "batch_corrected", "n_donors", "n_batches", "fraction_assigned_surely",
    )  # fmt: skip
    done = {study_label(records.sample): records for records in studies if records.ran("study")}
    return metrics_table(
        done, "study", names, "clearspot_studies", get_step("study").title,
        "Sections that were integrated. The page of a study has the shared domains and the comparisons.",
        first="Study",
    )  # fmt: skip
