"""Visium HD: squares from the middle of the kidney in bins of 8 or 16 um, and simulated sections of segmented cells."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.dusted.from_anndata import Source, read_section
from clearspot.dusted.params import DustedParams
from clearspot.graph.build import build_graph
from clearspot.graph.embed import symmetric_graph
from clearspot.graph.strategies import radius_edges
from clearspot.io.ingest import ingest_outs
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs

KIDNEY = Path(__file__).resolve().parents[3] / "shared" / "data" / "hd_kidney" / "kidney.h5ad"
BIN_UM = 8
TOTAL = "total_1539"
SIDE_UM = {8: 1600, 16: 2400}
"""Side of the square for each size of the bins."""
TOUCHING = 1.5
"""Reach, in bins, of the eight bins around one: the graph that users get."""

BINS = tuple(f"hd_kidney/{bin_um}um" for bin_um in SIDE_UM)
CELLS = ("cells/901", "cells/902")
"""By their seed, with which nothing else has been made. Each has about 16,400 cells."""
CELLS_UM, CELLS_GENES = 2400, 1000


def hd_section(name: str) -> Source:
    """One of ``BINS`` or ``CELLS``, with all genes and the default graph."""
    kind, which = name.split("/")
    if kind == "cells":
        return simulated_cells(int(which))
    return kidney(int(which.removesuffix("um")), TOUCHING)[0]


def kidney(bin_um: int, reach: float, **settings: object) -> tuple[Source, DustedParams]:
    """The square as the denoiser gets it, with all 416 genes.

    Parameters
    ----------
    bin_um
        8, or a multiple of it: bins are summed.
    reach
        Distance up to which bins are neighbours, in bins: 1.5 gives 8 of them, 2.5 gives 20, 3.2 gives 36.
    settings
        Of the denoiser.
    """
    adata = ad.read_h5ad(KIDNEY)
    row, column = adata.obs["row"].to_numpy(dtype=np.int64), adata.obs["col"].to_numpy(dtype=np.int64)
    side = SIDE_UM[bin_um] // BIN_UM
    row, column = row - (int(np.median(row)) - side // 2), column - (int(np.median(column)) - side // 2)
    inside = (row >= 0) & (row < side) & (column >= 0) & (column < side)
    counts, totals = sp.csr_matrix(adata.X)[inside], adata.obs[TOTAL].to_numpy()[inside]
    width = side // (bin_um // BIN_UM) + 1
    place = row[inside] // (bin_um // BIN_UM) * width + column[inside] // (bin_um // BIN_UM)
    if bin_um > BIN_UM:
        place, of_bin = np.unique(place, return_inverse=True)
        sums = sp.csr_matrix((np.ones(len(of_bin)), (of_bin, np.arange(len(of_bin)))))
        counts, totals = sums @ counts, sums @ totals
    counts = sp.csr_matrix(counts, dtype=np.float32)
    seen = (np.diff(counts.indptr) > 0) & (totals > 0)
    place = place[seen]
    binned = ad.AnnData(
        counts[seen],
        obs=pd.DataFrame({TOTAL: totals[seen]}, index=[str(number) for number in place]),
        var=pd.DataFrame(index=adata.var_names),
        obsm={keys.SPATIAL: np.column_stack([place % width, place // width]) * float(bin_um)},
    )
    edges = radius_edges(binned.obsm[keys.SPATIAL], reach * bin_um)
    binned.obsp[keys.CONNECTIVITIES], _ = symmetric_graph(edges, binned.obsm[keys.SPATIAL])
    params = DustedParams.preset("default", genes="all", size_factor_key=TOTAL, **settings)
    return read_section(binned, "kidney", params), params


def simulated_cells(seed: int) -> Source:
    """What ``clearspot simulate --chemistry hd --cells`` makes, read as cells, with the triangulation between them."""
    phantom = make_phantom(seed, width_um=CELLS_UM, n_genes=CELLS_GENES)
    with TemporaryDirectory() as folder:
        written = write_outs(
            phantom,
            Path(folder),
            chemistry="hd",
            um_per_px=8.0,  # the pictures are not looked at
            image=False,
            bin_sizes=(2, 8),
            truth_bins=(),
            mex=False,
            cells=True,
        )
        adata, _ = ingest_outs(written.outs, "phantom", unit="cells")
    build_graph(adata, "phantom")
    return read_section(adata, "phantom", DustedParams.preset("default", genes="all"))
