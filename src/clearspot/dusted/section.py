"""One section as the model sees it: sparse counts of the modelled genes, depths, graph, positions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from clearspot.dusted.params import DustedParams

ROWS_AT_ONCE = 8192
"""Spots whose input exists at once where a statistic of the whole section is taken."""


@dataclass(frozen=True)
class StudySections:
    """The sections of a study that one model takes together.

    Parameters
    ----------
    code
        Section of every spot, 0, 1, ..., shape ``(n_spots,)``. No edge of the graph joins two of them.
    factors
        What a section multiplies the rate of every gene by, float32, shape ``(n_sections, n_genes)``: 1 where nothing
        is corrected. The model's input is divided by it, and its mean multiplied.
    """

    code: np.ndarray
    factors: np.ndarray


@dataclass(frozen=True)
class Section:
    """Counts, depths and graph of the spots that are denoised.

    Parameters
    ----------
    counts
        Counts of the modelled genes, float32 CSR, shape ``(n_spots, n_genes)``.
    input_scale
        Factor of every spot's counts before the logarithm, shape ``(n_spots,)``.
    size_factor
        Total counts over the median total, shape ``(n_spots,)``.
    graph
        Symmetric adjacency, CSR, shape ``(n_spots, n_spots)``.
    positions
        Spot positions, shape ``(n_spots, 2)``; needed only where the section is cut into tiles.
    genes
        Names of the modelled genes.
    log_input
        Whether the model sees logarithms.
    study
        Where it is several sections, with no edge between them; ``None``: it is one.
    """

    counts: sp.csr_matrix
    input_scale: np.ndarray
    size_factor: np.ndarray
    graph: sp.csr_matrix
    positions: np.ndarray | None
    genes: tuple[str, ...]
    log_input: bool = True
    study: StudySections | None = None

    @property
    def n_spots(self) -> int:
        """Number of spots."""
        return self.counts.shape[0]

    @property
    def n_genes(self) -> int:
        """Number of modelled genes."""
        return self.counts.shape[1]

    def expression(self, spots: np.ndarray | slice) -> sp.csr_matrix:
        """Input of the model: ``scale * counts`` of some spots or ``log(1 + scale * counts)``, float32 CSR."""
        part = self.counts[spots]
        rates = part.data * np.repeat(self.input_scale[spots], np.diff(part.indptr))
        if self.study is not None:
            rates /= self.study.factors[np.repeat(self.study.code[spots], np.diff(part.indptr)), part.indices]
        return sp.csr_matrix(
            (np.log1p(rates) if self.log_input else rates, part.indices, part.indptr), shape=part.shape
        )

    @property
    def code(self) -> np.ndarray | None:
        """Section of every spot, where they are several."""
        return None if self.study is None else self.study.code

    def gene_factors(self, spots: np.ndarray) -> np.ndarray | float:
        """Factor of every gene's rate in the sections of some spots, shape ``(n_rows, n_genes)``; 1 in one section."""
        return 1.0 if self.study is None else self.study.factors[self.study.code[spots]]

    def shuffled(self, seed: int) -> Section:
        """The same spots, each at the place of another: counts and depths are moved, graph and positions stay."""
        order = np.random.default_rng(seed).permutation(self.n_spots)
        return replace(
            self,
            counts=self.counts[order],
            input_scale=self.input_scale[order],
            size_factor=self.size_factor[order],
            study=None if self.study is None else replace(self.study, code=self.study.code[order]),
        )

    def thinned(self, counts: sp.csr_matrix, kept: float, params: DustedParams) -> Section:
        """The same section with a thinned part of its counts.

        Parameters
        ----------
        counts
            The counts that were kept.
        kept
            The fraction that was kept. The input's scale makes up for it, so that expression stays comparable; size
            factors are relative to the median spot and need no change.
        params
            Settings of the run.
        """
        if params.normalise_over == "modelled":
            scale = input_scale(np.asarray(counts.sum(axis=1)).ravel(), params.target_sum)
        else:
            scale = self.input_scale / np.float32(kept)
        return replace(self, counts=counts, input_scale=scale)


def input_scale(totals: np.ndarray, target_sum: float | None) -> np.ndarray:
    """Factor that brings each spot's total to ``target_sum`` (``None``: the median total); 1 for empty spots."""
    target = float(np.median(totals)) if target_sum is None else target_sum
    return np.divide(target, totals, out=np.ones(len(totals)), where=totals > 0).astype(np.float32)


def pooled_expression(section: Section, rows_at_once: int = ROWS_AT_ONCE) -> tuple[np.ndarray, np.ndarray]:
    """Average and maximum of every gene's input over all spots, without a dense copy.

    Returns
    -------
    Two float32 arrays of shape ``(n_genes,)``: the constants of the gene channel attention (equation 2.1).
    """
    total = np.zeros(section.n_genes)
    maximum = np.zeros(section.n_genes, dtype=np.float32)
    for first in range(0, section.n_spots, rows_at_once):
        part = section.expression(slice(first, first + rows_at_once))
        total += np.asarray(part.sum(axis=0, dtype=np.float64)).ravel()
        maximum = np.maximum(maximum, part.max(axis=0).toarray().ravel())
    return (total / section.n_spots).astype(np.float32), maximum


def mean_expression(section: Section) -> np.ndarray:
    """Mean of every gene's input over spots, each as heavy as it is deep, float32, shape ``(n_genes,)``."""
    weight = section.size_factor / section.size_factor.sum(dtype=np.float64)
    total = np.zeros(section.n_genes)
    for first in range(0, section.n_spots, ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        total += section.expression(rows).T @ weight[rows]
    return total.astype(np.float32)


def gene_rates(section: Section) -> np.ndarray:
    """Counts of every gene per unit of size factor (and of the section's factor), shape ``(n_genes,)``."""
    totals = np.asarray(section.counts.sum(axis=0, dtype=np.float64)).ravel()
    depth: np.ndarray = section.size_factor.sum(dtype=np.float64)
    if section.study is not None:
        depth = np.bincount(section.study.code, weights=section.size_factor) @ section.study.factors.astype(np.float64)
    return totals / depth
