"""Outlines of segmented cells and nuclei: read from GeoJSON, kept in an AnnData, measured.

Space Ranger 4 writes ``cell_segmentations.geojson`` and ``nucleus_segmentations.geojson``: a FeatureCollection of
polygons in pixels of the full-resolution image (column, row), each with the whole number ``cell_id`` among its
properties. The matrix calls cell 12 ``cellid_000000012-1``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot.io.reading import bad, open_binary, reading

_EXPECTED: Final = "a GeoJSON FeatureCollection with a polygon and a cell_id for every cell"
_SAME_RUN: Final = "use the GeoJSON files and the matrix of the same Space Ranger run"
_NAME: Final = r"cellid_(\d+)(?:-\d+)?"
_FEWEST_POINTS: Final = 3


@dataclass(frozen=True)
class Outlines:
    """Outer rings of polygons, in one array.

    Parameters
    ----------
    ids
        ``(n,)`` int64: number of each cell, unique.
    offsets
        ``(n + 1,)`` int64: points ``offsets[i]`` to ``offsets[i + 1]`` are those of polygon ``i``.
    xy
        ``(points, 2)`` float64: column and row in the full-resolution image; the last point of a ring is its first.
    """

    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    xy: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Place of each number among the polygons; -1 where there is none."""
        return pd.Index(self.ids).get_indexer(pd.Index(ids))

    def take(self, rows: NDArray[np.intp]) -> Outlines:
        """Some of the polygons, in the order of ``rows``."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        points = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Outlines(self.ids[rows], offsets, self.xy[points])

    def rings(self) -> list[NDArray[np.float64]]:
        """The points of each polygon."""
        return np.split(self.xy, self.offsets[1:-1]) if len(self) else []

    def areas(self) -> NDArray[np.float64]:
        """``(n,)``: area of each polygon in square pixels (shoelace formula)."""
        return np.abs(self._moments()[0])

    def centroids(self) -> NDArray[np.float64]:
        """``(n, 2)``: centre of mass of each polygon."""
        area, moment, corner = self._moments()
        return corner + moment / (3.0 * area[:, None])

    def _moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Signed area, three times its first moment about the first corner, and that corner, of each polygon."""
        corner = self.xy[self.offsets[:-1]]
        # about a corner of its own: far from the origin the products would lose digits
        local = self.xy - np.repeat(corner, np.diff(self.offsets), axis=0)
        following = np.roll(local, -1, axis=0)
        cross = local[:, 0] * following[:, 1] - following[:, 0] * local[:, 1]
        cross[self.offsets[1:] - 1] = 0.0  # from the last point of a ring nothing leads on: it is the first again
        starts = self.offsets[:-1]
        area = 0.5 * np.add.reduceat(cross, starts) if len(self) else np.empty(0)
        moment = 0.5 * np.add.reduceat(cross[:, None] * (local + following), starts, axis=0) if len(self) else corner
        return area, moment, corner

    def as_dict(self) -> dict[str, Any]:
        """The three arrays, for ``uns``."""
        return {"ids": self.ids, "offsets": self.offsets, "xy": self.xy}

    @classmethod
    def from_dict(cls, arrays: dict[str, Any]) -> Outlines:
        """What :meth:`as_dict` wrote."""
        ids, offsets = (np.asarray(arrays[name], dtype=np.int64) for name in ("ids", "offsets"))
        return cls(ids, offsets, np.asarray(arrays["xy"], dtype=np.float64).reshape(-1, 2))


def cell_numbers(names: pd.Index) -> NDArray[np.int64]:
    """Numbers of cells by their names in the matrix (``cellid_000000012-1``); -1 for another name."""
    text = pd.Series(np.asarray(names, dtype=object), dtype=object).astype(str)
    found = text.str.extract(f"{_NAME}$", expand=False)
    return found.fillna("-1").astype(np.int64).to_numpy()


def read_outlines(path: Path, sample: str) -> Outlines:
    """Read the outlines of cells or nuclei.

    Of a polygon the outer ring is kept; of several polygons of one cell the one with the most points.

    Parameters
    ----------
    path
        GeoJSON, plain or gzip.
    sample
        Sample name for messages.

    Raises
    ------
    BadInputError
        The file cannot be read; a polygon is empty, has no area or no ``cell_id``; or a cell has two.
    """
    with reading(path, sample, _EXPECTED):
        with open_binary(path) as file:
            content = json.load(file)
        features = content.get("features") if isinstance(content, dict) else None
        if not isinstance(features, list) or not features:
            raise bad(path, sample, "no polygons", _EXPECTED, _SAME_RUN)
        ids = np.array([_number(feature) for feature in features], dtype=np.int64)
        rings = [_ring(feature.get("geometry")) for feature in features]
    unnamed = np.flatnonzero(ids < 0)
    if len(unnamed):
        raise bad(path, sample, f"{len(unnamed)} polygons without a cell_id (feature {unnamed[0]})", _EXPECTED)
    repeated = pd.Index(ids)[pd.Index(ids).duplicated()].unique()
    if len(repeated):
        raise bad(path, sample, f"{len(repeated)} cells with two polygons (cell_id {_some(repeated)})", _EXPECTED)
    lengths = np.array([len(ring) for ring in rings], dtype=np.int64)
    _refuse(path, sample, ids[lengths <= _FEWEST_POINTS], "empty polygons")
    found = Outlines(ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), np.concatenate(rings))
    finite = np.add.reduceat(~np.isfinite(found.xy).all(axis=1), found.offsets[:-1]) == 0
    _refuse(path, sample, ids[~finite], "polygons with coordinates that are not finite")
    _refuse(path, sample, ids[~(found.areas() > 0)], "polygons without an area")
    return found


def _number(feature: Any) -> int:
    """``cell_id`` of a feature, also where it is written as the matrix names the cell; -1 where there is none."""
    value = (feature.get("properties") or {}).get("cell_id")
    if isinstance(value, str):
        value = value.removeprefix("cellid_").split("-")[0]
        return int(value) if value.isdecimal() else -1
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _ring(geometry: Any) -> NDArray[np.float64]:
    """Outer ring of a polygon, closed; no points where the geometry is none."""
    nothing = np.empty((0, 2))
    if not geometry or not geometry.get("coordinates"):
        return nothing
    polygons = geometry["coordinates"] if geometry.get("type") == "MultiPolygon" else [geometry["coordinates"]]
    ring: list[Any] = max((polygon[0] for polygon in polygons if polygon), key=len, default=[])
    points = np.array(ring, dtype=np.float64).reshape(len(ring), -1)[:, :2] if ring else nothing
    return points if not len(points) or (points[0] == points[-1]).all() else np.concatenate([points, points[:1]])


def _refuse(path: Path, sample: str, ids: NDArray[np.int64], what: str) -> None:
    if len(ids):
        raise bad(path, sample, f"{len(ids)} {what} (cell_id {_some(ids)})", _EXPECTED)


def _some(ids: NDArray[np.int64] | pd.Index) -> str:
    return ", ".join(str(number) for number in ids[:3])
