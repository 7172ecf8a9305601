"""The tissue phantom: regions, cells and their true expression, from one seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from clearspot.simulate.cells import Cells, place_cells
from clearspot.simulate.choices import TISSUE_WIDTH
from clearspot.simulate.genes import Panel, make_panel
from clearspot.simulate.programs import cell_programs
from clearspot.simulate.staining import Staining
from clearspot.simulate.tissue import GRID_UM, Tissue, make_tissue


@dataclass(frozen=True)
class Phantom:
    """A tissue whose expression is known everywhere.

    The expected expression of any set of cells is ``programs @ panel.loadings``: low-rank, so that it is stored
    once and evaluated for spots, bins or cells as needed. All positions are micrometres from the field's upper
    left corner, x to the right and y down.

    Parameters
    ----------
    seed
        The seed that makes this phantom; what is measured on it is seeded from here too.
    tissue, cells, panel
        Regions, cells, genes.
    programs
        float32, cells x programs: relative RNA amounts.
    staining
        How its section is cut, stained and scanned; the counts do not depend on it.
    panel_seed
        The seed of the panel, where it is shared with other phantoms.
    """

    seed: int
    tissue: Tissue
    cells: Cells
    panel: Panel
    programs: np.ndarray
    staining: Staining = field(default_factory=Staining.default)
    panel_seed: int | None = None

    @property
    def width_um(self) -> float:
        """Width of the field."""
        return self.tissue.shape[1] * GRID_UM

    @property
    def height_um(self) -> float:
        """Height of the field."""
        return self.tissue.shape[0] * GRID_UM

    def program_map(self, program: int) -> np.ndarray:
        """RNA of one program in each 2 µm bin (float32, rows x columns): a cell's is spread evenly over its bins."""
        owner = self.cells.owner
        covered = owner >= 0
        per_bin = self.programs[:, program] / np.bincount(owner[covered], minlength=len(self.cells))
        return np.where(covered, per_bin[np.maximum(owner, 0)], 0).astype(np.float32)

    def bins_to_cells(self) -> sparse.csr_array:
        """Share of each cell (column) that lies in each 2 µm bin (row, in C order): columns sum to 1."""
        owner = self.cells.owner.ravel()
        bins = np.flatnonzero(owner >= 0)
        cells = owner[bins]
        share = 1.0 / np.bincount(cells, minlength=len(self.cells))[cells]
        return sparse.csr_array((share, (bins, cells)), shape=(owner.size, len(self.cells)))


def make_phantom(
    seed: int = 0,
    *,
    width_um: float = 2200.0,
    height_um: float | None = None,
    tissue_width: float = TISSUE_WIDTH,
    n_genes: int = 400,
    staining: Staining | None = None,
    panel_seed: int | None = None,
) -> Phantom:
    """Make a phantom.

    Parameters
    ----------
    seed
        Same seed and sizes, same phantom.
    width_um, height_um
        Size of the field (height as width by default); at least 500 µm, below which layers do not fit.
    tissue_width
        Width of the tissue as a share of the field's.
    n_genes
        Size of the panel, at least one gene a program.
    staining
        How the section is cut, stained and scanned, which changes the picture alone. Default: as it always was.
    panel_seed
        Phantoms with the same one have the same genes with the same expression in each program. Default: ``seed``.

    Raises
    ------
    ValueError
        If the field or the panel is too small.
    """
    height_um = width_um if height_um is None else height_um
    if min(width_um, height_um) < 500:
        raise ValueError(f"the field must be at least 500 µm wide and high, not {width_um:g} x {height_um:g}")
    streams = np.random.SeedSequence(seed).spawn(4)
    rng_tissue, rng_cells, rng_genes, rng_programs = map(np.random.default_rng, streams)
    tissue = make_tissue(rng_tissue, width_um, height_um, tissue_width)
    cells = place_cells(rng_cells, tissue)
    if panel_seed is not None:
        rng_genes = np.random.default_rng(np.random.SeedSequence(panel_seed).spawn(4)[2])
    panel = make_panel(rng_genes, n_genes)
    programs = cell_programs(rng_programs, tissue, cells)
    return Phantom(seed, tissue, cells, panel, programs, staining or Staining.default(), panel_seed)
