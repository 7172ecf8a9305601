"""Make results.md and its figure from what `run.py` has left in results/.

python benchmarks/denoise/table.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from sections import TUNING

HERE = Path(__file__).resolve().parent
OURS = "dusted"
PAPER = {"raw": "1.083/1.041/1.258/1.698", "magic": "0.400/0.410/0.418/0.439", "dca": "0.393/0.392/0.393/0.405"}
PAPER |= {"stagate": "0.489/0.552/0.628/0.841", "dusted": "0.384/0.384/0.384/0.393"}


def markdown(table: pd.DataFrame, digits: int) -> str:
    """A table with its index as the first columns; missing cells are empty."""
    shown = table.reset_index()
    cells = [[f"{v:.{digits}f}" if isinstance(v, float) else str(v) for v in row] for row in shown.to_numpy()]
    rows = [list(map(str, shown.columns)), ["---"] * shown.shape[1], *cells]
    return "\n".join("| " + " | ".join("" if v == "nan" else v for v in row) + " |" for row in rows)


def read(letter: str) -> pd.DataFrame | None:
    path = HERE / "results" / f"{letter}.csv"
    return pd.read_csv(path, keep_default_na=False, na_values=["nan"]) if path.exists() else None


def denoised_alone(rows: pd.DataFrame) -> pd.DataFrame:
    """Of our own methods the values that users get, their first variant; of the others all."""
    ours = rows["method"].str.startswith(OURS)
    within = [name for name in ("spots", "moved_um", "averaged") if name in rows]
    first = rows[ours].drop_duplicates(["case", "method", "seed", *within])
    return pd.concat([rows[~ours], first])


def same_splits(rows: pd.DataFrame) -> pd.DataFrame:
    """Only methods that have been run on every section, and only splits that all of these have been run on."""
    sections = rows.groupby("method")["case"].transform("nunique")
    rows = rows[sections == rows["case"].nunique()]
    done = rows.groupby(["case", "seed"])["method"].transform("nunique")
    return rows[done == rows["method"].nunique()]


def simulation(rows: pd.DataFrame) -> str:
    rows = denoised_alone(rows)
    rows["setting"] = rows["case"].str.split("/").str[1]
    # each method's best setting over all sections of a drop-out setting: an advantage that DUSTED does not have
    mean = rows.groupby(["method", "variant", "setting"])["mse"].mean().unstack()
    best = mean.assign(all=mean.mean(axis=1)).sort_values("all").reset_index().drop_duplicates("method")
    best["against raw, %"] = 100 * (best["all"] / float(best.loc[best["method"] == "raw", "all"].iloc[0]) - 1)
    best["the paper's figures"] = best["method"].map(PAPER).fillna("")
    cells = rows.groupby("method")[["case", "seed"]].apply(lambda part: len(part.drop_duplicates()))
    best["sections"] = best["method"].map(cells)
    return markdown(best.set_index("method"), 3)


def held_out(rows: pd.DataFrame) -> str:
    every = set(rows["method"])
    rows = same_splits(denoised_alone(rows))
    unfinished = ", ".join(sorted(every - set(rows["method"])))
    kinds = {
        "deviance, each at its best setting": rows.groupby(["case", "method", "seed"])["best_deviance"].min(),
        "per-gene correlation, each at its best setting": rows.groupby(["case", "method", "seed"])["correlation"].max(),
    }
    parts = [f"Left out, as they were not run on every section: {unfinished}."] if unfinished else []
    for title, values in kinds.items():
        mean = values.groupby(["case", "method"]).mean().unstack()
        spread = values.groupby(["case", "method"]).std().unstack()
        others = mean.drop(columns=[name for name in mean if name.startswith(OURS)])
        best = others.min(axis=1) if "deviance" in title else others.max(axis=1)
        ahead = (mean[OURS] < best) if "deviance" in title else (mean[OURS] > best)
        mean["sd of dusted"] = spread[OURS]
        mean["dusted ahead"] = ahead.map({True: "yes", False: "no"})
        mean["seen while tuning"] = ["yes" if case in TUNING else "" for case in mean.index]
        parts.append(f"{title.capitalize()}; ahead on {int(ahead.sum())} of {len(ahead)}:\n\n{markdown(mean, 4)}")
    return "\n\n".join(parts)


def labels(rows: pd.DataFrame) -> str:
    rows = rows.copy()
    table = rows.groupby(["case", "method", "embedding"])[["ari", "nmi", "homogeneity"]].median()
    spread = rows.groupby(["case", "method", "embedding"])["ari"].agg(["min", "max"])
    return markdown(table.assign(lowest_ari=spread["min"], highest_ari=spread["max"]), 3)


def xenium(rows: pd.DataFrame) -> str:
    rows = denoised_alone(rows)
    columns = ["pearson", "spearman", "ahead_low", "ahead_high"]
    return markdown(rows.groupby(["moved_um", "averaged", "method", "variant"])[columns].mean(), 4)


def moran(rows: pd.DataFrame) -> str:
    rows = denoised_alone(rows)
    table = rows.groupby(["case", "method", "variant", "spots"])["moran"].mean().unstack()
    return markdown(table, 3)


def embedding(rows: pd.DataFrame) -> str:
    """One row a section: explained deviance of both embeddings, the choice, and ARI with its range."""
    by = rows.groupby(["case", "embedding"])["ari"]
    shown = by.median().map("{:.2f}".format) + by.agg(["min", "max"]).apply(
        lambda ends: f" ({ends['min']:.2f} to {ends['max']:.2f})", axis=1
    )
    explained = rows.assign(share=pd.to_numeric(rows["explained"])).groupby(["case", "embedding"])["share"].median()
    table = pd.DataFrame(
        {
            "explained, dusted": explained.unstack()["dusted"].map("{:.2%}".format),
            "explained, pca": explained.unstack()["pca"].map("{:.2%}".format),
            "chosen": rows.groupby("case")["chosen"].agg(lambda found: ", ".join(dict.fromkeys(found))),
        }
    )
    for name in ("dusted", "pca", "neighbour mean"):
        table[f"ARI, {name}"] = shown.unstack()[name]
    return markdown(table, 3)


def bins_and_cells(rows: pd.DataFrame) -> str:
    """Explained deviance of each method at its best setting, and of each setting; the mean over splits."""
    rows = denoised_alone(rows).fillna({"variant": ""})
    constant = rows[rows["method"] == "gene_mean"].set_index(["case", "seed"])["best_deviance"]
    rows = rows[rows["method"] != "gene_mean"]
    at = pd.MultiIndex.from_frame(rows[["case", "seed"]])
    rows = rows.assign(explained=100 * (1 - rows["best_deviance"].to_numpy() / constant.loc[at].to_numpy()))
    settings = rows.groupby(["case", "method", "variant"])[["explained", "correlation"]].mean()
    # the setting that explains most on the mean of the splits, so that its spread is that of one setting
    best = settings.reset_index().sort_values("explained", ascending=False).drop_duplicates(["case", "method"])
    spread = rows.groupby(["case", "method", "variant"])["explained"].agg(["min", "max", "count"])
    best = best.join(spread, on=["case", "method", "variant"]).sort_values(
        ["case", "explained"], ascending=[True, False]
    )
    best = best.rename(columns={"variant": "best setting", "explained": "explained, %", "count": "splits"})
    every = settings.unstack(0)["explained"]
    parts = [
        f"Deviance explained beyond the mean of each gene, each method at its best setting:\n\n"
        f"{markdown(best.set_index(['case', 'method']), 3)}",
        f"All settings, explained deviance in %:\n\n{markdown(every, 2)}",
    ]
    return "\n\n".join(parts)


SECTIONS = {
    "a": ("Simulation: mean squared error of log(1 + counts per 10,000)", simulation),
    "b": ("Held-out counts of real sections", held_out),
    "c": ("Labels: median over clusterings", labels),
    "d": ("Xenium transcripts under Visium spots: mean correlation over genes", xenium),
    "e": ("Moran's I of the 50 most structured genes, and with the spots shuffled", moran),
    "f": ("The embedding that is clustered: choice, and ARI of its domains, median (lowest to highest)", embedding),
    "g": ("Held-out counts of Visium HD bins and of simulated cells", bins_and_cells),
}


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Deviance that each method explains, beyond every gene's mean, section by section."""
    rows = same_splits(denoised_alone(rows))
    table = rows.groupby(["case", "method", "seed"])["best_deviance"].min().groupby(["case", "method"]).mean().unstack()
    explained = 100 * (1 - table.div(table["gene_mean"], axis=0)).drop(columns="gene_mean")
    explained = explained.sort_values(OURS)
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, marker in zip(explained, "osD^vXP", strict=False):
        axes.plot(explained[name], range(len(explained)), marker, label=name.replace("_", " "), alpha=0.8)
    axes.set_yticks(range(len(explained)), explained.index)
    axes.set_xlabel("held-out deviance explained beyond the gene's mean, %")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parts = ["# Denoising: results", "Made by `table.py` from `results/*.csv`; see README.md for what was run and how."]
    for letter, (title, make) in SECTIONS.items():
        rows = read(letter)
        body = "Not run yet." if rows is None else make(rows)
        parts.append(f"## {letter}. {title}\n\n{body}")
    (HERE / "results.md").write_text("\n\n".join(parts) + "\n")
    rows = read("b")
    if rows is not None:
        draw(rows, HERE / "results.png")


if __name__ == "__main__":
    main()
