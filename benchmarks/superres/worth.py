"""What each part is worth: mean correlations of the trainings in pairs.csv without it, and their spread over seeds.

python benchmarks/superres/worth.py
"""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

HERE = Path(__file__).parent
STEPS = 600
MAP = "network, genes' fields"
PARTS = ("image", "spots", "pixels", "disentangle", "cross_attention", "gene_graph", "curriculum")
ALL, DEFAULT = "all parts", "**default**: without the last five"
CASES = {
    "kidney-16um": ("kidney-16um",),
    "kidney-16um-thinned": ("kidney-16um-thinned",),
    "phantoms": ("phantom-0-5x", "phantom-21-5x", "phantom-22-5x"),
}


@click.command()
@click.argument("results", type=click.Path(exists=True, path_type=Path), default=HERE / "pairs.csv")
def main(results: Path) -> None:
    """Print the table."""
    found = trainings(pd.read_csv(results, keep_default_na=False))
    click.echo("| | " + " | ".join(f"{case}: Pearson / deviance | against all parts" for case in CASES) + " |")
    click.echo("| --- |" + " --- | --- |" * len(CASES))
    for kind in (ALL, *PARTS, DEFAULT):
        cells = [cell for sections in CASES.values() for cell in cells_of(found[found["case"].isin(sections)], kind)]
        click.echo(f"| {kind if kind in (ALL, DEFAULT) else f'without `{kind}`'} | " + " | ".join(cells) + " |")


def trainings(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the trainings that are compared, with what each leaves out in a column ``kind``, each once."""
    rows = rows[(rows["map"] == MAP) & (rows["region"] == "tissue") & (rows["steps"] == STEPS)]
    rows = rows[(rows["staining"] == "default") & (rows["other_panel"].astype(str) == "False")]
    settings = rows["settings"].str.replace("crop=48", "").str.replace("diffusion=True", "").str.strip()
    without = rows["without"].str.replace("gene_head", "").str.strip()  # it does not change this map
    rows = rows.assign(kind=without.where(without != "", ALL).where(settings == "all_parts=True", DEFAULT))
    rows = rows[settings.isin(["", "all_parts=True"]) & ((without == "") | (settings != ""))]
    return rows.drop_duplicates(["case", "kind", "seed"], keep="first")


def cells_of(found: pd.DataFrame, kind: str) -> tuple[str, str]:
    """Mean figures of some sections, and the difference to all parts with the same seeds, with its standard deviation.

    Parameters
    ----------
    found
        Of :func:`trainings`, some sections.
    kind
        What is left out.
    """
    one = found[found["kind"] == kind]
    if one.empty:
        return "-", "-"
    figures = f"{one['pearson'].mean():.3f} / {one['deviance'].mean():.3f}"
    if kind == ALL:
        return figures, ""
    paired = one.merge(found[found["kind"] == ALL], on=["case", "seed"], suffixes=("", "_all"))
    by_seed = (paired["pearson"] - paired["pearson_all"]).groupby(paired["seed"]).mean()
    spread = f" ± {by_seed.std():.3f}" if len(by_seed) > 1 else ""
    difference = round(by_seed.mean(), 3) + 0.0  # not -0
    return figures, f"{difference:+.3f}{spread} ({len(by_seed)})"


if __name__ == "__main__":
    main()
