"""Pairs of histology and fine expression: what is learned from, and other tissue that is scored.

Phantoms: learned from some, scored on others. Kidney (Visium HD): learned from one band of rows of the slide's array,
scored on another, with a guard of 256 um between them. The spots of the scored band are made from its own bins, whose
noise they share; ``kidney-thinned`` makes them from one half of the counts and scores on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anndata as ad
import numpy as np
import scipy.sparse as sp
from cases import Case, dispersed_genes, section
from phantom_case import phantom_case

from clearspot import keys
from clearspot.diffst.data.reference import Reference, from_visium_hd
from clearspot.diffst.data.reference_view import SpotGeometry, pseudo_spots
from clearspot.diffst.data.view import cut_histology
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import Histology, embed
from clearspot.diffst.image.image_samples import GridImage

PHANTOM_PROGRAMS: Final = 24
KIDNEY_PROGRAMS: Final = 32
TRAIN_ROWS: Final = slice(128, 544)
"""Of the slide's array of 8 um bins; a multiple of the widest bins."""

TEST_ROWS: Final = slice(576, 836)
_MEASURED_UM: Final = 8.0
_SPOTS: Final = SpotGeometry()


@dataclass(frozen=True)
class Test:
    """A case that is scored, and the image on its grid."""

    case: Case
    histology: Histology


@dataclass(frozen=True)
class Lesson:
    """What is learned from, and what is scored; the tests are made one at a time."""

    references: Mapping[str, Reference]
    tests: Sequence[Callable[[], Test]]


def phantoms(
    factor: int,
    work: Path,
    *,
    train: Sequence[int],
    test: Sequence[int],
    staining: str = "default",
    other_panel: bool = False,
) -> Lesson:
    """Phantoms of 2.24 mm.

    Parameters
    ----------
    factor
        Bins a pitch.
    work
        Folder for what is simulated.
    train, test
        Their seeds.
    staining
        Of those that are learned from.
    other_panel
        Whether those that are learned from have but every other of the scored genes, and as many others instead.
    """
    scored = list(phantom_case(factor, work, seed=0, panel_seed=0).adata.var_names)
    learned = scored
    if other_panel:
        more = list(phantom_case(factor, work, seed=0, panel_seed=0, n_genes=len(scored) * 3 // 2).adata.var_names)
        learned = [*scored[::2], *[gene for gene in more if gene not in scored][: len(scored) // 2]]
    references = {}
    for seed in train:
        case = phantom_case(factor, work, seed=seed, genes=learned, panel_seed=0, staining=staining)
        counts = sp.csr_array(case.truth.astype(np.float32))
        made = Reference(counts, case.adata.var_names, case.grid, case.tissue)
        references[case.name] = replace(made, histology=_seen(case))

    def of(seed: int) -> Callable[[], Test]:
        def made() -> Test:
            case = phantom_case(factor, work, seed=seed, genes=scored, panel_seed=0)
            return Test(case, _seen(case))

        return made

    return Lesson(references, [of(seed) for seed in test])


def kidney(bin_um: int, data: Path, *, n_genes: int = 100) -> Lesson:
    """The Visium HD kidney on bins of 8, 16 or 32 um; the genes are those that vary most where it is learned from."""
    section = kidney_section(data)
    whole = from_visium_hd(section, bin_um, hd_bin_um=_MEASURED_UM, sample="kidney")
    whole = whole.with_image(data / "hd_kidney" / "kidney.jpg", sample="kidney")
    row = section.obs[keys.ARRAY_ROW].to_numpy()
    learned_from = section[(row >= TRAIN_ROWS.start) & (row < TRAIN_ROWS.stop)].copy()
    wide = from_visium_hd(learned_from, 16.0, hd_bin_um=_MEASURED_UM, sample="kidney")
    whole = _of_genes(whole, dispersed_genes(wide.counts, n_genes))
    scored, name = _band(whole, TEST_ROWS), f"kidney-{bin_um}um"

    def of(*, thinned: bool) -> Callable[[], Test]:
        return lambda: spotted(name, scored, thinned=thinned)

    return Lesson({name: _band(whole, TRAIN_ROWS)}, [of(thinned=False), of(thinned=True)])


def kidney_section(data: Path) -> ad.AnnData:
    """The section with its array and counts where the product looks for them."""
    whole = ad.read_h5ad(data / "hd_kidney" / "kidney.h5ad")
    whole.obs[keys.ARRAY_ROW], whole.obs[keys.ARRAY_COL] = whole.obs["row"], whole.obs["col"]
    whole.layers[keys.COUNTS] = whole.X
    return whole


def _band(whole: Reference, rows: slice) -> Reference:
    """Some rows of the slide, with features that were standardised on the slide."""
    if whole.histology is None:
        raise ValueError("the kidney has an image")
    grid, times = whole.grid, round(whole.grid.bin_um / _MEASURED_UM)
    first, stop = rows.start // times, -(-rows.stop // times)
    last = min(-(-stop // 8) * 8, grid.n_rows)
    window = slice(first, last), slice(0, grid.n_cols)
    x, y = grid.origin_px
    cut = FineGrid(grid.bin_um, last - first, grid.n_cols, (x, y + first * grid.bin_px), grid.px_per_um)
    tissue = whole.tissue[window].copy()
    tissue[stop - first :] = False
    counts = sp.csr_array(whole.counts[first * grid.n_cols : last * grid.n_cols])
    return replace(whole, counts=counts, grid=cut, tissue=tissue, histology=cut_histology(whole.histology, window))


def _of_genes(reference: Reference, columns: np.ndarray) -> Reference:
    counts = sp.csr_array(reference.counts[:, columns], dtype=np.float32)
    return replace(reference, counts=counts, genes=reference.genes[columns])


def spotted(name: str, reference: Reference, *, thinned: bool = False, lattice: int = 0) -> Test:
    """Spots as the assay would have measured them, from all counts of the bins or from a half of them.

    Parameters
    ----------
    name
        Of the case; ``-thinned`` is added to it.
    reference
        Bins with an image.
    thinned
        Whether the spots have one half of the counts, and the other half is the truth.
    lattice
        Another number gives another lattice of spots.
    """
    measured, left = reference, reference.counts
    if thinned:
        half = reference.counts.copy()
        half.data = np.random.default_rng(17).binomial(half.data.astype(np.int64), 0.5).astype(np.float32)
        measured, left, name = replace(reference, counts=half), reference.counts - half, f"{name}-thinned"
    spots = pseudo_spots(name, measured, _SPOTS, seed=5, lattice=lattice)
    grid = reference.grid
    case = Case(
        name=name,
        adata=section(spots.counts, reference.genes, spots.xy_px, 1 / grid.px_per_um),
        grid=grid,
        operator=spots.operator,
        pitch_um=_SPOTS.pitch_um,
        diameter_um=_SPOTS.diameter_um,
        truth=left.toarray().astype(np.float32),
        truth_is_counts=True,
        tissue=reference.tissue,
    )
    if reference.histology is None:
        raise ValueError(f"{name} has no image")
    return Test(case, reference.histology)


def _seen(case: Case) -> Histology:
    if case.image is None:
        raise ValueError(f"{case.name} has no image")
    return embed(GridImage.open(case.image, case.grid, case.name), case.grid)
