"""Count a phantom's RNA on the spots of a slide, or on its bins of every size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from clearspot.simulate.arrays import Chemistry, SpotArray, hd_array, visium_array
from clearspot.simulate.capture import Assay, Capture, capture, capture_operator
from clearspot.simulate.counts import sample_counts, split_counts
from clearspot.simulate.faults import Faults
from clearspot.simulate.genes import Panel
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.tenx import Matrix
from clearspot.simulate.tissue import GRID_UM

COUNTED_UM = 8
"""Size of the Visium HD bins at which counts are drawn; others are sums or parts of these."""


@dataclass(frozen=True)
class Level:
    """Spots, or bins of one size.

    Parameters
    ----------
    array
        In the order of the positions file.
    in_tissue
        One entry a spot of ``array``.
    raw
        All spots of ``array`` that Space Ranger lists, sorted by barcode.
    """

    array: SpotArray
    in_tissue: np.ndarray
    raw: Matrix

    @property
    def raw_in_tissue(self) -> np.ndarray:
        """``in_tissue`` in the order of ``raw``."""
        return self.in_tissue[np.argsort(self.array.barcodes)]

    @property
    def filtered(self) -> Matrix:
        """The matrix of the spots under tissue."""
        return self.raw.take(np.flatnonzero(self.raw_in_tissue))


@dataclass(frozen=True)
class Measurement:
    """Everything that was counted; for Visium one level with key 0, for Visium HD one a bin size."""

    levels: dict[int, Level]
    array: SpotArray
    capture: Capture


def measure(
    phantom: Phantom,
    chemistry: Chemistry,
    panel: Panel,
    assay: Assay,
    seed: np.random.SeedSequence,
    bin_sizes: Sequence[int] = (COUNTED_UM,),
    faults: Faults | None = None,
) -> Measurement:
    """Capture the RNA and draw the counts.

    Parameters
    ----------
    phantom, chemistry, assay
        What is measured on what, and how well.
    panel
        The features of the assay (genes and others).
    seed
        Source of all randomness.
    bin_sizes
        Visium HD only: bin sizes to give, of 2, 8 and 16 µm.
    faults
        What goes wrong.

    Returns
    -------
    Counts by level, and the capture that they were drawn from.
    """
    seed_slide, seed_counts, seed_split = seed.spawn(3)
    genes = (panel.var["feature_types"] == "Gene Expression").to_numpy()
    totals = panel.loadings[:, genes].sum(axis=1)
    theta = panel.var["dispersion"].to_numpy()
    if chemistry == "hd":
        array = hd_array(COUNTED_UM, phantom.width_um, phantom.height_um)
    else:
        array = visium_array(chemistry, phantom.width_um, phantom.height_um)
    captured = capture(np.random.default_rng(seed_slide), phantom, array, assay, totals)
    faults = faults or Faults()
    captured = faults.spread(captured, array)
    counts = sample_counts(seed_counts, captured.measured, panel.loadings, theta, dropout=assay.dropout)
    counts = faults.spoil_counts(counts, array, captured.in_tissue, panel.var)
    if chemistry != "hd":
        return Measurement({0: _level(array, captured.in_tissue, counts, panel)}, array, captured)
    levels = {}
    for size in sorted(bin_sizes):
        bins = hd_array(size, phantom.width_um, phantom.height_um)
        in_tissue = _mostly_tissue(phantom, bins)
        if size < COUNTED_UM:
            rng = np.random.default_rng(seed_split)
            fine = capture(rng, phantom, bins, assay, totals)
            binned = split_counts(rng, counts, _nested(bins, array), fine.measured, panel.loadings)
        elif size > COUNTED_UM:
            parts = _nested(array, bins)
            owner = np.repeat(np.arange(len(bins)), parts.shape[1])
            sums = sparse.csr_array((np.ones(parts.size, dtype=np.int32), (owner, parts.ravel())))
            binned = sparse.csr_array(sums @ counts)
        else:
            binned = counts
        levels[size] = _level(bins, in_tissue, binned, panel)
    return Measurement(levels, array, captured)


def _level(array: SpotArray, in_tissue: np.ndarray, counts: sparse.csr_array, panel: Panel) -> Level:
    order = np.argsort(array.barcodes)
    raw = Matrix(counts[order], array.barcodes[order], panel.var)
    return Level(array, in_tissue, raw)


def _mostly_tissue(phantom: Phantom, bins: SpotArray) -> np.ndarray:
    covered = capture_operator(bins, phantom.tissue.shape) @ phantom.tissue.mask.ravel().astype(np.float32)
    return covered > 0.5 * bins.area_um2 / GRID_UM**2


def _nested(fine: SpotArray, coarse: SpotArray) -> np.ndarray:
    """For each coarse bin, the fine bins inside it (both row by row over the same field)."""
    factor = round(coarse.size_um / fine.size_um)
    rows, cols = (int(np.ptp(index)) + 1 for index in (fine.row, fine.col))
    grid = np.arange(len(fine)).reshape(rows // factor, factor, cols // factor, factor)
    return grid.transpose(0, 2, 1, 3).reshape(len(coarse), factor**2)
