"""References as files: laid onto bins once, then read by the training of every sample."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.contract.sections import require_one_section
from clearspot.diffst.data.reference import XENIUM_FILES, Reference, from_visium_hd, read_xenium
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.errors import BadInputError, Problem
from clearspot.io.atomic import write_h5ad
from clearspot.io.ingest import ingest_outs
from clearspot.io.section_file import read_users_section
from clearspot.record import StepRecord

_HIGH_RESOLUTION: Final = "Visium HD outs, or a Xenium folder"
_STEP: Final = "reference"


def prepare_reference(
    path: Path,
    outdir: Path,
    sample: str,
    *,
    bin_um: float,
    bin_size_um: int | None = None,
    microns_per_pixel: float | None = None,
) -> StepRecord:
    """Read a reference, lay it onto bins, and write ``<sample>.reference.h5ad``.

    Parameters
    ----------
    path
        Visium HD outs (folder or archive), or a Xenium output folder.
    outdir
        Existing folder for the results.
    sample
        Sample name.
    bin_um
        Bins wanted. Where the reference was measured on wider ones, those are kept.
    bin_size_um, microns_per_pixel
        Of a Visium HD sample, as in the samplesheet.

    Returns
    -------
    The record of the step.

    Raises
    ------
    BadInputError
        If the input cannot be a reference. No file is written then.
    """
    kind, reference = _read_outs(path, outdir, sample, bin_um, bin_size_um, microns_per_pixel)
    write_reference(reference, outdir / keys.reference_name(sample))
    return StepRecord(
        sample,
        _STEP,
        metrics={
            "reference_kind": kind,
            "bin_um": reference.grid.bin_um,
            "n_bins_on_tissue": int(reference.tissue.sum()),
            "n_genes": len(reference.genes),
            "total_counts": float(reference.counts.sum(dtype=np.float64)),
        },
    )


def read_reference(path: Path | str, bin_um: float) -> Reference:
    """Read a reference: a prepared file, a folder of Xenium, or the ``.h5ad`` of an ingested Visium HD section.

    Raises
    ------
    BadInputError
        If it is none of these, or was prepared for bins of another size.
    """
    path = Path(path)
    if path.is_dir():
        return read_xenium(path, path.name, bin_um)
    adata = read_users_section(path, keys.sample_of_reference(path.name))
    stated = adata.uns.get(keys.UNS, {})
    if keys.REFERENCE_GRID in stated:
        return _prepared(adata, stated[keys.REFERENCE_GRID], path, bin_um)
    return _from_section(adata, path.stem, path.name, bin_um)


def write_reference(reference: Reference, path: Path) -> None:
    """Write a reference so that :func:`read_reference` gives it back."""
    grid = reference.grid
    adata = ad.AnnData(
        X=sparse.csr_matrix(reference.counts),
        obs=pd.DataFrame({keys.IN_TISSUE: reference.tissue.ravel()}, index=np.arange(grid.n_bins).astype(str)),
        var=pd.DataFrame(index=reference.genes.astype(str)),
        uns={
            keys.UNS: {
                keys.REFERENCE_GRID: {
                    "bin_um": grid.bin_um,
                    "n_rows": grid.n_rows,
                    "n_cols": grid.n_cols,
                    "origin_px": np.asarray(grid.origin_px, dtype=np.float64),
                    "px_per_um": grid.px_per_um,
                }
            }
        },
    )
    write_h5ad(adata, path)


def _read_outs(
    path: Path, outdir: Path, sample: str, bin_um: float, bin_size_um: int | None, microns_per_pixel: float | None
) -> tuple[str, Reference]:
    if any((path / name).exists() for name in XENIUM_FILES):
        return "Xenium", read_xenium(path, sample, bin_um)
    # beside the results, because a node's /tmp is often too small for an unpacked outs folder
    with TemporaryDirectory(prefix=".unpacked-", dir=outdir) as unpacked:
        section, _ = ingest_outs(
            path,
            sample,
            bin_size_um=bin_size_um,
            microns_per_pixel=microns_per_pixel,
            unpack_to=Path(unpacked),
        )
    return "Visium HD", _from_section(section, sample, path.name, bin_um)


def _from_section(adata: ad.AnnData, sample: str, name: str, bin_um: float) -> Reference:
    require_one_section(adata, sample, "A reference")
    stated = adata.uns.get(keys.UNS, {})
    side, scale = stated.get(keys.BIN_SIZE_UM), stated.get(keys.MICRONS_PER_PIXEL)
    if not side or not scale or keys.COUNTS not in adata.layers:
        found = "a section whose bins are not known to be smaller than spots"
        mend = "Give a Visium HD or Xenium sample as reference; leave 'role' empty for a sample to be analysed."
        raise BadInputError(Problem(sample, name, found, _HIGH_RESOLUTION, mend))
    return from_visium_hd(
        adata, max(bin_um, float(side)), hd_bin_um=float(side), microns_per_pixel=float(scale), sample=sample
    )


def _prepared(adata: ad.AnnData, stated: dict[str, Any], path: Path, bin_um: float) -> Reference:
    x, y = (float(value) for value in stated["origin_px"])
    grid = FineGrid(
        float(stated["bin_um"]), int(stated["n_rows"]), int(stated["n_cols"]), (x, y), float(stated["px_per_um"])
    )
    # HD bins may be wider than those wanted; ones that are finer were prepared for another run
    if grid.bin_um < bin_um * (1 - 1e-6):
        found, expected = f"a reference on bins of {grid.bin_um:g} um", f"bins of {bin_um:g} um, like the section's"
        mend = "Prepare it with --bin-um of this run."
        raise BadInputError(Problem(keys.sample_of_reference(path.name), path.name, found, expected, mend))
    tissue = read_flag(adata.obs, keys.IN_TISSUE, path.stem).reshape(grid.shape)
    return Reference(sparse.csr_array(adata.X), adata.var_names, grid, tissue)
