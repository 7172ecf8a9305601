"""Integrations of a study on real sections: do shared domains follow known labels, and do batches mix?

``python -m benchmarks.study.run --data ../shared/data her2st dlpfc mob`` writes ``benchmarks/study/results.json``. Each
section is a batch of its own. The number of domains is that of the labels (without labels: chosen by BIC).
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
import pandas as pd

from benchmarks.study.sections import SERIES, write_prepared
from clearspot import keys
from clearspot.dusted.params import DustedParams
from clearspot.metrics.agreement import label_agreement, silhouette
from clearspot.study.params import Integration, StudyParams
from clearspot.study.run import StudyResult, integrate_study

RESULTS = Path(__file__).with_name("results.json")


def measured(result: StudyResult, labels: dict[str, pd.Series]) -> dict[str, Any]:
    """Agreement with the labels over all sections and in each, silhouette of the labels, mixing of the batches."""
    obs, latent = result.adata.obs, result.adata.obsm[keys.LATENT_STUDY]
    sample, barcode = obs[keys.SAMPLE_ID].astype(str), obs[keys.BARCODE].astype(str)
    truth = pd.Series([labels[one].get(spot) for one, spot in zip(sample, barcode, strict=True)], index=obs.index)
    known = truth.notna().to_numpy()
    metrics = result.record.metrics
    found: dict[str, Any] = {
        name: metrics.get(name)
        for name in (
            "n_spots", "n_genes_shared", "n_domains", "n_domains_of_one_section", "mixing_before", "mixing_after",
            "batch_silhouette_before", "batch_silhouette_after", "heldout_explained_dusted",
            "heldout_explained_neighbours", "epochs", "seconds_total", "peak_memory_bytes",
        )
    }  # fmt: skip
    if known.any():
        domain = obs[keys.DOMAIN_STUDY]
        found |= {f"{name}_together": value for name, value in label_agreement(truth, domain).items()}
        each = {one: label_agreement(truth[sample == one], domain[sample == one])["ari"] for one in labels}
        found["ari_by_section"] = each
        found["label_silhouette"] = silhouette(latent[known], pd.factorize(truth[known])[0].astype(np.intp))
    return found


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("../shared/data"))
@click.option("--integration", "chosen", multiple=True, type=click.Choice(get_args(Integration)))
@click.option("--epochs", type=int, help="Maximum number of epochs of DUSTED.")
@click.option("--seed", type=int, default=0)
@click.argument("names", nargs=-1, type=click.Choice(list(SERIES)))
def main(data: Path, chosen: tuple[Integration, ...], epochs: int | None, seed: int, names: tuple[str, ...]) -> None:
    """Run each integration on each series, and add to the results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in names or tuple(SERIES):
        with tempfile.TemporaryDirectory() as temporary:
            labels = write_prepared(data, SERIES[name], Path(temporary))
            stated = pd.concat(list(labels.values())).nunique()
            for integration in chosen or get_args(Integration):
                began = time.perf_counter()
                params = StudyParams(integration=integration, seed=seed, n_domains=int(stated) if stated > 1 else None)
                dusted = DustedParams(threads=1) if epochs is None else DustedParams(threads=1, epochs=epochs)
                result = integrate_study(sorted(Path(temporary).glob("*.h5ad")), name, params, dusted)
                results.setdefault(name, {})[integration] = measured(result, labels)
                RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8")
                click.echo(f"{name} {integration} {time.perf_counter() - began:.0f} s: {results[name][integration]}")


if __name__ == "__main__":
    main()
