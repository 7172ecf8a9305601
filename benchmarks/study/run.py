"""Integrations of a study compared: do shared domains follow known labels, and do batches mix?

``python -m benchmarks.study.run --data ../shared/data`` adds a row for each series, seed and method to
``benchmarks/study/results.csv``; rows that are there are not run again. It needs scib-metrics, which is not a
dependency of clearspot. ``python -m benchmarks.study.table`` makes the tables.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
import numpy as np
import pandas as pd

from benchmarks.study.latents import METHODS, gathered, latents
from benchmarks.study.measures import kept_difference, measured
from benchmarks.study.sections import SERIES, write_prepared
from clearspot import keys
from clearspot.dusted.params import DustedParams
from clearspot.study.params import StudyParams

RESULTS = Path(__file__).with_name("results.csv")
_OF_SPOTS = 10
"""Labels with fewer spots in a series are left out."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("../shared/data"))
@click.option("--method", "chosen", multiple=True, type=click.Choice(list(METHODS)))
@click.option("--epochs", type=int, help="Maximum number of epochs of DUSTED.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(0, 1))
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@click.argument("names", nargs=-1, type=click.Choice(list(SERIES)))
def main(
    data: Path,
    chosen: tuple[str, ...],
    epochs: int | None,
    seeds: tuple[int, ...],
    results: Path,
    names: tuple[str, ...],
) -> None:
    """Run each method on each series, and add to the results."""
    dusted = DustedParams(threads=1) if epochs is None else DustedParams(threads=1, epochs=epochs)
    table = pd.read_csv(results) if results.exists() else pd.DataFrame(columns=["series", "seed", "method"])
    for seed in seeds:
        for name in names or tuple(SERIES):
            there = table[(table["series"] == name) & (table["seed"] == seed)]["method"]
            wanted = [method for method in chosen or METHODS if method not in set(there)]
            if wanted:
                rows = _rows(data, name, seed, wanted, dusted)
                table = pd.concat([table, rows], ignore_index=True)
                table.to_csv(results, index=False, float_format="%.4f")


def _rows(data: Path, name: str, seed: int, wanted: list[str], dusted: DustedParams) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as temporary:
        truth = write_prepared(data, SERIES[name], Path(temporary), seed)
        params = StudyParams(seed=seed)
        study = gathered(sorted(Path(temporary).glob("*.h5ad")), name, params)
    obs = study.adata.obs
    about = pd.concat([part.set_index(f"{one}_" + part.index.astype(str)) for one, part in truth.items()])
    about = about.loc[obs.index]
    common = about["label"].map(about["label"].value_counts()) >= _OF_SPOTS
    labels = about["label"].where(common).to_numpy(dtype=object)
    n_domains = pd.Series(labels).nunique() or None
    # the batches that are measured are those that were planted, or else the sections
    batch = pd.factorize(obs[keys.BATCH])[0] if keys.BATCH in obs else study.section
    rows, began = [], time.perf_counter()
    for method, latent, explained in latents(study, params, dusted, wanted):
        if method not in wanted:
            continue
        row = {"series": name, "seed": seed, "method": method, "n_spots": len(obs), "explained": explained}
        row["most_epochs"] = dusted.epochs if "dusted" in method or "own" in method else None
        row |= measured(latent, study, batch.astype(np.intp), labels, n_domains, seed)
        changed = about["changed"].to_numpy(dtype=bool)
        if changed.any():
            group = pd.factorize(about["condition"])[0].astype(np.intp)
            row["condition_kept"] = kept_difference(latent, study.section, group, changed)
        row["seconds"], began = time.perf_counter() - began, time.perf_counter()
        rows.append(row)
        click.echo(
            " ".join(f"{key}={value:.3f}" if isinstance(value, float) else f"{value}" for key, value in row.items())
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
