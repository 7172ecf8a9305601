"""Parameters of quality control, and the defaults that depend on how large a spot is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clearspot import keys
from clearspot.contract.settings import Settings, setting

if TYPE_CHECKING:
    import anndata as ad  # a second to import, and --help should not wait for it

# (side in µm, counts, genes): floors under which a profile is a handful of molecules. They are not marks of quality: a
# shallow spot is what the denoiser is for, while a spot that is dropped gets no denoised value at all.
_FLOORS: Final = ((2.0, 1, 1), (8.0, 10, 5), (16.0, 25, 15), (55.0, 50, 25))


MITO_PERCENT: Final = 20.0
"""Mitochondrial share that the default threshold never goes below: the field's usual one."""


@dataclass(frozen=True)
class QCParams(Settings):
    """Thresholds of quality control."""

    min_counts: int | None = setting(
        None, "Minimum counts per spot.", none="a minimum that depends on the size of a spot or bin", ge=0
    )
    min_genes: int | None = setting(
        None, "Minimum genes detected per spot.", none="a minimum that depends on the size of a spot or bin", ge=0
    )
    min_spots: int = setting(1, "Minimum number of passing spots in which a gene must be detected.", ge=0)
    mito_threshold: float | None = setting(
        None,
        "Maximum share of mitochondrial counts per spot, in percent.",
        none=f"{MITO_PERCENT:g}, or three robust standard deviations above the section's median if that is higher",
        ge=0,
        le=100,
    )
    ribo_threshold: float = setting(
        0.0, "Minimum share of ribosomal protein counts per spot, in percent.", ge=0, le=100
    )
    hb_threshold: float = setting(100.0, "Maximum share of haemoglobin counts per spot, in percent.", ge=0, le=100)
    min_spots_left: int = setting(
        50, "Minimum number of passing spots per sample. Samples with fewer are refused.", ge=1
    )
    min_genes_left: int = setting(50, "Minimum number of genes to model. Samples with fewer are refused.", ge=1)
    n_hvgs: int = setting(3000, "Number of highly variable genes.", ge=10)
    hvg_min_counts: int = setting(
        100, "Minimum counts of a highly variable gene: only genes with more counts are considered.", ge=0
    )
    destripe: bool = setting(
        False, "Visium HD: remove row and column stripes from the bin counts, into a separate layer."
    )
    genes_of_interest: tuple[str, ...] = setting(
        (), "Genes (symbols or ids) that are always flagged and modelled, highly variable or not."
    )


def spot_floors(bin_um: float | None) -> tuple[int, int]:
    """Least counts and genes of a spot of the given width.

    Parameters
    ----------
    bin_um
        Side of a square Visium HD bin (or of a square as large as the median cell) in micrometres; ``None`` for spots.
    """
    if bin_um is None:
        return _FLOORS[-1][1:]
    import numpy as np  # the scripts' --help should not wait for it

    # between two known sizes along the power law through them, so that any custom bin size has its own floor
    sides, counts, genes = np.log(_FLOORS).T
    side = np.log(bin_um)
    return round(float(np.exp(np.interp(side, sides, counts)))), round(float(np.exp(np.interp(side, sides, genes))))


def bin_size_um(adata: ad.AnnData) -> float | None:
    """Side of a square bin in micrometres as ingest or Space Ranger's scale factors state it.

    ``None`` for spots, and for cells, whatever bins lie beside them.
    """
    if unit_of(adata) == "cells":
        return None
    candidates = [adata.uns.get(keys.UNS, {})]
    candidates += [library.get("scalefactors", {}) for library in adata.uns.get(keys.UNS_SPATIAL, {}).values()]
    for source in candidates:
        value = source.get(keys.BIN_SIZE_UM)
        if value is not None:
            return float(value)
    return None


def unit_of(adata: ad.AnnData) -> str | None:
    """What an observation is (``spots``, ``bins`` or ``cells``) as ingest states it; ``None`` where it does not."""
    return adata.uns.get(keys.UNS, {}).get(keys.UNIT)


def place_size_um(adata: ad.AnnData) -> float | None:
    """Side of a bin, or of a square as large as the median cell, in micrometres; ``None`` for spots."""
    if unit_of(adata) == "cells" and keys.CELL_AREA in adata.obs:
        return float(adata.obs[keys.CELL_AREA].median() ** 0.5)
    return bin_size_um(adata)
