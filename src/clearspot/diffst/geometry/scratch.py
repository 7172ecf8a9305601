"""Large arrays of a run in files without a name: what is read a tile at a time need not stay in memory."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def scratch(shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """A zeroed array in a temporary file (``TMPDIR``), which is gone with the array."""
    # the file is unlinked at once; the mapping keeps it until the array is freed
    with TemporaryFile(prefix="diffst-") as file:
        return np.memmap(file, dtype=np.dtype(dtype), mode="w+", shape=shape)


def parked(values: NDArray[Any]) -> NDArray[Any]:
    """A copy in a temporary file."""
    result = scratch(values.shape, values.dtype)
    result[:] = values
    return result
