"""A study as SpatialData: the sections beside each other, and one table of all spots.

Each section has a coordinate system of its own, named after it: micrometres, or pixels of the full-resolution image if
the scale of the section is unknown. Tools that draw one panel a coordinate system, as spatialdata-plot does, then draw
one panel a section.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.contract.safe_keys import safe_keys
from clearspot.contract.sections import sample_name
from clearspot.errors import BadInputError, Problem
from clearspot.export.elements import TABLE, ElementNames, annotating_table, section_images, section_shapes
from clearspot.export.params import ExportParams
from clearspot.export.zipped_store import write_zipped
from clearspot.extras import extra
from clearspot.io.section_file import read_section
from clearspot.qc.normalise import normalise
from clearspot.record import StepRecord

with extra("spatialdata"):
    import geopandas as gpd
    from spatialdata import SpatialData
    from spatialdata.transformations import get_transformation, set_transformation
    from xarray import DataArray

STEP: Final = "study_spatialdata"


def study_to_spatialdata(study: ad.AnnData, name: str, files: Sequence[Path]) -> SpatialData:
    """Arrange a finished study as SpatialData.

    Parameters
    ----------
    study
        ``<study>.h5ad``. It is not changed.
    name
        Name of the study.
    files
        The ``.h5ad`` of each of its sections, with counts and pictures. They are read one after the other.

    Returns
    -------
    Shapes and pictures of each section, called as in :func:`clearspot.export.spatialdata_zarr.to_spatialdata`, with the
    spots that are in the study. One ``table`` annotates all shapes: what ``<study>.h5ad`` has, and in ``X`` the
    logarithm of counts of the shared genes, scaled to the median spot of the study.

    Raises
    ------
    BadInputError
        If the study lacks the samples and barcodes of its spots, or a section, a spot or a gene of it is in no file.
    """
    for column in (keys.SAMPLE_ID, keys.BARCODE):
        if column not in study.obs:
            raise _bad(name, f"no column obs['{column}']", "the .h5ad of a finished study", "Name the file of a study.")
    images: dict[str, DataArray] = {}
    shapes: dict[str, gpd.GeoDataFrame] = {}
    of_sample = study.obs[keys.SAMPLE_ID].astype(str).to_numpy()
    barcodes = study.obs[keys.BARCODE].astype(str).to_numpy()
    regions, rows, counts = np.empty(study.n_obs, dtype=object), [], []
    samples = sorted(set(of_sample))
    keys_of = dict(zip(samples, safe_keys(samples), strict=True))
    missing = set(samples)
    for path in files:
        section = read_section(path)
        sample = sample_name(section)
        if sample not in missing:
            continue
        missing.remove(sample)
        of_section = np.flatnonzero(of_sample == sample)
        part = _spots_of_study(section, sample, name, barcodes[of_section], study.var_names)
        names = ElementNames.of(part, keys_of[sample])
        regions[of_section] = names.shapes
        rows.append(of_section)
        counts.append(csr_matrix(read_counts(part, sample)))
        own_shapes, own_images = section_shapes(part, names), section_images(part, names)
        for element in (*own_shapes.values(), *own_images.values()):
            _move_to_own_frame(element, keys_of[sample])
        shapes |= own_shapes
        images |= own_images
    if missing:
        raise _bad(
            name,
            f"no file of {len(missing)} sections, for example {min(missing)}",
            "the .h5ad of every section of the study",
            "Name the files of all sections.",
        )
    table = _with_expression(study, csr_matrix(vstack(counts)), np.concatenate(rows))
    return SpatialData(
        images=images, shapes=shapes, tables={TABLE: annotating_table(table, list(regions), list(barcodes))}
    )


def write_study_spatialdata(
    study: ad.AnnData, name: str, files: Sequence[Path], path: Path, params: ExportParams | None = None
) -> StepRecord:
    """Write a study as a zipped SpatialData store, whole or not at all.

    Parameters
    ----------
    study, name, files
        As in :func:`study_to_spatialdata`.
    path, params
        As in :func:`clearspot.export.zipped_store.write_zipped`.

    Returns
    -------
    Record of the step ``study_spatialdata``.
    """
    write_zipped(study_to_spatialdata(study, name, files), name, path, params)
    return StepRecord(name, STEP, metrics={"store_bytes": path.stat().st_size})


def _spots_of_study(
    section: ad.AnnData, sample: str, study: str, barcodes: NDArray[Any], genes: Sequence[str]
) -> ad.AnnData:
    """The spots and genes of a section that are in the study, in the order of the study."""
    spots, columns = section.obs_names.get_indexer(barcodes), section.var_names.get_indexer(genes)
    for found, wanted, what in ((spots, barcodes, "spots"), (columns, genes, "genes")):
        lost = np.flatnonzero(found < 0)
        if len(lost):
            raise _bad(
                study,
                f"{len(lost)} {what} of {sample} that are not in its file, for example {wanted[lost[0]]}",
                "the files that the study was made from",
                "Name these files, or make the study again.",
            )
    part = ad.AnnData(
        obs=section.obs.iloc[spots],
        var=section.var.iloc[columns][[]],
        layers={keys.COUNTS: csr_matrix(read_counts(section, sample)[spots][:, columns])},
        obsm={keys.SPATIAL: np.asarray(section.obsm[keys.SPATIAL])[spots]},
    )
    part.uns = {name: section.uns[name] for name in (keys.UNS, keys.UNS_SPATIAL) if name in section.uns}
    return part


def _move_to_own_frame(element: gpd.GeoDataFrame | DataArray, frame: str) -> None:
    """Put an element into the coordinate system of its section; in place."""
    into = get_transformation(element, get_all=True)
    set_transformation(element, {frame: into.get("um", into["global"])}, set_all=True)


def _with_expression(study: ad.AnnData, counts: csr_matrix, rows: NDArray[np.intp]) -> ad.AnnData:
    """The study with log-normalised expression; ``rows`` are those of the study that the counts belong to."""
    table = study.copy()
    table.layers[keys.COUNTS] = counts[np.argsort(rows)]
    table.obs[keys.TOTAL_COUNTS] = np.asarray(table.layers[keys.COUNTS].sum(axis=1), dtype=np.float64).ravel()
    table.obs[keys.QC_PASS] = True
    normalise(table)
    del table.layers[keys.COUNTS], table.obs[keys.QC_PASS], table.obs[keys.SIZE_FACTOR]
    return table


def _bad(study: str, found: str, expected: str, mend: str) -> BadInputError:
    return BadInputError(Problem(study, keys.h5ad_name(study), found, expected, mend))
