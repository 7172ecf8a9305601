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
from clearspot.io.assembling import add_extras, assemble, count_metrics, metadata_of, provenance
from clearspot.io.consistency import require_genes, require_one_library, require_scalefactors
from clearspot.io.features import split_features
from clearspot.io.layout import OutsLayout
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.reading import bad
from clearspot.io.segmented_cells import SegmentedCells, read_segmented_cells
from clearspot.io.spatial_uns import open_full_image, spatial_entry
from clearspot.record import StepRecord

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

    entry["metadata"] = metadata_of(matrix, library_name)
    # what scanpy and squidpy draw: Space Ranger states the square of a bin here, or nothing
    entry["scalefactors"]["spot_diameter_fullres"] = cells.diameter_px
    entry["scalefactors"].pop(keys.BIN_SIZE_UM, None)

    index = matrix.barcodes[kept].rename(None)
    places = cells.positions()[kept]
    obs = pd.concat([places[[keys.IN_TISSUE]], cells.obs()[kept]], axis=1).set_axis(index)
    centres = places[[PXL_COL, PXL_ROW]].to_numpy(np.float64)
    adata = assemble(features, features.genes[kept], obs, centres, sample, library)
    adata.uns[keys.UNS_SPATIAL] = {library: entry}
    assert layout.cells is not None
    about = {
        "slide_type": "visium_hd",
        keys.MICRONS_PER_PIXEL: cells.microns_per_pixel,
        "microns_per_pixel_source": cells.microns_per_pixel_source,
        keys.OUTLINES: cells.outlines_of(kept),
    }
    adata.uns[keys.UNS] = provenance(layout, layout.cells.outlines.name, about, full)
    add_extras(adata, features, layout, sample, record)
    record.metrics |= _metrics(adata, cells, library, kept)
    if empty := record.metrics["n_in_tissue_without_counts"]:
        record.note("handled", f"{empty} cells have no counts and were excluded.")
    return adata


def _metrics(adata: ad.AnnData, cells: SegmentedCells, library: str, kept: NDArray[np.bool_]) -> dict[str, Any]:
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
        "fraction_umi_in_cells": cells.fraction_in_cells,
    }
    return metrics | count_metrics(adata)
