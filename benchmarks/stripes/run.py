#!/usr/bin/env python3
"""Measure stripes on a real Visium HD slide and on simulated ones, and what is left of them on held-out bins.

Run from the repository's root: ``python benchmarks/stripes/run.py``. It takes half a minute on one core and writes
``results.json``, ``results.md`` and ``results.png`` beside this file. The real slide is
``../shared/data/hd_kidney/kidney.h5ad`` (8 µm bins of a human kidney); without it only simulated slides are measured.

Factors that were fitted to the bins they are judged on leave nothing by construction. So factors of rows are learnt
from every other band of 32 columns and taken off the bands between them, where rows are then compared with their
neighbours again; columns likewise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import anndata as ad
import click
import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from clearspot.checks.border import compare_border
from clearspot.checks.stripes import Lines, measure_stripes
from clearspot.simulate.arrays import hd_array
from clearspot.simulate.capture import default_assay
from clearspot.simulate.measure import measure
from clearspot.simulate.phantom import make_phantom

HERE: Final = Path(__file__).parent
KIDNEY: Final = HERE.parents[2] / "shared/data/hd_kidney/kidney.h5ad"

BAND: Final = 32
SMOOTH_BINS: Final = 8.0
STRENGTHS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)

Bins = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def kidney() -> Bins:
    """Rows, columns and totals of the bins of the kidney."""
    obs = ad.read_h5ad(KIDNEY, backed="r").obs
    return (
        obs["row"].to_numpy(dtype=np.int64),
        obs["col"].to_numpy(dtype=np.int64),
        obs["total_1539"].to_numpy(dtype=np.float64),
    )


def phantom(seed: int) -> Bins:
    """Bins of 8 µm under the tissue of a simulated slide of 1 mm."""
    made = make_phantom(seed, width_um=1008, height_um=1008, n_genes=200)
    assay = default_assay("hd", 200)
    level = measure(made, "hd", made.panel, assay, np.random.SeedSequence(seed)).levels[8]
    array = hd_array(8, 1008, 1008).take(np.argsort(level.array.barcodes))
    kept = level.raw_in_tissue
    totals = np.asarray(level.raw.counts.sum(axis=1), dtype=np.float64)
    return array.row[kept].astype(np.int64), array.col[kept].astype(np.int64), totals[kept]


def striped(bins: Bins, strength: float, seed: int) -> Bins:
    """Thin the counts by log-normal factors of rows and of columns."""
    row, column, totals = bins
    rng = np.random.default_rng([seed, 1])
    factor = [np.exp(rng.normal(0, strength, int(axis.max()) + 1)) for axis in (row, column)]
    kept = factor[0][row] * factor[1][column]
    return row, column, rng.binomial(totals.astype(int), kept / kept.max()).astype(np.float64)


def strengths(bins: Bins) -> dict[str, float] | None:
    """Stripes of rows and columns, per cent."""
    found = measure_stripes(*bins)
    if found is None:
        return None
    return {"rows": 100 * found.rows.strength, "columns": 100 * found.columns.strength}


def diagonals(bins: Bins) -> list[dict[str, float] | None]:
    """The same along both diagonals, where a slide has no stripes."""
    row, column, totals = bins
    up, down = row + column, row - column - (row - column).min()
    return [strengths((up, down // 2, totals)), strengths((down, up // 2, totals))]


def by_quantile(bins: Bins) -> NDArray[np.float64]:
    """Factor of each bin by 99 % quantiles of its row, then of its column: the idea of bin2cell."""
    row, column, totals = bins
    factor = np.ones(len(totals))
    for axis in (row, column):
        values = totals / factor
        order = np.argsort(axis, kind="stable")
        found, starts = np.unique(axis[order], return_index=True)
        quantiles = np.array([np.quantile(part, 0.99) for part in np.split(values[order], starts[1:])])
        level = np.ones(int(axis.max()) + 1)
        level[found] = np.maximum(quantiles, 1e-9) / np.quantile(values, 0.99)
        factor *= level[axis]
    return factor


def ours(bins: Bins) -> NDArray[np.float64]:
    """Factor of each bin as quality control takes it out."""
    found = measure_stripes(*bins)
    assert found is not None
    return found.of_bin


def held_out(bins: Bins, method: Any) -> dict[str, float]:
    """Stripes of odd bands before, and after the factors that even bands have were taken off.

    Rows are judged on bands of columns, columns on bands of rows, so that each row is there in both halves.
    """
    result = {}
    for name, axis, across in (("rows", 0, 1), ("columns", 1, 0)):
        even = (bins[across] // BAND) % 2 == 0
        learnt = _of_axis(tuple(part[even] for part in bins), method, axis)
        row, column, totals = (part[~even] for part in bins)
        factor = learnt[(row, column)[axis]]
        known = np.isfinite(factor)
        for when, by in (("before", 1.0), ("after", factor[known])):
            result[f"{name}_{when}"] = 100 * _roughness(row[known], column[known], totals[known] / by, axis)
    return result


def _of_axis(bins: Any, method: Any, axis: int) -> NDArray[np.float64]:
    """Factor of each row (or column) alone; NaN where a half has no bin."""
    logarithm = np.log(method(bins))
    parts = [np.full(1000, 0.0), np.full(1000, 0.0)]
    for _ in range(50):  # the logarithm is a sum of both
        for which in (0, 1):
            rest = logarithm - parts[1 - which][bins[1 - which]]
            number = np.bincount(bins[which], minlength=1000)
            parts[which] = np.bincount(bins[which], weights=rest, minlength=1000) / np.maximum(number, 1)
    there = np.bincount(bins[axis], minlength=1000) > 0
    return np.where(there, np.exp(parts[axis] - np.median(parts[axis][there])), np.nan)


def _roughness(row: Any, column: Any, totals: Any, axis: int) -> float:
    """Standard deviation of the logarithm of a row's total over the mean total of the two rows beside it.

    A measure that neither method fits: over the columns in which all three rows have bins.
    """
    grid = np.full((1000, 1000), np.nan)
    grid[row, column] = totals
    grid = grid if axis == 0 else grid.T
    before, here, after = grid[:-2], grid[1:-1], grid[2:]
    there = np.isfinite(before) & np.isfinite(here) & np.isfinite(after)
    kept = there.sum(axis=1) >= 50
    sums = [np.where(there, part, 0.0).sum(axis=1)[kept] for part in (before, here, after)]
    return float(np.std(np.log(sums[1] / ((sums[0] + sums[2]) / 2))))


def tissue_kept(bins: Bins, factor: NDArray[np.float64]) -> float:
    """Share of the variance of the smoothed logarithm of the counts that is left when a factor is taken off."""
    row, column, totals = bins
    shape = int(row.max()) + 1, int(column.max()) + 1

    def smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
        there, grid = np.zeros(shape), np.zeros(shape)
        there[row, column], grid[row, column] = 1.0, values
        weight = gaussian_filter(there, SMOOTH_BINS)[row, column]
        return np.asarray(np.log1p(gaussian_filter(grid, SMOOTH_BINS)[row, column] / weight))

    return float(np.var(smooth(totals / factor)) / np.var(smooth(totals)))


def profile(lines: Lines) -> dict[str, list[float]]:
    """Factors by number, for the figure."""
    return {"number": lines.number.tolist(), "factor": lines.factor.round(4).tolist()}


@click.command()
@click.option("--phantoms", default=20, show_default=True, help="Simulated slides without stripes.")
def main(phantoms: int) -> None:
    """Run everything and write the results."""
    results: dict[str, Any] = {}
    if KIDNEY.exists():
        bins = kidney()
        found = measure_stripes(*bins)
        assert found is not None
        methods = {"nearest rows (ours)": ours, "99 % quantile": by_quantile}
        results["kidney"] = {
            "strength": strengths(bins),
            "diagonals": diagonals(bins),
            "held_out": {name: held_out(bins, method) for name, method in methods.items()},
            "tissue_kept": {name: tissue_kept(bins, method(bins)) for name, method in methods.items()},
            "border": vars(compare_border(*bins, 8.0)),
            "rows": profile(found.rows),
            "columns": profile(found.columns),
        }
    plain = [phantom(seed) for seed in range(phantoms)]
    results["phantoms"] = [strengths(bins) for bins in plain]
    results["added"] = {
        str(strength): [strengths(striped(bins, strength, seed)) for seed, bins in enumerate(plain[:5])]
        for strength in STRENGTHS
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (HERE / "results.md").write_text(_page(results))
    _draw(results)


def _page(results: dict[str, Any]) -> str:
    lines = ["# Stripes of Visium HD", "", "`python benchmarks/stripes/run.py` made this page.", ""]
    if "kidney" in results:
        real = results["kidney"]
        lines += [
            "## Human kidney, 8 µm bins",
            "",
            f"Rows differ by {real['strength']['rows']:.1f} % from their nearest rows, columns by "
            f"{real['strength']['columns']:.1f} %. Along the diagonals, where a slide has no stripes, the same measure "
            "gives "
            + ", ".join(f"{value:.1f}" for part in real["diagonals"] for value in part.values())
            + " %: what tissue adds to it.",
            "",
            "Factors of rows learnt from every other band of 32 columns and taken off the bands between (columns "
            "likewise): standard deviation of a row's total over the mean of the two rows beside it. The last column "
            "is the share of the variance of the smoothed counts (64 µm) that stays, which is tissue. bin2cell's idea "
            "is the 99 % quantile; it is meant for bins of 2 µm, whose rows have four times as many bins.",
            "",
            "| method | rows before | rows after | columns before | columns after | tissue kept |",
            "| --- | --- | --- | --- | --- | --- |",
            *(
                f"| {name} | {one['rows_before']:.1f} % | {one['rows_after']:.1f} % | {one['columns_before']:.1f} % | "
                f"{one['columns_after']:.1f} % | {real['tissue_kept'][name]:.3f} |"
                for name, one in real["held_out"].items()
            ),
            "",
            f"Border: {real['border']['n_bins']} bins under tissue in the outermost rows and columns, with "
            f"{real['border']['ratio']:.2f} times the counts of those behind them (the lowest side).",
            "",
        ]
    worst = [max(one.values()) for one in results["phantoms"] if one]
    lines += [
        "## Simulated slides of 1 mm",
        "",
        f"Without stripes ({len(worst)} slides), the larger of rows and columns: median {np.median(worst):.1f} %, "
        f"largest {max(worst):.1f} %.",
        "",
        "With stripes added to rows and columns (5 slides each):",
        "",
        "| added | measured, rows | measured, columns |",
        "| --- | --- | --- |",
    ]
    for strength, found in results["added"].items():
        rows, columns = (np.mean([one[name] for one in found if one]) for name in ("rows", "columns"))
        lines.append(f"| {100 * float(strength):.0f} % | {rows:.1f} % | {columns:.1f} % |")
    if "kidney" in results:
        lines += ["", "![Factors of the kidney's rows and columns](results.png)"]
    return "\n".join(lines) + "\n"


def _draw(results: dict[str, Any]) -> None:
    if "kidney" not in results:
        return
    figure, axes = plt.subplots(2, 1, figsize=(8, 4), sharey=True, layout="constrained")
    for axis, name in zip(axes, ("rows", "columns"), strict=True):
        part = results["kidney"][name]
        axis.plot(part["number"], part["factor"], linewidth=0.6)
        axis.set(xlabel=f"array {name[:-1]} (8 µm bins)", ylabel="counts / nearest")
        axis.axhline(1, color="0.6", linewidth=0.6)
    figure.savefig(HERE / "results.png", dpi=120)


if __name__ == "__main__":
    main()
