"""Labelled sections of several donors, and phantoms of one study, as the steps before a study leave them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

import clearspot
from clearspot import keys
from clearspot.graph.build import build_graph
from clearspot.simulate.capture import default_assay
from clearspot.simulate.measure import measure
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.study import SimulatedStudy
from clearspot.simulate.tissue import DOMAINS


class Series(NamedTuple):
    """Sections that belong together."""

    folder: str
    sections: tuple[str, ...]
    label: str | None
    unknown: tuple[str, ...] = ("", "nan", "undetermined")


class Phantoms(NamedTuple):
    """Simulated sections that belong together."""

    study: SimulatedStudy
    n_sections: int = 4
    missing: tuple[str, ...] = ()
    """Domains that the sections of the first batch lack."""
    changed: tuple[str, ...] = ()
    """Domains in which the condition shows."""


_CROSSED = SimulatedStudy("crossed", ("control", "treated"), n_batches=2, donor_sd=0.05)

SERIES: dict[str, Series | Phantoms] = {
    "mob": Series("mob", ("MOB1", "MOB2", "MOB3"), None),
    "phantoms_batches": Phantoms(SimulatedStudy("batches", n_batches=2, batch_sd=0.5, donor_sd=0.05)),
    "phantoms_composition": Phantoms(
        SimulatedStudy("composition", n_batches=2, donor_sd=0.05), missing=("muscle", "septum", "plexus")
    ),
    "phantoms_condition": Phantoms(
        replace(_CROSSED, de_fraction=0.2, lfc=1.5, de_program="myocyte"), changed=("muscle",)
    ),
    "phantoms_condition_batches": Phantoms(
        replace(_CROSSED, batch_sd=0.5, de_fraction=0.2, lfc=1.5, de_program="myocyte"), changed=("muscle",)
    ),
    "her2st_one_patient": Series("her2st", ("C1", "C2", "C3", "C4", "C5", "C6"), "label"),
    "her2st": Series("her2st", ("A1", "B1", "C1", "D1", "F1", "G2"), "label"),
    "dlpfc": Series("dlpfc", ("151510", "151673"), "layer"),
}


def write_prepared(data: Path, series: Series | Phantoms, folder: Path, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Write each section after quality control and the graph.

    Returns
    -------
    For each section a table by barcode: ``label`` (missing where unknown), ``condition``, and whether the spot is in a
    tissue that the condition has ``changed``.
    """
    if isinstance(series, Phantoms):
        return _write_phantoms(series, folder, seed)
    truth = {}
    for name in series.sections:
        adata = ad.read_h5ad(data / series.folder / f"{name}.h5ad")
        if keys.IN_TISSUE in adata.obs:
            adata = adata[adata.obs[keys.IN_TISSUE].astype(bool)].copy()
        adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0].copy()
        slim = ad.AnnData(obs=adata.obs[[]].copy(), var=adata.var[[]].copy())
        if series.folder == "dlpfc" and "gene_id" in adata.var:  # the other section has ids for names
            slim.var_names = adata.var["gene_id"].astype(str)
        slim.layers[keys.COUNTS] = csr_matrix(adata.X, dtype=np.float32)
        slim.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL], dtype=float)
        _finish(slim, name, folder)
        known = (
            adata.obs[series.label].astype(str) if series.label in adata.obs else pd.Series("", index=adata.obs_names)
        )
        label = known.where(~known.isin(series.unknown))
        truth[name] = pd.DataFrame({"label": label, "condition": "", "changed": False})
    return truth


def _write_phantoms(series: Phantoms, folder: Path, seed: int) -> dict[str, pd.DataFrame]:
    truth = {}
    for index in range(series.n_sections):
        name, facts = f"phantom_{index + 1}", series.study.facts(index)
        # sections of other seeds of the benchmark are other tissues
        phantom = make_phantom(100 * seed + index, width_um=2200.0, n_genes=500, panel_seed=seed)
        panel = series.study.panel(phantom.panel, seed, index)
        measured = measure(phantom, "v1", panel, default_assay("v1", 500), np.random.SeedSequence([seed, index]))
        domain = np.array(DOMAINS, dtype=object)[measured.capture.domains.argmax(axis=1)]
        level = measured.levels[0]
        inside = level.in_tissue.copy()
        if facts.batch == "batch_1":
            inside &= ~np.isin(domain, series.missing)
        # the matrix is sorted by barcode, the array is not
        place = np.empty(len(inside), dtype=np.intp)
        place[np.argsort(level.array.barcodes)] = np.arange(len(inside))
        slim = ad.AnnData(obs=pd.DataFrame(index=level.array.barcodes[inside]), var=pd.DataFrame(index=panel.var.index))
        slim.layers[keys.COUNTS] = csr_matrix(level.raw.counts[place[inside]], dtype=np.float32)
        slim.obsm[keys.SPATIAL] = np.column_stack([level.array.x_um, level.array.y_um])[inside]
        for column in (keys.BATCH, keys.DONOR, keys.CONDITION):
            if getattr(facts, column):
                slim.obs[column] = pd.Categorical([getattr(facts, column)] * slim.n_obs)
        _finish(slim, name, folder)
        truth[name] = pd.DataFrame(
            {"label": domain[inside], "condition": facts.condition, "changed": np.isin(domain[inside], series.changed)},
            index=slim.obs_names,
        )
    return truth


def _finish(slim: ad.AnnData, name: str, folder: Path) -> None:
    slim.obs[keys.SAMPLE_ID] = pd.Categorical([name] * slim.n_obs)
    clearspot.qc(slim, sample=name)
    build_graph(slim, name)
    slim.write_h5ad(folder / keys.h5ad_name(name))
