"""The tissue image, small enough to stand in a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearspot.report.data import SampleData

LONGEST_SIDE: Final = 1200
JPEG_QUALITIES: Final = (80, 60, 40, 20)
LARGEST_JPEG: Final = 450_000
"""Bytes; a picture of pure noise takes more even at the lowest quality, tissue never does."""


@dataclass(frozen=True)
class Picture:
    """A tissue image in full-resolution pixel coordinates.

    Parameters
    ----------
    address
        ``data:`` address of the JPEG.
    width, height
        Size in full-resolution pixels.
    x, y
        Left and upper edge.
    """

    address: str
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


def tissue_picture(data: SampleData) -> tuple[Picture | None, str]:
    """Find the best picture that comes with its scale factor.

    Returns
    -------
    The picture, or ``None``; and a sentence that says what is shown, or why nothing is.
    """
    for name, factor in _scaled(data):
        image = _as_rgb(data.image(name))
        width, height = image.width / factor, image.height / factor
        if all(low == high for low, high in image.convert("RGB").getextrema()):  # type: ignore[misc]
            return None, f"The tissue image ({name}) is blank: every pixel has the same colour."
        return Picture(_jpeg_address(image), width, height), f"Tissue image ({name})."
    if data.images:
        return None, "The tissue image has no scale factor, so it is not shown."
    return None, "The sample has no tissue image."


def cut_out(data: SampleData, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[Picture, float]:
    """Return a rectangle of the best picture, in whole pixels of it.

    Parameters
    ----------
    data
        A sample for which :func:`tissue_picture` found a picture.
    low, high
        Corners, each ``[x, y]``, in full-resolution pixels.

    Returns
    -------
    The picture, and the side of its pixels in full-resolution pixels.
    """
    name, factor = next(_scaled(data))
    whole = data.image(name)
    size = np.array([whole.shape[1], whole.shape[0]])
    first = np.clip(np.floor(low * factor), 0, size - 1).astype(int)
    last = np.clip(np.ceil(high * factor), first + 1, size).astype(int)
    image = _as_rgb(whole[first[1] : last[1], first[0] : last[0]])
    (x, y), (width, height) = first / factor, (last - first) / factor
    return Picture(_jpeg_address(image), float(width), float(height), float(x), float(y)), 1 / factor


def _scaled(data: SampleData) -> Iterator[tuple[str, float]]:
    """Pictures that come with their scale factor, the best first."""
    for name in ("hires", "lowres"):
        factor = data.scalefactors.get(f"tissue_{name}_scalef")
        if name in data.images and factor is not None:
            yield name, float(factor)


def _as_rgb(array: NDArray[Any]) -> Image.Image:
    if np.issubdtype(array.dtype, np.floating):
        array = array * 255.0 if float(np.nanmax(array, initial=0.0)) <= 1.0 else array
    image = Image.fromarray(np.clip(np.nan_to_num(array), 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _jpeg_address(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    for quality in JPEG_QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= LARGEST_JPEG:
            break
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
