"""Regions of a section that look damaged, not like tissue of their own: marked and shown, never dropped.

Multi-scale comparison with the surroundings follows SpotSweeper (Totty et al., Nature Methods 2025), which looks at
the variance of the mitochondrial share; here the counts themselves are compared as well, so that it works without
mitochondrial genes. Tissues differ in their RNA by nature. So the counts that a place's make-up explains are taken off
first (:mod:`clearspot.checks.composition`). Damage to single genes changes the make-up: bands and sides are compared
with the same tissue across their lines as well (:mod:`clearspot.checks.straight_regions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot.checks.cells import Cells, make_cells
from clearspot.checks.places import place_in_words
from clearspot.checks.region_candidates import (
    NEIGHBOURHOODS,
    Candidate,
    compare_with_around,
    connected_pieces,
    smoothed,
)
from clearspot.checks.region_kinds import (
    HALF,
    LEAKED,
    LEAKED_RATIO,
    LEAST_CELLS,
    LOW_COUNTS,
    MITOCHONDRIAL,
    SIMPLE,
    UNEVEN,
    UNEVEN_LEAKED,
    Measures,
    beside_lines,
    contrast_of,
    has_core,
    leaked,
    low,
    measure,
    mitochondrial,
    simple,
    uneven,
)
from clearspot.checks.region_profile import Profile
from clearspot.checks.straight_regions import Straight
from clearspot.graph.lattice import find_spacing
from clearspot.qc.genes import gene_set_masks

FEWEST_CELLS: Final = 75
"""Cells below which a section has no surroundings to compare with."""

_MOSAIC: Final = 3
_MOSAIC_SHARE: Final = 1 / 3
"""So many regions over so much of a section are its tissues: their make-up does not explain their counts."""

_SAME_CONTRAST: Final = 0.8
_MOST_GROWTH: Final = 2.5
_MOSTLY: Final = 0.9
_PART: Final = 0.5
_HEXAGON: Final = float(np.sqrt(3) / 2)
_ENCLOSED: Final = 2 / 3


@dataclass(frozen=True)
class Region:
    """One region.

    Parameters
    ----------
    kind
        One of the names of :mod:`clearspot.checks.region_kinds`.
    cells
        Cells that it covers.
    n_spots
        Spots or bins in it.
    area_mm2
        Area; ``None`` where micrometres are not known.
    place
        Where it lies, in words.
    counts_ratio
        Median counts inside over those around it.
    explained_ratio
        The same of the counts that the make-up of each place leads to expect: near 1 where the region is made of
        what its surroundings are made of.
    genes_ratio
        Genes over those that places with as many counts have, inside over around.
    profile
        Its genes against its surroundings'.
    """

    kind: str
    cells: NDArray[np.intp]
    n_spots: int
    area_mm2: float | None
    place: str
    counts_ratio: float
    explained_ratio: float
    genes_ratio: float
    profile: Profile


@dataclass(frozen=True)
class RegionScan:
    """All regions of a section.

    Parameters
    ----------
    regions
        Largest first.
    number
        N: 1 for a spot of the first region, and so on; 0 elsewhere.
    judged
        Whether damaged regions could be distinguished from the tissues of the section.
    """

    regions: tuple[Region, ...]
    number: NDArray[np.int64]
    judged: bool = True


def scan_regions(
    counts: csr_matrix,
    xy: NDArray[np.float64],
    symbols: Sequence[str],
    *,
    genomes: Sequence[str] | None = None,
    bin_um: float | None = None,
    um_per_unit: float | None = None,
) -> RegionScan | None:
    """Find regions that hold fewer counts, more mitochondrial RNA or fewer genes than the tissue explains.

    Parameters
    ----------
    counts
        N x G counts of all spots under tissue, those that fail quality control included.
    xy
        N x 2 positions.
    symbols, genomes
        G symbols and genomes of the genes.
    bin_um
        Side of a Visium HD bin; ``None`` for spots.
    um_per_unit
        Micrometres per unit of the positions, where known.

    Returns
    -------
    The regions; ``None`` where there are fewer than 75 cells to compare. Three and more regions that cover more than
    a third of the section cannot be distinguished from its tissues: then there is none, and ``judged`` is false.
    """
    cells = make_cells(counts, xy, bin_um=bin_um, um_per_unit=um_per_unit)
    if cells.n < FEWEST_CELLS:
        return None
    sets = gene_set_masks(symbols, genomes)
    measures = measure(cells, sets["mt"], sets["hb"])
    chosen: list[tuple[str, Candidate]] = []
    for kind, candidates in (
        (LOW_COUNTS, low(measures)),
        (LEAKED, leaked(measures)),
        (MITOCHONDRIAL, mitochondrial(measures)),
        (SIMPLE, simple(measures)),
    ):
        for best in candidates:
            if all(not _overlap(best, other) for _, other in chosen):
                whole = _whole(best, candidates, [other for _, other in chosen])
                chosen.append((kind, _outlined(whole, measures) if kind == LOW_COUNTS else whole))
    regions = [_describe(kind, one, measures, um_per_unit) for kind, one in chosen]
    covered = sum(len(one.cells) for one in regions)
    if len(regions) >= _MOSAIC and covered > _MOSAIC_SHARE * cells.n:
        return RegionScan((), np.zeros(len(xy), dtype=np.int64), judged=False)
    for straight in uneven(measures):
        touched = [other for other in regions if len(np.intersect1d(straight.inside, other.cells))]
        if all(_is_part(other, straight) for other in touched):
            told = _describe_straight(straight, measures, um_per_unit)
            regions = [other for other in regions if all(other is not one for one in touched)] + [told]
    regions.sort(key=lambda one: -len(one.cells))
    number = np.zeros(cells.n + 1, dtype=np.int64)
    for n, region in enumerate(regions, start=1):
        number[region.cells] = n
    return RegionScan(tuple(regions), number[cells.of_spot])


def _is_part(region: Region, of: Straight) -> bool:
    """Whether a region of another kind is a piece of a band or side, which is then reported as a whole."""
    if region.kind in (UNEVEN, UNEVEN_LEAKED) or len(region.cells) >= len(of.inside):
        return False
    return len(np.intersect1d(region.cells, of.inside)) > _PART * len(region.cells)


def _overlap(one: Candidate, other: Candidate) -> bool:
    return len(np.intersect1d(one.inside, other.inside)) > 0


def _whole(best: Candidate, candidates: list[Candidate], taken: list[Candidate]) -> Candidate:
    """Largest region around the best one with nearly its contrast: the lowest levels cut away a region's own rim."""
    around = [
        one
        for one in candidates
        if one.contrast >= _SAME_CONTRAST * best.contrast
        and len(one.inside) <= _MOST_GROWTH * len(best.inside)
        and len(np.intersect1d(one.inside, best.inside)) > _MOSTLY * len(best.inside)
        and not any(_overlap(one, other) for other in taken)
    ]
    return max(around, key=lambda one: len(one.inside), default=best)


def _outlined(one: Candidate, measures: Measures) -> Candidate:
    """Redraw the outline half-way between inside and outside, learning from the rest of the section alone."""
    cells = measures.cells
    left = measures.left_without(one)
    smooth = smoothed(left, cells, NEIGHBOURHOODS[0])
    middle = (np.median(smooth[one.inside]) + np.median(smooth[one.around])) / 2
    pieces = connected_pieces(smooth < middle, cells, LEAST_CELLS)
    share = [len(np.intersect1d(piece, one.inside)) / len(one.inside) for piece in pieces]
    if not share or max(share) < _MOSTLY:
        return one
    mask = np.zeros(cells.n, dtype=bool)
    mask[pieces[int(np.argmax(share))]] = True
    drawn = compare_with_around(left, cells, mask)
    return drawn if drawn is not None and drawn.contrast >= HALF and has_core(drawn, cells) else one


def _describe(kind: str, one: Candidate, measures: Measures, um_per_unit: float | None) -> Region:
    raised = measures.profile(one).mito_ratio
    if kind == LOW_COUNTS and raised is not None and raised >= LEAKED_RATIO:
        kind = LEAKED
    return _region(kind, _filled(one.inside, measures.cells), one, measures, um_per_unit)


def _describe_straight(one: Straight, measures: Measures, um_per_unit: float | None) -> Region:
    """Describe it by what lies beside its lines, since a side runs through many tissues."""
    beside = beside_lines(one)
    raised = measures.profile(beside).mito_ratio
    kind = UNEVEN if raised is None or raised < LEAKED_RATIO else UNEVEN_LEAKED
    return _region(kind, one.inside, beside, measures, um_per_unit)


def _region(
    kind: str, inside: NDArray[np.intp], compared: Candidate, measures: Measures, um_per_unit: float | None
) -> Region:
    cells = measures.cells
    ratio = float(np.exp(-contrast_of(measures.counts, compared)))
    left = float(np.exp(-contrast_of(measures.counts_left, compared)))
    area = None
    if um_per_unit is not None:
        shape = _HEXAGON if find_spacing(cells.xy).lattice == "hexagonal" else 1.0
        area = len(inside) * shape * (cells.pitch * um_per_unit) ** 2 / 1e6
    return Region(
        kind,
        inside,
        int(cells.n_bins[inside].sum()),
        area,
        place_in_words(cells.xy, cells.xy[inside]),
        ratio,
        ratio / left,
        float(np.exp(-contrast_of(measures.genes, compared))),
        measures.profile(compared),
    )


def _filled(inside: NDArray[np.intp], cells: Cells) -> NDArray[np.intp]:
    """Add cells most of whose neighbours belong to the region."""
    mask = np.zeros(cells.n, dtype=bool)
    mask[inside] = True
    degree = np.bincount(cells.pairs.ravel(), minlength=cells.n)
    joined = np.concatenate([cells.pairs, cells.pairs[:, ::-1]])
    of_region = np.bincount(joined[mask[joined[:, 1]], 0], minlength=cells.n)
    return np.flatnonzero(mask | (of_region > _ENCLOSED * np.maximum(degree, 1)))
