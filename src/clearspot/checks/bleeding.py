"""RNA outside the tissue: how far it has spread, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.spatial import cKDTree

_BANDS: Final = 20
_NEAR: Final = 5.0
"""Pitches from the tissue within which bands are fine: most of what spreads falls there."""

_FEWEST: Final = 10
"""Places in a band of distances; bands with fewer are joined with the next."""

_LEAST_BANDS: Final = 5
_LEAST_POSITIONS: Final = 50
_FAR: Final = 30.0
"""Longest spread that a fit may give, in pitches: a slower fall is the same everywhere."""


@dataclass(frozen=True)
class Bleeding:
    """Counts outside the tissue along the distance from it.

    Parameters
    ----------
    spread_um
        Distance within which what has spread falls to 1/e; ``None`` where nothing falls with the distance.
    share
        Counts that have spread from the tissue's edge, over all counts in and outside the tissue (0 to 1).
    far_ratio
        Counts of a position far from the tissue over those of the median position in it: what lies everywhere.
    table
        ``distance_um``, ``n_positions``, ``mean_counts`` and ``fitted_counts`` of bands of distances.
    """

    spread_um: float | None
    share: float
    far_ratio: float
    table: dict[str, list[Any]]


def measure_bleeding(
    xy: NDArray[np.float64],
    counts: NDArray[np.float64],
    n_positions: NDArray[np.float64],
    tissue_xy: NDArray[np.float64],
    tissue_counts: NDArray[np.float64],
    um_per_unit: float,
) -> Bleeding | None:
    r"""Fit :math:`c(d) = f + a\\,e^{-d/s}` to the counts of a position at the distance :math:`d` from the tissue.

    Parameters
    ----------
    xy
        M x 2 positions outside the tissue, or centres of squares of them.
    counts, n_positions
        M: their counts, and how many positions each stands for.
    tissue_xy
        N x 2 spots or bins in the tissue.
    tissue_counts
        N: their counts.
    um_per_unit
        Micrometres per unit of the positions.

    Returns
    -------
    ``None`` where fewer than 50 positions, or too few distances, are left to fit.
    """
    if len(xy) < _LEAST_POSITIONS or not len(tissue_xy):
        return None
    distance = cKDTree(tissue_xy).query(xy)[0] * um_per_unit
    pitch = float(np.median(cKDTree(tissue_xy[:20_000]).query(tissue_xy[:20_000], k=2)[0][:, 1])) * um_per_unit
    table = _bands(distance, counts, n_positions, pitch)
    if len(table["distance_um"]) < _LEAST_BANDS:
        return None
    at, number, mean = (np.asarray(table[name], dtype=np.float64) for name in list(table))
    floor, height, spread = _fit(at, mean, number, pitch)
    fitted = floor + height * np.exp(-at / spread)
    table["fitted_counts"] = fitted.tolist()
    everywhere = float(counts.sum() + tissue_counts.sum())
    spread_counts = float((n_positions * height * np.exp(-distance / spread)).sum())
    median = float(np.median(tissue_counts))
    falls = height > 0 and spread < _FAR * pitch * (1 - 1e-3)
    return Bleeding(
        float(spread) if falls else None,
        min(1.0, spread_counts / everywhere) if falls and everywhere else 0.0,
        floor / median if median else float("nan"),
        table,
    )


def _bands(
    distance: NDArray[np.float64], counts: NDArray[np.float64], n_positions: NDArray[np.float64], pitch: float
) -> dict[str, list[Any]]:
    """Means over bands of distances: half a pitch wide near the tissue, with alike numbers of places beyond it."""
    near = np.arange(0, _NEAR * pitch, pitch / 2)
    beyond = distance[distance >= near[-1]]
    quantiles = np.quantile(beyond, np.linspace(0, 1, _BANDS + 1)[1:]) if len(beyond) else np.zeros(0)
    edges = np.unique(np.concatenate([near, quantiles]))
    order = np.argsort(distance, kind="stable")
    band = np.clip(np.searchsorted(edges, distance[order], side="right"), 0, len(edges) - 1)
    table: dict[str, list[Any]] = {"distance_um": [], "n_positions": [], "mean_counts": []}
    waiting: list[NDArray[np.intp]] = []
    for one in np.unique(band):
        waiting.append(order[band == one])
        if sum(map(len, waiting)) < _FEWEST:
            continue
        rows = np.concatenate(waiting)
        waiting = []
        number = float(n_positions[rows].sum())
        table["distance_um"].append(float(np.average(distance[rows], weights=n_positions[rows])))
        table["n_positions"].append(int(number))
        table["mean_counts"].append(float(counts[rows].sum() / number))
    return table


def _fit(
    at: NDArray[np.float64], mean: NDArray[np.float64], number: NDArray[np.float64], pitch: float
) -> tuple[float, float, float]:
    """Floor, height at distance 0 and spread; least squares with the errors of Poisson means, floor and height >= 0."""
    far = float(mean[-max(1, len(mean) // 4) :].mean())
    error = np.sqrt(np.maximum(mean, 1e-3) / number) + 0.1 * mean + 1e-6
    start = (max(far, 1e-9), max(float(mean[0]) - far, 1e-9), 2 * pitch)
    low, high = (0.0, 0.0, 0.1 * pitch), (np.inf, np.inf, _FAR * pitch)
    try:
        found, _ = curve_fit(
            lambda d, f, a, s: f + a * np.exp(-d / s), at, mean, p0=start, sigma=error, bounds=(low, high)
        )
    except RuntimeError:  # no convergence: nothing that falls like this
        return float(np.average(mean, weights=number)), 0.0, _FAR * pitch
    return float(found[0]), float(found[1]), float(found[2])
