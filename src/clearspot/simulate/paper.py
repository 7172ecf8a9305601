"""The DUSTED paper's simulated benchmark: six spatial patterns x four settings of drop-out, truth known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from clearspot import keys
from clearspot.simulate.kinetics import captured_counts, true_counts
from clearspot.simulate.paper_patterns import PATTERNS, Pattern, cell_types, positions

Setting = Literal[1, 2, 3, 4]

TRUTH: Final = "truth"
_EFFICIENCY: Final = 0.028


@dataclass(frozen=True)
class Dropout:
    """Drop-out of one setting (table 1 of the paper).

    Parameters
    ----------
    overall
        Probability that a spot loses a gene's counts.
    increase
        Added to it near the edge.
    edge_distance
        How far from the edge that reaches, in spot spacings.
    """

    overall: float
    increase: float
    edge_distance: float


SETTINGS: Final[dict[int, Dropout]] = {
    1: Dropout(0.0, 0.0, 0.0),
    2: Dropout(0.1, 0.2, 3.0),
    3: Dropout(0.1, 0.3, 5.0),
    4: Dropout(0.2, 0.5, 6.0),
}


def simulate_paper(
    pattern: Pattern, setting: Setting, seed: int = 0, n_spots: int = 2500, n_genes: int = 2000
) -> ad.AnnData:
    """Simulate one dataset of the benchmark.

    Re-implemented from the description: single-cell counts from promoter kinetics with cell types (SymSim in the
    paper), arranged in space (scCube), then drop-out that grows towards the edge. Tissue and truth depend on pattern
    and seed alone, so that the four settings differ by their drop-out only.

    Parameters
    ----------
    pattern
        One of ``paper_patterns.PATTERNS``.
    setting
        1 (no drop-out) to 4.
    seed
        Same arguments, same data.
    n_spots, n_genes
        Size.

    Returns
    -------
    ``X`` and ``layers['counts']``: measured counts; ``layers['truth']``: true counts (all int32 CSR);
    ``obsm['spatial']``; ``obs``: ``cell_type``, ``dropout_rate``; ``uns['simulation']``: the settings.

    Raises
    ------
    ValueError
        For a pattern or setting that does not exist.
    """
    if setting not in SETTINGS:
        raise ValueError(f"unknown dropout setting {setting}; available: {', '.join(map(str, SETTINGS))}")
    if pattern not in PATTERNS:
        raise ValueError(f"unknown pattern {pattern!r}; available: {', '.join(PATTERNS)}")
    streams = np.random.SeedSequence([seed, PATTERNS.index(pattern)]).spawn(4)
    rng_space, rng_cells, rng_capture, rng_dropout = map(np.random.default_rng, streams)
    spots = positions(rng_space, n_spots)
    types = cell_types(rng_space, pattern, spots)
    true = true_counts(rng_cells, types, n_genes)
    counts = captured_counts(rng_capture, true, _EFFICIENCY)
    rate = dropout_rate(spots, SETTINGS[setting])
    counts[rng_dropout.random(counts.shape, dtype=np.float32) < rate[:, None]] = 0
    names = [f"spot_{number:05d}" for number in range(n_spots)]
    obs = pd.DataFrame({"cell_type": pd.Categorical(types.astype(str)), "dropout_rate": rate}, index=names)
    measured = sparse.csr_matrix(counts)
    return ad.AnnData(
        X=measured.copy(),
        obs=obs,
        var=pd.DataFrame(index=[f"gene_{number:05d}" for number in range(n_genes)]),
        layers={keys.COUNTS: measured, TRUTH: sparse.csr_matrix(true)},
        obsm={keys.SPATIAL: spots},
        uns={"simulation": {"pattern": pattern, "setting": setting, "seed": seed, **asdict(SETTINGS[setting])}},
    )


def dropout_rate(spots: np.ndarray, dropout: Dropout) -> np.ndarray:
    """Drop-out probability of each spot: raised within ``edge_distance`` of the bounding box of all spots."""
    to_edge = np.minimum(spots - spots.min(axis=0), spots.max(axis=0) - spots).min(axis=1)
    return dropout.overall + dropout.increase * (to_edge < dropout.edge_distance)
