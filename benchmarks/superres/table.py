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
    "kriging",
    "ridge",
    "sharpened",
    "sharpened-programs",
    "plain",
    "plain-no-image",
    "meannet",
    "meannet-gaussian",
    "diffst",
    "diffst-no-image",
    "diffst-other-section",
    "paper-scheme",
)
PROJECTIONS = {"none": "", "measured": " + projection", "shrunk": " + projection onto shrunk counts"}
REGIONS = ("tissue", "measured", "gap", "hidden spots")
SHOWN = {"pearson": "Pearson", "deviance": "deviance", "crps": "CRPS"}


TUNED_ON = ("phantom-0-", "her2st-C2-")
"""Cases that settings were chosen on."""

COMPARED = ("even", "bicubic", "gaussian", "ridge", "plain-no-image", "plain", "meannet-gaussian", "diffst")
"""Methods that are compared on the same sections; each kind of case has those that were run on all of its sections."""


def write_table(results: Path, path: Path) -> None:
    """Write ``results.md`` from ``results.csv``."""
    rows = pd.read_csv(results)
    rows["kind"] = _kind(rows["case"])
    parts = [_in_common(rows)]
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
    """Draw correlation, deviance and CRPS (not projected), a line a kind of case, a mark a method.

    A method is drawn where it was run on every section of the kind, or the means would not compare.
    """
    rows = pd.read_csv(results)
    rows = rows[(rows["projection"] == "none") & rows["region"].isin(["tissue", "hidden spots"])]
    rows = rows[rows["case"].isin(rows.loc[rows["method"] == "plain", "case"])]
    if not len(rows):
        return
    kind = _kind(rows["case"])
    means = rows.groupby([kind, "method"])[list(SHOWN)].mean()
    runs = rows.groupby([kind, "method"])["case"].nunique()
    sections = rows.groupby(kind)["case"].nunique()
    means = means[runs == sections.reindex(runs.index, level=0)]
    kinds = sorted(sections.index, reverse=True)
    figure = Figure(figsize=(12, 0.45 * len(kinds) + 1.6), layout="constrained")
    axes = figure.subplots(1, len(SHOWN), sharey=True)
    for axis, (measure, label) in zip(axes, SHOWN.items(), strict=True):
        for number, method in enumerate(ORDER):
            drawn = means.index.get_level_values("method") == method
            height = [kinds.index(name) for name in means.index.get_level_values(0)[drawn]]
            style = {"marker": "osD^vPX"[number % 7], "color": f"C{number % 10}", "linestyle": "none"}
            axis.plot(means[measure][drawn], height, label=method, alpha=0.8, **style)
        axis.set(xlabel=label, yticks=range(len(kinds)), yticklabels=kinds)
        axis.grid(axis="y", alpha=0.3)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")
    figure.savefig(path, dpi=110)


def _kind(case: pd.Series) -> pd.Series:
    """Kind of each case: its name without the section."""
    return case.str.replace(r"^(\w+)-[^-]+-(.+)$", r"\1 \2", regex=True).rename("kind")


def _in_common(rows: pd.DataFrame) -> str:
    """Means over the same sections for each method, those that settings were chosen on apart."""
    rows = rows[rows["region"].isin(["tissue", "hidden spots"]) & rows["method"].isin(COMPARED)]
    rows = rows[rows["case"].isin(rows.loc[rows["method"] == "plain", "case"])]
    tuned = rows["case"].str.startswith(TUNED_ON)
    names = [name for name in COMPARED if name in set(rows["method"])]
    parts = [
        "## The same sections for every method",
        "Pearson / deviance / CRPS on all tissue or on hidden spots, means over sections of medians over genes. What\n"
        "`plain` was not run on is left out. *tuned on*: settings were chosen on these sections.",
    ]
    for projection, title in (("none", "Not projected"), ("measured", "Projected onto the measured counts")):
        lines = [f"| cases | sections | {' | '.join(names)} |", "| --- " * (len(names) + 2) + "|"]
        for kind in sorted(rows["kind"].unique()):
            for chosen, note in ((~tuned, ""), (tuned, " (tuned on)")):
                part = rows[(rows["kind"] == kind) & chosen & (rows["projection"] == projection)]
                if not len(part):
                    continue
                cells = [kind + note, str(part["case"].nunique())]
                for name in names:
                    of_method = part[part["method"] == name]
                    complete = of_method["case"].nunique() == part["case"].nunique()
                    means = of_method[list(SHOWN)].mean()
                    cells.append(" / ".join(f"{value:.3f}" for value in means) if complete else "-")
                lines.append(f"| {' | '.join(cells)} |")
        parts += [f"### {title}", "\n".join(lines)]
    return "\n\n".join(parts)


def _markdown(rows: pd.DataFrame) -> str:
    columns = [name for name in COLUMNS if name in rows and rows[name].notna().any()]
    means = rows.groupby(["method", "projection"])[columns].mean()
    sections = rows.groupby("method")["case"].nunique()
    known = [method for method in ORDER if method in means.index.get_level_values(0)]
    others = sorted(set(means.index.get_level_values(0)) - set(ORDER))
    header = ["method", "sections", *(COLUMNS[name] for name in columns)]
    lines = [f"| {' | '.join(header)} |", "| --- " * len(header) + "|"]
    for method in [*known, *others]:
        for projection, name in PROJECTIONS.items():
            if (method, projection) not in means.index:
                continue
            values = means.loc[(method, projection)]
            shown = " | ".join(_shown(values[column]) for column in columns)
            lines.append(f"| {method}{name} | {sections[method]} | {shown} |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.3g}" if abs(value) < 0.001 else f"{value:.3f}"
