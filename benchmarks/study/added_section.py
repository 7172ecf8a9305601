"""A section that joins a finished study, against the study that had it from the start.

``python -m benchmarks.study.added_section mob phantoms_batches`` holds out the last section of a series, integrates the
others, adds the section, and compares its domains with those of the study of all sections. For scale: the domains of
the same section in two studies of all sections that differ by the seed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import anndata as ad
import click
import pandas as pd

from benchmarks.study.sections import SERIES, write_prepared
from clearspot import keys
from clearspot.dusted.params import DustedParams
from clearspot.metrics.agreement import label_agreement
from clearspot.study.add import add_section
from clearspot.study.files import write_study
from clearspot.study.params import Integration, StudyParams
from clearspot.study.run import integrate_study

RESULTS = Path(__file__).with_name("added_section.csv")


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("../shared/data"))
@click.option("--epochs", type=int, default=100, show_default=True, help="Maximum number of epochs of DUSTED.")
@click.option("--n-domains", type=int, default=7, show_default=True)
@click.option("--integration", type=click.Choice(get_args(Integration)), default="dusted_harmony", show_default=True)
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@click.argument("names", nargs=-1, type=click.Choice(list(SERIES)))
def main(
    data: Path, epochs: int, n_domains: int, integration: Integration, results: Path, names: tuple[str, ...]
) -> None:
    """Add a row for each series."""
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            truth = write_prepared(data, SERIES[name], folder)
            *others, held_out = sorted(folder.glob("*.h5ad"))

            def study(files: Sequence[Path], seed: int, folder: Path = folder, name: str = name) -> ad.AnnData:
                made = folder / f"{len(files)}-{seed}"
                made.mkdir()
                params = StudyParams(seed=seed, n_domains=n_domains, integration=integration)
                dusted = DustedParams(threads=1, epochs=epochs)
                result = integrate_study(files, name, params, dusted, checkpoint=made / "model.pt")
                write_study(result, name, made)
                return ad.read_h5ad(made / keys.h5ad_name(name))

            whole, again = (study([*others, held_out], seed) for seed in (0, 1))
            added = add_section(study(others, 0), folder / f"{len(others)}-0" / "model.pt", held_out, threads=1)
        section = held_out.stem
        domains = {key: _of(one, section) for key, one in {"whole": whole, "again": again}.items()}
        domains["added"] = _of(added.adata, section)
        labels = truth[section]["label"].reindex(domains["added"].index)
        row: dict[str, object] = {"series": name, "section": section, "n_spots": len(labels), "epochs": epochs}
        row["integration"] = integration
        row["ari_added_whole"] = label_agreement(domains["whole"], domains["added"])["ari"]
        row["ari_again_whole"] = label_agreement(domains["whole"], domains["again"])["ari"]
        if labels.notna().any():
            known = labels.notna()
            for key, found in domains.items():
                row[f"ari_labels_{key}"] = label_agreement(labels[known], found[known])["ari"]
        rows.append(row)
        click.echo(row)
    known_rows = [pd.read_csv(results)] if results.exists() else []
    pd.concat([*known_rows, pd.DataFrame(rows)]).to_csv(results, index=False, float_format="%.4f")


def _of(adata: ad.AnnData, section: str) -> pd.Series:
    """Domains of one section by barcode."""
    own = adata.obs[adata.obs[keys.SAMPLE_ID].astype(str) == section]
    return own.set_index(keys.BARCODE)[keys.DOMAIN_STUDY].astype(str)


if __name__ == "__main__":
    main()
