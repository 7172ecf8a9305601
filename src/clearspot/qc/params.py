"""Parameters of quality control, and the defaults that depend on how large a spot is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anndata as ad
import numpy as np

from clearspot import keys

# (side in um, counts, genes): floors under which a profile is a handful of molecules. They are not marks of quality: a
# shallow spot is what the denoiser is for, while a spot that is dropped gets no denoised value at all.
_FLOORS: Final = ((2.0, 1, 1), (8.0, 10, 5), (16.0, 25, 15), (55.0, 50, 25))


@dataclass(frozen=True)
class QCParams:
    """Thresholds of quality control.

    Parameters
    ----------
    min_counts, min_genes
        Fewest counts and genes of a spot. ``None``: what :func:`spot_floors` gives for the spot's size.
    min_spots
        Fewest passing spots in which a gene must be seen.
    mito_threshold, hb_threshold
        Largest percentage of a spot's counts on mitochondrial and haemoglobin genes.
    ribo_threshold
        Smallest percentage of a spot's counts on ribosomal protein genes.
    min_spots_left, min_genes_left
        Fewest spots and modelled genes with which the denoiser can be trained.
    n_hvgs
        Number of highly variable genes.
    hvg_min_counts
        Only genes with more counts than this over all passing spots may be highly variable.
    genes_of_interest
        Symbols or gene ids that are flagged and modelled whether or not they vary.
    """

    min_counts: int | None = None
    min_genes: int | None = None
    min_spots: int = 1
    mito_threshold: float = 20.0
    ribo_threshold: float = 0.0
    hb_threshold: float = 100.0
    min_spots_left: int = 50
    min_genes_left: int = 50
    n_hvgs: int = 3000
    hvg_min_counts: int = 100
    genes_of_interest: tuple[str, ...] = ()


def spot_floors(bin_um: float | None) -> tuple[int, int]:
    """Least counts and genes of a spot of the given width.

    Parameters
    ----------
    bin_um
        Side of a square Visium HD bin in micrometres; ``None`` for spots.
    """
    sides, counts, genes = zip(*_FLOORS, strict=True)
    if bin_um is None:
        return counts[-1], genes[-1]
    # between two known sizes along the power law through them, so that any custom bin size has its own floor
    side, known = np.log(bin_um), np.log(sides)
    least_counts, least_genes = (round(float(np.exp(np.interp(side, known, np.log(one))))) for one in (counts, genes))
    return least_counts, least_genes


def bin_size_um(adata: ad.AnnData) -> float | None:
    """Side of a square bin in micrometres as ingest or Space Ranger's scale factors state it; ``None`` for spots."""
    candidates = [adata.uns.get(keys.UNS, {})]
    candidates += [library.get("scalefactors", {}) for library in adata.uns.get(keys.UNS_SPATIAL, {}).values()]
    for source in candidates:
        value = source.get("bin_size_um")
        if value is not None:
            return float(value)
    return None
