"""From a reference sample to views that training can learn from: known bins, and pseudo-spots drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.make_views import image_trend, make_condition
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.view import View
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.geometry.scratch import parked
from clearspot.diffst.image.histology import Histology, no_image
from clearspot.diffst.image.stain import stain_of
from clearspot.errors import BadInputError, Problem

_MIN_SPOTS: Final = 16
_SHARE_ON_TISSUE: Final = 0.5
_BINS_AT_ONCE: Final = 20_000


@dataclass(frozen=True)
class SpotGeometry:
    """Spots of an assay.

    Parameters
    ----------
    pitch_um
        Distance between neighbours.
    diameter_um
        Of what a spot captures.
    """

    pitch_um: float = 100.0
    diameter_um: float = 55.0


@dataclass(frozen=True)
class PseudoSpots:
    """Spots that a reference's bins were laid under.

    Parameters
    ----------
    operator
        Capture operator, ``(spots, bins)``.
    xy_px
        ``(spots, 2)``: centres.
    counts
        ``(spots, genes)``.
    """

    operator: sp.csr_array
    xy_px: NDArray[np.float64]
    counts: sp.csr_matrix


def padded_reference(reference: Reference, genes: tuple[str, ...]) -> Reference:
    """The reference with these genes, all of which it has, on a grid whose sides are multiples of 8.

    The networks take only such grids.
    """
    column = {gene: number for number, gene in enumerate(reference.genes.astype(str))}
    counts = sp.csr_array(reference.counts[:, [column[gene] for gene in genes]], dtype=np.float32)
    old = reference.grid
    rows, columns = (-(-side // 8) * 8 for side in old.shape)
    named = replace(reference, counts=counts, genes=reference.genes[[column[gene] for gene in genes]])
    if (rows, columns) == old.shape:
        return named
    if reference.histology is not None:
        raise ValueError("a reference with an image must have a grid in multiples of 8")
    grid = FineGrid(old.bin_um, rows, columns, old.origin_px, old.px_per_um)
    bins = (np.arange(old.n_rows)[:, None] * columns + np.arange(old.n_cols)).ravel()
    place = sp.csr_array((np.ones(len(bins), np.float32), (bins, np.arange(len(bins)))), shape=(grid.n_bins, len(bins)))
    tissue = np.zeros(grid.shape, dtype=bool)
    tissue[: old.n_rows, : old.n_cols] = reference.tissue
    return replace(named, counts=sp.csr_array(place @ counts), grid=grid, tissue=tissue)


def pseudo_spots(name: str, reference: Reference, spots: SpotGeometry, seed: int, lattice: int) -> PseudoSpots:
    """What spots would have measured of a reference.

    Parameters
    ----------
    name
        Of the reference, for messages.
    reference
        Counts of bins.
    spots
        Which spots.
    seed, lattice
        The lattice is shifted at random, and another number gives another shift. Whole counts of a bin that a spot
        cuts are drawn (binomial); expected counts are counted with Poisson noise.

    Raises
    ------
    BadInputError
        If the reference has tissue for fewer than 16 spots.
    """
    generator = np.random.default_rng([seed, 13, lattice])
    grid = reference.grid
    xy = _lattice(grid, spots.pitch_um, generator.random(2))
    operator = sp.csr_array(disk_operator(xy, grid, spots.diameter_um))
    area = np.asarray(operator.sum(axis=1)).ravel()
    tissue = reference.tissue.ravel().astype(np.float32)
    on_tissue = operator @ tissue > _SHARE_ON_TISSUE * np.maximum(area, area.max(initial=0))
    xy, operator = xy[on_tissue], sp.csr_array(operator[on_tissue])
    if len(xy) < _MIN_SPOTS:
        found, mend = f"tissue for {len(xy)} spots", "Provide a larger reference."
        raise BadInputError(Problem(name, name, found, f"tissue for at least {_MIN_SPOTS} spots", mend))
    return PseudoSpots(operator, xy, _measured(operator, reference.counts, generator))


def lattices_of_spots(
    name: str, reference: Reference, spots: SpotGeometry, seed: int, number: int
) -> list[PseudoSpots]:
    """What several lattices of spots would have measured of a reference.

    Of a small reference a shifted lattice can miss too much of the tissue; it is left out, unless it is the first.

    Parameters
    ----------
    name, reference, spots, seed
        As of :func:`pseudo_spots`.
    number
        Lattices at most.

    Raises
    ------
    BadInputError
        If the first lattice has fewer than 16 spots on tissue.
    """
    lattices = [pseudo_spots(name, reference, spots, seed, 0)]
    for lattice in range(1, number):
        with suppress(BadInputError):
            lattices.append(pseudo_spots(name, reference, spots, seed, lattice))
    return lattices


def reference_views(
    name: str,
    reference: Reference,
    spots: Sequence[PseudoSpots],
    *,
    pitch_um: float,
    programs: Programs,
    n_features: int,
    pixels_per_bin: int = 0,
    with_truth: bool = True,
) -> list[View]:
    """Show a reference as spots would have seen it, once for each lattice of spots.

    Parameters
    ----------
    name
        For messages.
    reference
        With the genes of the programs, see :func:`padded_reference`.
    spots
        Of each lattice, what :func:`pseudo_spots` gave.
    pitch_um
        Distance between neighbouring spots.
    programs
        Of the model.
    n_features, pixels_per_bin
        Image features and pixels a bin, all missing where the reference has no image.
    with_truth
        Whether the bins' programs are wanted, which the diffusion learns from. There are none where bins have whole
        counts: programs that are fitted to a few molecules say little of what they were drawn from.
    """
    grid, fine = reference.grid, sp.csr_matrix(reference.counts)
    # as on a section: what the spots say, not the bins, whose fit takes as long as all the rest
    values = np.concatenate([programs.transform(one.counts) for one in spots])
    area = sum(float(one.operator.sum()) for one in spots)
    scale = np.maximum(values.sum(axis=0) / max(area, 1e-6), 1e-6).astype(np.float32)
    truth = None
    if with_truth and not _whole(fine):
        starts = range(0, grid.n_bins, _BINS_AT_ONCE)
        of_bins = np.concatenate([programs.transform(fine[first : first + _BINS_AT_ONCE]) for first in starts])
        truth = parked(np.minimum((of_bins / scale).T.reshape(-1, *grid.shape), 6e4).astype(np.float16))
    histology: Histology = reference.histology or no_image(grid.shape, n_features, pixels_per_bin)
    known = View(
        name=name,
        grid=grid,
        operator=spots[0].operator,
        xy_px=spots[0].xy_px,
        pitch_um=pitch_um,
        scale=scale,
        histology=histology,
        tissue=reference.tissue & (histology.valid if reference.histology is not None else True),
        conditions=(),
        counts=None,
        scored=np.ones(0, dtype=bool),
        truth=truth,
        fine_counts=fine,
        stain=stain_of(histology.pixels),
    )
    return [seen_by(known, lattice, programs) for lattice in spots]


def seen_by(known: View, spots: PseudoSpots, programs: Programs) -> View:
    """The view of a reference as another lattice of spots sees it."""
    visible = np.ones(len(spots.xy_px), dtype=bool)
    trend = image_trend(known.histology, spots.operator)
    values = programs.transform(spots.counts)
    shown = make_condition(
        values,
        spots.operator,
        known.grid,
        scale=known.scale,
        visible=visible,
        xy_px=spots.xy_px,
        pitch_um=known.pitch_um,
        trend=trend,
        paired=True,
    )
    return replace(known, operator=spots.operator, xy_px=spots.xy_px, conditions=(shown,), scored=visible)


def _whole(counts: sp.csr_array | sp.csr_matrix) -> bool:
    """Whether bins were counted; else they hold expectations."""
    return np.array_equal(counts.data, np.rint(counts.data))


def _measured(operator: sp.csr_array, counts: sp.csr_array, generator: np.random.Generator) -> sp.csr_matrix:
    if not _whole(counts):
        expected = sp.csr_array(operator @ counts)
        expected.data = generator.poisson(expected.data).astype(np.float32)
        expected.eliminate_zeros()
        return sp.csr_matrix(expected)
    entries = operator.tocoo()
    taken = sp.csr_array(counts[entries.col])
    share = np.repeat(np.minimum(entries.data, 1).astype(np.float64), np.diff(taken.indptr))
    taken.data = generator.binomial(taken.data.astype(np.int64), share).astype(np.float32)
    ones = np.ones(len(entries.row), np.float32)
    collect = sp.csr_array((ones, (entries.row, np.arange(len(entries.row)))), shape=(operator.shape[0], len(ones)))
    measured = sp.csr_matrix(collect @ taken)
    measured.eliminate_zeros()
    return measured


def _lattice(grid: FineGrid, pitch_um: float, shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centres of a hexagonal lattice over the grid, half a pitch from its border, in full-resolution pixels."""
    pitch = pitch_um * grid.px_per_um
    height, width = grid.n_rows * grid.bin_px, grid.n_cols * grid.bin_px
    step = np.sqrt(3) / 2 * pitch
    points = [
        (x, y)
        for number, y in enumerate(np.arange(pitch / 2 + shift[0] * step, height - pitch / 2, step))
        for x in np.arange(pitch / 2 + (shift[1] + number % 2 / 2) % 1 * pitch, width - pitch / 2, pitch)
    ]
    return np.asarray(points, dtype=np.float64).reshape(-1, 2) + np.asarray(grid.origin_px)
