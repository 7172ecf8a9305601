"""d: denoised Visium against Xenium transcripts under each spot, an assay of its own, gene by gene.

Rates of the panel's genes against Xenium counts within 27.5 um of the spot's centre, over spots with at least
``MIN_TRANSCRIPTS``. The registration is approximate: as given, and with Visium moved by 40 um, where raw counts agree
best. How far a method is ahead of DUSTED comes with its spread over ``RESAMPLES`` bootstrap samples of the spots, the
same for every method: there are little more than a hundred spots.

All of it also with every method's values averaged over the touching spots: Visium and Xenium need not be one section,
so what a method keeps of a single spot's counts may be right, and the other assay not find it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scanpy as sc
from methods import METHODS as ALL
from methods.averages import spot_and_around
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from sections import DATA, Case, load, read_adata

NAME = "xenium_pair/visium"
UNITS_PER_UM = 0.168755
RADIUS_UM = 27.5
MOVES_UM = (0.0, -40.0)
MIN_TRANSCRIPTS = 10
MIN_COUNTS = 200
RESAMPLES = 500
OWN_WEIGHT = 3.0
METHODS = ("raw", "neighbours", "magic", "knn_smoothing", "dusted", "stagate", "dca", "dusted_paper")


def cases() -> tuple[str, ...]:
    return (NAME,)


@cache
def _pair() -> tuple[Case, np.ndarray, dict[float, np.ndarray], np.ndarray]:
    xenium = sc.read_h5ad(DATA / "xenium_pair" / "xenium_cells.h5ad")
    shared = tuple(read_adata(NAME).var_names.intersection(xenium.var_names))
    case = load(NAME, always_genes=shared)
    columns = [name for name in shared if name in case.section.genes]
    at = np.array([case.section.genes.index(name) for name in columns])
    cells = cKDTree(np.asarray(xenium.obsm["spatial"]))
    counts = xenium[:, columns].X.toarray()
    totals = {}
    for move in MOVES_UM:
        centres = case.section.positions + np.array([move * UNITS_PER_UM, 0.0])
        under = cells.query_ball_point(centres, RADIUS_UM * UNITS_PER_UM)
        totals[move] = np.stack([counts[cells_here].sum(axis=0) for cells_here in under])
    return case, at, totals, np.array(columns)


@cache
def _dusted() -> np.ndarray:
    """The denoised values that users get, which every method is compared with."""
    return ALL["dusted"](_pair()[0], 0)[0].rates


def _correlations(rates: np.ndarray, truth: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """Pearson correlation of every gene over the spots, which may repeat."""
    return np.array([np.corrcoef(*pair)[0, 1] for pair in zip(rates[spots].T, truth[spots].T, strict=True)])


def _compared(rates: np.ndarray, dusted: np.ndarray, xenium: np.ndarray) -> dict[str, object]:
    """Means over genes, and how far they are ahead of DUSTED's."""
    spots = xenium.sum(axis=1) >= MIN_TRANSCRIPTS
    genes = xenium[spots].sum(axis=0) >= MIN_COUNTS
    # a spot's own depth is no error of the method: both sides as shares of the panel
    truth, ours, theirs = (
        (part / np.maximum(part.sum(axis=1, keepdims=True), 1e-9))[:, genes]
        for part in (xenium[spots], rates[spots], dusted[spots])
    )
    n_spots = int(spots.sum())
    samples = np.random.default_rng(0).integers(n_spots, size=(RESAMPLES, n_spots))
    ahead = [
        np.nanmean(_correlations(ours, truth, sample)) - np.nanmean(_correlations(theirs, truth, sample))
        for sample in samples
    ]
    low, high = np.percentile(ahead, (2.5, 97.5))
    return {
        "genes": int(genes.sum()),
        "spots": n_spots,
        "pearson": float(np.nanmean(_correlations(ours, truth, np.arange(n_spots)))),
        "spearman": float(np.nanmean([spearmanr(*pair)[0] for pair in zip(ours.T, truth.T, strict=True)])),
        "ahead_low": float(low),
        "ahead_high": float(high),
    }


def evaluate(_name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting, a registration, and averaging or not."""
    case, at, totals, _ = _pair()
    weights = spot_and_around(case, 1, OWN_WEIGHT)
    around = weights.multiply(1 / weights.sum(axis=1)).tocsr()
    rows = []
    for answer in ALL[method](case, seed):
        for averaged in (False, True):
            rates, dusted = (
                around @ values[:, at] if averaged else values[:, at] for values in (answer.rates, _dusted())
            )
            for move, xenium in totals.items():
                about = {"variant": answer.variant, "moved_um": move, "averaged": averaged}
                rows.append(about | _compared(rates, dusted, xenium))
    return rows
