"""From a reference sample to a view that training can learn from: known bins, and pseudo-spots drawn from them."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.make_views import image_trend, make_condition
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.view import View
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import Histology, no_image
from clearspot.errors import BadInputError, Problem

_MIN_SHARED_GENES: Final = 8
_MIN_SPOTS: Final = 16
_SHARE_ON_TISSUE: Final = 0.5
_BINS_AT_ONCE: Final = 20_000


def reference_view(
    name: str, reference: Reference, section: SpotSection, programs: Programs, n_features: int, seed: int
) -> View:
    """Show a reference as the section's spots would have seen it.

    Pseudo-spots of the section's size and distance capture the reference's bins. Its genes need not be the section's:
    the programs are read off those that both have. Its image is shown where it has as many features as the section's.

    Parameters
    ----------
    name
        For messages.
    reference
        Counts of bins.
    section
        Whose spots are imitated.
    programs
        Of the section.
    n_features
        Number of image features of the section.
    seed
        Of the counting noise.

    Raises
    ------
    BadInputError
        If they share too few genes, or the reference holds too few spots.
    """
    position = {gene: column for column, gene in enumerate(reference.genes.astype(str))}
    shared = [gene for gene in programs.genes if gene in position]
    if len(shared) < max(_MIN_SHARED_GENES, programs.number):
        mend = "Give a reference whose panel has more of the section's genes, or lower --n-programs."
        raise BadInputError(
            Problem(
                name, name, f"{len(shared)} shared genes", f"at least {max(_MIN_SHARED_GENES, programs.number)}", mend
            )
        )
    fine = sp.csr_matrix(reference.counts[:, [position[gene] for gene in shared]], dtype=np.float32)
    part = programs.of(tuple(shared))
    grid, fine, tissue = _padded(reference, fine)
    xy = _lattice(grid, section.pitch_um)
    operator = sp.csr_array(disk_operator(xy, grid, section.diameter_um))
    area = np.asarray(operator.sum(axis=1)).ravel()
    on_tissue = operator @ tissue.ravel().astype(np.float32) > _SHARE_ON_TISSUE * np.maximum(area, area.max(initial=0))
    xy, operator = xy[on_tissue], sp.csr_array(operator[on_tissue])
    if len(xy) < _MIN_SPOTS:
        found, mend = f"tissue for {len(xy)} spots", "Give a larger reference."
        raise BadInputError(Problem(name, name, found, f"tissue for at least {_MIN_SPOTS} spots", mend))
    expected = sp.csr_array(operator @ fine).toarray()
    counts = sp.csr_matrix(np.random.default_rng([seed, 13]).poisson(expected).astype(np.float32))
    values = part.transform(counts)
    truth = np.concatenate(
        [part.transform(fine[first : first + _BINS_AT_ONCE]) for first in range(0, grid.n_bins, _BINS_AT_ONCE)]
    )
    scale = np.maximum(truth[tissue.ravel()].mean(axis=0), 1e-6).astype(np.float32)
    visible = np.ones(len(xy), dtype=bool)
    histology = _histology(reference, grid, n_features)
    trend = image_trend(histology, operator)
    return View(
        name=name,
        grid=grid,
        operator=operator,
        xy_px=xy,
        pitch_um=section.pitch_um,
        scale=scale,
        histology=histology,
        tissue=tissue,
        conditions=(make_condition(values, operator, grid, scale, visible, xy, section.pitch_um, trend),),
        counts=None,
        scored=visible,
        truth=np.minimum((truth / scale).T.reshape(-1, *grid.shape), 6e4).astype(np.float16),
    )


def _histology(reference: Reference, grid: FineGrid, n_features: int) -> Histology:
    """Of the reference's image, where it says the same about a bin as the section's."""
    own = reference.histology
    return (
        own
        if own is not None and (own.shape, own.n_features) == (grid.shape, n_features)
        else no_image(grid.shape, n_features)
    )


def _padded(reference: Reference, fine: sp.csr_matrix) -> tuple[FineGrid, sp.csr_matrix, NDArray[np.bool_]]:
    """Grid whose sides are multiples of 8, as the networks want them."""
    old = reference.grid
    rows, columns = (-(-side // 8) * 8 for side in old.shape)
    if (rows, columns) == old.shape:
        return old, fine, reference.tissue
    grid = FineGrid(old.bin_um, rows, columns, old.origin_px, old.px_per_um)
    bins = (np.arange(old.n_rows)[:, None] * columns + np.arange(old.n_cols)).ravel()
    place = sp.csr_matrix(
        (np.ones(len(bins), np.float32), (bins, np.arange(len(bins)))), shape=(grid.n_bins, len(bins))
    )
    tissue = np.zeros(grid.shape, dtype=bool)
    tissue[: old.n_rows, : old.n_cols] = reference.tissue
    return grid, sp.csr_matrix(place @ fine), tissue


def _lattice(grid: FineGrid, pitch_um: float) -> NDArray[np.float64]:
    """Centres of a hexagonal lattice over the grid, half a pitch from its border, in full-resolution pixels."""
    pitch = pitch_um * grid.px_per_um
    height, width = grid.n_rows * grid.bin_px, grid.n_cols * grid.bin_px
    points = [
        (x, y)
        for number, y in enumerate(np.arange(pitch / 2, height - pitch / 2, pitch * np.sqrt(3) / 2))
        for x in np.arange(pitch / 2 * (1 + number % 2), width - pitch / 2, pitch)
    ]
    return np.asarray(points, dtype=np.float64).reshape(-1, 2) + np.asarray(grid.origin_px)
