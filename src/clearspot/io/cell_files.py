"""Files of segmented cells in the outs folder of Space Ranger 4 (``segmented_outputs``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clearspot.errors import BadInputError, Problem
from clearspot.io import naming
from clearspot.io.bins import choose_bin
from clearspot.io.outs_folder import Folder, find_cells

_MATRIX: Final = "filtered_feature_cell_matrix.h5 or its MEX folder"
_COPY: Final = "copy the whole folder segmented_outputs of the Space Ranger run"


@dataclass(frozen=True)
class CellFiles:
    """What describes the cells of a matrix of cells.

    Parameters
    ----------
    outlines
        ``cell_segmentations.geojson``.
    nuclei
        ``nucleus_segmentations.geojson``.
    mappings
        ``barcode_mappings.parquet``: the cell of each square of 2 µm.
    bins_matrix
        Counts of bins of the same run, from which the share of the counts in cells follows.
    """

    outlines: Path
    nuclei: Path | None
    mappings: Path | None
    bins_matrix: Path | None


@dataclass(frozen=True)
class CellFolder:
    """A folder ``segmented_outputs`` and the outs folder that holds it."""

    root: Folder
    segmented: Folder

    def matrix(self, kind: str) -> Path | None:
        """Counts of cells (``filtered`` or ``raw``): the ``.h5`` file, else the MEX folder."""
        found = [path for path in self.segmented.every(naming.CELL_MATRIX) if _kind(path) == kind]
        return next(iter(sorted(found, key=Path.is_dir)), None)

    def files(self, sample: str) -> CellFiles:
        """Find the files that describe the cells.

        Raises
        ------
        BadInputError
            With each of matrix, outlines and spatial folder that is missing.
        """
        outlines = self.segmented.first(naming.CELL_POLYGONS)
        missing = {
            _MATRIX: self.matrix("filtered") or self.matrix("raw"),
            "cell_segmentations.geojson": outlines,
            "spatial": self.segmented.spatial(),
        }
        problems = [
            Problem(sample, f"{naming.SEGMENTED}/{name.split(' ')[0]}", "no such file or folder", name, _COPY)
            for name, path in missing.items()
            if path is None
        ]
        if problems or outlines is None:
            raise BadInputError(problems)
        mappings = self.root.first(naming.BARCODE_MAPPINGS) or self.segmented.first(naming.BARCODE_MAPPINGS)
        return CellFiles(outlines, self.segmented.first(naming.NUCLEUS_POLYGONS), mappings, self._bins_matrix())

    def _bins_matrix(self) -> Path | None:
        if not self.root.is_hd_root():
            return None
        places = self.root.bins()
        size = choose_bin(places)
        return None if size is None else Folder(places[size]).matrix("filtered")[0]


def find_cell_folder(top: Folder, path: Path, sample: str) -> CellFolder:
    """Find ``segmented_outputs`` in a folder, at most three levels below it; the folder itself may be it.

    Raises
    ------
    BadInputError
        There is none.
    """
    found = find_cells(top)
    if found is None or not found.is_segmented():
        expected = "the folder segmented_outputs of Space Ranger 4"
        there = ", ".join(sorted(top.names())[:8]) or "nothing"
        mend = "run Space Ranger 4 or newer with cell segmentation, or leave 'unit' empty to read the bins"
        raise BadInputError(
            Problem(sample, str(path), f"no segmented cells; the folder contains {there}", expected, mend)
        )
    if naming.SEGMENTED in found.names():
        return CellFolder(found, Folder(found.entry(naming.SEGMENTED)))
    return CellFolder(Folder(found.path.parent), found)


def _kind(path: Path) -> str:
    match = naming.CELL_MATRIX.match(path.name)
    return match["kind"] if match else ""
