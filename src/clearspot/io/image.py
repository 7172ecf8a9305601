"""Images of any size and format: what they are, and small versions of them, without holding a large one whole."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from clearspot.io.image_tiff import downscale_series, has_alpha, main_series
from clearspot.io.pixels import BoxMean, to_uint8_rgb
from clearspot.io.reading import bad, is_gzip, open_binary, reading

MAX_SMALL_SIDE: Final = 8192
"""Largest side of what Space Ranger calls a hires image (2,000 pixels; HD up to 6,000), with room to spare."""

MAX_UNPACKED_BYTES: Final = 1024**3
"""Largest image file that came gzipped: reduced images are, and are a hundred times smaller."""

MAX_WHOLE_PIXELS: Final = 1_000_000_000
"""A PNG or JPEG beyond this would take more memory than the rest of the pipeline: it has to come as a tiled TIFF."""

MAX_DEFLATE: Final = 1100
"""Deflate packs at most 1032:1; an image that claims more than this was never written."""

_EXPECTED: Final = "an image: TIFF (also BigTIFF, OME-TIFF), PNG or JPEG"
_TIFF_MAGICS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image says.

    Parameters
    ----------
    width, height
        Pixels.
    channels
        Colour channels (alpha included) or fluorescence channels.
    dtype
        NumPy's name of the pixel type.
    n_levels
        Resolution levels of a pyramid; 1 if there is none.
    is_tiled
        Whether the image is stored in tiles, so that a part is read without the rest.
    axes
        As tifffile names them: ``YXS`` (colour samples last), ``CYX`` (channels first), ``YX``.
    photometric
        ``rgb``, ``ycbcr``, ``minisblack``, ...: a colour picture, or grey and separate channels.
    """

    width: int
    height: int
    channels: int
    dtype: str
    n_levels: int
    is_tiled: bool
    axes: str
    photometric: str


def probe_image(path: Path, sample: str) -> ImageInfo:
    """Read the header of an image of any size; the pixels are left alone.

    Raises
    ------
    BadInputError
        The file is no image, or its header is broken.
    """
    with reading(path, sample, _EXPECTED):
        if _is_tiff(path):
            with tifffile.TiffFile(path) as tiff:
                return _tiff_info(tiff)
        with _pillow(path) as image:
            channels = 3 if image.mode == "P" else len(image.getbands())
            return ImageInfo(
                width=image.width,
                height=image.height,
                channels=channels,
                dtype={"I;16": "uint16", "I;16B": "uint16", "I": "int32", "F": "float32"}.get(image.mode, "uint8"),
                n_levels=1,
                is_tiled=False,
                axes="YX" if channels == 1 else "YXS",
                photometric="rgb" if channels > 2 else "minisblack",
            )


def read_rgb(path: Path, sample: str) -> NDArray[np.uint8]:
    """Read an already reduced image (``tissue_hires_image.png``) at its own size.

    Returns
    -------
    ndarray
        uint8, height x width x 3, as :func:`clearspot.io.pixels.to_uint8_rgb` makes it.

    Raises
    ------
    BadInputError
        The file is no image, is cut short, or is larger than any reduced image.
    """
    info = probe_image(path, sample)
    if max(info.width, info.height) > MAX_SMALL_SIDE:
        raise bad(
            path,
            sample,
            f"an image of {info.width} x {info.height} pixels",
            f"a reduced image of at most {MAX_SMALL_SIDE} pixels a side",
            "restore the original image from Space Ranger",
        )
    return read_downscaled(path, sample, MAX_SMALL_SIDE)


def read_downscaled(path: Path, sample: str, max_side: int) -> NDArray[np.uint8]:
    """Read an image reduced to at most ``max_side`` pixels a side, each the mean of the pixels it stands for.

    A TIFF is averaged segment by segment from its smallest sufficient pyramid level; a JPEG is decoded at a fraction
    of its size. A PNG can only be decoded whole.

    Returns
    -------
    ndarray
        uint8, height x width x 3. The ratio of its shape to the image's is the scale factor, to one pixel.

    Raises
    ------
    BadInputError
        The file is no image, is cut short, or is a PNG or JPEG of more than a billion pixels.
    """
    with reading(path, sample, _EXPECTED):
        if _is_tiff(path):
            with tifffile.TiffFile(path) as tiff:
                series = main_series(tiff)
                return to_uint8_rgb(downscale_series(series, max_side), alpha=has_alpha(series))
        with _pillow(path) as image:
            if image.width * image.height > MAX_WHOLE_PIXELS:
                size = f"a {image.format} of {image.width} x {image.height} pixels"
                raise bad(path, sample, size, "a tiled TIFF for an image of this size", "convert it to a tiled TIFF")
            if image.format == "PNG" and _least_bytes(image) > MAX_DEFLATE * path.stat().st_size:
                size = f"a PNG of {image.width} x {image.height} pixels in {path.stat().st_size} bytes"
                raise bad(path, sample, size, _EXPECTED)
            image.draft(None, (max_side, max_side))
            pixels = _decode(image, path)
    if max(pixels.shape[:2]) > max_side:
        box = BoxMean(pixels.shape, max_side, pixels.dtype)
        box.add(pixels, 0, 0)
        pixels = box.mean()
    return to_uint8_rgb(pixels, alpha=False)


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _TIFF_MAGICS


def _tiff_info(tiff: tifffile.TiffFile) -> ImageInfo:
    series = main_series(tiff)
    sizes = dict(zip(series.axes, series.shape, strict=True))
    width, height = sizes.pop("X"), sizes.pop("Y")
    page = series.keyframe
    return ImageInfo(
        width=width,
        height=height,
        channels=int(np.prod(list(sizes.values()), dtype=np.int64)),
        dtype=str(series.dtype),
        n_levels=len(series.levels),
        is_tiled=page.is_tiled,
        axes=series.axes,
        photometric=getattr(page.photometric, "name", str(page.photometric)).lower(),
    )


@contextmanager
def _pillow(path: Path) -> Iterator[Image.Image]:
    """Open with Pillow, without its limit: sizes are checked here, where a header alone is always safe to read."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        source = _unpacked(path) if is_gzip(path) else path
        with Image.open(source) as image:
            yield image
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _unpacked(path: Path) -> io.BytesIO:
    with gzip.open(path, "rb") as packed:
        content = packed.read(MAX_UNPACKED_BYTES + 1)
    if len(content) > MAX_UNPACKED_BYTES:
        raise ValueError(f"more than {MAX_UNPACKED_BYTES} bytes when unpacked")
    return io.BytesIO(content)


def _least_bytes(image: Image.Image) -> int:
    """Bytes that the decoded image takes at least: where there is one channel, a pixel may be a single bit."""
    channels = len(image.getbands())
    return image.width * image.height * channels // (8 if channels == 1 else 1)


def _decode(image: Image.Image, path: Path) -> NDArray[Any]:
    """Decode to height x width x channels, with white where the image is transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, "white")
        opaque.paste(image, mask=image.getchannel("A"))
        image = opaque
    elif image.format == "PNG" and image.mode == "RGB":  # what Space Ranger writes; Pillow takes twice as long
        with open_binary(path) as file:
            return imagecodecs.png_decode(file.read())
    elif image.mode in ("P", "CMYK", "YCbCr", "1"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
