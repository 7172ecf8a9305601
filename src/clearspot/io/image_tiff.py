"""TIFF images segment by segment: pyramids, tiles, strips, separate planes and multi-channel stacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tifffile
from numpy.typing import NDArray

from clearspot.io.pixels import BoxMean

_BAND = 512


def main_series(tiff: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    """The largest picture of the file: slide scanners add labels and overviews as further series."""
    pictures = [series for series in tiff.series if "X" in series.axes and "Y" in series.axes]
    if not pictures:
        raise ValueError("a TIFF without an image")
    return max(pictures, key=lambda series: _sizes(series)["X"] * _sizes(series)["Y"])


def has_alpha(series: tifffile.TiffPageSeries) -> bool:
    """Whether the last sample is transparency."""
    samples = _sizes(series).get("S", 1)
    return samples in (2, 4) and bool(series.keyframe.extrasamples)


def downscale_series(series: tifffile.TiffPageSeries, max_side: int) -> NDArray[Any]:
    """Reduce a picture to at most ``max_side`` pixels a side.

    Returns
    -------
    ndarray
        Height x width x channels, in the picture's pixel type.
    """
    level = series.levels[0]
    for smaller in series.levels[1:]:
        if max(_sizes(smaller)["X"], _sizes(smaller)["Y"]) >= max_side:
            level = smaller
    sizes = _sizes(level)
    channels = level.size // (sizes["X"] * sizes["Y"])
    box = BoxMean((sizes["Y"], sizes["X"], channels), max_side, level.dtype)
    for piece, row, column, channel in _pieces(level):
        box.add(piece, row, column, channel)
    return box.mean()


def _pieces(level: tifffile.TiffPageSeries) -> Iterator[tuple[NDArray[Any], int, int, int]]:
    """Decoded parts of one level: height x width x channels, and where they belong."""
    sizes = _sizes(level)
    samples = sizes.get("S", 1)
    planes = level.size // (sizes["X"] * sizes["Y"] * samples)
    if len(level.pages) != planes:  # one page may stand for a whole stack (ImageJ)
        axes = [axis for axis in level.axes if axis not in "YX"]
        order = [level.axes.index(axis) for axis in ("Y", "X", *axes)]
        yield level.asarray().transpose(order).reshape(sizes["Y"], sizes["X"], -1), 0, 0, 0
        return
    for number, page in enumerate(level.pages):
        if page is not None:
            for piece, row, column, sample in _page_pieces(page.aspage()):
                yield piece, row, column, number * samples + sample


def _page_pieces(page: tifffile.TiffPage) -> Iterator[tuple[NDArray[Any], int, int, int]]:
    interleaved = page.samplesperpixel == 1 or page.planarconfig == tifffile.PLANARCONFIG.CONTIG
    if page.is_memmappable and interleaved and page.dtype is not None:
        # uncompressed pixels often come as one strip: map it instead of reading it
        dtype = page.dtype.newbyteorder(page.parent.byteorder)
        shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        pixels = page.parent.filehandle.memmap_array(dtype, shape, page.dataoffsets[0])
        for row in range(0, page.imagelength, _BAND):
            yield pixels[row : row + _BAND], row, 0, 0
        return
    for piece, index, _ in page.segments():
        if piece is not None:
            sample, _, row, column, _ = index
            yield piece[0], row, column, sample


def _sizes(series: tifffile.TiffPageSeries) -> dict[str, int]:
    return dict(zip(series.axes, series.shape, strict=True))
