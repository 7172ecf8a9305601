"""``qc_summary.csv``: one row per sample, columns that stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clearspot.contract.metrics import get_metric
from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER
from clearspot.io.atomic import atomic_path
from clearspot.report.metrics import SampleRecords, reason_of
from clearspot.report.rule import Rule
from clearspot.report.superres_outcome import step_outcome, superres_outcome
from clearspot.report.verdict import findings, verdict


@dataclass(frozen=True)
class Column:
    """A column of the summary.

    Parameters
    ----------
    name
        Never changes its meaning. Read columns by name: new ones are added where they belong.
    meaning
        What it holds, with its unit, for docs/output.md.
    value
        Read from the records of a sample; ``None``: not measured, an empty cell.
    """

    name: str
    meaning: str
    value: Callable[[SampleRecords], Any]


def _metric(step: str, metric: str, name: str | None = None) -> Column:
    return Column(name or metric, get_metric(step, metric).meaning, lambda records: records.metric(step, metric))


SAMPLE_COLUMN: Final = {"sample": "sample name"}
"""The first column and its meaning."""

COLUMNS: Final[tuple[Column, ...]] = (
    # outcome
    Column(
        "status",
        "`ok`, `bad_input` (a step refused the sample) or `failed` (a task of the sample failed)",
        lambda records: records.status,
    ),
    Column("failed_step", "step that refused the sample or failed", lambda records: records.failed_step),
    Column("reason", "reason why the sample has no results", lambda records: reason_of(records.problems) or None),
    Column(
        "superres_status",
        "super-resolution: `ok`, `not run`, `refused` (a step refused its input) or `failed` (a task failed)",
        lambda records: superres_outcome(records).status,
    ),
    Column(
        "superres_reason",
        "reason why the sample is not super-resolved",
        lambda records: superres_outcome(records).reason or None,
    ),
    Column(
        "spatialdata_status",
        "SpatialData export: `ok`, `not run`, `refused` (the step refused its input) or `failed` (the task failed)",
        lambda records: step_outcome(records, "spatialdata")[0],
    ),
    Column(
        "spatialdata_reason",
        "reason why there is no SpatialData store",
        lambda records: step_outcome(records, "spatialdata")[1],
    ),
    # the section
    _metric("ingest", "assay"),
    _metric("ingest", "slide_type"),
    _metric("ingest", "bin_size_um"),
    _metric("ingest", "n_in_tissue"),
    _metric("ingest", "n_spots"),
    # counts and their quality
    _metric("qc", "n_spots_pass"),
    _metric("qc", "percent_spots_pass"),
    _metric("ingest", "median_umi_per_spot"),
    _metric("ingest", "median_genes_per_spot"),
    _metric("ingest", "total_umi"),
    _metric("ingest", "n_genes_detected"),
    _metric("qc", "n_genes_pass"),
    _metric("qc", "median_percent_mt"),
    _metric("qc", "median_percent_ribo"),
    _metric("qc", "median_percent_hb"),
    _metric("ingest", "fraction_umi_outside_tissue"),
    _metric("qc", "n_local_outliers"),
    _metric("qc", "edge_to_interior_counts"),
    # sequencing
    _metric(SPACE_RANGER, "number_of_reads"),
    _metric(SPACE_RANGER, "mean_reads_per_spot"),
    _metric(SPACE_RANGER, "sequencing_saturation"),
    _metric(SPACE_RANGER, "valid_barcodes"),
    _metric(SPACE_RANGER, "fraction_reads_in_spots_under_tissue"),
    # graph
    _metric("graph", "median_degree"),
    _metric("graph", "n_isolates"),
    _metric("graph", "n_components"),
    # domains
    _metric("domains", "n_domains"),
    _metric("domains", "main", "domain_method"),
    # denoising
    _metric("dusted", "n_genes_modelled"),
    _metric("dusted", "heldout_beats_neighbours"),
    _metric("dusted", "heldout_deviance_dusted"),
    _metric("dusted", "heldout_deviance_neighbours"),
    _metric("dusted", "heldout_deviance_constant"),
    _metric("domains", "moran_median_measured"),
    _metric("domains", "moran_median_denoised"),
    _metric("domains", "moran_median_neighbour_mean"),
    _metric("domains", "moran_median_neighbour_mean_shuffled"),
    # super-resolution
    _metric("superres", "n_genes", "superres_n_genes"),
    _metric("superres", "n_bins_on_tissue", "superres_n_bins"),
    _metric("superres", "bin_um", "superres_bin_um"),
    _metric("superres", "share_measured", "superres_share_measured"),
    _metric("superres", "mean_is", "superres_mean_is"),
    _metric("superres", "heldout_correlation_mean", "superres_heldout_correlation_mean"),
    _metric("superres", "heldout_correlation_diffusion", "superres_heldout_correlation_diffusion"),
    _metric("superres", "heldout_coverage", "superres_heldout_coverage"),
    # technical details
    _metric("ingest", "chemistry"),
    _metric("ingest", "software_version"),
    _metric("ingest", "microns_per_pixel"),
    _metric("qc", "n_hvgs"),
    _metric("dusted", "epochs", "dusted_epochs"),
    _metric("dusted", "loss_best", "dusted_loss_best"),
    _metric("ingest", "unit"),
    _metric("ingest", "fraction_umi_in_cells"),
    _metric("qc", "median_cell_area_um2"),
    _metric("qc", "stripes_percent"),
)
"""What came of the sample, what it is, how good it is, what was made of it, and technical details last."""

VERDICT_COLUMNS: Final = {
    "verdict": "verdict of the report: `good`, `look` (check the sample before use), `bad` or `unknown`",
    "verdict_reason": "reason for the verdict, with values and limits",
}
"""The second and third column and their meaning; they depend on the limits too."""


def summary_table(samples: Iterable[SampleRecords], rules: Sequence[Rule]) -> pd.DataFrame:
    """Return the summary, one row per sample: its name, :data:`VERDICT_COLUMNS`, then :data:`COLUMNS`."""
    rows = []
    for records in samples:
        judged = verdict(records, findings(records, rules))
        first = dict(zip(VERDICT_COLUMNS, (judged.light, judged.text), strict=True))
        rows.append({"sample": records.sample} | first | {column.name: column.value(records) for column in COLUMNS})
    names = [*SAMPLE_COLUMN, *VERDICT_COLUMNS, *(column.name for column in COLUMNS)]
    return pd.DataFrame(rows, columns=names, dtype=object)


def write_summary(samples: Iterable[SampleRecords], rules: Sequence[Rule], path: Path) -> None:
    """Write :func:`summary_table` as CSV (RFC 4180, UTF-8), whole or not at all."""
    with atomic_path(path) as partial:
        summary_table(samples, rules).to_csv(partial, index=False)
