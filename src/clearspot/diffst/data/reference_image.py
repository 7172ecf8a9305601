"""The image of a reference, on the reference's own grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.reference import Reference
from clearspot.diffst.image.encoder import Encoder
from clearspot.diffst.image.histology import embed
from clearspot.diffst.image.image_samples import GridImage
from clearspot.errors import BadInputError, Problem
from clearspot.io.image_alignment import check_alignment, read_alignment
from clearspot.io.scale import PIXELS_PER_BIN

_MOST_UNCOVERED: Final = 0.5
_SLACK: Final = 0.01
"""Share by which a pixel may be too coarse: sizes of pixels are known to about this."""


def add_image(
    reference: Reference,
    image: Path | str | NDArray[np.uint8],
    alignment: Path | str | NDArray[np.float64] | None,
    *,
    encoder: Encoder | None,
    sample: str,
) -> Reference:
    """Compute features and colours of a reference's image; arguments and errors as :meth:`Reference.with_image`."""
    if any(side % 8 for side in reference.grid.shape):
        raise ValueError(f"rows and columns of a grid with an image must be multiples of 8, not {reference.grid.shape}")
    image = Path(image) if isinstance(image, str) else image
    name = image.name if isinstance(image, Path) else "image"
    to_image = _to_image(reference, alignment, sample)
    if isinstance(image, Path):
        opened = GridImage.open(image, reference.grid, sample, to_image=to_image)
    else:
        opened = GridImage(image, (1.0, 1.0), reference.grid, to_image)
    finest = PIXELS_PER_BIN * opened.um_per_px
    if finest > reference.grid.bin_um * (1 + _SLACK):
        found = f"an image with {opened.um_per_px:.3g} µm per pixel"
        expected = f"at least {PIXELS_PER_BIN} pixels per bin"
        mend = f"Provide an image of higher resolution, or use bins of at least {finest:.3g} µm."
        raise BadInputError(Problem(sample, name, found, f"{expected} (of {reference.grid.bin_um:g} µm)", mend))
    histology = embed(opened, reference.grid, encoder)
    covered = float(histology.valid[reference.tissue].mean()) if reference.tissue.any() else 0.0
    if covered < _MOST_UNCOVERED:
        found = f"an image that covers {covered:.0%} of the tissue"
        mend = "Provide the image to which the positions refer; for Xenium, with its image alignment file."
        raise BadInputError(Problem(sample, name, found, f"at least {_MOST_UNCOVERED:.0%}", mend))
    return replace(reference, to_image=to_image, histology=histology, image_um_per_px=opened.um_per_px)


def _to_image(
    reference: Reference, alignment: Path | str | NDArray[np.float64] | None, sample: str
) -> NDArray[np.float64] | None:
    """From the grid's pixels to the image's: the alignment goes the other way."""
    if alignment is None:
        return reference.to_image
    file = Path(alignment) if isinstance(alignment, (str, Path)) else Path("image alignment")
    if reference.measured_um:
        found = "an image alignment for a Visium HD sample"
        expected = "no image alignment, because the positions refer to the image"
        raise BadInputError(Problem(sample, file.name, found, expected, "Leave the image alignment out."))
    if isinstance(alignment, (str, Path)):
        matrix = read_alignment(file, sample)
    else:
        matrix = check_alignment(np.asarray(alignment, dtype=np.float64), file, sample)
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
