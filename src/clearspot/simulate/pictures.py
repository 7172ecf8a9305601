"""Picture files: the full-resolution pyramidal TIFF, and what Space Ranger derives from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import tifffile
from PIL import Image, ImageDraw

from clearspot.io.atomic import atomic_path

_TILE: Final = 512
_JPEG_QUALITY: Final = 90
_IN_MEMORY_PIXELS: Final = 40_000_000
_SMALLEST_LEVEL: Final = 512


@contextmanager
def canvas(shape: tuple[int, int], scratch: Path) -> Iterator[np.ndarray]:
    """Give room for an RGB picture: in memory if it is small, else in a temporary file under ``scratch``."""
    if shape[0] * shape[1] <= _IN_MEMORY_PIXELS:
        yield np.empty((*shape, 3), dtype=np.uint8)
        return
    with TemporaryDirectory(prefix=".canvas-", dir=scratch) as folder:
        yield np.memmap(Path(folder) / "picture.raw", dtype=np.uint8, mode="w+", shape=(*shape, 3))


def write_pyramid(picture: np.ndarray, path: Path, um_per_px: float, quality: int = _JPEG_QUALITY) -> None:
    """Write a tiled, JPEG-compressed TIFF with half-size levels down to about 512 px, readable lazily."""
    levels = [picture]
    while max(levels[-1].shape[:2]) > 2 * _SMALLEST_LEVEL:
        levels.append(_halve(levels[-1]))
    with atomic_path(path) as partial, tifffile.TiffWriter(partial, bigtiff=picture.nbytes > 2**32) as tiff:
        for depth, level in enumerate(levels):
            per_cm = 1e4 / (um_per_px * 2**depth)
            tiff.write(
                level,
                subifds=len(levels) - 1 if depth == 0 else None,
                subfiletype=1 if depth > 0 else 0,
                tile=(_TILE, _TILE),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": quality},
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                software="clearspot",
                metadata=None,
            )


def _halve(picture: np.ndarray) -> np.ndarray:
    """Mean of 2 x 2 pixels, strip by strip; an odd last row or column is dropped."""
    rows, cols = picture.shape[0] // 2, picture.shape[1] // 2
    out = np.empty((rows, cols, 3), dtype=np.uint8)
    step = 512
    for top in range(0, rows, step):
        strip = picture[2 * top : 2 * min(top + step, rows), : 2 * cols].astype(np.uint16)
        out[top : top + step] = (strip.reshape(-1, 2, cols, 2, 3).sum(axis=(1, 3)) + 2) // 4
    return out


def shrink(picture: np.ndarray, longest: int) -> tuple[Image.Image, float]:
    """Average the picture down until its longest side is ``longest`` pixels; never enlarge it.

    Returns
    -------
    The small picture and the scale factor: small pixels per large pixel.
    """
    rows, cols = picture.shape[:2]
    scale = min(longest / max(rows, cols), 1.0)
    size = (max(round(cols * scale), 1), max(round(rows * scale), 1))
    while min(picture.shape[0] / size[1], picture.shape[1] / size[0]) >= 4:
        picture = _halve(picture)
    return Image.fromarray(picture).resize(size, Image.Resampling.BOX), scale


def write_picture(picture: Image.Image, path: Path) -> None:
    """Write a PNG or JPEG, by the path's suffix."""
    with atomic_path(path) as partial:
        if path.suffix == ".jpg":
            picture.save(partial, quality=_JPEG_QUALITY)
        else:
            picture.save(partial)


def draw_fiducials(hires: Image.Image, spots: np.ndarray, radius: float) -> Image.Image:
    """``aligned_fiducials.jpg``: red rings where the frame's fiducials lie around the spots.

    Parameters
    ----------
    hires
        The picture.
    spots
        Column and row of every spot in its pixels.
    radius
        Radius of a fiducial in its pixels.
    """
    out = hires.convert("RGB")
    draw = ImageDraw.Draw(out)
    low, high = spots.min(axis=0) - 4 * radius, spots.max(axis=0) + 4 * radius
    for along in np.linspace(0, 1, 26):
        x, y = low + along * (high - low)
        for centre in ((x, low[1]), (x, high[1]), (low[0], y), (high[0], y)):
            draw.ellipse(_box(*centre, radius), outline=(220, 30, 30), width=1)
    return out


def draw_tissue_spots(hires: Image.Image, spots: np.ndarray, radius: float, in_tissue: np.ndarray) -> Image.Image:
    """``detected_tissue_image.jpg``: the spots under tissue drawn over the picture in grey."""
    out = hires.convert("L").convert("RGB")
    draw = ImageDraw.Draw(out)
    for x, y in spots[in_tissue]:
        draw.ellipse(_box(x, y, max(radius, 0.5)), outline=(40, 60, 200))
    return out


def _box(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return (x - radius, y - radius, x + radius, y + radius)
