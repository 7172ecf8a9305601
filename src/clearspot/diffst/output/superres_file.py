"""The file of super-resolved expression: predicted counts per fine bin, written a block of genes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.diffst.estimate.evidence import Evidence
from clearspot.diffst.generate.uncertainty import Summary
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.io.atomic import atomic_path
from clearspot.io.plain_text import plain_text

_ROWS_PER_CHUNK: Final = 4096
_GENES_PER_CHUNK: Final = 16


def write_superres(
    path: Path,
    sample: str,
    grid: FineGrid,
    evidence: NDArray[np.uint8],
    var: pd.DataFrame,
    blocks: Iterable[tuple[slice, Summary]],
    *,
    about: Mapping[str, Any] | None = None,
    spatial: Mapping[str, Any] | None = None,
) -> None:
    """Write ``<sample>.superres.h5ad``, whole or not at all.

    The file has one observation for each bin on tissue: ``obs`` with ``array_row``, ``array_col`` and ``evidence``
    (``measured``, ``gap``), ``obsm['spatial']`` in full-resolution pixels, dense float32 layers ``mean``, ``sd``,
    ``q05``, ``q50`` and ``q95`` in counts per bin (NaN where there were too few draws), the mean again as ``X``, and
    ``uns['clearspot']`` with ``predicted = True``. ``X`` is a second name (an HDF5 hard link) of the layer ``mean`` and
    takes no room.
    No more than one block is in memory.

    Parameters
    ----------
    path
        Target.
    sample
        Sample name.
    grid
        The fine grid.
    evidence
        rows x columns, see :class:`clearspot.diffst.estimate.evidence.Evidence`; bins off tissue are left out.
    var
        One row a gene, in the order of the blocks.
    blocks
        Slices of genes and their summaries, arrays (n_bins, genes of the slice) over the whole grid. Together they
        hold every gene.
    about
        Further entries of ``uns['clearspot']`` (versions, parameters, seeds, checkpoint hashes).
    spatial
        ``uns['spatial']`` of the sample, for plotting over its image.

    Raises
    ------
    ValueError
        If no bin lies on tissue, or blocks do not hold every gene exactly once.
    """
    kept = np.flatnonzero(np.asarray(evidence).ravel() != Evidence.OFF_TISSUE)
    if not len(kept):
        raise ValueError(f"sample {sample}: no bin lies on tissue")
    shell = _shell(sample, grid, np.asarray(evidence).ravel()[kept], kept, var, dict(about or {}))
    if spatial is not None:
        shell.uns[keys.UNS_SPATIAL] = dict(spatial)
    written = np.zeros(len(var), dtype=int)
    with plain_text(), atomic_path(path) as partial:
        shell.write_h5ad(partial)
        with h5py.File(partial, "r+") as file:
            layers = {name: _layer(file, name, (len(kept), len(var))) for name in keys.SUPERRES_LAYERS}
            for genes, summary in blocks:
                written[genes] += 1
                for name, layer in layers.items():
                    layer[:, genes] = np.asarray(getattr(summary, name), dtype=np.float32)[kept]
            # scanpy colours by X where no layer is named
            file["X"] = layers[keys.SUPERRES_MEAN]
        if (written != 1).any():
            raise ValueError(f"sample {sample}: {int((written != 1).sum())} genes were not written exactly once")


def _shell(
    sample: str,
    grid: FineGrid,
    codes: NDArray[np.uint8],
    kept: NDArray[np.intp],
    var: pd.DataFrame,
    about: dict[str, Any],
) -> ad.AnnData:
    """The file without its layers."""
    row, col = np.divmod(kept, grid.n_cols)
    names = pd.Index([f"bin_{r:05d}_{c:05d}" for r, c in zip(row, col, strict=True)])
    measured = pd.Categorical.from_codes((codes == Evidence.MEASURED).astype(int), categories=["gap", "measured"])
    obs = pd.DataFrame(
        {
            keys.ARRAY_ROW: row.astype(np.int32),
            keys.ARRAY_COL: col.astype(np.int32),
            keys.EVIDENCE: measured,
            keys.SAMPLE_ID: pd.Categorical.from_codes(np.zeros(len(kept), dtype=int), categories=[sample]),
        },
        index=names,
    )
    stated = {
        keys.PREDICTED: True,
        keys.BIN_UM: grid.bin_um,
        keys.AFFINE: grid.affine(),
        keys.GRID_SHAPE: np.array(grid.shape),
        keys.MICRONS_PER_PIXEL: 1 / grid.px_per_um,
    }
    return ad.AnnData(obs=obs, var=var, obsm={keys.SPATIAL: grid.centres_px()[kept]}, uns={keys.UNS: about | stated})


def _layer(file: h5py.File, name: str, shape: tuple[int, int]) -> h5py.Dataset:
    chunks = (min(_ROWS_PER_CHUNK, shape[0]), min(_GENES_PER_CHUNK, shape[1]))
    layer = file["layers"].create_dataset(name, shape, dtype=np.float32, chunks=chunks, compression="lzf")
    layer.attrs["encoding-type"] = "array"
    layer.attrs["encoding-version"] = "0.2.0"
    return layer


def as_map(values: NDArray[np.floating], adata: ad.AnnData) -> NDArray[np.floating]:
    """Put values of the file's bins back onto the grid: rows x columns (x genes), NaN off tissue."""
    shape = tuple(int(side) for side in adata.uns[keys.UNS][keys.GRID_SHAPE])
    values = np.asarray(values)
    grid = np.full((*shape, *values.shape[1:]), np.nan, dtype=np.float32)
    grid[adata.obs[keys.ARRAY_ROW].to_numpy(), adata.obs[keys.ARRAY_COL].to_numpy()] = values
    return grid
