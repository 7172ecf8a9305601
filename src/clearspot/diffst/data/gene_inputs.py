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
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.geometry.scratch import scratch
from clearspot.diffst.image.histology import Histology

SURROUNDINGS_UM: Final = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Standard deviations of the Gaussians under which the image's features are shown, beside themselves."""

_NEIGHBOURS: Final = 16
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
        ``(bins, features * surroundings)`` float16, see :func:`surroundings`.
    grid
        The bins.
    spots
        Centres of the spots, in full-resolution pixels.
    width_px
        Standard deviation of the Gaussian over spots.
    counts
        ``(spots, genes)`` CSR.
    area
        ``(spots,)``: in bins.
    scale
        ``(genes,)``: counts a bin that stand for 1, the mean over all spots; 0 for a gene that the section lacks.
    """

    image: NDArray[np.float16]
    grid: FineGrid
    spots: cKDTree
    width_px: float
    counts: sp.csr_array
    area: NDArray[np.float32]
    scale: NDArray[np.float32]

    def of(self, bins: NDArray[np.intp]) -> NDArray[np.float32]:
        """Inputs of these bins, ``(len(bins), n_inputs)``; a gene that the section lacks is 1 everywhere."""
        number = min(_NEIGHBOURS, self.spots.n)
        distance, spot = self.spots.query(self.grid.centres_px(bins), k=np.arange(1, number + 1))
        # relative to the nearest spot, so that a bin far from all spots has weights too
        weight = np.exp((distance[:, :1] ** 2 - distance**2) / (2 * self.width_px**2)).astype(np.float32)
        first = np.arange(len(bins) + 1) * number
        weights = sp.csr_array((weight.ravel(), spot.ravel(), first), shape=(len(bins), self.spots.n))
        density = (weights @ self.counts).toarray() / (weights @ self.area)[:, None]
        known = self.scale > 0
        relative = np.where(known, density / np.where(known, self.scale, 1), 1)
        return np.concatenate([self.image[bins], np.log(relative + _LEAST_RATE)], axis=1, dtype=np.float32)


def gene_inputs(
    view: View,
    counts: sp.csr_matrix,
    genes: Sequence[str],
    known: Sequence[str],
    *,
    image: NDArray[np.float16],
    visible: NDArray[np.bool_] | None = None,
) -> GeneInputs:
    """Inputs of the gene head on a view.

    Parameters
    ----------
    view
        Grid and spots.
    counts
        ``(spots, genes)``.
    genes
        Their names.
    known
        Genes of the gene head.
    image
        Of the view, see :func:`surroundings`.
    visible
        ``(spots,)`` bool: spots that are shown; None: all.
    """
    area = np.asarray(view.operator.sum(axis=1)).ravel()
    used = np.flatnonzero((area > 0) if visible is None else visible & (area > 0))
    place = {gene: column for column, gene in enumerate(known)}
    here = np.array([column for column, gene in enumerate(genes) if gene in place], dtype=np.intp)
    there = np.array([place[genes[column]] for column in here], dtype=np.intp)
    ones = np.ones(len(here), dtype=np.float32)
    move = sp.csr_array((ones, (here, there)), shape=(len(genes), len(known)))
    shown = sp.csr_array(sp.csr_array(counts)[used] @ move)
    total = np.asarray(shown.sum(axis=0)).ravel()
    return GeneInputs(
        image=image,
        grid=view.grid,
        spots=cKDTree(view.xy_px[used]),
        width_px=SEEN_WIDTH * view.pitch_um * view.grid.px_per_um,
        counts=shown,
        area=area[used].astype(np.float32),
        scale=(total / max(float(area[used].sum()), _TINY)).astype(np.float32),
    )


def surroundings(histology: Histology, bin_um: float) -> NDArray[np.float16]:
    """Features of every bin and their Gaussian means, ``(bins, features * surroundings)``, in a temporary file."""
    seen = np.where(histology.valid, histology.fine, 0).astype(np.float32)
    result = scratch((seen[0].size, len(seen) * (1 + len(SURROUNDINGS_UM))), np.float16)
    for number, um in enumerate((0.0, *SURROUNDINGS_UM)):
        for channel, values in enumerate(seen):
            shown = ndimage.gaussian_filter(values, um / bin_um) if um else values
            result[:, number * len(seen) + channel] = shown.ravel()
    return result
