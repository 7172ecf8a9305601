"""What a method is given and what it is scored against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from clearspot import keys
from clearspot.diffst.geometry.grid import FineGrid


@dataclass(frozen=True)
class Case:
    """One section at one resolution.

    A method sees ``adata`` (the visible spots, all genes of the case), ``operator``, ``grid`` and ``image``, and
    returns expected counts per bin. It must not look at ``truth``, ``tissue`` and the hidden spots.

    Parameters
    ----------
    name
        Unique.
    adata
        Visible spots: ``layers['counts']``, ``obsm['spatial']``, micrometres per pixel in ``uns['clearspot']``.
    grid, operator
        The fine grid, and which bins the visible spots capture.
    pitch_um, diameter_um
        Of the spots.
    image
        Histology, or None.
    truth
        n_bins x genes, or None: expected counts (phantom) or counts (Xenium).
    truth_is_counts
        Whether the truth is drawn, so that no prediction can reach a correlation of 1.
    tissue
        rows x columns: bins that are scored.
    hidden_operator, hidden_counts
        Spots that were hidden, or None.
    """

    name: str
    adata: ad.AnnData
    grid: FineGrid
    operator: sparse.csr_array
    pitch_um: float
    diameter_um: float
    image: Path | None = None
    truth: np.ndarray | None = None
    truth_is_counts: bool = False
    tissue: np.ndarray | None = None
    hidden_operator: sparse.csr_array | None = None
    hidden_counts: np.ndarray | None = None

    @property
    def counts(self) -> sparse.csr_array:
        """Visible spots x genes."""
        return sparse.csr_array(self.adata.layers[keys.COUNTS])

    @property
    def xy_px(self) -> np.ndarray:
        """Centres of the visible spots."""
        return np.asarray(self.adata.obsm[keys.SPATIAL])

    @property
    def density(self) -> np.ndarray:
        """Counts of the visible spots per bin inside them, spots x genes."""
        return self.counts.toarray() / self.operator.sum(axis=1)[:, None]


@dataclass(frozen=True)
class Prediction:
    """What a method returns.

    Parameters
    ----------
    mean
        n_bins x genes: expected counts per bin.
    samples
        draws x n_bins x genes, or None where a method gives no uncertainty.
    conserving
        Draws that look at the spots' counts, where a method has such of its own; else ``samples`` are projected.
    error
        (n_genes,): standard deviation of a spot's count (square root) around the mean, as a Gaussian; instead of draws.
    """

    mean: np.ndarray
    samples: np.ndarray | None = None
    conserving: np.ndarray | None = None
    error: np.ndarray | None = None


def section(counts: sparse.spmatrix, genes: pd.Index, xy_px: np.ndarray, um_per_px: float) -> ad.AnnData:
    """Spots as the pipeline has them."""
    adata = ad.AnnData(
        obs=pd.DataFrame(index=[f"spot_{number}" for number in range(counts.shape[0])]),
        var=pd.DataFrame(index=genes),
        obsm={keys.SPATIAL: np.asarray(xy_px, dtype=np.float64)},
        uns={keys.UNS: {keys.MICRONS_PER_PIXEL: um_per_px}},
    )
    adata.layers[keys.COUNTS] = sparse.csr_matrix(counts, dtype=np.int32)
    return adata


def dispersed_genes(counts: sparse.spmatrix, number: int, least_share: float = 0.05) -> np.ndarray:
    """Columns whose counts vary most beyond Poisson noise, of genes seen in at least this share of the spots."""
    counts = sparse.csr_array(counts).astype(np.float64)
    totals = np.maximum(counts.sum(axis=1), 1)
    scaled = sparse.csr_array(sparse.diags_array(np.median(totals) / totals) @ counts)
    mean = scaled.mean(axis=0)
    variance = scaled.power(2).mean(axis=0) - mean**2
    excess = (variance - mean) / np.sqrt(np.maximum(mean, 1e-9))
    excess[(counts > 0).mean(axis=0) < least_share] = -np.inf
    return np.sort(np.argsort(-excess, kind="stable")[:number])


def every_kth(xy_px: np.ndarray, pitch_px: float, every: int) -> np.ndarray:
    """True for every so-and-so-many-th spot, counted along the rows of the lattice."""
    order = np.lexsort((xy_px[:, 0], np.round(xy_px[:, 1] / (pitch_px / 2))))
    chosen = np.zeros(len(xy_px), dtype=bool)
    chosen[order[::every]] = True
    return chosen
