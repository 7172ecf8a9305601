"""What the gene head is shown of a bin: the image in several surroundings, and every gene's mean over the spots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from clearspot.diffst.data.make_views import SEEN_WIDTH
from clearspot.diffst.data.view import View
from clearspot.diffst.geometry.scratch import parked
from clearspot.diffst.image.histology import Histology

SURROUNDINGS_UM: Final = (20.0, 40.0, 80.0, 160.0)
"""Standard deviations of the Gaussians under which the image's features are shown, beside themselves."""

_NEIGHBOURS: Final = 16
_BINS_AT_ONCE: Final = 20_000
_LEAST_RATE: Final = 0.1
_TINY: Final = 1e-9


def n_inputs(image_channels: int, n_genes: int) -> int:
    """How many values the gene head is shown of a bin."""
    return image_channels * (1 + len(SURROUNDINGS_UM)) + n_genes


@dataclass(frozen=True, eq=False)
class GeneInputs:
    """Inputs of the gene head on one section, made for some bins at a time.

    Parameters
    ----------
    image
        ``(bins, features * surroundings)`` float16.
    weights
        ``(bins, spots)`` CSR: Gaussian weights of the nearest spots, the nearest of which weighs 1.
    counts
        ``(spots, genes)`` CSR.
    area
        ``(spots,)``: in bins.
    scale
        ``(genes,)``: counts a bin that stand for 1, the mean over all spots; 0 for a gene that the section lacks.
    """

    image: NDArray[np.float16]
    weights: sp.csr_array
    counts: sp.csr_array
    area: NDArray[np.float32]
    scale: NDArray[np.float32]

    def of(self, bins: NDArray[np.intp]) -> NDArray[np.float32]:
        """Inputs of these bins, ``(len(bins), n_inputs)``; a gene that the section lacks is 1 everywhere."""
        weights = sp.csr_array(self.weights[bins])
        density = (weights @ self.counts).toarray() / (weights @ self.area)[:, None]
        known = self.scale > 0
        relative = np.where(known, density / np.where(known, self.scale, 1), 1)
        return np.concatenate([self.image[bins], np.log(relative + _LEAST_RATE)], axis=1, dtype=np.float32)


def gene_inputs(
    view: View, counts: sp.csr_matrix, genes: Sequence[str], visible: NDArray[np.bool_], known: Sequence[str]
) -> GeneInputs:
    """Inputs of the gene head on a view.

    Parameters
    ----------
    view
        Grid, image and spots.
    counts
        ``(spots, genes)``.
    genes
        Their names.
    visible
        ``(spots,)`` bool: spots that are shown.
    known
        Genes of the gene head.
    """
    area = np.asarray(view.operator.sum(axis=1)).ravel()
    used = np.flatnonzero(visible & (area > 0))
    place = {gene: column for column, gene in enumerate(genes)}
    columns = np.array([place.get(gene, -1) for gene in known])
    here = np.flatnonzero(columns >= 0)
    put = sp.csr_array((np.ones(len(here), np.float32), (columns[here], here)), shape=(len(genes), len(known)))
    shown = sp.csr_array(sp.csr_array(counts)[used] @ put)
    total = np.asarray(shown.sum(axis=0)).ravel()
    return GeneInputs(
        image=_surroundings(view.histology, view.grid.bin_um),
        weights=_weights(view, used),
        counts=shown,
        area=area[used].astype(np.float32),
        scale=(total / max(float(area[used].sum()), _TINY)).astype(np.float32),
    )


def _surroundings(histology: Histology, bin_um: float) -> NDArray[np.float16]:
    seen = np.where(histology.valid, histology.fine, 0).astype(np.float32)
    maps = [seen, *(ndimage.gaussian_filter(seen, (0, um / bin_um, um / bin_um)) for um in SURROUNDINGS_UM)]
    flat = np.concatenate(maps).astype(np.float16)
    return parked(np.ascontiguousarray(flat.reshape(len(flat), -1).T))


def _weights(view: View, used: NDArray[np.intp]) -> sp.csr_array:
    """Gaussian weights of the spots nearest to every bin."""
    tree, width = cKDTree(view.xy_px[used]), SEEN_WIDTH * view.pitch_um * view.grid.px_per_um
    number = min(_NEIGHBOURS, len(used))
    centres, parts = view.grid.centres_px(), []
    for first in range(0, len(centres), _BINS_AT_ONCE):
        distance, spot = tree.query(centres[first : first + _BINS_AT_ONCE], k=np.arange(1, number + 1))
        # relative to the nearest spot, so that a bin far from all spots has weights too
        weight = np.exp((distance[:, :1] ** 2 - distance**2) / (2 * width**2)).astype(np.float32)
        start = np.arange(len(spot) + 1) * number
        parts.append(sp.csr_array((weight.ravel(), spot.ravel(), start), shape=(len(spot), len(used))))
    return sp.csr_array(sp.vstack(parts, format="csr"))
