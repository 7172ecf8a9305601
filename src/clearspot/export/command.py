"""The SpatialData export of one file, as the command line asks for it."""

from __future__ import annotations

from pathlib import Path

from clearspot.contract.sections import require_positions
from clearspot.export.params import ExportParams
from clearspot.export.spatialdata_zarr import write_spatialdata
from clearspot.io.section_file import read_users_section
from clearspot.io.storable import make_keys_storable, require_folder
from clearspot.record import StepRecord


def export_file(
    h5ad: Path, output: Path, sample: str, superres: Path | None = None, params: ExportParams | None = None
) -> StepRecord:
    """Write a section as a zipped SpatialData store.

    Parameters
    ----------
    h5ad
        Any AnnData file of one section with coordinates.
    output
        ``<sample>.zarr.zip``, whole or not at all.
    sample
        Sample name, for elements and messages.
    superres
        ``<sample>.superres.h5ad``, for its bins.
    params
        Settings. ``None``: the defaults.

    Returns
    -------
    Record of the step ``spatialdata``.

    Raises
    ------
    BadInputError
        If the file is no section that can be exported, or the folder cannot be written to.
    """
    require_folder(output.parent, sample)
    adata = read_users_section(h5ad, sample)
    require_positions(adata, sample)
    messages = make_keys_storable(adata)
    record = write_spatialdata(adata, sample, output, superres, params)
    record.messages.extend(messages)
    return record
