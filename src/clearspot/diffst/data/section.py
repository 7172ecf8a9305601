"""From an AnnData to spots on a fine grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.contract.counts import read_counts
from clearspot.contract.gene_lists import GENES_OF_INTEREST, find_genes
from clearspot.contract.sections import bad_section, require_one_section, require_positions
from clearspot.diffst.geometry.capture_operator import disk_operator, square_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.params import DiffstParams
from clearspot.qc.passing import passing_spots
from clearspot.record import Message

_DIAMETER_TO_PITCH: Final = 0.55
_MIN_SPOTS: Final = 16
_MIN_GENES: Final = 2


@dataclass(frozen=True)
class SpotSection:
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


def read_section(
    adata: ad.AnnData,
    sample: str,
    params: DiffstParams,
    *,
    microns_per_pixel: float | None = None,
    grid: FineGrid | None = None,
) -> SpotSection:
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
    require_one_section(adata, sample, "Super-resolution")
    matrix = _matrix(adata, sample, params)
    um_per_px = _scale(adata, sample, microns_per_pixel)
    passing = passing_spots(adata, sample) & (np.asarray(matrix.sum(axis=1)).ravel() > 0)
    rows = np.flatnonzero(passing & np.isfinite(np.asarray(matrix.sum(axis=1))).ravel())
    columns, messages = choose_genes(adata, matrix[rows], params, sample)
    for found, least, what in ((len(rows), _MIN_SPOTS, "spots"), (len(columns), _MIN_GENES, "genes with counts")):
        if found < least:
            raise bad_section(
                sample, f"{found} {what}", f"at least {least}", "Check the filters and the choice of genes."
            )
    xy = require_positions(adata, sample, rows)
    side = _bin_side(adata)
    pitch = side or round(_pitch(xy) * um_per_px, 2)
    bin_um = params.bin_um or pitch / params.factor
    diameter = side or params.spot_diameter_um or _DIAMETER_TO_PITCH * pitch
    if bin_um > pitch / 2:
        raise bad_section(
            sample,
            f"bins of {bin_um:g} µm at a spot pitch of {pitch:.0f} µm",
            "at least 2 bins per spot pitch",
            "Decrease bin_um.",
        )
    grid = grid or FineGrid.covering(xy, 1 / um_per_px, bin_um, margin_um=pitch, multiple=8)
    operator = square_operator(xy, side, grid) if side else disk_operator(xy, grid, diameter)
    return SpotSection(
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
    adata: ad.AnnData, counts: sp.csr_matrix, params: DiffstParams, sample: str = "sample"
) -> tuple[NDArray[np.intp], list[Message]]:
    """Columns of the genes to super-resolve, ascending: of those with counts in ``counts``.

    Raises
    ------
    BadInputError
        If a list is given and the section has none of its genes.
    """
    totals = np.asarray(counts.sum(axis=0)).ravel()
    seen = totals > 0
    messages: list[Message] = []
    if params.genes == "all":
        wanted = seen
    elif params.genes == "hvg":
        wanted = _most_variable(adata, counts, seen, params.n_genes)
    else:
        wanted = _named(adata, params.genes, sample, "genes to super-resolve", messages)
    always = _named(adata, params.always_genes, sample, GENES_OF_INTEREST, messages)
    if silent := int(np.count_nonzero(always & ~seen)):
        text = f"{silent} {GENES_OF_INTEREST} have no counts in this section and are not super-resolved."
        messages.append(Message("handled", text))
    wanted = wanted | always
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


def _named(
    adata: ad.AnnData, names: tuple[str, ...], sample: str, what: str, messages: list[Message]
) -> NDArray[np.bool_]:
    """Mask of the genes with these names or ids; absent ones go to ``messages``."""
    lookup = find_genes(adata, names, sample, what)
    if absent := lookup.warning(what):
        messages.append(Message("warning", absent))
    return lookup.mask(adata.n_vars)


def _matrix(adata: ad.AnnData, sample: str, params: DiffstParams) -> sp.csr_matrix:
    if params.input == "denoised":
        if keys.DENOISED not in adata.layers:
            found, mend = f"no layers['{keys.DENOISED}']", "Denoise first, or use counts."
            if file := adata.uns.get(keys.UNS, {}).get("dusted", {}).get("denoised_file"):
                found, mend = f"denoised counts in {file}", "Denoise with denoised_store='layer', or use counts."
            raise bad_section(sample, found, f"denoised counts in layers['{keys.DENOISED}']", mend)
        # genes and spots that were not modelled are NaN: no counts, so they drop out below
        return sp.csr_matrix(np.nan_to_num(np.asarray(adata.layers[keys.DENOISED], dtype=np.float32)))
    return sp.csr_matrix(read_counts(adata, sample), dtype=np.float32)


def _scale(adata: ad.AnnData, sample: str, override: float | None) -> float:
    scale = override or adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    if not scale:
        given = by_caller("microns_per_pixel", "--microns-per-pixel", "microns_per_pixel in the samplesheet")
        raise bad_section(sample, "an unknown pixel size", "a known pixel size", f"Set {given}.")
    return float(scale)


def _bin_side(adata: ad.AnnData) -> float | None:
    """Side of the bins of Visium HD."""
    side = adata.uns.get(keys.UNS, {}).get(keys.BIN_SIZE_UM)
    return float(side) if side else None


def _pitch(xy: NDArray[np.float64]) -> float:
    """Median distance of a spot to its nearest neighbour, in pixels."""
    return float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]))
