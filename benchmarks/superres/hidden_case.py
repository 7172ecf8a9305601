"""Case c: real H&E and real counts, with every k-th spot hidden."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
from cases import Case, dispersed_genes, every_kth, section
from scipy import sparse

from clearspot.diffst.capture import disk_operator
from clearspot.diffst.grid import FineGrid

SPOT_UM = 100.0
PITCH_UM = {"her2st": 200.0, "mob": 141.4}


def hidden_case(path: Path, every: int, *, factor: int = 5, n_genes: int = 100) -> Case:
    """A section of ``her2st`` or ``mob`` with the image beside it; genes are chosen on the visible spots."""
    adata = ad.read_h5ad(path)
    source, um_per_px = path.parent.name, float(adata.uns["um_per_px"])
    pitch = PITCH_UM[source]
    counts = sparse.csr_array(adata.X)
    kept = adata.obs["in_tissue"].to_numpy(dtype=bool) & (counts.sum(axis=1) > 0)
    counts, xy = counts[kept], np.asarray(adata.obsm["spatial"], dtype=np.float64)[kept]
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
