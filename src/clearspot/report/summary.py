"""``qc_summary.csv``: one row a sample, columns that stay what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clearspot.io.atomic import atomic_path
from clearspot.report.metrics import SampleRecords
from clearspot.report.verdict import Rule, findings, verdict


@dataclass(frozen=True)
class Column:
    """A column of the summary.

    Parameters
    ----------
    name
        Never changes its meaning; new columns are added at the end.
    meaning
        What it holds, with its unit, for docs/output.md.
    value
        Read from the records of a sample; ``None``: not measured, an empty cell.
    """

    name: str
    meaning: str
    value: Callable[[SampleRecords], Any]


def _metric(name: str, meaning: str, step: str, metric: str | None = None) -> Column:
    return Column(name, meaning, lambda records: records.metric(step, metric or name))


def _stated(name: str, meaning: str, theirs: str) -> Column:
    return Column(name, meaning, lambda records: records.space_ranger.get(theirs))


def _reason(records: SampleRecords) -> str | None:
    reasons = [f"{problem.file}: {problem.found} (expected {problem.expected})" for problem in records.problems]
    return " | ".join(" ".join(reason.split()) for reason in reasons) or None


COLUMNS: Final[tuple[Column, ...]] = (
    Column("sample", "sample name", lambda records: records.sample),
    Column("status", "ok, or bad_input for a sample that was refused", lambda records: records.status),
    Column("failed_step", "the step that refused the sample", lambda records: records.failed_step),
    Column("reason", "why the sample was refused", _reason),
    _metric("assay", "kind of Space Ranger output", "ingest"),
    _metric("slide_type", "kind of slide", "ingest"),
    _metric("chemistry", "chemistry as Space Ranger states it", "ingest"),
    _metric("software_version", "Space Ranger's version", "ingest"),
    _metric("bin_size_um", "side of a bin in micrometres (Visium HD only)", "ingest"),
    _metric("microns_per_pixel", "micrometres per pixel of the full-resolution image", "ingest"),
    _metric("n_in_tissue", "spots under tissue", "ingest"),
    _metric("n_spots", "spots under tissue that have counts", "ingest"),
    _metric("n_genes_detected", "genes with at least one count", "ingest"),
    _metric("total_umi", "UMI counts under tissue", "ingest"),
    _metric("median_umi_per_spot", "median UMI counts per spot", "ingest"),
    _metric("median_genes_per_spot", "median genes per spot", "ingest"),
    _metric("fraction_umi_outside_tissue", "share of UMI counts outside the tissue, 0 to 1", "ingest"),
    _stated("number_of_reads", "Space Ranger: Number of Reads", "Number of Reads"),
    _stated("mean_reads_per_spot", "Space Ranger: Mean Reads per Spot", "Mean Reads per Spot"),
    _stated("sequencing_saturation", "Space Ranger: Sequencing Saturation, 0 to 1", "Sequencing Saturation"),
    _stated("valid_barcodes", "Space Ranger: Valid Barcodes, 0 to 1", "Valid Barcodes"),
    _stated(
        "fraction_reads_in_spots_under_tissue",
        "Space Ranger: Fraction Reads in Spots Under Tissue, 0 to 1",
        "Fraction Reads in Spots Under Tissue",
    ),
    _metric("n_spots_pass", "spots that pass quality control", "qc"),
    _metric("percent_spots_pass", "spots that pass quality control, in per cent", "qc"),
    _metric("n_genes_pass", "genes that pass quality control", "qc"),
    _metric("n_hvgs", "highly variable genes", "qc"),
    _metric("median_percent_mt", "median share of mitochondrial counts, in per cent", "qc"),
    _metric("median_percent_ribo", "median share of ribosomal protein counts, in per cent", "qc"),
    _metric("median_percent_hb", "median share of haemoglobin counts, in per cent", "qc"),
    _metric("n_local_outliers", "spots that differ strongly from their surroundings (kept)", "qc"),
    _metric("edge_to_interior_counts", "median counts at the tissue's edge over those inside", "qc"),
    _metric("median_degree", "median number of neighbours in the graph", "graph"),
    _metric("n_isolates", "spots without a neighbour", "graph"),
    _metric("n_components", "connected pieces of the graph", "graph"),
    _metric("n_genes_modelled", "genes that the denoiser modelled", "dusted"),
    _metric("dusted_epochs", "training epochs of the denoiser", "dusted", "epochs"),
    _metric("dusted_loss_best", "training loss of the epoch whose weights were kept", "dusted", "loss_best"),
    _metric("heldout_deviance_dusted", "Poisson deviance of held-out counts, DUSTED", "dusted"),
    _metric("heldout_deviance_neighbours", "Poisson deviance of held-out counts, neighbour averaging", "dusted"),
    _metric("heldout_deviance_constant", "Poisson deviance of held-out counts, each gene's average", "dusted"),
    _metric("heldout_beats_neighbours", "whether DUSTED predicts held-out counts better than averages", "dusted"),
    _metric("domain_method", "column of obs with the main domains", "domains", "main"),
    _metric("n_domains", "number of spatial domains", "domains"),
    _metric("moran_median_measured", "median Moran's I of the measured values", "domains"),
    _metric("moran_median_denoised", "median Moran's I of the denoised values", "domains"),
    _metric("moran_median_neighbour_mean", "median Moran's I of the plain neighbour mean", "domains"),
    _metric(
        "moran_median_neighbour_mean_shuffled", "median Moran's I of the neighbour mean of shuffled spots", "domains"
    ),
    _metric("superres_bin_um", "side of a super-resolved bin in micrometres; predicted values", "superres", "bin_um"),
    _metric("superres_n_genes", "genes that were super-resolved", "superres", "n_genes"),
    _metric("superres_n_bins", "super-resolved bins on tissue", "superres", "n_bins_on_tissue"),
    _metric(
        "superres_share_measured", "share of these bins that lie under a spot, 0 to 1", "superres", "share_measured"
    ),
    _metric("superres_mean_is", "what the predicted mean is of: diffusion or meannet", "superres", "mean_is"),
    _metric(
        "superres_heldout_correlation_mean",
        "correlation with held-out spots, MeanNet (mean over genes)",
        "superres",
        "heldout_correlation_mean",
    ),
    _metric(
        "superres_heldout_correlation_diffusion",
        "correlation with held-out spots, diffusion (mean over genes)",
        "superres",
        "heldout_correlation_diffusion",
    ),
    _metric(
        "superres_heldout_coverage",
        "share of held-out spots' counts in the reported 90 % interval, 0 to 1",
        "superres",
        "heldout_coverage",
    ),
)


def summary_table(samples: Iterable[SampleRecords], rules: Sequence[Rule]) -> pd.DataFrame:
    """Return the summary: one row a sample, :data:`COLUMNS`, then ``verdict`` and ``verdict_reason``."""
    rows = []
    for records in samples:
        row = {column.name: column.value(records) for column in COLUMNS}
        judged = verdict(records, findings(records, rules))
        rows.append(row | {"verdict": judged.light, "verdict_reason": judged.text})
    names = [*(column.name for column in COLUMNS), "verdict", "verdict_reason"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def write_summary(samples: Iterable[SampleRecords], rules: Sequence[Rule], path: Path) -> None:
    """Write :func:`summary_table` as CSV (RFC 4180, UTF-8), whole or not at all."""
    with atomic_path(path) as partial:
        summary_table(samples, rules).to_csv(partial, index=False)
