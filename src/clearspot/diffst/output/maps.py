"""Maps of single genes from a super-resolved file: OME-TIFF in several sizes for viewers, PNG for the eye."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anndata as ad
import numpy as np
import tifffile
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.gene_lists import look_up_genes
from clearspot.diffst.output.superres_file import as_map
from clearspot.extras import extra
from clearspot.io.atomic import atomic_path

with extra("superres"):
    from matplotlib import colormaps
    from matplotlib.image import imsave

_SMALLEST: Final = 128
_BRIGHTEST: Final = 99.5


def write_maps(superres: Path, genes: Sequence[str], folder: Path) -> list[Path]:
    """Write ``<gene>.ome.tif`` and ``<gene>.png`` of predicted expected counts a bin.

    Parameters
    ----------
    superres
        ``<sample>.superres.h5ad``.
    genes
        Names or ids; those that the file has not are left out.
    folder
        Made if absent.

    Returns
    -------
    The files, two a gene, in the file's order of genes.
    """
    adata = ad.read_h5ad(superres, backed="r")
    try:
        columns = look_up_genes(adata, genes).columns
        if not len(columns):
            return []
        folder.mkdir(parents=True, exist_ok=True)
        bin_um = float(adata.uns[keys.UNS][keys.BIN_UM])
        written = []
        for column in columns:
            values = as_map(np.asarray(adata.layers[keys.SUPERRES_MEAN][:, column]).ravel(), adata)
            gene = str(adata.var_names[column])
            name = re.sub(r"[^A-Za-z0-9_.-]", "_", gene)
            written += [folder / f"{name}.ome.tif", folder / f"{name}.png"]
            with atomic_path(written[-2]) as partial:
                _write_pyramid(partial, values, bin_um, gene)
            with atomic_path(written[-1]) as partial:
                _write_picture(partial, values)
        return written
    finally:
        adata.file.close()


def _write_pyramid(path: Path, values: NDArray[np.floating], bin_um: float, gene: str) -> None:
    """Level 0 in counts a bin, NaN off tissue; each further level is the mean of 2 x 2 values."""
    levels = [np.asarray(values, dtype=np.float32)]
    while min(levels[-1].shape) >= 2 * _SMALLEST:
        levels.append(_halved(levels[-1]))
    about = {
        "axes": "YX",
        "PhysicalSizeX": bin_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": bin_um,
        "PhysicalSizeYUnit": "µm",
        "Name": f"{gene}, predicted counts per bin",
    }
    with path.open("wb") as file, tifffile.TiffWriter(file, ome=True, bigtiff=True) as writer:
        writer.write(levels[0], subifds=len(levels) - 1, metadata=about, compression="zlib", tile=(256, 256))
        for level in levels[1:]:
            writer.write(level, subfiletype=1, compression="zlib", tile=(256, 256))


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (side // 2 * 2 for side in values.shape)
    blocks = values[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
    known = np.isfinite(blocks)
    number = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0).sum(axis=(1, 3))
    return np.divide(total, number, out=np.full(total.shape, np.nan, dtype=np.float32), where=number > 0)


def _write_picture(path: Path, values: NDArray[np.floating]) -> None:
    """A pixel a bin, transparent off tissue; the brightest half percent is clipped."""
    known = np.isfinite(values)
    top = max(float(np.percentile(values[known], _BRIGHTEST)), 1e-9) if known.any() else 1.0
    picture = colormaps["viridis"](np.clip(np.where(known, values, 0) / top, 0, 1))
    picture[..., 3] = known
    imsave(path, picture, format="png")
