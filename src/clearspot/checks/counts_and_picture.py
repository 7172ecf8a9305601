"""Whether the counts lie where the picture shows the tissue that made them.

Cells make RNA, so counts follow how dark and how blue the tissue is. If another place, turn or mirror image of the
spots fits the picture far better than the one they have, counts and picture do not lie on each other. Where counts and
picture have nothing in common at any place, nothing can be said, and nothing is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.stats import rankdata

from clearspot.checks.surrogates import surrogate_fields
from clearspot.checks.tissue_mask import SPOT_UM, StainedPicture

FEWEST_SPOTS: Final = 50
MOST_SPOTS: Final = 4_000
SURROGATES: Final = 199
REACH_UM: Final = 300.0
STEP_UM: Final = 50.0
FAR_UM: Final = 800.0
COARSE_STEP_UM: Final = 100.0
"""Shifts up to 300 µm are tried every 50 µm, and on to 800 µm every 100 µm; turned spots up to 300 µm every 100 µm."""

_FEWER: Final = 0.05
"""Share of spots by which fewer may lie on tissue at a place that is tried."""

SYMMETRIES: Final[dict[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    "as it is": ((1, 0), (0, 1)),
    "turned by 90 degrees": ((0, -1), (1, 0)),
    "turned by 180 degrees": ((-1, 0), (0, -1)),
    "turned by 270 degrees": ((0, 1), (-1, 0)),
    "mirrored left to right": ((-1, 0), (0, 1)),
    "mirrored top to bottom": ((1, 0), (0, -1)),
    "mirrored along the falling diagonal": ((0, 1), (1, 0)),
    "mirrored along the rising diagonal": ((0, -1), (-1, 0)),
}
"""What is done to the spots' places (x to the right, y down): clockwise turns, and mirror images."""


@dataclass(frozen=True)
class Shift:
    """One place of the scan: the spots moved by ``dx_um`` to the right and ``dy_um`` down, and how well they fit."""

    dx_um: float
    dy_um: float
    fit: float
    on_tissue: float


@dataclass(frozen=True)
class CountsAndPicture:
    """How counts and picture fit.

    Parameters
    ----------
    n_spots
        Spots that were compared (4,000 drawn ones of a larger section).
    percent_on_tissue
        Share of the spots whose place is tissue in the picture, in percent.
    correlation
        Spearman correlation of the spots' counts with darkness or haematoxylin, whichever is stronger.
    correlation_with
        Name of that one.
    fit, fit_moved, fit_turned
        Share of the variance of the counts' ranks that the picture explains where the spots are, at the best shift, and
        at the best turn or mirror image (``None`` where none of these leaves the spots on tissue).
    p
        Share of fields as smooth as the counts that fit the picture as well where the spots are.
    shift_um, shift_dx_um, shift_dy_um
        How far from their place the spots would fit best, within 800 µm.
    shift_p
        Share of such fields that gain as much by a shift as the counts do.
    symmetry
        Of turns and mirror images, and of the spots as they are, the best: a name of :data:`SYMMETRIES`.
    symmetry_p
        Share of fields that gain as much by a turn or mirror image as the counts do.
    scan
        Fit at every shift.
    by_symmetry
        Best fit of each symmetry that leaves the spots on tissue.
    """

    n_spots: int
    percent_on_tissue: float
    correlation: float
    correlation_with: str
    fit: float
    fit_moved: float
    fit_turned: float | None
    p: float
    shift_um: float
    shift_dx_um: float
    shift_dy_um: float
    shift_p: float
    symmetry: str
    symmetry_p: float
    scan: tuple[Shift, ...]
    by_symmetry: dict[str, float]


def counts_and_picture(
    picture: StainedPicture,
    xy_um: NDArray[np.floating],
    counts: NDArray[np.floating],
    pitch_um: float,
    seed: int = 0,
) -> CountsAndPicture | str:
    """Compare the spots' counts with the picture where they are, elsewhere, turned and mirrored.

    Parameters
    ----------
    picture
        From :func:`clearspot.checks.tissue_mask.stained_picture`.
    xy_um
        ``(n, 2)`` spot centres, x and y, in micrometres from the picture's upper left corner.
    counts
        ``(n,)`` counts, positive.
    pitch_um
        Distance of neighbouring spots.
    seed
        Seed of the drawn spots and fields.

    Returns
    -------
    What was found; or why nothing could be compared, as a sentence.
    """
    if len(xy_um) < FEWEST_SPOTS:
        return f"{len(xy_um)} places are too few to compare counts with the tissue image."
    values = np.log1p(np.asarray(counts, dtype=np.float64))
    if np.ptp(values) == 0:
        return "All places have the same counts, so they were not compared with the tissue image."
    ranked = rankdata(values)
    fields = surrogate_fields(xy_um, ranked, pitch_um, SURROGATES, seed)
    drawn = np.arange(len(xy_um))
    if drawn.size > MOST_SPOTS:
        drawn = np.sort(np.random.default_rng(seed).choice(drawn.size, MOST_SPOTS, replace=False))
    places, everything = xy_um[drawn], np.column_stack([ranked, fields])[drawn]
    fit = _Fit(picture, places, everything)
    far = _moves(COARSE_STEP_UM, FAR_UM)
    moves = np.concatenate([_moves(STEP_UM, REACH_UM), far[np.hypot(*far.T) > REACH_UM]])
    scan = np.array([fit.at(places + move) for move in moves])
    on_tissue = np.array([share_on_tissue(picture, places + move) for move in moves])
    here = int(np.flatnonzero((moves == 0).all(axis=1))[0])
    # Spots were chosen because they lie on tissue: where clearly fewer do, they were not.
    likely = on_tissue >= on_tissue[here] - _FEWER
    best = int(np.where(likely, scan[:, 0], -1.0).argmax())
    moved = scan[likely].max(axis=0)
    turned = {"as it is": moved}
    for name, matrix in SYMMETRIES.items():
        if name == "as it is":
            continue
        tries = [
            place
            for centre in _centres(picture, xy_um)
            for move in _moves(COARSE_STEP_UM, REACH_UM)
            if share_on_tissue(picture, place := (places - centre) @ np.array(matrix).T + centre + move)
            >= on_tissue[here] - _FEWER
        ]
        if tries:
            turned[name] = np.max([fit.at(place) for place in tries], axis=0)
    other = [turned[name] for name in turned if name != "as it is"]
    symmetry = max(turned, key=lambda name: float(turned[name][0]))
    correlations = fit.correlations(places)
    name = max(correlations, key=lambda key: abs(correlations[key]))
    return CountsAndPicture(
        n_spots=drawn.size,
        percent_on_tissue=100.0 * share_on_tissue(picture, xy_um),
        correlation=correlations[name],
        correlation_with=name,
        fit=float(scan[here, 0]),
        fit_moved=float(moved[0]),
        fit_turned=max((float(one[0]) for one in other), default=None),
        p=_share(scan[here]),
        shift_um=float(np.hypot(*moves[best])),
        shift_dx_um=float(moves[best][0]),
        shift_dy_um=float(moves[best][1]),
        shift_p=_share(moved - scan[here]),
        symmetry=symmetry,
        symmetry_p=_share(np.max(other, axis=0) - moved) if other else 1.0,
        scan=tuple(
            Shift(float(dx), float(dy), float(found[0]), float(share))
            for (dx, dy), found, share in zip(moves, scan, on_tissue, strict=True)
        ),
        by_symmetry={name: float(found[0]) for name, found in turned.items()},
    )


def share_on_tissue(picture: StainedPicture, xy_um: NDArray[np.floating]) -> float:
    """Share of places that are tissue in the picture; a place outside the picture is none."""
    column, row = np.floor(np.asarray(xy_um) / picture.um_per_px).astype(np.intp).T
    height, width = picture.tissue.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    found = np.zeros(len(xy_um), dtype=bool)
    found[inside] = picture.tissue[row[inside], column[inside]]
    return float(found.mean())


def _moves(step: float, reach: float) -> NDArray[np.float64]:
    """Shifts on a grid, the longest ``reach``, in micrometres."""
    axis = np.arange(-reach, reach + step / 2, step)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid[np.hypot(*grid.T) <= reach + 1e-9]


def _centres(picture: StainedPicture, xy_um: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """Centres about which a picture or a slide may have been turned: of the picture, and of the spots."""
    height, width = picture.tissue.shape
    return [
        np.array([width, height]) * picture.um_per_px / 2,
        (xy_um.min(axis=0) + xy_um.max(axis=0)) / 2,
    ]


def _share(values: NDArray[np.float64]) -> float:
    """Share of surrogates (all but the first) that reach the first."""
    return float((1 + (values[1:] >= values[0]).sum()) / values.size)


class _Fit:
    """Share of variance that darkness, haematoxylin and texture explain of several fields, at any places."""

    def __init__(self, picture: StainedPicture, places: NDArray[np.floating], fields: NDArray[np.float64]):
        self._um_per_px = picture.um_per_px
        sigma = SPOT_UM / 2 / picture.um_per_px
        dark = gaussian_filter(picture.darkness, sigma)
        texture = np.sqrt(np.maximum(gaussian_filter(picture.darkness**2, sigma) - dark**2, 0.0))
        blue = gaussian_filter(picture.haematoxylin, sigma)
        self._maps: dict[str, tuple[NDArray[np.float32], float]] = {}
        for name, one in (("darkness", dark), ("haematoxylin", blue), ("texture", texture)):
            # Ranks among the values under the spots: one bubble or fold must not decide.
            under = np.sort(self._read((one, float(one.min())), places))
            ranked = (np.searchsorted(under, one) / under.size).astype(np.float32)
            self._maps[name] = ranked, float(ranked.min())
        self._fields = _standardised(fields)

    def at(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """R squared of every field."""
        design = np.column_stack([self._read(one, places) for one in self._maps.values()])
        design = design - design.mean(axis=0)
        left, singular, _ = np.linalg.svd(design, full_matrices=False)
        left = left[:, singular > 1e-6 * max(float(singular[0]), 1e-12)]
        explained: NDArray[np.float64] = ((left.T @ self._fields) ** 2).sum(axis=0)
        return explained

    def correlations(self, places: NDArray[np.floating]) -> dict[str, float]:
        """Spearman correlation of the first field with darkness and with haematoxylin."""
        from scipy.stats import spearmanr

        return {
            name: float(np.nan_to_num(spearmanr(self._read(self._maps[name], places), self._fields[:, 0]).statistic))
            for name in ("darkness", "haematoxylin")
        }

    def _read(self, one: tuple[NDArray[np.floating], float], places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values at places; beyond the picture there is glass."""
        column, row = (np.asarray(places) / self._um_per_px - 0.5).T
        values, glass = one
        found: NDArray[np.float64] = map_coordinates(values, [row, column], order=1, mode="constant", cval=glass)
        return found


def _standardised(fields: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = fields - fields.mean(axis=0)
    unit: NDArray[np.float64] = centred / np.sqrt((centred**2).sum(axis=0))
    return unit
