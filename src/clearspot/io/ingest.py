"""One outs folder as one AnnData object that follows the data contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.contract.safe_keys import safe_key
from clearspot.errors import BadInputError
from clearspot.io.assembling import add_extras, assemble, constant, count_metrics, metadata_of, provenance
from clearspot.io.barcodes import match_barcodes, no_position, require_unique
from clearspot.io.consistency import require_genes, require_one_library, require_scalefactors, require_tissue
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.features import split_features
from clearspot.io.ingest_cells import ingest_cells
from clearspot.io.layout import OutsLayout, Unit, find_outs
from clearspot.io.matrix import disagreement, read_barcode_totals, read_matrix
from clearspot.io.metrics_summary import read_metrics_summary
from clearspot.io.outside import SQUARE_UM, OutsideTissue, outside_tissue
from clearspot.io.positions import PXL_COL, PXL_ROW, read_agreeing_positions
from clearspot.io.reading import bad
from clearspot.io.scale import Scale, derive_scale
from clearspot.io.spatial_uns import open_full_image, spatial_entry
from clearspot.record import StepRecord

if TYPE_CHECKING:
    import anndata as ad

STEP = "ingest"


def ingest_outs(
    path: Path,
    sample: str,
    *,
    image: Path | None = None,
    bin_size_um: int | None = None,
    unit: Unit = "bins",
    microns_per_pixel: float | None = None,
    allow_lowres_image: bool = False,
    unpack_to: Path | None = None,
    study: str | None = None,
    batch: str | None = None,
    donor: str | None = None,
    condition: str | None = None,
) -> tuple[ad.AnnData, StepRecord]:
    """Read a Space Ranger outs folder of any version.

    All spots in tissue that have counts are kept, with all genes. ``X`` stays empty: the contract wants it normalised,
    which is for quality control to do, and a second copy of the counts would double the memory.

    Parameters
    ----------
    path
        Outs folder, a folder above it, an HD bin folder, or an archive.
    sample
        Sample name.
    image
        Full-resolution histology image; only its header is read, unless the hires image is missing.
    bin_size_um
        HD: side of the bins; by default as :func:`clearspot.io.bins.choose_bin` chooses.
    unit
        HD: read ``bins``, or the ``cells`` that Space Ranger 4 segmented.
    microns_per_pixel
        Overrides what the positions and scale factors say.
    allow_lowres_image
        Accept an ``image`` that is not the one the positions refer to.
    unpack_to
        Folder for unpacking archives; by default a temporary one that is gone afterwards.
    study, batch, donor, condition
        What the samplesheet says of the section; a column of ``obs`` each, where given.

    Returns
    -------
    AnnData, StepRecord
        The contract of the data model (section "Data contract"), and what was measured, found odd and left out.

    Raises
    ------
    BadInputError
        The input cannot be used; nothing was written.
    """
    with TemporaryDirectory(prefix="clearspot-") as temporary:
        stated = {keys.STUDY: study, keys.BATCH: batch, keys.DONOR: donor, keys.CONDITION: condition}
        labels = {name: value for name, value in stated.items() if value is not None}
        layout = find_outs(path, sample, bin_size_um=bin_size_um, unit=unit, unpack_to=unpack_to or Path(temporary))
        record = StepRecord(
            sample,
            STEP,
            params={
                "outs": Path(path).name,
                "image": image.name if image else None,
                "bin_size_um": bin_size_um,
                "unit": unit,
                "microns_per_pixel": microns_per_pixel,
                "allow_lowres_image": allow_lowres_image,
            }
            | labels,
        )
        read = _ingest if layout.cells is None else ingest_cells
        adata = read(layout, sample, image, microns_per_pixel, allow_lowres_image, record)
        for name, value in labels.items():
            adata.obs[name] = constant(value, adata.n_obs)
        _add_space_ranger_metrics(layout, sample, record)
    return adata, record


def _ingest(
    layout: OutsLayout,
    sample: str,
    image: Path | None,
    microns_per_pixel: float | None,
    allow_lowres_image: bool,
    record: StepRecord,
) -> ad.AnnData:
    factors = require_scalefactors(layout, sample)
    positions = read_agreeing_positions(layout.positions, sample)
    require_unique(positions.index, layout.positions[0], sample)
    require_tissue(positions, layout.positions[0], sample)
    scale = derive_scale(positions, factors, bin_size_um=layout.bin_size_um, override=microns_per_pixel)
    full = open_full_image(image, layout, factors, sample, allow_lowres=allow_lowres_image) if image else None
    with ThreadPoolExecutor(max_workers=1) as beside:  # the decoders of images leave Python's lock to the matrix
        images = beside.submit(spatial_entry, layout, factors, full, sample)
        matrix = read_matrix(layout.matrix, sample)
        entry, image_messages = images.result()
    require_unique(matrix.barcodes, layout.matrix, sample)
    require_genes(matrix, layout.matrix, sample)
    library_name = require_one_library(matrix, layout.matrix, sample)
    library = safe_key(library_name)
    record.messages += [*layout.messages, *scale.messages, *image_messages]
    rows = _rows_of(matrix, positions, layout, sample, record)
    outside = _outside(layout, matrix, positions, sample, record)
    features = split_features(matrix)
    record.messages += features.messages

    in_tissue = positions[keys.IN_TISSUE].to_numpy()[rows]
    kept = in_tissue & (np.diff(features.genes.indptr) > 0)
    if not kept.any():
        raise bad(
            layout.matrix,
            sample,
            f"no counts in any of the {in_tissue.sum()} {layout.unit} in tissue",
            f"{layout.unit} in tissue with counts",
            "provide the matrix of this sample's own Space Ranger run",
        )
    entry["metadata"] = metadata_of(matrix, library_name)
    places = positions.iloc[rows[kept]]
    index = matrix.barcodes[kept].rename(None)
    obs = places[[keys.IN_TISSUE, keys.ARRAY_ROW, keys.ARRAY_COL]].set_index(index)
    centres = places[[PXL_COL, PXL_ROW]].to_numpy(np.float64)
    adata = assemble(features, _keep_rows(features.genes, kept), obs, centres, sample, library)
    adata.uns[keys.UNS_SPATIAL] = {library: entry}
    about = {
        "slide_type": scale.slide_type,
        keys.MICRONS_PER_PIXEL: scale.microns_per_pixel,
        "microns_per_pixel_source": scale.source,
    }
    adata.uns[keys.UNS] = provenance(layout, layout.positions[0].name, about, full)
    add_extras(adata, features, layout, sample, record)
    if outside is not None:
        side = None
        if layout.bin_size_um is not None and scale.microns_per_pixel is not None:
            side = max(SQUARE_UM, layout.bin_size_um) / scale.microns_per_pixel
        adata.uns[keys.UNS][keys.OUTSIDE_TISSUE] = outside.handed_on(side)

    record.metrics |= _metrics(adata, positions, library) | _facts(layout, matrix, scale) | _outside_metrics(outside)
    if record.metrics["n_in_tissue_without_counts"]:
        number = record.metrics["n_in_tissue_without_counts"]
        record.note("handled", f"{layout.unit.capitalize()} in tissue without counts: {number:,}. They were excluded.")
    return adata


def _rows_of(
    matrix: FeatureMatrix, positions: pd.DataFrame, layout: OutsLayout, sample: str, record: StepRecord
) -> NDArray[np.intp]:
    """Row of the positions for each barcode of the matrix."""
    match = match_barcodes(matrix.barcodes, positions.index)
    error = no_position(matrix.barcodes, match, layout.positions[0], sample)
    if error is not None:
        raise error
    if not match.exact:
        record.note("handled", "Barcodes of matrix and positions were matched without their suffix or prefix.")
    if layout.matrix_alternative is not None:
        difference = disagreement(layout.matrix, layout.matrix_alternative, sample)
        if difference:
            record.note("warning", f"{difference}; {layout.matrix.name} was used.")
    return match.rows


def _outside(
    layout: OutsLayout, matrix: FeatureMatrix, positions: pd.DataFrame, sample: str, record: StepRecord
) -> OutsideTissue | None:
    if layout.matrix_raw is None:
        record.note("info", "There is no raw matrix, so UMI counts outside the tissue were not measured.")
        return None
    same = layout.matrix == layout.matrix_raw
    totals = matrix.totals() if same else read_barcode_totals(layout.matrix_raw, sample)
    found = outside_tissue(totals, positions)
    if isinstance(found, str):
        record.note("handled", found)
        return None
    return found


def _keep_rows(counts: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    """Select rows; where only empty ones go, the entries are used as they are instead of being copied."""
    lengths = np.diff(counts.indptr)
    if lengths[~kept].any():
        return counts[kept]
    indptr = np.append(counts.indptr[:1], counts.indptr[1:][kept])
    return csr_matrix((counts.data, counts.indices, indptr), shape=(int(kept.sum()), counts.shape[1]), copy=False)


def _metrics(adata: ad.AnnData, positions: pd.DataFrame, library: str) -> dict[str, Any]:
    n_in_tissue = int(positions[keys.IN_TISSUE].sum())
    return {
        "library_id": library,
        "n_positions": len(positions),
        "n_in_tissue": n_in_tissue,
        "n_in_tissue_without_counts": n_in_tissue - adata.n_obs,
    } | count_metrics(adata)


def _facts(layout: OutsLayout, matrix: FeatureMatrix, scale: Scale) -> dict[str, Any]:
    return {
        "assay": layout.assay,
        "unit": layout.unit,
        "slide_type": scale.slide_type,
        "bin_size_um": layout.bin_size_um,
        "chemistry": matrix.chemistry,
        "software_version": matrix.software_version,
        "microns_per_pixel": scale.microns_per_pixel,
        "microns_per_pixel_source": scale.source,
    }


def _outside_metrics(outside: OutsideTissue | None) -> dict[str, Any]:
    if outside is None:
        return {}
    return {
        "n_positions_outside_tissue": outside.n_spots,
        "umi_outside_tissue": outside.umi,
        "fraction_umi_outside_tissue": outside.fraction,
    }


def _add_space_ranger_metrics(layout: OutsLayout, sample: str, record: StepRecord) -> None:
    if layout.metrics_summary is None:
        return
    try:
        stated = read_metrics_summary(layout.metrics_summary, sample)
    except BadInputError as error:
        record.note("warning", f"metrics_summary.csv was ignored: {error.problems[0].found}.")
        return
    record.tables["space_ranger"] = {"metric": list(stated), "value": list(stated.values())}
