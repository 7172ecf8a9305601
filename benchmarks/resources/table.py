"""Print the table of docs/resources.md from results.csv: `python benchmarks/resources/table.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).with_name("results.csv")


def main() -> None:
    """One row a process, one column a size: CPU seconds and peak memory."""
    results = pd.read_csv(RESULTS)
    sizes = results.drop_duplicates("size").sort_values("n_spots")
    heads = [f"{row.n_spots:,} spots, {row.n_entries / 1e6:.2g} M counts" for row in sizes.itertuples()]
    lines = [["process", *heads], ["---"] * (len(heads) + 1)]
    for process in dict.fromkeys(results["process"]):
        cells = []
        for size in sizes["size"]:
            found = results[(results["process"] == process) & (results["size"] == size)]
            figures = [f"{row.cpu_seconds:.0f} s, {row.peak_mb:.0f} MB" for row in found.itertuples()]
            cells.append(" ".join(figures).replace(", nan MB", "") or "-")
        lines.append([process, *cells])
    sys.stdout.write("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
