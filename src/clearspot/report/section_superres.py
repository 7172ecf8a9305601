"""Super-resolution: what was predicted between and inside the spots, beside what they measured."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import h5py
import numpy as np
from anndata.io import read_elem

from clearspot import keys
from clearspot.contract.metrics import get_metric
from clearspot.contract.steps import get_step
from clearspot.display.format import show_metric
from clearspot.io.scale import CAPTURE_DIAMETER_UM
from clearspot.report.blocks import (
    Block,
    KeyNumber,
    KeyNumbers,
    Notice,
    Picker,
    Problems,
    ReportSection,
    Row,
    Spec,
    Table,
    Text,
)
from clearspot.report.canvas_kinds import RasterCanvas
from clearspot.report.gene_choice import gene_groups
from clearspot.report.map_parts import colour_axis, upper_limit
from clearspot.report.metrics import SampleRecords
from clearspot.report.step_blocks import key_number, notices, structure_notice
from clearspot.report.superres_outcome import superres_outcome
from clearspot.report.view import SampleView

VALUES_BUDGET: Final = 500_000
"""Values of the maps in a page (16 bits each, in base64): about 1.4 MB."""

MOST_CELLS: Final = 60_000
_MOST_GENES: Final = 12
_MOSTLY_USABLE: Final = 90.0
"""Percentage of usable image tiles from which no notice is shown."""

_PREDICTED: Final = "Predicted, not measured."


def superres_section(view: SampleView) -> ReportSection:
    """Build the super-resolution tab."""
    section = ReportSection("superres", get_step("superres").title)
    if not view.records.ran("superres") or view.superres is None:
        section.blocks += _why_not(view)
        return section
    section.blocks += [
        Notice(
            f"{_PREDICTED} All values in this part are predictions of the model at a resolution finer than the spots.",
            "look",
        ),
        *notices(view.records, "superres"),
        *_picture_notice(view.records),
        Notice(_totals(view)),
        _key_numbers(view),
        *_scores(view),
        *structure_notice(view.records),
        *_maps(view, view.superres),
    ]
    return section


def _picture_notice(records: SampleRecords) -> list[Block]:
    """Say where the picture has nothing to add, where that is much of the tissue."""
    usable = records.metric("qc", "percent_tiles_usable")
    if usable is None or usable >= _MOSTLY_USABLE:
        return []
    return [
        Notice(
            f"The image is sharp, well exposed and stained in {usable:.0f} % of the tissue. Elsewhere, maps are based "
            f"on the spots alone. See the image quality by tile under Quality control.",
            "look",
        )
    ]


def _totals(view: SampleView) -> str:
    """Say whether bins add up to the spots' counts."""
    if view.records.steps["superres"].params.get("projection"):
        return (
            "Bins under a spot add up exactly to its counts. This carries over the counting noise, so spots can show "
            "in the maps as brighter and darker discs."
        )
    return (
        "Maps follow the spot counts only as closely as held-out spots support. Bins under a spot do not necessarily "
        "add up to its counts."
    )


def _why_not(view: SampleView) -> list[Block]:
    outcome, places = superres_outcome(view.records), f"{view.records.spot_word}s"
    measured = (
        f"All values in this report are measured, or denoised at the measured {places}. No values between the {places} "
        "are predicted."
    )
    if outcome.status == "ok":
        return [Notice("The file of super-resolved expression was not provided to this report.", "look")]
    if outcome.status == "not run":
        why = f"Reason: {outcome.reason}. {outcome.remedy}".strip()
        return [Notice(f"Super-resolution was not run. {measured}"), Notice(why)]
    said = f"the step {outcome.step} {'failed' if outcome.status == 'failed' else 'refused its input'}"
    return [
        Notice(f"Super-resolution is missing: {said}. All other results of this sample are available.", "look"),
        Problems(outcome.problems),
        Notice(measured),
    ]


def _key_numbers(view: SampleView) -> KeyNumbers:
    records = view.records
    pitch = get_metric("superres", "spot_pitch_um")
    apart = f"{pitch.title.lower()} {show_metric(records.metric('superres', pitch.name), pitch)}"
    method = {"diffusion": "Diffusion", "meannet": "MeanNet"}.get(records.metric("superres", "mean_is"), "unknown")
    return KeyNumbers(
        [
            key_number(records, "superres", "bin_um", apart),
            key_number(records, "superres", "n_genes"),
            key_number(records, "superres", "n_bins_on_tissue"),
            key_number(records, "superres", "share_measured", "the others are extrapolated"),
            key_number(records, "superres", "samples"),
            KeyNumber(get_metric("superres", "mean_is").title, method, "chosen by the scores below"),
        ]
    )


_SCORES: Final = (
    ("MeanNet", "heldout_correlation_mean", "heldout_crps_mean", "heldout_coverage_mean"),
    (
        "MeanNet, with the spread of the diffusion", "heldout_correlation_mean", "heldout_crps_spread",
        "heldout_coverage_spread",
    ),
    ("Diffusion", "heldout_correlation_diffusion", "heldout_crps_diffusion", "heldout_coverage_diffusion"),
)  # fmt: skip
"""Model, and the metrics of its correlation, of its CRPS and of the coverage of its interval."""


def _scores(view: SampleView) -> list[Block]:
    """What the model predicts of spots that it never saw."""
    spots = view.records.metric("superres", "heldout_n_spots")
    if spots is None:
        return [
            Notice("Too few spots to hold some out: the agreement of the prediction with measured spots is unknown.")
        ]
    rows = [
        (
            title,
            *(show_metric(view.records.metric("superres", name), get_metric("superres", name)) for name in names),
        )
        for title, *names in _SCORES
    ]
    return [
        Table(
            f"Agreement with {spots} held-out spots, which were not used in training (all genes; square root of "
            f"counts). A well-calibrated 90 % interval covers about 90 %.",
            ("Model", "Correlation", "CRPS (lower is better)", "Covered by the 90 % interval"),
            rows,
            numeric=frozenset({1, 2, 3}),
        )
    ]


def _maps(view: SampleView, path: Path) -> list[Block]:
    """Measured spots, predicted mean, its spread, the picture; one choice of gene, and one colour axis of densities."""
    data, spots = view.data, view.canvas
    if data is None or spots is None:
        return []
    with h5py.File(path, "r") as file:
        names = read_elem(file["var"]).index
        xy = np.asarray(read_elem(file["obsm"][keys.SPATIAL]), dtype=np.float64)
        bin_px = view.records.metric("superres", "bin_um") / float(spots.um_per_px or 1.0)
        extent = np.ptp(xy, axis=0) + bin_px
        # whole bins to a cell, so that none is cut
        side = bin_px * max(1, math.ceil(math.sqrt(float(extent.prod()) / bin_px**2 / MOST_CELLS)))
        canvas = RasterCanvas(
            view.store, xy, side=side, spot_diameter=bin_px / 2, um_per_px=spots.um_per_px, word="bin"
        )
        most = int(np.clip(VALUES_BUDGET // (2 * canvas.n_drawn), 1, _MOST_GENES))
        groups = _groups(view, set(names), most)
        genes = [gene for _, group in groups for gene in group]
        if not genes:
            return [Notice("None of the genes shown in this report was super-resolved.")]
        measured = data.genes(keys.COUNTS, genes)
        bins_of_a_spot = _spot_area(view) / view.records.metric("superres", "bin_um") ** 2
        axes: dict[str, Spec] = {}
        for number, gene in enumerate(genes):
            column = names.get_loc(gene)
            mean, sd = (np.asarray(file["layers"][name][:, column]) for name in (keys.SUPERRES_MEAN, keys.SUPERRES_SD))
            canvas.keep(f"predicted:{gene}", mean)
            canvas.keep(f"spread:{gene}", sd)
            spots.keep(f"measured:{gene}", measured[:, number])
            high = upper_limit(measured[:, number], mean * bins_of_a_spot)
            axes[gene] = colour_axis(0.0, high, "counts per spot area", logarithmic=True)
            axes[f"superres-sd:{gene}"] = colour_axis(
                0.0, upper_limit(sd * bins_of_a_spot), "counts per spot area", logarithmic=True
            )
    charts = [
        spots.numeric(
            "superres-measured", "measured:$gene", "Measured", "UMI counts of the spots.",
            axes[genes[0]], unit="measured counts", logarithmic=True,
        ),
        canvas.numeric(
            "superres-mean", "predicted:$gene", "Super-resolved", f"{_PREDICTED} Expected counts per bin.",
            axes[genes[0]], unit="expected counts per bin", logarithmic=True, times=bins_of_a_spot,
        ),
        canvas.numeric(
            "superres-sd", "spread:$gene", "Uncertainty (SD)", f"{_PREDICTED} Standard deviation over the samples "
            f"drawn.",
            axes[f"superres-sd:{genes[0]}"], unit="counts per bin", logarithmic=True, times=bins_of_a_spot,
        ),
    ]  # fmt: skip
    picker = Picker("superres-gene", "Gene", groups, tuple(chart.id for chart in charts), axes)
    if view.picture is not None:
        charts.append(spots.overlay("superres-tissue", view.picture, "Tissue", view.picture_note, hidden=True))
    drawn = canvas.said if side > bin_px else "Every bin is drawn."
    colours = (
        "Colours show counts per spot area on a logarithmic scale, so bins and spots of equal density have the same "
        "colour. Measured and super-resolved maps share the same limits (0 to the larger of the two 99.5 % "
        "quantiles). Hover to see the counts."
    )
    return [Text(f"{len(genes)} genes. {drawn} {colours}"), picker, Row(charts)]


def _spot_area(view: SampleView) -> float:
    """In square micrometres: what a spot captures."""
    diameter = view.records.metric("superres", "spot_diameter_um") or CAPTURE_DIAMETER_UM
    return math.pi / 4 * float(diameter) ** 2


def _groups(view: SampleView, known: set[str], most: int) -> list[tuple[str, list[str]]]:
    """The report's genes that were super-resolved, else the first of the file."""
    groups, left = [], most
    for heading, genes in gene_groups(view):
        chosen = [gene for gene in genes if gene in known][:left]
        left -= len(chosen)
        if chosen:
            groups.append((heading, chosen))
    return groups
