"""What a reduced tissue image shows, and whether it lies under the spots the right way round (rows 27 and 29)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.io.positions import PXL_COL, PXL_ROW

PictureKind = Literal["brightfield", "fluorescence", "grey", "blank"]

SYMMETRIES: Final[dict[str, Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "as it is": lambda image: image,
    "turned by 90 degrees counter-clockwise": lambda image: np.rot90(image, 1),
    "turned by 180 degrees": lambda image: np.rot90(image, 2),
    "turned by 90 degrees clockwise": lambda image: np.rot90(image, 3),
    "mirrored left to right": lambda image: image[:, ::-1],
    "mirrored top to bottom": lambda image: image[::-1],
    "with x and y swapped": lambda image: image.T,
    "with x and y swapped and turned by 180 degrees": lambda image: np.rot90(image, 2).T,
}
"""The eight ways a rectangle fits on itself, in words that follow "the image fits ..."."""

UPRIGHT: Final = "as it is"
TRANSPOSED: Final = "with x and y swapped"

_BLANK: Final = 2.0
_DARK: Final = 0.3 * 255
_COLOURLESS: Final = 10
_MOST_SPOTS: Final = 20_000
_FEWEST_SPOTS: Final = 20
_FEWEST_COUNTED: Final = 100
_AS_GOOD: Final = 0.02
_CLEAR: Final = 0.02


@dataclass(frozen=True)
class Fit:
    """How well an image agrees with the spots when it is laid under them in one of the eight ways.

    Parameters
    ----------
    symmetry
        Key of :data:`SYMMETRIES`.
    auc
        Chance that a spot in tissue lies on more stain than one beside it; None with too few of either.
    rho
        Rank correlation of UMIs with stain, among spots in tissue; None with too few.
    """

    symmetry: str
    auc: float | None
    rho: float | None


def picture_kind(rgb: NDArray[np.uint8]) -> PictureKind:
    """Tell brightfield from fluorescence, colourless and empty pictures.

    Stained sections lie on a bright background and have colour; fluorescence lies on a dark one.
    """
    luminance = rgb.mean(axis=2)
    if luminance.std() < _BLANK:
        return "blank"
    if np.median(luminance) < _DARK:
        return "fluorescence"
    colour = rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2)
    return "grey" if np.quantile(colour, 0.99) < _COLOURLESS else "brightfield"


def compare(
    rgb: NDArray[np.uint8], positions: pd.DataFrame, scale: float, diameter: float, counts: pd.Series | None
) -> list[Fit]:
    """Compare stain with tissue calls and UMIs in all eight ways.

    Parameters
    ----------
    rgb
        Reduced image, height x width x 3.
    positions
        As :func:`clearspot.io.positions.read_positions` returns them.
    scale
        Pixels of the image per full-resolution pixel.
    diameter
        Of a spot, in full-resolution pixels.
    counts
        UMIs by barcode, or None.

    Returns
    -------
    list of Fit
        In the order of :data:`SYMMETRIES`; the first is the image as it is.
    """
    stain = uniform_filter(_stain(rgb), max(3, round(diameter * scale)))
    spots = positions.iloc[:: max(1, len(positions) // _MOST_SPOTS)]
    columns = np.rint(spots[PXL_COL].to_numpy() * scale)
    rows = np.rint(spots[PXL_ROW].to_numpy() * scale)
    in_tissue = spots[keys.IN_TISSUE].to_numpy()
    glass = _glass_beside_tissue(columns, rows, in_tissue)
    umis = None if counts is None else counts.reindex(spots.index).to_numpy(np.float64)
    return [_fit(name, turn(stain), columns, rows, in_tissue, glass, umis) for name, turn in SYMMETRIES.items()]


def better(fits: list[Fit]) -> Fit | None:
    """Another way in which the image fits clearly better than as it is, or None.

    Tissue calls, which Space Ranger makes from the image, decide where there are any: on real sections their AUC is
    0.98 and more the right way round, and at most 0.93 any other way (0.6 to 0.87 in most). Else UMIs do: they
    correlate at 0.25 to 0.5, and up to 0.11 any other way; where tissue calls fit several ways, UMIs do not break the
    tie, because structures of the tissue correlate by chance.
    """
    upright = fits[0]
    if upright.auc is not None:
        aucs = [fit.auc or 0.0 for fit in fits]
        best = _best(aucs)
        return fits[best] if aucs[best] >= 0.9 and aucs[best] - aucs[0] > _CLEAR else None
    if upright.rho is not None:
        rhos = [fit.rho or 0.0 for fit in fits]
        best = _best(rhos)
        return fits[best] if rhos[best] >= 0.25 and rhos[best] - rhos[0] > 0.25 else None
    return None


def _best(values: list[float]) -> int:
    """Index of the best way; where others are as good, exchanged axes, the commonest slip by far."""
    exchanged = list(SYMMETRIES).index(TRANSPOSED)
    return exchanged if values[exchanged] >= max(values) - _AS_GOOD else int(np.argmax(values))


def _stain(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Amount of stain in each pixel: darkness and colour on a bright background, brightness on a dark one."""
    luminance = rgb.mean(axis=2, dtype=np.float32)
    if picture_kind(rgb) == "fluorescence":
        return luminance
    colour = rgb.max(axis=2).astype(np.float32) - rgb.min(axis=2)
    return 255 - luminance + colour


def _glass_beside_tissue(
    columns: NDArray[np.float64], rows: NDArray[np.float64], in_tissue: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """As many spots outside tissue as there are in it, the nearest: glass far away is glass in every direction."""
    outside = np.flatnonzero(~in_tissue)
    beside = np.zeros(len(in_tissue), dtype=bool)
    if in_tissue.any() and len(outside):
        places = np.column_stack([columns, rows])
        distance, _ = cKDTree(places[in_tissue]).query(places[outside])
        beside[outside[np.argsort(distance, kind="stable")[: max(in_tissue.sum(), _FEWEST_SPOTS)]]] = True
    return beside


def _fit(
    symmetry: str,
    stain: NDArray[np.float32],
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    in_tissue: NDArray[np.bool_],
    beside: NDArray[np.bool_],
    umis: NDArray[np.float64] | None,
) -> Fit:
    height, width = stain.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    under = np.full(len(columns), np.nan)
    under[inside] = stain[rows[inside].astype(int), columns[inside].astype(int)]
    tissue, glass = under[inside & in_tissue], under[inside & beside]
    auc = None
    if min(len(tissue), len(glass)) >= _FEWEST_SPOTS:
        auc = _auc(tissue, glass)
    rho = None
    if umis is not None:
        counted = inside & in_tissue & np.isfinite(umis)
        if counted.sum() >= _FEWEST_COUNTED and np.ptp(umis[counted]) > 0 and np.ptp(under[counted]) > 0:
            rho = float(np.corrcoef(_ranks(under[counted]), _ranks(umis[counted]))[0, 1])
    return Fit(symmetry, auc, rho)


# scipy.stats would be a third of this step's CPU time to import, for two statistics of ranks
def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return pd.Series(values).rank().to_numpy()


def _auc(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    """Probability that one of ``above`` is larger than one of ``below`` (Mann and Whitney's U over its maximum)."""
    first = len(above)
    u = _ranks(np.concatenate([above, below]))[:first].sum() - first * (first + 1) / 2
    return float(u / (first * len(below)))
