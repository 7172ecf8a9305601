"""What a slide captures of the phantom: true RNA under each spot, and what diffusion, loss and soup make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import ndimage, sparse

from clearspot.simulate.arrays import Chemistry, SpotArray
from clearspot.simulate.fields import smooth_field
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.tissue import DOMAINS, GRID_UM

_SPOT_AREA_UM2: Final = np.pi * 55.0**2 / 4


@dataclass(frozen=True)
class Assay:
    """How well the measurement worked.

    Parameters
    ----------
    umi_per_spot
        Mean UMIs that reach 2,376 um2 (a 55 µm spot) of tissue; bins get their share by area.
    core_um
        Standard deviation of the short-range diffusion of RNA.
    tail, tail_um
        Share of the RNA that diffuses far, and how far (standard deviation).
    background
        Soup: UMIs that every spot gets, on tissue or off, as a share of ``umi_per_spot``.
    efficiency_smooth, efficiency_spot
        Standard deviation of the log capture efficiency: its smooth part (length 500 µm) and that of each spot.
    dropout
        Probability that a spot loses a gene that it expects far less than once.
    """

    umi_per_spot: float
    core_um: float = 5.0
    tail: float = 0.15
    tail_um: float = 70.0
    background: float = 0.01
    efficiency_smooth: float = 0.18
    efficiency_spot: float = 0.12
    dropout: float = 0.05


def default_assay(chemistry: Chemistry, n_genes: int, *, low_quality: bool = False) -> Assay:
    """Typical assay: counts grow with the panel up to those of a whole transcriptome; probes diffuse less.

    ``low_quality``: a tenth of the counts, and soup and diffusion of a failed permeabilisation.
    """
    depth = min(5.0 * n_genes, 6000.0) * (1.0 if chemistry == "v1" else 1.4)
    if low_quality:
        return Assay(0.1 * depth, core_um=8.0, tail=0.45, background=0.5, efficiency_smooth=0.5, dropout=0.2)
    if chemistry == "v1":
        return Assay(depth)
    return Assay(depth, core_um=4.0, tail=0.08, efficiency_spot=0.10 if chemistry == "v2" else 0.05)


@dataclass(frozen=True)
class Capture:
    """Per spot: the truth, and the mean of what is counted. Both are amounts of RNA by program.

    Parameters
    ----------
    truth
        float32, spots x programs: times the loadings, the counts to expect from the RNA that lies in the spot with a
        slide of even efficiency and without diffusion, soup or drop-out.
    measured
        float32, spots x programs: times the loadings, the mean of the counts drawn.
    efficiency
        float32: capture efficiency relative to the slide's mean.
    domains
        float32, spots x domains: share of the spot's area in each domain; the rest is off tissue.
    scale
        UMIs per unit of ``Phantom.programs``.
    """

    truth: np.ndarray
    measured: np.ndarray
    efficiency: np.ndarray
    domains: np.ndarray
    scale: float

    @property
    def in_tissue(self) -> np.ndarray:
        """True where most of the spot lies on tissue."""
        return self.domains.sum(axis=1) > 0.5

    def take(self, index: np.ndarray) -> Capture:
        """Return some of the spots."""
        parts = {name: getattr(self, name)[index] for name in ("truth", "measured", "efficiency", "domains")}
        return replace(self, **parts)


def capture_operator(array: SpotArray, shape: tuple[int, int]) -> sparse.csr_array:
    """Weights with which each spot (row) covers the 2 µm bins (columns, C order) of a field.

    Bins of Visium HD cover whole fine bins. The rim of a round spot is weighted by its distance from the fine bin's
    centre, which gives the disk's area to better than 1 %. Weights are shares of a fine bin.
    """
    reach = int(np.ceil(array.size_um / 2 / GRID_UM)) + 1
    near_row = np.floor(array.y_um / GRID_UM).astype(int)
    near_col = np.floor(array.x_um / GRID_UM).astype(int)
    rows, cols, weights = [], [], []
    for d_row in range(-reach, reach + 1):
        for d_col in range(-reach, reach + 1):
            r, c = near_row + d_row, near_col + d_col
            dy = (r + 0.5) * GRID_UM - array.y_um
            dx = (c + 0.5) * GRID_UM - array.x_um
            # Distance inside the rim, in fine bins; 0 on the rim.
            inside = (
                array.size_um / 2 - (np.maximum(abs(dx), abs(dy)) if array.square else np.hypot(dx, dy))
            ) / GRID_UM
            weight = (inside > 0).astype(float) if array.square else np.clip(inside + 0.5, 0, 1)
            hit = np.flatnonzero((weight > 0) & (r >= 0) & (r < shape[0]) & (c >= 0) & (c < shape[1]))
            rows.append(hit)
            cols.append(r[hit] * shape[1] + c[hit])
            weights.append(weight[hit])
    entries = (np.concatenate(weights).astype(np.float32), (np.concatenate(rows), np.concatenate(cols)))
    return sparse.csr_array(entries, shape=(len(array), shape[0] * shape[1]))


def capture(
    rng: np.random.Generator, phantom: Phantom, array: SpotArray, assay: Assay, program_totals: np.ndarray
) -> Capture:
    """Capture the phantom's RNA on an array.

    Parameters
    ----------
    rng
        Source of the slide's efficiency.
    phantom, array, assay
        What, where and how well.
    program_totals
        For each program, the sum of the loadings of the genes that the assay can see (1: all of them).

    Returns
    -------
    Truth and measured means by spot and program.

    Raises
    ------
    ValueError
        If no spot lies on tissue.
    """
    operator = capture_operator(array, phantom.tissue.shape)
    n_programs = phantom.programs.shape[1]
    truth = np.empty((len(array), n_programs), dtype=np.float32)
    measured = np.empty_like(truth)
    for program in range(n_programs):
        fine = phantom.program_map(program)
        truth[:, program] = operator @ fine.ravel()
        measured[:, program] = operator @ _diffuse(fine, assay).ravel()
    domains = _domain_shares(operator, phantom, array)
    in_tissue = domains.sum(axis=1) > 0.5
    if not in_tissue.any():
        raise ValueError("no spot of the array lies on the phantom's tissue")
    umi = assay.umi_per_spot * array.area_um2 / _SPOT_AREA_UM2
    scale = umi / float((truth[in_tissue] @ program_totals).mean())
    truth *= scale
    soup = truth[in_tissue].mean(axis=0)
    efficiency = _efficiency(rng, array, assay)
    measured = efficiency[:, None] * (measured * scale + assay.background * soup)
    return Capture(truth, measured.astype(np.float32), efficiency, domains, scale)


def _diffuse(fine: np.ndarray, assay: Assay) -> np.ndarray:
    """Spread one program's RNA: most of it a little, some of it far."""
    near = ndimage.gaussian_filter(fine, assay.core_um / GRID_UM, mode="constant", truncate=3)
    # The far part is smooth: work it out on 16 µm blocks and interpolate.
    block = 8
    rows, cols = (-(-n // block) * block for n in fine.shape)
    padded = np.zeros((rows, cols), dtype=np.float32)
    padded[: fine.shape[0], : fine.shape[1]] = fine
    coarse = padded.reshape(rows // block, block, cols // block, block).mean(axis=(1, 3))
    coarse = ndimage.gaussian_filter(coarse, assay.tail_um / (GRID_UM * block), mode="constant")
    far = ndimage.zoom(coarse, block, order=1, mode="nearest", grid_mode=True)[: fine.shape[0], : fine.shape[1]]
    return (1 - assay.tail) * near + assay.tail * far


def _domain_shares(operator: sparse.csr_array, phantom: Phantom, array: SpotArray) -> np.ndarray:
    full = array.area_um2 / GRID_UM**2
    domain = phantom.tissue.domain.ravel()
    shares = [operator @ (domain == index).astype(np.float32) / full for index in range(1, len(DOMAINS) + 1)]
    return np.minimum(np.stack(shares, axis=1), 1).astype(np.float32)


def _efficiency(rng: np.random.Generator, array: SpotArray, assay: Assay) -> np.ndarray:
    """Capture efficiency of each spot, one on average."""
    step = 50.0
    row = (array.y_um - array.y_um.min()) / step
    col = (array.x_um - array.x_um.min()) / step
    field = smooth_field(rng, (int(row.max()) + 2, int(col.max()) + 2), 500.0 / step)
    smooth = ndimage.map_coordinates(field, [row, col], order=1)
    log = assay.efficiency_smooth * smooth + assay.efficiency_spot * rng.standard_normal(len(array))
    return (np.exp(log) / np.exp(log).mean()).astype(np.float32)
