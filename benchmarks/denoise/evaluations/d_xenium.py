"""d: denoised Visium against Xenium transcripts under each spot, an assay of its own, gene by gene.

Rates of the panel's genes against Xenium counts within 27.5 um of the spot's centre, over spots with at least
``MIN_TRANSCRIPTS``. The registration is approximate: as given, and with Visium moved by 40 um, where raw counts agree
best.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scanpy as sc
from methods import METHODS as ALL
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from sections import DATA, Case, load, read_adata

NAME = "xenium_pair/visium"
UNITS_PER_UM = 0.168755
RADIUS_UM = 27.5
MOVES_UM = (0.0, -40.0)
MIN_TRANSCRIPTS = 10
MIN_COUNTS = 200
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


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting and registration: median and mean over genes."""
    case, at, totals, _ = _pair()
    rows = []
    for answer in ALL[method](case, seed):
        for move, xenium in totals.items():
            spots = xenium.sum(axis=1) >= MIN_TRANSCRIPTS
            genes = xenium[spots].sum(axis=0) >= MIN_COUNTS
            # a spot's own depth is no error of the method: both sides as shares of the panel
            truth = xenium[spots] / xenium[spots].sum(axis=1, keepdims=True)
            ours = answer.rates[spots][:, at]
            ours = ours / np.maximum(ours.sum(axis=1, keepdims=True), 1e-9)
            pearson = [np.corrcoef(ours[:, g], truth[:, g])[0, 1] for g in np.flatnonzero(genes)]
            spearman = [spearmanr(ours[:, g], truth[:, g])[0] for g in np.flatnonzero(genes)]
            rows.append(
                {
                    "variant": answer.variant,
                    "moved_um": move,
                    "genes": int(genes.sum()),
                    "spots": int(spots.sum()),
                    "pearson": float(np.nanmean(pearson)),
                    "spearman": float(np.nanmean(spearman)),
                }
            )
    return rows
