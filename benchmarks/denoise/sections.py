"""The real sections, as every method gets them: counts of the modelled genes, depths, graph, labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from hd_sections import BINS, CELLS, hd_section

from clearspot import keys
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section
from clearspot.dusted.thinning import thin_counts
from clearspot.graph.build import build_graph
from clearspot.io.ingest import ingest_outs

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

TUNING = (
    "her2st/A1",
    "her2st/C1",
    "mob/MOB1",
    "dlpfc/151673",
    "xenium_pair/visium",
    "outs/mouse_cytassist",
)
"""Settings were chosen on these; what they show is no evidence. The rest is."""

SECTIONS = (
    "her2st/A1",
    "mob/MOB1",
    "mob/MOB2",
    "mob/MOB3",
    "her2st/B1",
    "her2st/C1",
    "her2st/C2",
    "her2st/C3",
    "her2st/C4",
    "her2st/C5",
    "her2st/C6",
    "her2st/D1",
    "her2st/F1",
    "her2st/G2",
    "xenium_pair/visium",
    "dlpfc/151510",
    "dlpfc/151673",
    "outs/vendor_grid_human",
    "outs/mouse_cytassist",
)

LABELS = {"dlpfc": "layer", "her2st": "label"}
TOTALS = {"dlpfc/151673": "sum_umi_all_genes"}


@dataclass(frozen=True)
class Case:
    """A section that methods denoise.

    Parameters
    ----------
    name
        For example ``her2st/A1``.
    section
        Counts, size factors, graph.
    labels
        Tissue label of every spot, empty where there is none; ``None`` for sections without.
    many
        Bins or cells: many, of few counts each, so that methods are tried with wider settings too.
    """

    name: str
    section: Section
    labels: np.ndarray | None = None
    many: bool = False

    def thinned(self, fraction: float, seed: int) -> tuple[Case, np.ndarray]:
        """The case with a part of its counts held out, and that part, dense."""
        kept, held_out = thin_counts(self.section.counts, fraction, seed)
        section = self.section.thinned(kept, 1 - fraction, DustedParams.preset("default"))
        return replace(self, section=section), held_out.toarray()


def load(name: str, always_genes: tuple[str, ...] = ()) -> Case:
    """Read a section; genes are the 3,000 most variable (all, where the origin chose fewer)."""
    if name in BINS + CELLS:
        return Case(name, hd_section(name).section, many=True)
    adata = read_adata(name)
    params = DustedParams.preset("default", size_factor_key=TOTALS.get(name), always_genes=always_genes)
    source = read_section(adata, name, params)
    key = LABELS.get(name.split("/")[0])
    labels = None
    if key in adata.obs:
        labels = adata.obs[key].astype(str).replace({"nan": ""}).to_numpy()[source.spots]
    return Case(name, source.section, labels)


def read_adata(name: str) -> ad.AnnData:
    """The section with counts in ``X``, spots off the tissue or without counts dropped, and its graph."""
    if name.startswith("outs/"):
        adata, _ = ingest_outs(DATA / name, name.split("/")[1])
        adata.X = adata.layers[keys.COUNTS].copy()
    else:
        adata = sc.read_h5ad(DATA / f"{name}.h5ad")
    if keys.IN_TISSUE in adata.obs:
        adata = adata[adata.obs[keys.IN_TISSUE].astype(int) == 1].copy()
    totals = np.asarray(adata.X.sum(axis=1)).ravel()
    adata = adata[totals > 0].copy()
    adata.var = pd.DataFrame(index=adata.var_names)
    build_graph(adata, name)
    return adata
