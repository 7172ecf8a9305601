"""g: b on Visium HD: on squares of bins of the kidney and on simulated sections of segmented cells.

Scores and splits are those of b. There are so many bins and cells, of few counts each, that more settings of the other
methods are tried: more hops, more nearest spots, longer diffusion.
"""

from __future__ import annotations

from hd_sections import BINS, CELLS

from evaluations.b_held_out import evaluate

METHODS = ("gene_mean", "neighbours", "dusted", "magic", "knn_smoothing")
"""Besides, on ``cells``: ``dusted_2_hops``, ``dusted_3_hops`` and ``dusted_batches``."""

__all__ = ["METHODS", "cases", "evaluate"]


def cases() -> tuple[str, ...]:
    return BINS + CELLS
