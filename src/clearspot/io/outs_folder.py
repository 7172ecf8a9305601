"""One folder that may be an outs folder: which of its entries are what, also under prefixed names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clearspot.io import naming

_MAX_DEPTH = 3


@dataclass(frozen=True)
class Folder:
    """A folder seen through Space Ranger's names.

    Parameters
    ----------
    path
        The folder.
    also
        Further folders whose entries count as this one's (parts that came as archives).
    prefix
        Prefix of this sample's files, where several files of one sample lie flattened in one folder.
    """

    path: Path
    also: tuple[Path, ...] = ()
    prefix: str = ""

    def entries(self) -> list[Path]:
        """All entries, sorted by name; hidden ones are left out."""
        found = [entry for place in (self.path, *self.also) for entry in place.iterdir()]
        return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)

    def names(self) -> set[str]:
        """Names of all entries."""
        return {entry.name for entry in self.entries()}

    def entry(self, name: str) -> Path:
        """Path of the entry with this name."""
        return next(entry for entry in self.entries() if entry.name == name)

    def every(self, pattern: re.Pattern[str]) -> list[Path]:
        """Entries that match, with this folder's prefix where some have it, whatever their prefix otherwise."""
        matches = [(entry, match["prefix"]) for entry in self.entries() if (match := pattern.match(entry.name))]
        own = [entry for entry, prefix in matches if prefix == self.prefix]
        return own or [entry for entry, _ in matches]

    def first(self, pattern: re.Pattern[str]) -> Path | None:
        """First entry that matches, or None."""
        return next(iter(self.every(pattern)), None)

    def matrix(self, kind: str) -> tuple[Path | None, Path | None]:
        """Matrix of one kind (``filtered`` or ``raw``): ``.h5`` if it is there, else MEX; and the one not taken."""
        h5 = [path for path in self.every(naming.MATRIX_H5) if _kind(naming.MATRIX_H5, path) == kind]
        mex = [path for path in self.every(naming.MATRIX_FOLDER) if path.is_dir()]
        mex = [place for path in mex if _kind(naming.MATRIX_FOLDER, path) == kind and (place := _mex_place(path))]
        mex += [path for path in self.every(naming.MTX) if _flat_kind(path) == kind]
        forms = h5 + mex
        return (forms[0] if forms else None, forms[1] if len(forms) > 1 else None)

    def spatial(self) -> Folder | None:
        """The spatial folder; this folder itself where its files lie flattened beside the matrix."""
        for path in self.every(naming.SPATIAL_FOLDER):
            if path.is_dir():
                inner = [entry for entry in path.iterdir() if entry.is_dir() and entry.name == "spatial"]
                return Folder(inner[0] if inner else path, prefix=self.prefix)
        return self if self.first(naming.POSITIONS) or self.first(naming.SCALEFACTORS) else None

    def is_hd_root(self) -> bool:
        """Whether the HD bins lie here, in ``binned_outputs`` or directly."""
        return naming.BINNED in self.names() or any(naming.BIN_FOLDER.match(name) for name in self.names())

    def bins(self) -> dict[int, Path]:
        """HD: folder of each bin size that is there."""
        places = [self.entry(naming.BINNED)] if naming.BINNED in self.names() else []
        entries = [entry for place in places for entry in place.iterdir()] or self.entries()
        found = [(naming.BIN_FOLDER.match(entry.name), entry) for entry in entries if entry.is_dir()]
        return {int(match["um"]): entry for match, entry in found if match}

    def has_spatial(self) -> bool:
        """Whether positions or a spatial folder are there (HD: in the bin folders)."""
        return self.is_hd_root() or self.spatial() is not None

    def is_segmented(self) -> bool:
        """Whether cells of Visium HD were segmented: ``segmented_outputs`` or what it holds lies here."""
        return naming.SEGMENTED in self.names() or self.first(naming.CELL_MATRIX) is not None

    def is_xenium(self) -> bool:
        """Whether this is the output folder of a Xenium run."""
        return any(naming.XENIUM_MATRIX.match(name) for name in self.names())

    def part_archives(self) -> list[Path]:
        """Archives of single parts (``*_spatial.tar.gz``, ...) that are not available as a folder or file."""
        parts = [(naming.PART_ARCHIVE.match(entry.name), entry) for entry in self.entries() if entry.is_file()]
        have_h5 = {_kind(naming.MATRIX_H5, path) for path in self.every(naming.MATRIX_H5)}
        return [entry for match, entry in parts if match and match["part"].split("_")[0] not in have_h5]

    def joined(self, places: Sequence[Path]) -> Folder:
        """Make a folder with the entries of further folders beside its own."""
        return Folder(self.path, also=(*self.also, *places), prefix=self.prefix)

    def label(self, start: Path) -> str:
        """Name for a message: relative to ``start``, with the prefix of flattened files."""
        place = str(self.path.relative_to(start)) if self.path.is_relative_to(start) else self.path.name
        return f"{place}/{self.prefix}*" if self.prefix else place


def find_candidates(top: Folder) -> list[Folder]:
    """Folders that hold a matrix or HD bins: those nearest to the top, at most three levels below it."""
    level = [top]
    for _ in range(_MAX_DEPTH + 1):
        found = [sample for folder in level for sample in _samples_in(folder)]
        if found:
            return found
        level = _below(level)
    return []


def find_cells(top: Folder) -> Folder | None:
    """The folder nearest to the top that holds counts of cells instead of spots, at most three levels below it."""
    level = [top]
    for _ in range(_MAX_DEPTH + 1):
        found = [folder for folder in level if folder.is_segmented() or folder.is_xenium()]
        if found:
            return found[0]
        level = _below(level)
    return None


def _below(level: list[Folder]) -> list[Folder]:
    """The folders in these folders; the MEX folder of cells is no sample."""
    entries = [entry for folder in level for entry in folder.entries() if entry.is_dir()]
    of_cells = (naming.CELL_MATRIX, naming.XENIUM_MATRIX)
    return [Folder(entry) for entry in entries if not any(pattern.match(entry.name) for pattern in of_cells)]


def _samples_in(folder: Folder) -> list[Folder]:
    if folder.is_hd_root():
        return [folder]
    prefixes = {_prefix(naming.MATRIX_H5, path) for path in folder.entries() if naming.MATRIX_H5.match(path.name)}
    for path in folder.entries():
        if naming.MATRIX_FOLDER.match(path.name) and path.is_dir() and _mex_place(path):
            prefixes.add(_prefix(naming.MATRIX_FOLDER, path))
        elif naming.MTX.match(path.name):
            prefixes.add(_flat_prefix(path))
    if len(prefixes) == 2:
        prefixes.discard("")  # a download's prefixed .h5 beside the same matrix as an unprefixed folder
    return [Folder(folder.path, folder.also, prefix) for prefix in sorted(prefixes)]


def _prefix(pattern: re.Pattern[str], path: Path) -> str:
    match = pattern.match(path.name)
    return match["prefix"] if match else ""


def _kind(pattern: re.Pattern[str], path: Path) -> str:
    match = pattern.match(path.name)
    return match["kind"] if match else ""


def _flat_stem(path: Path) -> str:
    return _prefix(naming.MTX, path).rstrip("_.-")


def _flat_kind(path: Path) -> str:
    return _kind(naming.MATRIX_FOLDER, Path(_flat_stem(path))) or "filtered"


def _flat_prefix(path: Path) -> str:
    stem = Path(_flat_stem(path))
    return _prefix(naming.MATRIX_FOLDER, stem) if naming.MATRIX_FOLDER.match(stem.name) else stem.name


def _mex_place(folder: Path) -> Path | None:
    """Where the MEX files of a matrix folder lie: in it, or in its one genome folder (as before version 3)."""
    for place in (folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())):
        if any(naming.MTX.match(entry.name) for entry in place.iterdir() if not entry.name.startswith(".")):
            return place
    return None
