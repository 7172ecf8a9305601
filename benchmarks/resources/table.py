"""Print the tables of docs/resources.md from results.csv, and draw slides.png.

`python benchmarks/resources/table.py` prints the sections of 2,000 genes; `--slides` those of 18,000 genes, how fast
each process grows with them, and draws the figure.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from measured import RESULTS, SLIDE_GENES, with_training

FIGURE = Path(__file__).with_name("slides.png")
FIXED = ("SAMPLESHEET_CHECK", "COHORT_REPORT")
"""They do not depend on the spots."""


def table(results: pd.DataFrame, *, gigabytes: bool = False) -> str:
    """One row a process, one column a size: CPU seconds and peak memory."""
    sizes = results.drop_duplicates("size").sort_values("n_spots")
    heads = [
        f"{row.n_spots:,} {'bins of 16 µm' if row.size.endswith('16um') else 'spots'}, "
        f"{_two_digits(row.n_entries / 1e6)} M counts"
        for row in sizes[["size", "n_spots", "n_entries"]].itertuples(index=False)
    ]
    lines = [["process", *heads], ["---"] * (len(heads) + 1)]
    for process in dict.fromkeys(results["process"]):
        cells = []
        for size in sizes["size"]:
            found = results[(results["process"] == process) & (results["size"] == size)]
            figures = [
                f"{row.cpu_seconds:.0f} s, "
                + (f"{row.peak_mb / 1000:.1f} GB" if gigabytes else f"{row.peak_mb:.0f} MB")
                for row in found.itertuples()
            ]
            cells.append(" ".join(figures).replace(", nan MB", "") or "-")
        lines.append([process, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _two_digits(millions: float) -> str:
    return f"{millions:.0f}" if millions >= 10 else f"{millions:.2g}"


def growth(slides: pd.DataFrame) -> pd.Series:
    """Exponent with which the CPU time of each process grows from the second largest slide to the largest."""
    wide = slides.pivot(index="n_spots", columns="process", values="cpu_seconds").sort_index().dropna(axis=1)
    last, largest = wide.iloc[-2], wide.iloc[-1]
    return np.log(largest / last) / np.log(wide.index[-1] / wide.index[-2])


def draw(slides: pd.DataFrame) -> None:
    """CPU time and peak memory by the number of bins, both on logarithmic axes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for process, rows in slides[~slides["process"].isin(FIXED)].groupby("process", sort=False):
        rows = rows.sort_values("n_spots")
        left.loglog(rows["n_spots"], rows["cpu_seconds"], marker="o", markersize=4, label=process)
        right.loglog(rows["n_spots"], rows["peak_mb"] / 1000, marker="o", markersize=4)
    bins = np.array([slides["n_spots"].min(), slides["n_spots"].max()], dtype=float)
    left.loglog(bins, 4 * bins / bins[0], color="0.6", linestyle="--", linewidth=1, label="linear growth")
    right.axhline(12, color="0.6", linestyle=":", linewidth=1)
    left.set(xlabel="bins in tissue", ylabel="CPU time (s)")
    right.set(xlabel="bins in tissue", ylabel="peak memory (GB); dotted: 12 GB")
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    sizes = np.sort(slides["n_spots"].unique())
    for axes in (left, right):
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURE, dpi=150)
    plt.close(figure)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slides", action="store_true", help="slides of 18,000 genes")
    options = parser.parse_args()
    results = pd.read_csv(RESULTS)
    slides = results[results["n_genes"] > SLIDE_GENES]
    if not options.slides:
        sys.stdout.write(table(results[results["n_genes"] <= SLIDE_GENES]))
        return
    of_8_um = with_training(slides[~slides["size"].str.contains("um")])
    sys.stdout.write(table(slides, gigabytes=True))
    sys.stdout.write("\nCPU time grows between the two largest with the power of the bins:\n")
    sys.stdout.write("".join(f"{process}: {power:.2f}\n" for process, power in growth(of_8_um).items()))
    draw(of_8_um)


if __name__ == "__main__":
    main()
