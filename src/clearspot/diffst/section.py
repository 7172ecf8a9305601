"""From an AnnData to spots on a fine grid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.diffst.capture import disk_operator, square_operator
from clearspot.diffst.grid import FineGrid
from clearspot.diffst.params import DiffstParams
from clearspot.errors import BadInputError, Problem
from clearspot.qc.passing import passing_spots
from clearspot.record import Message

_DIAMETER_TO_PITCH: Final = 0.55
_MIN_SPOTS: Final = 16
_MIN_GENES: Final = 2


@dataclass(frozen=True)
class Section:
    """Spots, their counts and the grid they are distributed over.

    Parameters
    ----------
    sample
        Sample name.
    genes
        Names.
    rows, columns
        Of the AnnData, ascending.
    counts
        ``(spots, genes)`` float32 CSR.
    xy_px
        ``(spots, 2)`` [column, row] in the full-resolution image.
    pitch_um
        Distance between neighbouring spots.
    diameter_um
        Of what a spot captures; the side for square bins.
    square
        Whether the spots are square bins.
    grid
        The fine bins.
    operator
        Capture operator.
    messages
        What the reader should know.
    """

    sample: str
    genes: tuple[str, ...]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    counts: sp.csr_matrix
    xy_px: NDArray[np.float64]
    pitch_um: float
    diameter_um: float
    square: bool
    grid: FineGrid
    operator: sp.csr_array
    messages: list[Message] = field(default_factory=list)

    @property
    def area_of_bin(self) -> NDArray[np.float64]:
        """Bins' areas inside each spot."""
        return np.asarray(self.operator.sum(axis=1)).ravel()

    def with_genes(self, genes: tuple[str, ...], counts: sp.csr_matrix) -> Section:
        """The same spots with other genes."""
        return replace(self, genes=genes, counts=counts)


def read_section(
    adata: ad.AnnData,
    sample: str,
    params: DiffstParams,
    *,
    microns_per_pixel: float | None = None,
    grid: FineGrid | None = None,
) -> Section:
    """Take passing spots, the chosen genes and the geometry out of an AnnData.

    Parameters
    ----------
    adata
        With counts and ``obsm['spatial']``.
    sample
        Sample name.
    params
        Settings.
    microns_per_pixel
        Overrides ``uns['clearspot']``.
    grid
        Use this one, instead of making one for ``params``.

    Raises
    ------
    BadInputError
        If positions, scale or counts do not allow super-resolution.
    """
    matrix = _matrix(adata, sample, params)
    um_per_px = _scale(adata, sample, microns_per_pixel)
    passing = passing_spots(adata) & (np.asarray(matrix.sum(axis=1)).ravel() > 0)
    rows = np.flatnonzero(passing & np.isfinite(np.asarray(matrix.sum(axis=1))).ravel())
    columns, messages = choose_genes(adata, matrix[rows], params)
    for found, least, what in ((len(rows), _MIN_SPOTS, "spots"), (len(columns), _MIN_GENES, "genes with counts")):
        if found < least:
            raise _bad(sample, f"{found} {what}", f"at least {least}", "Look at filters and gene choice.")
    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[rows, :2]
    side = _bin_side(adata)
    pitch = side or round(_pitch(xy) * um_per_px, 2)
    bin_um = params.bin_um or pitch / params.factor
    diameter = side or params.spot_diameter_um or _DIAMETER_TO_PITCH * pitch
    if bin_um > pitch / 2:
        raise _bad(
            sample, f"bins of {bin_um:g} um at a pitch of {pitch:.0f} um", "at least 2 bins a pitch", "Lower bin_um."
        )
    grid = grid or FineGrid.covering(xy, 1 / um_per_px, bin_um, margin_um=pitch, multiple=8)
    operator = square_operator(xy, side, grid) if side else disk_operator(xy, grid, diameter)
    return Section(
        sample=sample,
        genes=tuple(adata.var_names[columns].astype(str)),
        rows=rows,
        columns=columns,
        counts=sp.csr_matrix(matrix[rows][:, columns], dtype=np.float32),
        xy_px=xy,
        pitch_um=pitch,
        diameter_um=diameter,
        square=side is not None,
        grid=grid,
        operator=sp.csr_array(operator),
        messages=messages,
    )


def choose_genes(
    adata: ad.AnnData, counts: sp.csr_matrix, params: DiffstParams
) -> tuple[NDArray[np.intp], list[Message]]:
    """Columns of the genes to super-resolve, ascending: of those with counts in ``counts``."""
    totals = np.asarray(counts.sum(axis=0)).ravel()
    seen = totals > 0
    messages: list[Message] = []
    if params.genes == "all":
        return np.flatnonzero(seen), messages
    if params.genes == "hvg":
        wanted = _most_variable(adata, counts, seen, params.n_genes)
    else:
        wanted = _named(adata, params.genes)
        if len(absent := _absent(adata, params.genes)):
            messages.append(Message("handled", f"{len(absent)} genes asked for are not here: {', '.join(absent[:10])}"))
    wanted = wanted | _named(adata, params.always_genes)
    return np.flatnonzero(wanted & seen), messages


def _most_variable(adata: ad.AnnData, counts: sp.csr_matrix, seen: NDArray[np.bool_], number: int) -> NDArray[np.bool_]:
    """The first by rank, or by variance over mean where quality control has not ranked them."""
    if keys.HVG_RANK in adata.var:
        rank = pd.to_numeric(adata.var[keys.HVG_RANK]).to_numpy(dtype=np.float64)
        score = np.where(np.isnan(rank), -np.inf, -rank)
    else:
        mean = np.asarray(counts.mean(axis=0)).ravel()
        square = np.asarray(counts.multiply(counts).mean(axis=0)).ravel()
        score = (square - mean**2 - mean) / np.sqrt(np.maximum(mean, 1e-9))
    score = np.where(seen, score, -np.inf)
    chosen = np.argsort(-score, kind="stable")[:number]
    mask = np.zeros(adata.n_vars, dtype=bool)
    mask[chosen[np.isfinite(score[chosen])]] = True
    return mask


def _named(adata: ad.AnnData, names: tuple[str, ...]) -> NDArray[np.bool_]:
    mask = adata.var_names.isin(names)
    if keys.GENE_IDS in adata.var:
        mask |= adata.var[keys.GENE_IDS].astype(str).isin(names).to_numpy()
    return mask


def _absent(adata: ad.AnnData, names: tuple[str, ...]) -> list[str]:
    known = set(adata.var_names)
    if keys.GENE_IDS in adata.var:
        known |= set(adata.var[keys.GENE_IDS].astype(str))
    return [name for name in names if name not in known]


def _matrix(adata: ad.AnnData, sample: str, params: DiffstParams) -> sp.csr_matrix:
    matrix: Any
    if params.input == "denoised":
        if keys.DENOISED not in adata.layers:
            raise _bad(sample, f"no layers['{keys.DENOISED}']", "denoised counts", "Denoise first, or use counts.")
        # genes and spots that were not modelled are NaN: no counts, so they drop out below
        return sp.csr_matrix(np.nan_to_num(np.asarray(adata.layers[keys.DENOISED], dtype=np.float32)))
    matrix = adata.layers.get(keys.COUNTS, adata.X)
    if matrix is None:
        raise _bad(sample, "neither counts nor X", "counts", "Put the counts into layers['counts'].")
    return sp.csr_matrix(matrix, dtype=np.float32)


def _scale(adata: ad.AnnData, sample: str, override: float | None) -> float:
    if keys.SPATIAL not in adata.obsm:
        raise _bad(
            sample, f"no obsm['{keys.SPATIAL}']", "positions in the image", "Ingest the sample with its positions."
        )
    scale = override or adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    if not scale:
        raise _bad(sample, "no micrometres per pixel", "a scale", "Set microns_per_pixel in the samplesheet.")
    return float(scale)


def _bin_side(adata: ad.AnnData) -> float | None:
    """Side of the bins of Visium HD."""
    side = adata.uns.get(keys.UNS, {}).get(keys.BIN_SIZE_UM)
    return float(side) if side else None


def _pitch(xy: NDArray[np.float64]) -> float:
    """Median distance of a spot to its nearest neighbour, in pixels."""
    return float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]))


def _bad(sample: str, found: str, expected: str, mend: str) -> BadInputError:
    return BadInputError(Problem(sample, keys.h5ad_name(sample), found, expected, mend))
