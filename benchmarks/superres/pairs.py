"""Learning from pairs: Diff-ST's first stage trained on some phantoms with their images, tested on others.

Maps of all bins on tissue are scored against the true expression, without projection: of the plain estimate, of the
network, and of the network times the genes' own fields, as the product writes it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from cases import Case
from numpy.typing import NDArray
from phantom_case import phantom_case

from clearspot.diffst.data.make_views import image_trend, make_condition
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import SpotGeometry
from clearspot.diffst.data.view import View
from clearspot.diffst.generate.gene_field import GeneField
from clearspot.diffst.generate.sampling import predict_mean
from clearspot.diffst.image.histology import Histology, embed
from clearspot.diffst.image.image_samples import GridImage
from clearspot.diffst.image.stain import stain_of
from clearspot.diffst.networks.gene_loadings import correlation_graph
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.pretrain import Pretrained, pretrain
from clearspot.metrics import maps

HERE = Path(__file__).parent
CPU = torch.device("cpu")


@click.command()
@click.option("--factor", type=click.Choice(["5", "10"]), default="5", show_default=True)
@click.option(
    "--train", multiple=True, type=int, default=(11, 12, 13, 14), show_default=True, help="Phantoms learned from."
)
@click.option("--test", multiple=True, type=int, default=(0, 21), show_default=True, help="Phantoms that are scored.")
@click.option("--steps", type=int, default=700, show_default=True)
@click.option("--width", type=int, default=32, show_default=True)
@click.option("--programs", type=int, default=24, show_default=True)
@click.option("--lattices", type=int, default=2, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--without", multiple=True, help="Part that is left out: pixels, image, disentangle, cross_attention, gene_graph."
)
@click.option(
    "--staining", default="default", show_default=True, help="Of the phantoms learned from: default or drawn."
)
@click.option("--work", type=click.Path(path_type=Path), default=HERE / "work", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "pairs.csv", show_default=True)
def main(
    factor: str, train: Sequence[int], test: Sequence[int], work: Path, out: Path, without: tuple[str, ...],
    staining: str, steps: int, width: int, programs: int, lattices: int, seed: int,
) -> None:  # fmt: skip
    """Train, score, and add rows to the table."""
    work.mkdir(parents=True, exist_ok=True)
    first = phantom_case(int(factor), work, seed=0, panel_seed=0)
    genes = list(first.adata.var_names)
    params = DiffstParams(
        diffusion=False, steps_pretrain=steps, width=width, n_programs=programs, lattices=lattices, seed=seed,
        batch=4, crop=64, lr=2e-3, ema_decay=0.98, holdout=0.0, threads=1,
        **{part: False for part in without if part != "image"},
    )  # fmt: skip
    torch.set_num_threads(1)
    references = {}
    for number in train:
        case = phantom_case(int(factor), work, seed=number, genes=genes, panel_seed=0, staining=staining)
        references[case.name] = as_reference(case, with_image="image" not in without)
    began = time.process_time()
    fitted = pretrain(references, params, CPU, spots=SpotGeometry(), progress=False)
    minutes = (time.process_time() - began) / 60
    rows = []
    for number in test:
        case = phantom_case(int(factor), work, seed=number, genes=genes, panel_seed=0)
        for name, values in predictions(case, fitted, params, with_image="image" not in without).items():
            row = {"case": case.name, "map": name, "without": " ".join(without), "steps": steps, "seed": seed}
            rows.append(row | scores(case, values) | {"cpu_minutes": round(minutes, 1), "learned_from": len(train)})
            click.echo(rows[-1])
    known = [pd.read_csv(out)] if out.exists() else []
    pd.concat([*known, pd.DataFrame(rows)]).to_csv(out, index=False)


def as_reference(case: Case, *, with_image: bool) -> Reference:
    """A phantom as a reference: expected counts of every bin, and its image."""
    counts = sp.csr_array(case.truth.astype(np.float32))
    reference = Reference(counts, case.adata.var_names, case.grid, case.tissue)
    return replace(reference, histology=histology_of(case)) if with_image else reference


def histology_of(case: Case) -> Histology:
    """Features and colours of a phantom's image."""
    if case.image is None:
        raise ValueError(f"{case.name} has no image")
    return embed(GridImage.open(case.image, case.grid, case.name), case.grid)


def predictions(
    case: Case, fitted: Pretrained, params: DiffstParams, *, with_image: bool
) -> dict[str, NDArray[np.float32]]:
    """Maps ``(bins, genes)`` by name."""
    counts = sp.csr_matrix(case.counts, dtype=np.float32)
    programs = fitted.programs.for_genes(tuple(case.adata.var_names), counts).with_totals_of(counts)
    values = programs.transform(counts)
    area = np.asarray(case.operator.sum(axis=1)).ravel()
    scale = np.maximum(values.sum(axis=0) / area.sum(), 1e-9).astype(np.float32)
    visible = np.ones(len(case.xy_px), dtype=bool)
    histology = histology_of(case)
    trend = image_trend(histology, case.operator)
    shown = make_condition(values, case.operator, case.grid, scale, visible, case.xy_px, case.pitch_um, trend)
    view = View(
        case.name, case.grid, case.operator, case.xy_px, case.pitch_um, scale, histology, case.tissue, (shown,), counts,
        visible, stain=stain_of(histology.pixels),
    )  # fmt: skip
    graph = correlation_graph(counts, params.gene_neighbours, params.seed) if params.gene_graph else None
    loadings = fitted.model.corrected_loadings(programs.loadings, graph)
    fitted.model.eval()
    mean = predict_mean(fitted.model, view, shown, replace(params, image=with_image), CPU)
    result = {}
    for name, maps_of in (("plain", shown.base.astype(np.float32)), ("network", mean)):
        result[name] = ((maps_of * scale[:, None, None]).reshape(len(scale), -1).T @ loadings).astype(np.float32)
    field = GeneField(view, visible, mean, loadings, counts)
    result["network, genes' fields"] = result["network"] * field(slice(0, len(case.adata.var_names)))
    return result


def scores(case: Case, values: NDArray[np.float32]) -> dict[str, float]:
    """Medians over genes, of bins on tissue."""
    inside = case.tissue.ravel()
    truth, predicted = case.truth[inside], values[inside]
    return {
        "pearson": round(float(np.nanmedian(maps.gene_pearson(truth, predicted))), 4),
        "deviance": round(float(np.nanmedian(maps.poisson_deviance(truth, predicted))), 4),
    }


if __name__ == "__main__":
    main()
