"""Sections of a study side by side on one scale, with the shapes of their spots, bins or cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.io.outlines import Outlines
from clearspot.report.data import CellOutlines, SampleData

GAP: Final = 0.12
"""Room between sections, as a share of the largest one."""

NAME_ROOM: Final = 2.0
"""Further room below each section, for its name, in spots."""

_SAME_SIZE: Final = 1.05
"""Ratio of two sizes that count as one: what is left of a larger difference is a gap in the lattice of bins."""

_CORNERS_OF_SPOT: Final = 16


@dataclass(frozen=True)
class StudySection:
    """A section of a study, in pixels of its own full-resolution image.

    Parameters
    ----------
    sample
        Name of the section.
    rows
        Numbers of its spots in the study.
    xy
        Their centres, shape ``(len(rows), 2)``.
    unit
        ``spots``, ``bins`` or ``cells``.
    um_per_px
        µm per pixel, where known.
    outlines
        Of segmented cells, numbered as in the study; ``None`` for spots and bins.
    """

    sample: str
    rows: NDArray[np.intp]
    xy: NDArray[np.float64]
    unit: str
    um_per_px: float | None
    outlines: CellOutlines | None

    @property
    def spot_px(self) -> float:
        """Diameter of what stands for a spot. Bins leave no gaps, so that theirs is the pitch."""
        from scipy.spatial import KDTree

        distance = KDTree(self.xy).query(self.xy, k=2)[0][:, 1]
        # where many bins failed quality control, only some have a neighbour left
        pitch = np.quantile(distance, 0.1) if self.unit == "bins" else np.median(distance) / 1.5
        return float(pitch) or 1.0

    def shapes(self) -> CellOutlines:
        """Outlines of cells; else squares of bins, or circles of spots, of diameter :attr:`spot_px`."""
        if self.outlines is not None:
            return self.outlines
        n_corners = 4 if self.unit == "bins" else _CORNERS_OF_SPOT
        angle = (np.arange(n_corners + 1) + 0.5) * 2 * np.pi / n_corners
        reach = self.spot_px / 2 * (math.sqrt(2) if self.unit == "bins" else 1.0)
        rings = self.xy[:, None] + reach * np.column_stack([np.cos(angle), np.sin(angle)])
        offsets = (n_corners + 1) * np.arange(len(self.rows) + 1)
        return CellOutlines(self.rows, Outlines(self.rows.astype(np.int64), offsets, rings.reshape(-1, 2)))


@dataclass(frozen=True)
class StudyLayout:
    """Where the sections are drawn. Lengths are µm if all sections have a scale that is known, else spot diameters.

    Parameters
    ----------
    xy
        Centres of all spots of the study, shape ``(n_spots, 2)``.
    spot_diameter
        Of a spot.
    um_per_unit
        1, or ``None`` where lengths are spot diameters.
    names
        Name of each section, with the place below it.
    shapes
        Outlines of cells; of all places where sections of cells and others are mixed. ``None`` without cells, unless
        they were asked for.
    """

    xy: NDArray[np.float64]
    spot_diameter: float
    um_per_unit: float | None
    names: list[tuple[str, float, float]]
    shapes: CellOutlines | None


def rows_in_study(study: SampleData, section: SampleData) -> NDArray[np.intp]:
    """Return the number in the study of each spot of a section's file; -1 for those that are not in it."""
    sample = str(section.obs[keys.SAMPLE_ID].iloc[0])
    return study.obs.index.get_indexer([f"{sample}_{barcode}" for barcode in section.obs.index])


def study_sections(study: SampleData, files: Sequence[tuple[SampleData, NDArray[np.intp]]]) -> list[StudySection]:
    """Gather what is known of each section.

    Parameters
    ----------
    study
        The study's ``.h5ad``.
    files
        Files of its sections, each with :func:`rows_in_study`. Without that of a section, its cells have no outlines.
    """
    of_spot = study.obs[keys.SAMPLE_ID].astype(str).to_numpy()
    known = {str(data.obs[keys.SAMPLE_ID].iloc[0]): (data, rows) for data, rows in files}
    sections = []
    for sample in dict.fromkeys(of_spot):
        rows = np.flatnonzero(of_spot == sample)
        facts: dict[str, Any] = study.scalefactors_of(sample)
        outlines = None
        if sample in known:
            data, places = known[sample]
            facts = facts | data.provenance
            outlines = _of_study(data.outlines("cells"), places)
        unit = facts.get(keys.UNIT) or ("bins" if facts.get(keys.BIN_SIZE_UM) else "spots")
        um_per_px = facts.get(keys.MICRONS_PER_PIXEL)
        sections.append(
            StudySection(sample, rows, study.xy[rows], str(unit), float(um_per_px) if um_per_px else None, outlines)
        )
    return sections


def lay_out(sections: Sequence[StudySection], *, all_shapes: bool) -> StudyLayout:
    """Put sections side by side in rows.

    Parameters
    ----------
    sections
        Of the study.
    all_shapes
        Spots have shapes, too; bins have them only beside cells or spots, as a raster shows them better.
    """
    spots = np.array([section.spot_px for section in sections])
    has_cells = any(section.outlines is not None for section in sections)
    in_um = np.array([section.um_per_px or np.nan for section in sections]) * spots
    # shapes have their own sizes; without them, all places are drawn equally large
    is_one_scale = bool(np.isfinite(in_um).all()) and (has_cells or in_um.max() <= _SAME_SIZE * in_um.min())
    units = spots / in_um if is_one_scale else spots
    diameter = float(np.median(spots / units))

    placed = [(one.xy - one.xy.min(axis=0)) / unit for one, unit in zip(sections, units, strict=True)]
    cell = (1 + GAP) * np.max([xy.max(axis=0) for xy in placed], axis=0) + [0, NAME_ROOM * diameter]
    n_columns = math.ceil(math.sqrt(len(sections) * max(cell[1], diameter) / max(cell[0], diameter)))
    whole = np.empty((sum(len(xy) for xy in placed), 2))
    names, shapes = [], []
    has_shapes = has_cells or (all_shapes and any(section.unit != "bins" for section in sections))
    for number, (section, xy, unit) in enumerate(zip(sections, placed, units, strict=True)):
        corner = np.array([number % n_columns, number // n_columns]) * cell
        whole[section.rows] = xy + corner
        width, height = xy.max(axis=0)
        names.append((section.sample, float(corner[0] + width / 2), float(corner[1] + height + 0.6 * diameter)))
        if has_shapes:
            shapes.append(_moved(section.shapes(), section.xy.min(axis=0), unit, corner))
    return StudyLayout(whole, diameter, 1.0 if is_one_scale else None, names, _joined(shapes) if shapes else None)


def _of_study(outlines: CellOutlines | None, places: NDArray[np.intp]) -> CellOutlines | None:
    """Outlines of the cells that are in the study, numbered as there."""
    if outlines is None:
        return None
    rows = places[outlines.rows]
    kept = np.flatnonzero(rows >= 0)
    return CellOutlines(rows[kept], outlines.polygons.take(kept)) if len(kept) else None


def _moved(shapes: CellOutlines, low: NDArray[np.float64], unit: float, corner: NDArray[np.float64]) -> CellOutlines:
    polygons = shapes.polygons
    return CellOutlines(shapes.rows, Outlines(polygons.ids, polygons.offsets, (polygons.xy - low) / unit + corner))


def _joined(parts: Sequence[CellOutlines]) -> CellOutlines:
    """All outlines in one; cells of two sections may have one number, so that each gets that of its spot."""
    rows = np.concatenate([part.rows for part in parts])
    lengths = np.concatenate([np.diff(part.polygons.offsets) for part in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return CellOutlines(
        rows, Outlines(rows.astype(np.int64), offsets, np.concatenate([part.polygons.xy for part in parts]))
    )
