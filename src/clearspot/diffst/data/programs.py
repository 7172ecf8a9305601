"""Gene programs: what a few dozen maps say about all genes.

Counts are modelled as ``Poisson(spots @ loadings)``. The loadings of a program sum to one, so a program's value is the
number of counts that it stands for, and adds up over bins as counts do.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.decomposition import NMF, non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from clearspot.learning.checkpoint_file import CheckpointError

_FLOOR = 1e-9
_MAX_GENES_TO_FIT = 2000
_ITERATIONS = 150
_ROUNDS = 3
_MOST_CHANGE = 50.0


@dataclass(frozen=True)
class Programs:
    """Loadings of gene programs.

    Parameters
    ----------
    genes
        Names of the genes.
    loadings
        ``(programs, genes)`` float32, positive; each program sums to 1.
    """

    genes: tuple[str, ...]
    loadings: NDArray[np.float32]

    @property
    def number(self) -> int:
        """How many programs."""
        return len(self.loadings)

    def transform(self, counts: sp.csr_matrix) -> NDArray[np.float32]:
        """Program values of other spots, ``(spots, programs)``, with these loadings.

        Parameters
        ----------
        counts
            ``(spots, genes)``, the genes in the order of :attr:`genes`.
        """
        return _solve(counts, self.loadings)

    def with_totals_of(self, counts: sp.csr_matrix) -> Programs:
        """The same programs for another assay: each gene is expected as often as it was counted.

        Parameters
        ----------
        counts
            ``(spots, genes)`` of the assay, the genes in the order of :attr:`genes`.
        """
        total = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
        loadings = self.loadings.astype(np.float64)
        for _ in range(_ROUNDS):
            expected = _solve(counts, loadings).sum(axis=0, dtype=np.float64) @ loadings
            loadings *= np.clip(total / np.maximum(expected, _FLOOR), 1 / _MOST_CHANGE, _MOST_CHANGE)
            loadings = np.maximum(loadings / loadings.sum(axis=1, keepdims=True), _FLOOR)
        return Programs(self.genes, loadings.astype(np.float32))

    def for_genes(self, genes: tuple[str, ...], counts: sp.csr_matrix) -> Programs:
        """The same programs for another panel: genes that are new get the loadings that explain their counts best.

        Parameters
        ----------
        genes
            The panel.
        counts
            ``(spots, genes)`` of a section measured with it.

        Raises
        ------
        CheckpointError
            If fewer genes than programs are known: then the programs cannot be estimated from the counts.
        """
        if genes == self.genes:
            return self
        position = {gene: column for column, gene in enumerate(self.genes)}
        here = np.flatnonzero([gene in position for gene in genes])
        if len(here) < self.number:
            raise CheckpointError(
                f"the model has {len(here)} of the {len(genes)} genes, fewer than its {self.number} programs"
            )
        there = [position[genes[column]] for column in here]
        known = self.loadings[:, there]
        spots = _solve(counts[:, here], known)
        loadings = np.empty((self.number, len(genes)), dtype=np.float32)
        loadings[:, here] = known
        new = np.setdiff1d(np.arange(len(genes)), here)
        if len(new):
            loadings[:, new] = _solve(sp.csr_matrix(counts[:, new].T), np.maximum(spots.T, _FLOOR)).T
        return Programs(genes, np.maximum(loadings, _FLOOR))


def fit_programs(counts: sp.csr_matrix, genes: tuple[str, ...], n_programs: int, seed: int) -> Programs:
    """Factorise counts by the Poisson likelihood (non-negative matrix factorisation, Kullback-Leibler divergence).

    Beyond 2,000 genes the programs are found on the most variable ones, and the others are regressed onto them.

    Parameters
    ----------
    counts
        ``(spots, genes)``; every gene has counts.
    genes
        Their names.
    n_programs
        At most this many: no more than there are spots or genes.
    seed
        Of the initialisation.
    """
    number = max(1, min(n_programs, counts.shape[0] - 1, counts.shape[1] - 1))
    chosen = _most_dispersed(counts, _MAX_GENES_TO_FIT)
    model = NMF(
        number,
        init="nndsvda",
        solver="mu",
        beta_loss="kullback-leibler",
        max_iter=_ITERATIONS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed effort; more changes the maps little
        spots = model.fit_transform(counts[:, chosen].astype(np.float32))
    loadings = np.empty((number, counts.shape[1]), dtype=np.float32)
    loadings[:, chosen] = model.components_
    others = np.setdiff1d(np.arange(counts.shape[1]), chosen)
    if len(others):
        loadings[:, others] = _solve(sp.csr_matrix(counts[:, others].T), np.maximum(spots.T, _FLOOR)).T
    loadings = np.maximum(loadings, _FLOOR)
    return Programs(genes, (loadings / loadings.sum(axis=1, keepdims=True)).astype(np.float32))


def _most_dispersed(counts: sp.csr_matrix, most: int) -> NDArray[np.intp]:
    """Columns with the largest variance over mean, in order of the columns."""
    if counts.shape[1] <= most:
        return np.arange(counts.shape[1])
    mean = np.asarray(counts.mean(axis=0)).ravel()
    square = np.asarray(counts.multiply(counts).mean(axis=0)).ravel()
    excess = (square - mean**2 - mean) / np.sqrt(np.maximum(mean, _FLOOR))
    return np.sort(np.argsort(-excess, kind="stable")[:most])


def _solve(counts: sp.csr_matrix, factor: NDArray[np.floating]) -> NDArray[np.float32]:
    """Non-negative ``x`` with ``counts ~ Poisson(x @ factor)``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        solution, _, _ = non_negative_factorization(
            sp.csr_matrix(counts, dtype=np.float32),
            H=np.ascontiguousarray(factor, dtype=np.float32),
            update_H=False,
            n_components=len(factor),
            init=None,
            solver="mu",
            beta_loss="kullback-leibler",
            max_iter=_ITERATIONS,
        )
    return np.asarray(solution, dtype=np.float32)
