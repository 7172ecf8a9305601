"""Checks of the slide as a whole, as part of quality control: what they find goes into the record and ``obs``."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.checks.bleeding import measure_bleeding
from clearspot.checks.picture_tiles import judge_tiles
from clearspot.checks.regions import FEWEST_CELLS, Region, RegionScan, scan_regions
from clearspot.contract.places import place_of
from clearspot.qc.params import place_size_um
from clearspot.qc.picture import microns_per_pixel, reduced_picture
from clearspot.record import StepRecord

PANEL_GENES: Final = 2000
"""Fewer measured genes than this are a targeted panel: the smallest transcriptome-wide probe set has ten times more."""

_MOST_ON_MAP: Final = 6000
_SQUARE_UM: Final = 100.0


def add_slide_checks(record: StepRecord, adata: ad.AnnData) -> None:
    """Look for damaged regions, spread RNA, a poor picture and the size of the panel; nothing is dropped.

    Sets ``obs['artefact_region']`` and ``obs['artefact_kind']`` (categories, empty text outside of regions) in place.
    """
    _add_panel(record, adata)
    _add_regions(record, adata)
    _add_bleeding(record, adata)
    _add_picture(record, adata)


def _add_panel(record: StepRecord, adata: ad.AnnData) -> None:
    seen = int((adata.layers[keys.COUNTS].getnnz(axis=0) > 0).sum())
    record.metrics["is_panel"] = adata.n_vars < PANEL_GENES
    if seen:
        record.metrics["percent_genes_seen"] = 100.0 * float(np.median(adata.obs[keys.N_GENES])) / seen


def _add_regions(record: StepRecord, adata: ad.AnnData) -> None:
    counts: csr_matrix = adata.layers[keys.COUNTS]
    genomes = adata.var[keys.GENOME].astype(str).tolist() if keys.GENOME in adata.var else None
    scan = scan_regions(
        counts,
        np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64),
        adata.var_names.tolist(),
        genomes=genomes,
        bin_um=place_size_um(adata),
        um_per_unit=microns_per_pixel(adata),
    )
    if scan is None:
        record.note(
            "info", f"There are fewer than {FEWEST_CELLS} {place_of(adata)}s, so damaged regions were not searched for."
        )
        return
    if not scan.judged:
        record.note(
            "info",
            "The tissues of this section differ so strongly in RNA content that damaged regions cannot be "
            "distinguished.",
        )
        return
    _mark(adata, scan)
    areas = [region.area_mm2 for region in scan.regions if region.area_mm2 is not None]
    record.metrics |= {
        "n_low_regions": len(scan.regions),
        "percent_spots_in_regions": 100.0 * float((scan.number > 0).mean()),
    }
    if areas:
        record.metrics["largest_region_mm2"] = max(areas)
    if scan.regions:
        record.tables["regions"] = _table(scan.regions)


def _mark(adata: ad.AnnData, scan: RegionScan) -> None:
    names = ["", *(str(n) for n in range(1, len(scan.regions) + 1))]
    adata.obs[keys.ARTEFACT_REGION] = pd.Categorical.from_codes(scan.number, categories=names)
    kinds = sorted({region.kind for region in scan.regions})
    of_region = np.array([0, *(1 + kinds.index(region.kind) for region in scan.regions)])
    adata.obs[keys.ARTEFACT_KIND] = pd.Categorical.from_codes(of_region[scan.number], categories=["", *kinds])


def _table(regions: tuple[Region, ...]) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {"region": [str(n) for n in range(1, len(regions) + 1)]}
    for name in ("kind", "place", "n_spots", "area_mm2", "counts_ratio", "explained_ratio", "genes_ratio"):
        table[name] = [getattr(region, name) for region in regions]
    table["mito_ratio"] = [region.profile.mito_ratio for region in regions]
    return table


def _add_bleeding(record: StepRecord, adata: ad.AnnData) -> None:
    outside = adata.uns.get(keys.UNS, {}).get(keys.OUTSIDE_TISSUE)
    if outside is None:
        return
    xy, counts, number = (np.asarray(outside[name], dtype=np.float64) for name in ("xy", "counts", "n_positions"))
    inside = adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=np.float64)
    everywhere = counts.sum() + inside.sum()
    if everywhere:
        record.metrics["percent_counts_outside_tissue"] = 100.0 * float(counts.sum() / everywhere)
    scale = microns_per_pixel(adata)
    if scale is None:
        return
    tissue = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    found = measure_bleeding(xy, counts, number, tissue, inside, scale)
    if found is None:
        record.note("info", "Too few positions lie outside the tissue to measure RNA diffusion.")
        return
    record.metrics |= {
        "bleed_spread_um": found.spread_um,
        "bleed_share": found.share,
        "far_to_tissue_counts": found.far_ratio,
    }
    record.tables["bleeding"] = found.table
    record.tables["outside_tissue"] = _map(xy, counts, number, scale)


def _map(
    xy: NDArray[np.float64], counts: NDArray[np.float64], number: NDArray[np.float64], scale: float
) -> dict[str, list[Any]]:
    """Counts per position in squares, at most :data:`_MOST_ON_MAP` of them for the page."""
    side = _SQUARE_UM / scale
    while len(xy) > _MOST_ON_MAP:
        column, row = np.floor((xy - xy.min(axis=0)) / side).astype(np.int64).T
        square = np.unique(row * (column.max() + 1) + column, return_inverse=True)[1]
        total = np.bincount(square, weights=number)
        xy = np.column_stack([np.bincount(square, weights=axis * number) / total for axis in xy.T])
        counts, number = np.bincount(square, weights=counts).astype(np.float64), total.astype(np.float64)
        side *= 2
    return {
        "x": np.round(xy[:, 0], 1).tolist(),
        "y": np.round(xy[:, 1], 1).tolist(),
        "counts": np.round(counts / number, 3).tolist(),
    }


def _add_picture(record: StepRecord, adata: ad.AnnData) -> None:
    picture = reduced_picture(adata, ("hires",))
    if picture is None:
        return
    pixels, factor = picture
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = np.clip(pixels * (255.0 if pixels.max(initial=0.0) <= 1.0 else 1.0), 0, 255)
    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    reach = 0.5 * float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]))
    found = judge_tiles(pixels.astype(np.uint8), factor, xy, reach, microns_per_pixel(adata))
    if found is None:
        record.note(
            "info",
            f"The tissue image is blank or does not cover the {place_of(adata)}s, so its quality was not checked.",
        )
        return
    record.metrics |= {
        "percent_tiles_blurred": found.percent_blurred,
        "percent_tiles_overexposed": found.percent_overexposed,
        "percent_tiles_underexposed": found.percent_underexposed,
        "percent_tiles_pale": found.percent_pale,
        "percent_tiles_usable": found.percent_usable,
        "image_tissue_share": found.tissue_share,
    }
    record.tables["picture_tiles"] = found.table
