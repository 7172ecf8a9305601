"""Tables of docs/methods/study.md from the results: ``python -m benchmarks.study.table``."""

from __future__ import annotations

import pandas as pd

from benchmarks.study.differences import RESULTS as DIFFERENCES
from benchmarks.study.latents import METHODS
from benchmarks.study.memory import RESULTS as MEMORY
from benchmarks.study.run import RESULTS

_SHOWN = ("ari", "nmi", "ari_by_section", "biology", "batch", "total", "mixing", "condition_kept")


def integrations() -> str:
    """A row a series and method, means over seeds."""
    table = pd.read_csv(RESULTS)
    seeds = table.groupby("series")["seed"].nunique()
    order = [name for name in METHODS if name in set(table["method"])]
    means = table.groupby(["series", "method"])[list(_SHOWN)].mean()
    lines = ["| series (seeds) | latent | " + " | ".join(_SHOWN) + " |", "| --- " * (len(_SHOWN) + 2) + "|"]
    for series in table["series"].drop_duplicates():
        for method in order:
            if (series, method) not in means.index:
                continue
            row = means.loc[series, method]
            values = " | ".join("" if pd.isna(row[name]) else f"{row[name]:.2f}" for name in _SHOWN)
            lines.append(f"| `{series}` ({seeds[series]}) | `{method}` | {values} |")
    return "\n".join(lines)


def comparisons() -> str:
    """Genes: with one fit and with repeated fits. Composition below."""
    table = pd.read_csv(DIFFERENCES)
    genes = table[table["what"] == "genes"]
    shown = ["p_below_0.05", "false_discovery_rate", "power"]
    wide = genes.pivot_table(
        index=["donors", "planted", "effect"], columns="rounds", values=shown, dropna=False, sort=False
    )
    lines = [
        "| donors a condition | planted | log2 fold change | p < 0.05 of unchanged genes | false discoveries | power |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (donors, planted, effect), row in wide.dropna(how="all").iterrows():
        cells = []
        for name in shown:
            once, repeated = (row[name, rounds] for rounds in sorted(genes["rounds"].unique()))
            cells.append("" if pd.isna(once) else f"{once:.2f}, {repeated:.2f}")
        lines.append(f"| {donors} | {planted} | {effect:g} | " + " | ".join(cells) + " |")
    lines += ["", "| donors a condition | planted | p < 0.05 | power |", "| --- | --- | --- | --- |"]
    for _, row in table[table["what"] == "composition"].iterrows():
        null, power = ("" if pd.isna(row[name]) else f"{row[name]:.3f}" for name in ("p_below_0.05", "power"))
        lines.append(f"| {row['donors']} | {row['planted']} | {null} | {power} |")
    return "\n".join(lines)


def memory() -> str:
    """A row a number of sections."""
    lines = ["| sections | spots | genes | counts above 0 | processor minutes | peak memory |", "| --- " * 6 + "|"]
    for row in pd.read_csv(MEMORY).itertuples():
        lines.append(
            f"| {row.sections} | {row.spots:,} | {row.genes:,} | {row.entries / 1e6:.0f} million | "
            f"{row.cpu_seconds / 60:.0f} | {row.peak_mib / 1024:.1f} GiB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(integrations(), comparisons(), memory(), sep="\n\n")
