"""Segmented cells of one outs folder as one AnnData object that follows the data contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.safe_keys import safe_key
from clearspot.io.consistency import require_genes, require_one_library, require_scalefactors
from clearspot.io.features import split_features
from clearspot.io.layout import OutsLayout
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.reading import bad
from clearspot.io.registration_pictures import registration_pictures
from clearspot.io.segmented_cells import SegmentedCells, read_segmented_cells
from clearspot.io.sparse_sums import entries_per_column, row_sums
from clearspot.io.spatial_uns import FullImage, open_full_image, spatial_entry
from clearspot.record import StepRecord
from clearspot.version import versions

if TYPE_CHECKING:
    import anndata as ad


def ingest_cells(
    layout: OutsLayout,
    sample: str,
    image: Path | None,
    microns_per_pixel: float | None,
    allow_lowres_image: bool,
    record: StepRecord,
) -> ad.AnnData:
    """Read the cells that have counts.

    Arguments as those of :func:`clearspot.io.ingest.ingest_outs`, which calls it; ``record`` gets metrics and messages.

    Returns
    -------
    AnnData of cells x genes: as of bins, without ``array_row`` and ``array_col``. ``obsm['spatial']`` is the centroid
    of the outline; ``obs`` has the cell's area, its nucleus and its squares; the outlines themselves are in
    ``uns['clearspot']['outlines']`` (:mod:`clearspot.io.outlines`).

    Raises
    ------
    BadInputError
        The input cannot be used.
    """
    factors = require_scalefactors(layout, sample)
    full = open_full_image(image, layout, factors, sample, allow_lowres=allow_lowres_image) if image else None
    with ThreadPoolExecutor(max_workers=1) as beside:  # the decoders of images leave Python's lock to the matrix
        images = beside.submit(spatial_entry, layout, factors, full, sample)
        cells = read_segmented_cells(layout, factors, sample, microns_per_pixel)
        entry, image_messages = images.result()
    matrix = cells.matrix
    require_genes(matrix, layout.matrix, sample)
    library_name = require_one_library(matrix, layout.matrix, sample)
    library = safe_key(library_name)
    features = split_features(matrix)
    record.messages += [*layout.messages, *cells.messages, *image_messages, *features.messages]
    kept = np.diff(features.genes.indptr) > 0
    if not kept.any():
        mend = "provide the matrix of this sample's own Space Ranger run"
        raise bad(layout.matrix, sample, f"no counts in any of the {len(kept)} cells", "cells with counts", mend)

    stated = {
        "software_version": matrix.software_version,
        "chemistry_description": matrix.chemistry,
        "library_id": library_name,
    }
    entry["metadata"] = {name: value for name, value in stated.items() if value is not None}
    # what scanpy and squidpy draw: Space Ranger states the square of a bin here, or nothing
    entry["scalefactors"]["spot_diameter_fullres"] = cells.diameter_px
    entry["scalefactors"].pop(keys.BIN_SIZE_UM, None)

    import anndata as ad

    index = matrix.barcodes[kept].rename(None)
    places = cells.positions()[kept]
    obs = pd.concat([places[[keys.IN_TISSUE]], cells.obs()[kept]], axis=1).set_axis(index)
    obs[keys.SAMPLE_ID] = pd.Categorical.from_codes(np.zeros(len(obs), dtype=np.int8), [sample])
    obs[keys.LIBRARY_ID] = pd.Categorical.from_codes(np.zeros(len(obs), dtype=np.int8), [library])
    adata = ad.AnnData(obs=obs, var=features.var, layers={keys.COUNTS: features.genes[kept]})
    adata.obsm[keys.SPATIAL] = places[[PXL_COL, PXL_ROW]].to_numpy(np.float64)
    if features.proteins is not None:
        adata.obsm[keys.PROTEIN] = features.proteins.loc[index]
    adata.uns[keys.UNS_SPATIAL] = {library: entry}
    adata.uns[keys.UNS] = _provenance(layout, cells, full) | {keys.OUTLINES: cells.outlines_of(kept)}
    pictures, unread = registration_pictures(layout, sample)
    record.messages += unread
    if pictures:
        adata.uns[keys.UNS][keys.REGISTRATION_PICTURES] = pictures
    if features.proteins is not None:
        adata.uns[keys.UNS][keys.PROTEIN_NAMES] = np.array(features.protein_names, dtype=object)
    record.metrics |= _metrics(adata, cells, library, kept)
    if empty := record.metrics["n_in_tissue_without_counts"]:
        record.note("handled", f"{empty} cells have no counts and were excluded.")
    return adata


def _provenance(layout: OutsLayout, cells: SegmentedCells, full: FullImage | None) -> dict[str, Any]:
    assert layout.cells is not None
    found: dict[str, Any] = {
        keys.VERSIONS: versions(["anndata", "h5py"]),
        "assay": layout.assay,
        keys.UNIT: "cells",
        "slide_type": "visium_hd",
        keys.MICRONS_PER_PIXEL: cells.microns_per_pixel,
        "microns_per_pixel_source": cells.microns_per_pixel_source,
        "matrix": layout.matrix.name,
        "positions": layout.cells.outlines.name,
    }
    if full is not None:
        found[keys.IMAGE] = full.described()
    return found


def _metrics(adata: ad.AnnData, cells: SegmentedCells, library: str, kept: NDArray[np.bool_]) -> dict[str, Any]:
    counts = adata.layers[keys.COUNTS]
    umi = row_sums(counts)
    metrics: dict[str, Any] = {
        "assay": "visium_hd",
        "unit": "cells",
        "slide_type": "visium_hd",
        "chemistry": cells.matrix.chemistry,
        "software_version": cells.matrix.software_version,
        "microns_per_pixel": cells.microns_per_pixel,
        "microns_per_pixel_source": cells.microns_per_pixel_source,
        "library_id": library,
        "n_positions": cells.n_outlines,
        "n_in_tissue": len(kept),
        "n_in_tissue_without_counts": int((~kept).sum()),
        "n_spots": adata.n_obs,
        "n_genes": adata.n_vars,
        "n_genes_detected": int((entries_per_column(counts) > 0).sum()),
        "n_genomes": int(adata.var[keys.GENOME].nunique()),
        "total_umi": int(umi.sum()),
        "median_umi_per_spot": float(np.median(umi)),
        "median_genes_per_spot": float(np.median(np.diff(counts.indptr))),
        "fraction_umi_in_cells": cells.fraction_in_cells,
    }
    if keys.PROTEIN in adata.obsm:
        metrics["n_antibodies"] = adata.obsm[keys.PROTEIN].shape[1]
    return metrics
