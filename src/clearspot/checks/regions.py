"""Regions of a section that look damaged, not like tissue of their own: marked and shown, never dropped.

Multi-scale comparison with the surroundings follows SpotSweeper (Totty et al., Nature Methods 2025), which looks at
the variance of the mitochondrial share; here the counts themselves are compared as well, so that it works without
mitochondrial genes. Tissues differ in their RNA by nature. So the counts that a place's make-up explains are taken off
first (:mod:`clearspot.checks.composition`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot.checks.cells import Cells, make_cells
from clearspot.checks.composition import composition, unexplained
from clearspot.checks.places import place_in_words
from clearspot.checks.region_candidates import (
    NEIGHBOURHOODS,
    Candidate,
    compare_with_around,
    connected_pieces,
    find_candidates,
    smoothed,
)
from clearspot.checks.region_profile import Profile, compare_profiles
from clearspot.graph.lattice import find_spacing
from clearspot.qc.genes import gene_set_masks

LOW_COUNTS: Final = "low counts"
LEAKED: Final = "low counts, high mitochondrial share"
MITOCHONDRIAL: Final = "high mitochondrial share"
SIMPLE: Final = "low complexity"

FEWEST_CELLS: Final = 75
"""Cells below which a section has no surroundings to compare with."""

_LEAST_CELLS: Final = 25
_LEAST_CORE: Final = 8
_CORE_SHARE: Final = 0.25
"""A region needs so much that lies inside of it: strips along the tissue's edge and thin lines have none."""

_HALF: Final = float(np.log(2))
_ALMOST_HALF: Final = 0.5
_MOST_AGAIN: Final = 10
_LEAST_AGAIN: Final = 60
_SHARE_AGAIN: Final = 0.1
"""A prediction from all cells is bent by large regions only."""

_MOSAIC: Final = 3
_MOSAIC_SHARE: Final = 1 / 3
"""So many regions over so much of a section are its tissues: their make-up does not explain their counts."""

_LEAST_STEP: Final = 0.35
"""Natural log by which counts change within two pitches of the border: slow gradients are tissue."""

_LEAKED_RATIO: Final = 1.25
_MOST_OWN: Final = 0.05
"""Share of counts on genes with more counts inside than around: tissues of phantoms have 0.15 and more, the real
artefact 0.025."""

_LESS_COMPLEX: Final = 0.3
_SAME_CONTRAST: Final = 0.8
_MOST_GROWTH: Final = 2.5
_MOSTLY: Final = 0.9
_HEXAGON: Final = float(np.sqrt(3) / 2)
_ENCLOSED: Final = 2 / 3


@dataclass(frozen=True)
class Region:
    """One region.

    Parameters
    ----------
    kind
        :data:`LOW_COUNTS`, :data:`LEAKED`, :data:`MITOCHONDRIAL` or :data:`SIMPLE`.
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
        Whether regions could be told from the section's tissues.
    """

    regions: tuple[Region, ...]
    number: NDArray[np.int64]
    judged: bool = True


@dataclass(frozen=True)
class _Measures:
    """Values of each cell on a log scale, and what the make-up leaves unexplained of them."""

    cells: Cells
    makeup: NDArray[np.float64]
    counts: NDArray[np.float64]
    counts_left: NDArray[np.float64]
    genes: NDArray[np.float64]
    genes_left: NDArray[np.float64]
    mito: NDArray[np.float64] | None
    mito_left: NDArray[np.float64] | None
    is_mito: NDArray[np.bool_]
    is_blood: NDArray[np.bool_]

    def left_without(self, one: Candidate) -> NDArray[np.float64]:
        """Unexplained log counts where the prediction has learned from the rest of the section alone."""
        rest = np.ones(self.cells.n, dtype=bool)
        rest[one.inside] = False
        return unexplained(self.counts, self.makeup, learned_from=rest)

    def profile(self, one: Candidate) -> Profile:
        cells = self.cells
        return compare_profiles(cells.counts, cells.n_bins, one.inside, one.around, self.is_mito, self.is_blood)


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
    a third of the section are not told from its tissues: then there is none, and ``judged`` is false.
    """
    cells = make_cells(counts, xy, bin_um=bin_um, um_per_unit=um_per_unit)
    if cells.n < FEWEST_CELLS:
        return None
    sets = gene_set_masks(symbols, genomes)
    measures = _measure(cells, sets["mt"], sets["hb"])
    chosen: list[tuple[str, Candidate]] = []
    for kind, candidates in (
        (LOW_COUNTS, _low(measures)),
        (LEAKED, _leaked(measures)),
        (MITOCHONDRIAL, _mitochondrial(measures)),
        (SIMPLE, _simple(measures)),
    ):
        for best in candidates:
            if all(not _overlap(best, other) for _, other in chosen):
                whole = _whole(best, candidates, [other for _, other in chosen])
                chosen.append((kind, _outlined(whole, measures) if kind == LOW_COUNTS else whole))
    regions = [_describe(kind, one, measures, um_per_unit) for kind, one in chosen]
    covered = sum(len(one.cells) for one in regions)
    if len(regions) >= _MOSAIC and covered > _MOSAIC_SHARE * cells.n:
        return RegionScan((), np.zeros(len(xy), dtype=np.int64), judged=False)
    regions.sort(key=lambda one: -len(one.cells))
    number = np.zeros(cells.n + 1, dtype=np.int64)
    for n, region in enumerate(regions, start=1):
        number[region.cells] = n
    return RegionScan(tuple(regions), number[cells.of_spot])


def _measure(cells: Cells, mito: NDArray[np.bool_], blood: NDArray[np.bool_]) -> _Measures:
    total = np.asarray(cells.counts.sum(axis=1), dtype=np.float64).ravel()
    log_counts = np.log((total + 0.5) / cells.n_bins)
    makeup = composition(cells, mito)
    genes = np.log(np.maximum(np.diff(cells.counts.indptr), 0.5)) - np.log(_expected_genes(cells.counts, total))
    of_mito = np.asarray(cells.counts[:, mito].sum(axis=1), dtype=np.float64).ravel()
    # a low share is the opposite of what is looked for, so the sign is turned: candidates are low values
    share = -np.log((of_mito + 1) / (total + 4)) if of_mito.sum() > 0 else None
    return _Measures(
        cells,
        makeup,
        log_counts,
        unexplained(log_counts, makeup),
        genes,
        unexplained(genes, makeup),
        share,
        None if share is None else unexplained(share, makeup),
        mito,
        blood,
    )


def _expected_genes(counts: csr_matrix, total: NDArray[np.float64]) -> NDArray[np.float64]:
    """C: genes that a place with so many counts would show if it had the section's mean profile (rarefaction)."""
    share = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    share = share[share > 0] / share.sum()
    depth = np.unique(np.quantile(total, np.linspace(0, 1, 65)))
    genes = np.array([-np.expm1(-share * one).sum() for one in depth])
    return np.maximum(np.interp(total, depth, genes), 0.5)


def _low(measures: _Measures) -> list[Candidate]:
    """Half the counts or less, of those that the make-up explains and of those around.

    A prediction that has learned from the damage explains some of it away, so a little less than half is looked at
    again with one that has learned from the rest of the section alone.
    """
    found = find_candidates(measures.counts_left, measures.cells, least_cells=_LEAST_CELLS, least_contrast=_ALMOST_HALF)
    kept: list[Candidate] = []
    again = 0
    for one in found:
        if (
            one.step < _LEAST_STEP
            or _contrast(measures.counts, one) < _HALF
            or not _has_core(one, measures.cells)
            or measures.profile(one).own_share > _MOST_OWN
        ):
            continue
        if one.contrast < _HALF:
            if len(one.inside) < max(_LEAST_AGAIN, _SHARE_AGAIN * measures.cells.n):
                continue
            again += 1
            if again > _MOST_AGAIN or _contrast(measures.left_without(one), one) < _HALF:
                continue
        kept.append(one)
    return kept


def _leaked(measures: _Measures) -> list[Candidate]:
    """Half the counts with a raised mitochondrial share and no genes of its own: what leaky cells leave behind."""
    if measures.mito is None:
        return []
    found = find_candidates(measures.counts, measures.cells, least_cells=_LEAST_CELLS, least_contrast=_HALF)
    kept = []
    for one in found:
        if one.step < _LEAST_STEP or not _has_core(one, measures.cells):
            continue
        profile = measures.profile(one)
        raised = profile.mito_ratio is not None and profile.mito_ratio >= _LEAKED_RATIO
        if raised and profile.own_share <= _MOST_OWN:
            kept.append(one)
    return kept


def _mitochondrial(measures: _Measures) -> list[Candidate]:
    """Twice the mitochondrial share or more."""
    if measures.mito is None or measures.mito_left is None:
        return []
    return _both(measures.mito_left, measures.mito, measures.cells, _HALF)


def _simple(measures: _Measures) -> list[Candidate]:
    """A quarter fewer genes than places with as many counts."""
    return _both(measures.genes_left, measures.genes, measures.cells, _LESS_COMPLEX)


def _both(left: NDArray[np.float64], raw: NDArray[np.float64], cells: Cells, limit: float) -> list[Candidate]:
    found = find_candidates(left, cells, least_cells=_LEAST_CELLS, least_contrast=limit)
    return [one for one in found if _contrast(raw, one) >= limit and _has_core(one, cells)]


def _contrast(values: NDArray[np.float64], one: Candidate) -> float:
    return float(np.median(values[one.around]) - np.median(values[one.inside]))


def _has_core(one: Candidate, cells: Cells) -> bool:
    """Whether enough cells have all the neighbours that a cell inside tissue has, and all within the region."""
    inside = np.zeros(cells.n, dtype=bool)
    inside[one.inside] = True
    degree = np.bincount(cells.pairs.ravel(), minlength=cells.n)
    within = np.bincount(cells.pairs[inside[cells.pairs].all(axis=1)].ravel(), minlength=cells.n)
    core = int((inside & (degree >= np.quantile(degree, 0.75)) & (within == degree)).sum())
    return core >= max(_LEAST_CORE, _CORE_SHARE * len(one.inside))


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


def _outlined(one: Candidate, measures: _Measures) -> Candidate:
    """Redraw the outline half-way between inside and outside, learning from the rest of the section alone."""
    cells = measures.cells
    left = measures.left_without(one)
    smooth = smoothed(left, cells, NEIGHBOURHOODS[0])
    middle = (np.median(smooth[one.inside]) + np.median(smooth[one.around])) / 2
    pieces = connected_pieces(smooth < middle, cells, _LEAST_CELLS)
    share = [len(np.intersect1d(piece, one.inside)) / len(one.inside) for piece in pieces]
    if not share or max(share) < _MOSTLY:
        return one
    mask = np.zeros(cells.n, dtype=bool)
    mask[pieces[int(np.argmax(share))]] = True
    drawn = compare_with_around(left, cells, mask)
    return drawn if drawn is not None and drawn.contrast >= _HALF and _has_core(drawn, cells) else one


def _describe(kind: str, one: Candidate, measures: _Measures, um_per_unit: float | None) -> Region:
    cells = measures.cells
    profile = measures.profile(one)
    if kind == LOW_COUNTS and profile.mito_ratio is not None and profile.mito_ratio >= _LEAKED_RATIO:
        kind = LEAKED
    whole = replace(one, inside=_filled(one.inside, cells))
    ratio = float(np.exp(-_contrast(measures.counts, one)))
    left = float(np.exp(-_contrast(measures.counts_left, one)))
    area = None
    if um_per_unit is not None:
        shape = _HEXAGON if find_spacing(cells.xy).lattice == "hexagonal" else 1.0
        area = len(whole.inside) * shape * (cells.pitch * um_per_unit) ** 2 / 1e6
    return Region(
        kind,
        whole.inside,
        int(cells.n_bins[whole.inside].sum()),
        area,
        place_in_words(cells.xy, cells.xy[whole.inside]),
        ratio,
        ratio / left,
        float(np.exp(-_contrast(measures.genes, one))),
        profile,
    )


def _filled(inside: NDArray[np.intp], cells: Cells) -> NDArray[np.intp]:
    """Add cells most of whose neighbours belong to the region."""
    mask = np.zeros(cells.n, dtype=bool)
    mask[inside] = True
    degree = np.bincount(cells.pairs.ravel(), minlength=cells.n)
    joined = np.concatenate([cells.pairs, cells.pairs[:, ::-1]])
    of_region = np.bincount(joined[mask[joined[:, 1]], 0], minlength=cells.n)
    return np.flatnonzero(mask | (of_region > _ENCLOSED * np.maximum(degree, 1)))
