"""A simulated Visium HD section of any size, drawn piece by piece.

Bins of 8 um on a square, 3,000 genes, eight expression programs whose shares change smoothly over the section. The
counts of a bin are drawn one by one (program by the bin's shares, gene by the program's), so that only what is above
zero ever exists: a Poisson section of the same rates would need bins x genes draws.

    python benchmarks/dusted_scale/section.py 775 section.h5ad
"""

from __future__ import annotations

import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.graph.build import build_graph

GENES = 3000
PROGRAMS = 8
COUNTS_PER_BIN = 120
BINS_AT_ONCE = 20_000
PITCH = 29.2
"""Pixels between bins of 8 um at 0.274 um a pixel."""


def draw_counts(positions: np.ndarray, seed: int, counts_per_bin: float = COUNTS_PER_BIN) -> sp.csr_matrix:
    """Counts of all bins, int32 CSR, shape ``(n_bins, GENES)``."""
    rng = np.random.default_rng(seed)
    by_gene = np.cumsum(rng.dirichlet(np.full(GENES, 0.3), PROGRAMS), axis=1)
    waves = rng.normal(0, 1 / 2000, (2, PROGRAMS)), rng.uniform(0, 2 * np.pi, PROGRAMS)
    pieces = []
    for first in range(0, len(positions), BINS_AT_ONCE):
        here = positions[first : first + BINS_AT_ONCE]
        shares = np.exp(2 * np.sin(here @ waves[0] + waves[1]))
        shares /= shares.sum(axis=1, keepdims=True)
        depth = 1 + rng.poisson(counts_per_bin * rng.lognormal(0, 0.4, len(here)))
        of_program = rng.multinomial(depth, shares)
        bins, genes = [], []
        for program in range(PROGRAMS):
            bins.append(np.repeat(np.arange(len(here)), of_program[:, program]))
            drawn = np.searchsorted(by_gene[program], rng.random(len(bins[-1])))
            genes.append(np.minimum(drawn, GENES - 1))
        row, column = np.concatenate(bins), np.concatenate(genes)
        pieces.append(sp.csr_matrix((np.ones(len(row), np.int32), (row, column)), shape=(len(here), GENES)))
    return sp.vstack(pieces, format="csr")


def make_section(side: int, seed: int = 0) -> ad.AnnData:
    """A section of ``side x side`` bins with its graph."""
    row, column = np.divmod(np.arange(side * side), side)
    positions = np.column_stack([column, row]) * PITCH
    counts = draw_counts(positions, seed)
    section = ad.AnnData(
        obs=pd.DataFrame(index=[f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)]),
        var=pd.DataFrame({keys.HIGHLY_VARIABLE: True}, index=[f"g{gene}" for gene in range(GENES)]),
        layers={keys.COUNTS: counts},
        obsm={keys.SPATIAL: positions},
    )
    build_graph(section, "simulated")
    return section


if __name__ == "__main__":
    make_section(int(sys.argv[1])).write_h5ad(Path(sys.argv[2]))
