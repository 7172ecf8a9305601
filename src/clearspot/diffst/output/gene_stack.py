"""Every super-resolved gene in one OME-TIFF, a channel a gene, for QuPath, napari and Fiji."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import anndata as ad
import numpy as np
import tifffile
from numpy.typing import NDArray

from clearspot import keys
from clearspot.diffst.output.superres_file import as_map
from clearspot.io.atomic import atomic_path

_GENES_AT_ONCE: Final = 16
"""As many as a chunk of the file holds."""


def write_gene_stack(superres: Path, path: Path) -> Path:
    """Write the predicted mean of every gene as one image, whole or not at all.

    Parameters
    ----------
    superres
        ``<sample>.superres.h5ad``.
    path
        ``<sample>.superres.ome.tif``: genes x rows x columns, float32, expected counts a bin, NaN off tissue. Channels
        have the genes' names, and a pixel is as wide as a bin.

    Returns
    -------
    ``path``.
    """
    bins = ad.read_h5ad(superres, backed="r")
    try:
        about = bins.uns[keys.UNS]
        bin_um = float(about[keys.BIN_UM])
        shape = (bins.n_vars, *(int(side) for side in about[keys.GRID_SHAPE]))
        stated = {
            "axes": "CYX",
            "Channel": {"Name": bins.var_names.astype(str).tolist()},
            "PhysicalSizeX": bin_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": bin_um,
            "PhysicalSizeYUnit": "µm",
            "Name": "predicted counts per bin",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            atomic_path(path) as partial,
            partial.open("wb") as file,
            tifffile.TiffWriter(file, ome=True, bigtiff=True) as writer,
        ):
            writer.write(
                _planes(bins),
                shape=shape,
                dtype=np.float32,
                photometric="minisblack",
                compression="zlib",
                rowsperstrip=shape[1],
                metadata=stated,
            )
    finally:
        bins.file.close()
    return path


def _planes(bins: ad.AnnData) -> Iterator[NDArray[np.float32]]:
    """One gene's map after the other."""
    for first in range(0, bins.n_vars, _GENES_AT_ONCE):
        block = np.asarray(bins.layers[keys.SUPERRES_MEAN][:, first : first + _GENES_AT_ONCE])
        maps = as_map(block, bins)
        for gene in range(block.shape[1]):
            yield np.ascontiguousarray(maps[..., gene], dtype=np.float32)
