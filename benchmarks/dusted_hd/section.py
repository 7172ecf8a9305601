"""A square from the middle of the Visium HD kidney, in bins of 8 or 16 um, with a graph of any reach."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.dusted.from_anndata import Source, read_section
from clearspot.dusted.params import DustedParams
from clearspot.graph.embed import symmetric_graph
from clearspot.graph.strategies import radius_edges

KIDNEY = Path(__file__).resolve().parents[3] / "shared" / "data" / "hd_kidney" / "kidney.h5ad"
BIN_UM = 8
TOTAL = "total_1539"


def kidney(bin_um: int, side_um: int, reach: float, **settings: object) -> tuple[Source, DustedParams]:
    """The square as the denoiser gets it, with all 416 genes.

    Parameters
    ----------
    bin_um
        8, or a multiple of it: bins are summed.
    side_um
        Side of the square.
    reach
        Distance up to which bins are neighbours, in bins: 1.5 gives 8 of them, 2.5 gives 20, 3.2 gives 36.
    settings
        Of the denoiser.
    """
    adata = ad.read_h5ad(KIDNEY)
    row, column = adata.obs["row"].to_numpy(dtype=np.int64), adata.obs["col"].to_numpy(dtype=np.int64)
    side = side_um // BIN_UM
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
