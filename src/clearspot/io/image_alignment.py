"""How a histology image lies on a Xenium section: the image alignment file of Xenium Explorer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.io.reading import bad, open_binary, reading

_EXPECTED: Final = "the image alignment file of Xenium Explorer: three lines of three numbers, the last 0,0,1"
_EXPORT: Final = "export it again in Xenium Explorer: image alignment, 'Export alignment'"
_MOST_UNEVEN: Final = 1e6


def read_alignment(path: Path, sample: str) -> NDArray[np.float64]:
    """Read the affine map from the image's pixels to those of the morphology image.

    The direction is that in which ``spatialdata_io.xenium_aligned_image`` (0.7) and Giotto's ``read10xAffineImage``
    apply the file: ``(x, y, 1)`` of the full-resolution H&E image is multiplied from the left and gives ``(x, y, 1)``
    in the pixels of the morphology image (0.2125 µm each). 10x's own examples agree: their H&E pixels of 0.274 µm
    have a factor of 1.29.

    Parameters
    ----------
    path
        ``<name>_imagealignment.csv``: commas, no header.
    sample
        Sample name, for messages.

    Returns
    -------
    ndarray
        3 x 3, float64, invertible.

    Raises
    ------
    BadInputError
        It is absent, or no such matrix.
    """
    with reading(path, sample, _EXPECTED):
        with open_binary(path) as file:
            text = file.read(100_000).decode("utf-8-sig")
        matrix = np.loadtxt(text.splitlines(), delimiter=",", dtype=np.float64, ndmin=2, quotechar='"')
    return check_alignment(matrix, path, sample)


def check_alignment(matrix: NDArray[np.float64], path: Path, sample: str) -> NDArray[np.float64]:
    """Give back a matrix that :func:`read_alignment` could have read, or refuse it."""
    found = None
    if matrix.shape != (3, 3):
        found = f"{' x '.join(map(str, matrix.shape))} numbers"
    elif not np.isfinite(matrix).all():
        found = "numbers that are not finite"
    elif not np.allclose(matrix[2], [0, 0, 1], rtol=0, atol=1e-9):
        found = f"a last line of {', '.join(f'{value:g}' for value in matrix[2])}"
    elif np.linalg.cond(matrix[:2, :2]) > _MOST_UNEVEN:
        found = "a matrix that maps the image to a line or a point"
    if found is not None:
        raise bad(path, sample, found, _EXPECTED, _EXPORT)
    return matrix
