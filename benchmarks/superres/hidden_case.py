"""Case c: real H&E and real counts, with every k-th spot hidden; and whole sections, to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anndata as ad
import numpy as np
from cases import Case, dispersed_genes, every_kth, section
from scipy import sparse

from clearspot.diffst.data.tissue import tissue_from_spots
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid

SPOT_UM = 100.0
PITCH_UM = {"her2st": 200.0, "mob": 141.4}


def hidden_case(path: Path, every: int, *, factor: int = 5, n_genes: int = 100) -> Case:
    """A section of ``her2st`` or ``mob`` with the image beside it; genes are chosen on the visible spots."""
    adata = ad.read_h5ad(path)
    source, um_per_px = path.parent.name, float(adata.uns["um_per_px"])
    pitch = PITCH_UM[source]
    counts, xy = _on_tissue(adata)
    hidden = every_kth(xy, pitch / um_per_px, every)
    chosen = dispersed_genes(counts[~hidden], n_genes)
    grid = FineGrid.covering(xy, 1 / um_per_px, pitch / factor, pitch)
    return Case(
        name=f"{source}-{path.stem}-hide{every}",
        adata=section(counts[~hidden][:, chosen], adata.var_names[chosen], xy[~hidden], um_per_px),
        grid=grid,
        operator=disk_operator(xy[~hidden], grid, SPOT_UM),
        pitch_um=pitch,
        diameter_um=SPOT_UM,
        image=path.with_suffix(".jpg"),
        hidden_operator=disk_operator(xy[hidden], grid, SPOT_UM),
        hidden_counts=counts[hidden][:, chosen].toarray(),
    )


def whole_section(path: Path, genes: Sequence[str] | None = None, *, factor: int = 5, n_genes: int = 100) -> Case:
    """All spots of a section: nothing is hidden.

    Genes are those of the given ones that it has counts of; None: the ones that vary most.
    """
    adata = ad.read_h5ad(path)
    um_per_px, pitch = float(adata.uns["um_per_px"]), PITCH_UM[path.parent.name]
    if genes is not None:
        adata = adata[:, adata.var_names.intersection(genes)]
    counts, xy = _on_tissue(adata)
    seen = np.flatnonzero(counts.sum(axis=0) > 0) if genes is not None else dispersed_genes(counts, n_genes)
    grid = FineGrid.covering(xy, 1 / um_per_px, pitch / factor, pitch)
    return Case(
        name=f"{path.parent.name}-{path.stem}",
        adata=section(counts[:, seen], adata.var_names[seen], xy, um_per_px),
        grid=grid,
        operator=disk_operator(xy, grid, SPOT_UM),
        pitch_um=pitch,
        diameter_um=SPOT_UM,
        image=path.with_suffix(".jpg"),
        tissue=tissue_from_spots(xy, grid, 0.75 * pitch),
    )


def _on_tissue(adata: ad.AnnData) -> tuple[sparse.csr_array, np.ndarray]:
    """Counts and places of the spots that can be used."""
    counts = sparse.csr_array(adata.X)
    kept = adata.obs["in_tissue"].to_numpy(dtype=bool) & (counts.sum(axis=1) > 0)
    return counts[kept], np.asarray(adata.obsm["spatial"], dtype=np.float64)[kept]
