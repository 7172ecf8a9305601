"""The whole sample as SpatialData: table, spots as shapes, super-resolved bins and the reduced pictures, in one frame.

Coordinate systems: ``global`` (pixels of the full-resolution image, as ``obsm['spatial']``) and, where the scale is
known, ``um`` (micrometres).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import anndata as ad

from clearspot.contract.sections import require_one_section
from clearspot.export.elements import TABLE, ElementNames, annotating_table, section_images, section_shapes
from clearspot.export.params import ExportParams
from clearspot.export.superres_elements import superres_elements
from clearspot.export.zipped_store import write_zipped
from clearspot.extras import extra
from clearspot.record import StepRecord

with extra("spatialdata"):
    from spatialdata import SpatialData

SUPERRES_TABLE: Final = "superres"


def to_spatialdata(adata: ad.AnnData, sample: str, superres: Path | None = None) -> SpatialData:
    """Arrange a sample as SpatialData.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract. It is not changed.
    sample
        Sample name; elements are called ``<sample>_spots`` (circles; for Visium HD ``<sample>_bins``, squares, or
        ``<sample>_cells`` and ``<sample>_nuclei``, outlines),
        ``<sample>_hires``, ``<sample>_lowres`` and ``table``, with the sample's name as a safe key.
    superres
        ``<sample>.superres.h5ad``, for the labels ``<sample>_superres`` and the table ``superres``.

    Returns
    -------
    The sample with every layer, embedding and graph. Pictures stand as images, not in the table. ``X`` is by column
    (CSC), since viewers read genes.
    """
    require_one_section(adata, sample, "The export")
    names = ElementNames.of(adata, sample)
    table = annotating_table(adata, [names.shapes] * adata.n_obs, list(adata.obs_names))
    labels, tables = {}, {TABLE: table}
    if superres is not None:
        labels[names.superres], tables[SUPERRES_TABLE] = superres_elements(superres, names.superres)
    return SpatialData(
        images=section_images(adata, names), labels=labels, shapes=section_shapes(adata, names), tables=tables
    )


def write_spatialdata(
    adata: ad.AnnData,
    sample: str,
    path: Path | str,
    superres: Path | None = None,
    params: ExportParams | None = None,
) -> StepRecord:
    """Write a sample as a zipped SpatialData store, whole or not at all.

    Parameters
    ----------
    adata, sample, superres
        As in :func:`to_spatialdata`.
    path, params
        As in :func:`clearspot.export.zipped_store.write_zipped`.

    Returns
    -------
    Record of the step ``spatialdata``.
    """
    write_zipped(to_spatialdata(adata, sample, superres), sample, Path(path), params)
    return StepRecord(sample, "spatialdata", metrics={"store_bytes": Path(path).stat().st_size})
