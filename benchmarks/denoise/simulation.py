"""Sections with known expression, in the manner of the paper's simulation, written anew from its description.

The paper draws cells with SymSim (kinetics of a two-state gene), lays them out with scCube (spatial patterns) and then
drops counts, more of them at the section's edge. Here: every gene of every cell type has rates of switching on and off
and of synthesis; a spot's transcripts are Poisson around a Beta-distributed activity; a share of them is captured, and
counts are dropped by a rate for the whole section plus one near its edge. Truth is the transcripts that there were.
"""

from __future__ import annotations

from dataclasses import dataclass

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot.graph.build import build_graph

SIDE = 32
GENES = 1000
TYPES = 5
PATTERNS = ("stripes", "rings", "quadrants", "patches", "gradient", "islands")
SETTINGS = {1: (0.0, 0.0, 0), 2: (0.1, 0.2, 3), 3: (0.1, 0.3, 5), 4: (0.2, 0.5, 6)}
"""Drop-out everywhere, further drop-out near the edge, and how far in (in spots) the edge reaches: the paper's four."""

CAPTURE = 0.25
"""Chosen, with the kinetics, so that raw counts are about as far from the truth as in the paper's first setting."""

VARIABLE_SHARE = 0.3


@dataclass(frozen=True)
class Simulated:
    """A section and what was there before capture and drop-out.

    Parameters
    ----------
    adata
        Counts in ``X``, positions, graph, cell type of every spot in ``obs['label']``.
    truth
        Transcripts, shape ``(n_spots, n_genes)``.
    """

    adata: ad.AnnData
    truth: np.ndarray


def simulate(pattern: str, setting: int, seed: int) -> Simulated:
    """One section of ``SIDE`` x ``SIDE`` spots on a hexagonal lattice and ``GENES`` genes."""
    generator = np.random.default_rng([PATTERNS.index(pattern), seed])
    row, column = (index.ravel() for index in np.indices((SIDE, SIDE)))
    positions = np.column_stack([column + 0.5 * (row % 2), row * np.sqrt(3) / 2]) * 100
    cell_type = _layout(pattern, positions / positions.max(axis=0), generator)
    truth = generator.poisson(_activity(cell_type, generator))
    captured = generator.binomial(truth, CAPTURE * generator.lognormal(0, 0.3, len(row)).clip(0.3, 2.5)[:, None])
    everywhere, near_edge, reach = SETTINGS[setting]
    inward = np.minimum.reduce([row, column, SIDE - 1 - row, SIDE - 1 - column])
    dropped = everywhere + near_edge * (inward < reach)
    # the same cells in all four settings: what differs is what was dropped
    kept = np.random.default_rng([PATTERNS.index(pattern), seed, setting]).random(captured.shape) >= dropped[:, None]
    adata = ad.AnnData(
        sp.csr_matrix((captured * kept).astype(np.float32)),
        obs=pd.DataFrame({"label": cell_type.astype(str)}, index=[f"spot{i}" for i in range(len(row))]),
        var=pd.DataFrame(index=[f"gene{i}" for i in range(GENES)]),
        obsm={"spatial": positions},
    )
    build_graph(adata, pattern)
    return Simulated(adata, truth)


def _layout(pattern: str, at: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Cell type of every spot; ``at`` are positions between 0 and 1."""
    x, y = at.T
    if pattern == "stripes":
        value = x + 0.08 * np.sin(7 * y)
    elif pattern == "rings":
        value = np.hypot(x - 0.5, y - 0.5) / 0.71
    elif pattern == "quadrants":
        return np.where(np.hypot(x - 0.5, y - 0.5) < 0.2, 4, 2 * (x > 0.5) + (y > 0.5)).astype(int)
    elif pattern == "patches":
        centres = generator.random((14, 2))
        return (((at[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1) % TYPES).astype(int)
    elif pattern == "gradient":
        share = np.exp(-((x[:, None] - np.linspace(0, 1, TYPES)) ** 2) / 0.03)
        return (generator.random((len(x), 1)) > (share / share.sum(1, keepdims=True)).cumsum(1)).sum(axis=1)
    else:
        centres = generator.random((9, 2))
        distance = np.hypot(*(at[:, None] - centres).transpose(2, 0, 1))
        nearest = distance.argmin(axis=1)
        return np.where(distance.min(axis=1) < 0.12, 1 + nearest % (TYPES - 1), 0)
    return np.clip((value * TYPES).astype(int), 0, TYPES - 1)


def _activity(cell_type: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Expected transcripts of every spot and gene, each gene now on, now off."""
    on, off = generator.gamma(2.0, 2.0, (2, 1, GENES)) + 0.1
    synthesis = generator.lognormal(1.5, 1.0, (1, GENES))
    change = generator.normal(0, 1.0, (TYPES, GENES)) * (generator.random((1, GENES)) < VARIABLE_SHARE)
    on, synthesis = on * np.exp(0.5 * change), synthesis * np.exp(0.7 * change)
    share_on = generator.beta(on[cell_type], np.broadcast_to(off, on.shape)[cell_type])
    return share_on * synthesis[cell_type]
