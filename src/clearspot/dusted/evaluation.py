"""Whether the model predicts held-out counts better than plain averages do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from clearspot.dusted.section import Section, gene_rates

MIN_COUNTS_FOR_CORRELATION = 20
"""Genes with fewer held-out counts have no correlation worth a number."""

SMALLEST_MEAN = 1e-12
"""Least prediction of a held-out count: a predicted 0 would be infinitely wrong."""


@dataclass
class HeldOutScore:
    """Poisson deviance and per-gene correlation of a prediction with held-out counts, collected block by block.

    Parameters
    ----------
    n_genes
        Number of genes.
    """

    n_genes: int
    _spots: int = 0
    _sums: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, predicted: np.ndarray, observed: np.ndarray, size_factor: np.ndarray) -> None:
        """Take a block of spots.

        Parameters
        ----------
        predicted, observed
            Predicted and held-out counts, shape ``(n_rows, n_genes)``.
        size_factor
            Shape ``(n_rows,)``; correlations are of rates, or library size alone would look like skill.
        """
        mean = np.maximum(predicted.astype(np.float64), SMALLEST_MEAN)
        log_ratio = np.log(np.maximum(observed, 1.0) / mean)
        deviance = 2 * (np.where(observed > 0, observed * log_ratio, 0.0) - (observed - mean))
        p, y = mean / size_factor[:, None], observed / size_factor[:, None]
        for name, values in (
            ("deviance", deviance),
            ("counts", observed),
            ("p", p),
            ("y", y),
            ("pp", p * p),
            ("yy", y * y),
            ("py", p * y),
        ):
            self._sums[name] = self._sums.get(name, np.zeros(self.n_genes)) + values.sum(axis=0, dtype=np.float64)
        self._spots += len(predicted)

    @property
    def spots(self) -> int:
        """Spots collected."""
        return self._spots

    @property
    def deviance(self) -> float:
        """Mean Poisson deviance per spot and gene."""
        return float(self._sums["deviance"].sum() / (self._spots * self.n_genes))

    @property
    def gene_deviance(self) -> np.ndarray:
        """Mean Poisson deviance of every gene, shape ``(n_genes,)``."""
        return self._sums["deviance"] / self._spots

    @property
    def gene_counts(self) -> np.ndarray:
        """Held-out counts of every gene, shape ``(n_genes,)``."""
        return self._sums["counts"]

    @property
    def gene_correlation(self) -> np.ndarray:
        """Pearson correlation of predicted and held-out rates over spots; NaN for genes with too few counts."""
        n, s = self._spots, self._sums
        covariance = n * s["py"] - s["p"] * s["y"]
        spread = (n * s["pp"] - s["p"] ** 2) * (n * s["yy"] - s["y"] ** 2)
        measured = (s["counts"] >= MIN_COUNTS_FOR_CORRELATION) & (spread > 0)
        return np.divide(covariance, np.sqrt(np.maximum(spread, 0)), out=np.full(self.n_genes, np.nan), where=measured)


def neighbour_average(section: Section, spots: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Plain one-hop neighbour averaging: what a denoiser has to beat.

    Counts of a spot and its neighbours over their size factors, times the spot's own. One pseudo-spot at the gene's
    mean rate keeps a gene that nobody around has from a predicted zero, which would make any deviance infinite.

    Parameters
    ----------
    section
        With its training counts.
    spots
        Rows to predict, shape ``(n_rows,)``.
    rates
        See :func:`clearspot.dusted.section.gene_rates`.

    Returns
    -------
    Predicted counts, shape ``(n_rows, n_genes)``.
    """
    around = section.graph[spots].astype(bool).astype(np.float64)
    own = sp.csr_matrix((np.ones(len(spots)), (np.arange(len(spots)), spots)), shape=around.shape)
    around = around.maximum(own)
    counts = (around @ section.counts).toarray() + rates * section.gene_factors(spots)
    depth = around @ section.size_factor + 1.0
    return counts / depth[:, None] * section.size_factor[spots][:, None]


def own_count(section: Section, spots: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """A spot's own counts, one pseudo-spot at the gene's mean rate added: what is known without any denoising.

    Where this predicts the held-out counts well, the gene needs no denoising. Arguments and result are those of
    :func:`neighbour_average`.
    """
    size_factor = section.size_factor[spots][:, None]
    return (section.counts[spots].toarray() + rates * section.gene_factors(spots)) / (size_factor + 1.0) * size_factor


def gene_average(section: Section, spots: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The same rate for every spot: what must be beaten for there to be any structure at all."""
    return np.outer(section.size_factor[spots], rates) * section.gene_factors(spots)


@dataclass(frozen=True)
class HeldOutComparison:
    """Scores on the same held-out counts: of the model, of the two averages, and of each spot's own count."""

    dusted: HeldOutScore
    neighbours: HeldOutScore
    constant: HeldOutScore
    own: HeldOutScore

    @property
    def gene_gain(self) -> np.ndarray:
        """Deviance that the model saves against the best of the other three, sum over spots, shape ``(n_genes,)``.

        Twice the gain in log-likelihood. Negative where one of them predicts the gene better.
        """
        others = np.min([score.gene_deviance for score in (self.neighbours, self.constant, self.own)], axis=0)
        gain: np.ndarray = self.dusted.spots * (others - self.dusted.gene_deviance)
        return gain


def compare_held_out(
    expected: Iterator[tuple[np.ndarray, np.ndarray]], section: Section, held_out: sp.csr_matrix, ratio: float
) -> HeldOutComparison:
    """Score predictions made from the training counts alone.

    Parameters
    ----------
    expected
        Blocks of spot numbers and expected training counts.
    section
        The section with its training counts.
    held_out
        Held-out counts, same shape.
    ratio
        Held-out counts expected per training count.
    """
    comparison = HeldOutComparison(*(HeldOutScore(section.n_genes) for _ in range(4)))
    rates = gene_rates(section)
    for spots, predicted in expected:
        observed = held_out[spots].toarray()
        size_factor = section.size_factor[spots]
        comparison.dusted.add(predicted * ratio, observed, size_factor)
        comparison.neighbours.add(neighbour_average(section, spots, rates) * ratio, observed, size_factor)
        comparison.constant.add(gene_average(section, spots, rates) * ratio, observed, size_factor)
        comparison.own.add(own_count(section, spots, rates) * ratio, observed, size_factor)
    return comparison
