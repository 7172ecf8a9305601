"""Files with slashes in their keys, as anndata before 0.13 wrote them: HDF5 makes groups of such keys."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import h5py

STAND_IN = "\N{DIVISION SLASH}"


def write_with_slashes(adata: ad.AnnData, path: Path) -> None:
    """Write an AnnData in whose keys and columns ``STAND_IN`` takes the place of each slash."""
    adata.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        for group in file.values():
            for name in [name for name in group if STAND_IN in name]:
                group.move(name, name.replace(STAND_IN, "/"))
            if "column-order" in group.attrs:
                columns = [name.replace(STAND_IN, "/") for name in group.attrs["column-order"]]
                group.attrs.modify("column-order", columns)
