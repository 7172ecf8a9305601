"""Compare the counts with the picture that lies under them, as part of quality control."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from clearspot import keys
from clearspot.checks.counts_and_picture import CountsAndPicture, counts_and_picture
from clearspot.checks.tissue_mask import stained_picture
from clearspot.graph.lattice import find_spacing
from clearspot.record import StepRecord

if TYPE_CHECKING:
    import anndata as ad

_FINEST_UM: Final = 4.4
"""Pixels are averaged up to this side, that of most pictures of Visium: what is compared are means over 15 µm and more,
and the picture of a whole Visium HD slide would take gigabytes and much of the time of quality control."""

_CELL_UM: Final = 50.0
"""Bins are summed in squares of this side: a single bin holds too few counts to lie anywhere."""


def compare_with_picture(adata: ad.AnnData, record: StepRecord) -> None:
    """Write into the record how well counts and picture fit, at their place and at others.

    Sets the metrics ``percent_spots_on_tissue_image`` and ``picture_*``, and the tables ``picture_scan`` and
    ``picture_symmetries``. Where nothing can be compared none of them is set, and one message says why.

    Parameters
    ----------
    adata
        With ``obs['total_counts']``, ``obsm['spatial']``, and a picture in ``uns['spatial']``.
    record
        Of the step ``qc``.
    """
    found = _compare(adata)
    if isinstance(found, str):
        record.note("info", found)
        return
    record.metrics |= {
        "percent_spots_on_tissue_image": found.percent_on_tissue,
        "picture_correlation": found.correlation,
        "picture_fit": found.fit,
        "picture_fit_moved": found.fit_moved,
        "picture_fit_turned": found.fit_turned,
        "picture_p": found.p,
        "picture_shift_um": found.shift_um,
        "picture_shift_p": found.shift_p,
        "picture_best_symmetry": found.symmetry,
        "picture_symmetry_p": found.symmetry_p,
    }
    record.tables["picture_scan"] = {
        "dx_um": [one.dx_um for one in found.scan],
        "dy_um": [one.dy_um for one in found.scan],
        "fit": [one.fit for one in found.scan],
        "on_tissue": [one.on_tissue for one in found.scan],
    }
    record.tables["picture_symmetries"] = {
        "symmetry": list(found.by_symmetry),
        "fit": list(found.by_symmetry.values()),
    }


def _compare(adata: ad.AnnData) -> CountsAndPicture | str:
    um_per_px = microns_per_pixel(adata)
    picture = reduced_picture(adata)
    if picture is None:
        return "There is no tissue image with a scale factor, so counts were not compared with it."
    if not um_per_px:
        return "The pixel size is unknown, so counts were not compared with the tissue image."
    pixels, scale = picture
    pixels, coarser = _coarser(pixels, um_per_px / scale)
    stained = stained_picture(pixels, coarser * um_per_px / scale)
    if isinstance(stained, str):
        return stained
    xy_um = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[:, :2] * um_per_px
    counts = adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=np.float64)
    pitch_um = find_spacing(xy_um).pitch
    if pitch_um < _CELL_UM / 2:
        xy_um, counts = _squares(xy_um, counts)
        pitch_um = _CELL_UM
    with threadpool_limits(1):  # hundreds of small products: on a busy machine a second thread only waits
        return counts_and_picture(stained, xy_um, counts, pitch_um)


def microns_per_pixel(adata: ad.AnnData) -> float | None:
    """µm per full-resolution pixel; ``None``: not known."""
    value = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    return None if value is None else float(value)


def reduced_picture(
    adata: ad.AnnData, names: tuple[str, ...] = ("hires", "lowres")
) -> tuple[NDArray[Any], float] | None:
    """The first of these reduced pictures that comes with its scale factor, and that factor."""
    libraries = adata.uns.get(keys.UNS_SPATIAL, {})
    for library in libraries.values():
        for name in names:
            pixels = library.get("images", {}).get(name)
            factor = library.get("scalefactors", {}).get(f"tissue_{name}_scalef")
            if pixels is not None and factor:
                return np.asarray(pixels), float(factor)
    return None


def _coarser(pixels: NDArray[Any], um_per_px: float) -> tuple[NDArray[Any], int]:
    """The picture in means of as many pixels a side as ``_FINEST_UM`` holds, of the same type; and that number."""
    from skimage.transform import downscale_local_mean

    factor = int(_FINEST_UM / um_per_px)
    if factor < 2 or pixels.ndim != 3 or min(pixels.shape[:2]) < factor:
        return pixels, 1
    # whole blocks alone, or the last row and column would be darkened by missing pixels
    rows, columns = (side // factor * factor for side in pixels.shape[:2])
    bands = [
        downscale_local_mean(pixels[first : min(first + 256 * factor, rows), :columns], (factor, factor, 1))
        for first in range(0, rows, 256 * factor)
    ]
    means = np.concatenate(bands)
    return (np.rint(means) if np.issubdtype(pixels.dtype, np.integer) else means).astype(pixels.dtype), factor


def _squares(
    xy_um: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of squares, and mean counts of the bins in each."""
    cell, member, size = np.unique(
        np.floor(xy_um / _CELL_UM).astype(np.int64), axis=0, return_inverse=True, return_counts=True
    )
    return np.asarray((cell + 0.5) * _CELL_UM, dtype=np.float64), np.bincount(member.ravel(), counts) / size
