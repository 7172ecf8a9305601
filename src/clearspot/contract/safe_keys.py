"""Names of users and instruments as keys of AnnData, HDF5, Zarr and SpatialData.

None of them accepts every name: HDF5 and Zarr take a slash for a folder, AnnData keeps ``_index`` for itself, SpatialData
takes letters, digits and ``_ - .`` only, and tells no upper from lower case. A name goes through here where it becomes a
key (a column, an entry of ``uns``, an element); the name itself is kept beside, as a value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

_MOST_BYTES: Final = 200
"""Zarr makes a file or folder of every key, and file systems take 255 bytes."""


def safe_key(name: str) -> str:
    """Return the name as a key that every format accepts; a name that is one already stays as it is.

    Parameters
    ----------
    name
        Any text.

    Returns
    -------
    str
        Letters, digits and ``_ - .``: a run of other characters becomes one ``_``. Not empty, at most 200 bytes of
        UTF-8, without ``_`` or ``.`` in front.
    """
    composed = unicodedata.normalize("NFC", name)
    parts = "".join(c if c.isalnum() or c in "_-." else "/" for c in composed).split("/")
    key = "_".join(part for part in parts if part).lstrip("_.")
    return key.encode()[:_MOST_BYTES].decode(errors="ignore") or "unnamed"


def safe_keys(names: Iterable[str]) -> list[str]:
    """Return a key for each name, all different, also without regard to case: repeats get ``-1``, ``-2``, ...

    Parameters
    ----------
    names
        Any texts; they may repeat.
    """
    wanted = [safe_key(name) for name in names]
    # a repeat must not take the key that another name has by right
    reserved = {key.casefold() for key in wanted}
    taken: set[str] = set()
    keys = []
    for key in wanted:
        unique, number = key, 0
        while unique.casefold() in taken or (number and unique.casefold() in reserved):
            number += 1
            unique = f"{key}-{number}"
        taken.add(unique.casefold())
        keys.append(unique)
    return keys
