"""Runs in the other environment: ordinary kriging of every column with GSTools.

python krige.py IN.npz OUT.npz

IN holds ``spots`` (n, 2) and ``bins`` (m, 2) in pitches and ``values`` (n, genes); OUT ``kriged`` (m, genes). Every
column has a variogram of its own; all of them share the neighbours of a bin: the spots of its tile and around it.
"""

import sys

import gstools as gs
import numpy as np
from scipy.spatial.distance import pdist

LAGS = np.arange(0.75, 10.5, 0.5)
"""Edges of the variogram's lags, in pitches."""

MODELS = (gs.Exponential, gs.Spherical, gs.Gaussian)
TILE, MARGIN, FEWEST = 5.0, 5.0, 20
"""With this margin a map differs from one kriged from all spots by 2 % of its standard deviation (4 % at most)."""

SAMPLED = 1500
"""Spots that a variogram is estimated from, where there are more."""

LEAST_NUGGET = 0.01
"""Share of the variance; without any, close spots of a smooth model make the equations singular."""


def mean_lags(spots):
    """Mean distance of each lag's pairs: on a lattice it is not the lag's middle."""
    distance = pdist(np.random.default_rng(0).permutation(spots)[:SAMPLED])
    pairs, total = np.histogram(distance, LAGS)[0], np.histogram(distance, LAGS, weights=distance)[0]
    return np.where(pairs > 0, total / np.maximum(pairs, 1), (LAGS[1:] + LAGS[:-1]) / 2)


def fitted(spots, values, lag):
    """The model that fits the column's variogram best, or None where no model does."""
    _, gamma, pairs = gs.vario_estimate(
        spots.T, values, LAGS, return_counts=True, sampling_size=min(SAMPLED, len(spots)), sampling_seed=0
    )
    known = pairs > 0
    best, best_r2 = None, -np.inf
    for kind in MODELS:
        model = kind(dim=2)
        model.set_arg_bounds(var=[0, 10], len_scale=[0.2, 30], nugget=[LEAST_NUGGET, 10])
        try:
            *_, r2 = model.fit_variogram(lag[known], gamma[known], weights=np.sqrt(pairs[known]), return_r2=True)
        except (RuntimeError, ValueError):
            continue
        if r2 > best_r2:
            best, best_r2 = model, r2
    return best


def tiles(bins, spots):
    """Bins of each tile, and the spots that they are kriged from."""
    place = np.floor((bins - bins.min(axis=0)) / TILE).astype(int)
    for tile in np.unique(place, axis=0):
        inside = np.flatnonzero((place == tile).all(axis=1))
        beyond = np.maximum(bins[inside].min(axis=0) - spots, spots - bins[inside].max(axis=0)).max(axis=1)
        near = np.flatnonzero(beyond <= MARGIN)
        yield inside, near if len(near) >= FEWEST else np.argsort(beyond)[:FEWEST]


given = np.load(sys.argv[1])
spots, bins, values = given["spots"], given["bins"], given["values"].astype(np.float64)
middle, spread = values.mean(axis=0), values.std(axis=0)
scaled = (values - middle) / np.where(spread > 0, spread, 1)
lag = mean_lags(spots)
models = [fitted(spots, column, lag) if spread[number] > 0 else None for number, column in enumerate(scaled.T)]
kriged = np.zeros((len(bins), values.shape[1]))
for inside, near in tiles(bins, spots):
    for number, model in enumerate(models):
        if model is not None:
            krige = gs.krige.Ordinary(model, spots[near].T, scaled[near, number], pseudo_inv=False)
            kriged[inside, number] = krige(bins[inside].T, return_var=False, store=False)
names = [type(model).__name__ if model else "none" for model in models]
print({name: names.count(name) for name in sorted(set(names))}, flush=True)
np.savez(sys.argv[2], kriged=(middle + spread * kriged).astype(np.float32))
