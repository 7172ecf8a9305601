"""The table of results: means over the sections of a kind of case."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

COLUMNS = {
    "pearson": "Pearson",
    "deviance": "deviance",
    "sqrt_rmse": "sqrt RMSE",
    "crps": "CRPS",
    "coverage90": "90 % interval covers",
    "ssim": "SSIM",
    "moran_error": "Moran's I error",
    "gene_gene_error": "gene-gene error",
    "conservation_error": "conservation error",
    "minmax_rmse": "min-max RMSE (for comparison)",
    "seconds": "s",
}
ORDER = (
    "even",
    "bicubic",
    "gaussian",
    "ridge",
    "sharpened",
    "sharpened-programs",
    "plain",
    "meannet",
    "meannet-gaussian",
    "diffst",
    "diffst-no-image",
    "paper-scheme",
)
PROJECTIONS = {"none": "", "measured": " + projection", "shrunk": " + projection onto shrunk counts"}
REGIONS = ("tissue", "measured", "gap", "hidden spots")
SHOWN = {"pearson": "Pearson", "deviance": "deviance", "crps": "CRPS"}


def write_table(results: Path, path: Path) -> None:
    """Write ``results.md`` from ``results.csv``."""
    rows = pd.read_csv(results)
    rows["kind"] = rows["case"].str.replace(r"^(\w+)-[^-]+-(.+)$", r"\1 \2", regex=True)
    parts = []
    for kind, of_kind in rows.groupby("kind"):
        sections = of_kind["case"].nunique()
        best = of_kind.drop_duplicates("case")["ceiling"].mean()
        parts.append(f"## {kind}\n\nMean over {sections} section{'s' if sections > 1 else ''}, medians over genes.")
        if pd.notna(best):
            parts.append(f"Noise ceiling of Pearson: {best:.3f}.")
        for region in REGIONS:
            of_region = of_kind[of_kind["region"] == region]
            if len(of_region):
                parts.append(f"### {region}\n\n{_markdown(of_region)}")
    path.write_text("# Results\n\nMade by `run.py`; see README.md.\n\n" + "\n\n".join(parts) + "\n")


def write_figure(results: Path, path: Path) -> None:
    """Draw correlation, deviance and CRPS of every method (not projected), a column a kind of case."""
    rows = pd.read_csv(results)
    rows = rows[(rows["projection"] == "none") & rows["region"].isin(["tissue", "hidden spots"])]
    rows["kind"] = rows["case"].str.replace(r"^(\w+)-[^-]+-(.+)$", r"\1 \2", regex=True)
    # means over the same sections for every method, or they would not compare
    complete = rows.groupby("case")["method"].transform(lambda methods: "plain" in set(methods))
    rows = rows[complete]
    kinds = sorted(rows["kind"].unique())
    if not kinds:
        return
    figure = Figure(figsize=(2.6 * len(kinds) + 1, 7), layout="constrained")
    axes = figure.subplots(len(SHOWN), len(kinds), squeeze=False)
    for column, kind in enumerate(kinds):
        means = rows[rows["kind"] == kind].groupby("method")[list(SHOWN)].mean()
        methods = [method for method in ORDER if method in means.index]
        for row, (measure, label) in enumerate(SHOWN.items()):
            axis = axes[row, column]
            axis.barh(methods[::-1], means.loc[methods[::-1], measure], color="#4477aa")
            axis.set(title=kind if row == 0 else None, xlabel=label)
    figure.savefig(path, dpi=110)


def _markdown(rows: pd.DataFrame) -> str:
    columns = [name for name in COLUMNS if name in rows and rows[name].notna().any()]
    means = rows.groupby(["method", "projection"])[columns].mean()
    known = [method for method in ORDER if method in means.index.get_level_values(0)]
    others = sorted(set(means.index.get_level_values(0)) - set(ORDER))
    lines = [f"| method | {' | '.join(COLUMNS[name] for name in columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for method in [*known, *others]:
        for projection, name in PROJECTIONS.items():
            if (method, projection) not in means.index:
                continue
            values = means.loc[(method, projection)]
            lines.append(f"| {method}{name} | {' | '.join(_shown(values[column]) for column in columns)} |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3g}" if abs(value) < 0.001 else f"{value:.3f}"
