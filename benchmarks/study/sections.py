"""Labelled sections of several donors, as the steps before a study leave them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

import clearspot
from clearspot import keys
from clearspot.graph.build import build_graph


class Series(NamedTuple):
    """Sections that belong together."""

    folder: str
    sections: tuple[str, ...]
    label: str | None
    unknown: tuple[str, ...] = ("", "nan", "undetermined")


SERIES = {
    "dlpfc": Series("dlpfc", ("151510", "151673"), "layer"),
    "her2st": Series("her2st", ("A1", "B1", "C1", "D1", "F1", "G2"), "label"),
    "her2st_one_patient": Series("her2st", ("C1", "C2", "C3", "C4", "C5", "C6"), "label"),
    "mob": Series("mob", ("MOB1", "MOB2", "MOB3"), None),
}


def write_prepared(data: Path, series: Series, folder: Path) -> dict[str, pd.Series]:
    """Write each section after quality control and the graph; return its labels, missing where unknown."""
    labels = {}
    for name in series.sections:
        adata = ad.read_h5ad(data / series.folder / f"{name}.h5ad")
        if keys.IN_TISSUE in adata.obs:
            adata = adata[adata.obs[keys.IN_TISSUE].astype(bool)].copy()
        adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0].copy()
        slim = ad.AnnData(obs=adata.obs[[]].copy(), var=adata.var[[]].copy())
        slim.layers[keys.COUNTS] = csr_matrix(adata.X, dtype=np.float32)
        slim.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL], dtype=float)
        slim.obs[keys.SAMPLE_ID] = pd.Categorical([name] * slim.n_obs)
        clearspot.qc(slim, sample=name)
        build_graph(slim, name)
        slim.write_h5ad(folder / keys.h5ad_name(name))
        known = (
            adata.obs[series.label].astype(str) if series.label in adata.obs else pd.Series("", index=adata.obs_names)
        )
        labels[name] = known.where(~known.isin(series.unknown))
    return labels
