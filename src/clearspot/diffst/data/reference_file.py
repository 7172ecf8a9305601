"""References as files: rasterised into bins once, then read by the training of every sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from clearspot import keys
from clearspot.caller import option
from clearspot.contract.flags import read_flag
from clearspot.contract.sections import require_one_section
from clearspot.diffst.data.embedding import Embedding
from clearspot.diffst.data.reference import XENIUM_FILES, Reference, from_visium_hd, read_xenium
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder import Encoder
from clearspot.errors import BadInputError, Problem
from clearspot.io.atomic import write_h5ad
from clearspot.io.collecting import collecting
from clearspot.io.image import probe_image
from clearspot.io.image_alignment import read_alignment
from clearspot.io.ingest import ingest_outs
from clearspot.io.preflight import check_outs
from clearspot.io.section_file import read_users_section
from clearspot.record import StepRecord

_HIGH_RESOLUTION: Final = "Visium HD outs, or a Xenium folder"
_STEP: Final = "reference"
_SAME: Final = 1e-6
"""Relative difference of two sizes of bins that are the same."""


def prepare_reference(
    path: Path,
    outdir: Path,
    sample: str,
    *,
    bin_um: float,
    image: Path | None = None,
    image_alignment: Path | None = None,
    bin_size_um: int | None = None,
    microns_per_pixel: float | None = None,
    allow_lowres_image: bool = False,
    image_encoder: Path | str | None = None,
    threads: int | None = None,
) -> StepRecord:
    """Read a reference, lay it onto bins, and write ``<sample>.reference.h5ad``.

    With an image also ``<sample>.reference.histology.npz``, the features and colours of the image on the same bins.

    Parameters
    ----------
    path
        Visium HD outs (folder or archive), or a Xenium output folder.
    outdir
        Existing folder for the results.
    sample
        Sample name.
    bin_um
        Bins wanted. For Visium HD they become the nearest multiple of the measured ones.
    image
        Full-resolution histology image.
    image_alignment
        Of a Xenium sample's image, see :func:`clearspot.io.image_alignment.read_alignment`.
    bin_size_um, microns_per_pixel
        Of a Visium HD sample, as in the samplesheet.
    allow_lowres_image
        Accept an image of a Visium HD sample that is smaller than the one the positions refer to.
    image_encoder
        Folder of an image model, see :class:`DiffstParams`: the same as that of the samples.
    threads
        CPU threads of this model; None: PyTorch's choice.

    Returns
    -------
    The record of the step.

    Raises
    ------
    BadInputError
        If the input cannot be a reference, or its image cannot be used: with all problems. No file is written then.
    """
    given = {"image": image and image.name, "image_alignment": image_alignment and image_alignment.name}
    record = StepRecord(sample, _STEP, params={"bin_um": bin_um, **given})
    is_xenium = _is_xenium(path)
    read = None
    _check_image(record, image, image_alignment, belongs=is_xenium or not path.exists())
    with collecting(record):
        if is_xenium:
            read = read_xenium(path, sample, bin_um)
        else:
            read = _read_outs(
                path,
                outdir,
                record,
                bin_um,
                image=image,
                bin_size_um=bin_size_um,
                microns_per_pixel=microns_per_pixel,
                allow_lowres_image=allow_lowres_image,
            )
    if record.problems or read is None:
        raise BadInputError(record.problems)
    if image is not None:
        seeing = None if image_encoder is None else Encoder.open(Path(image_encoder), sample, threads)
        read = read.with_image(image, image_alignment, encoder=seeing, sample=sample)
    write_reference(read, outdir / keys.reference_name(sample))
    _describe(record, read, bin_um, kind="Xenium" if is_xenium else "Visium HD")
    if image is not None and is_xenium and image_alignment is None:
        text = f"There is no image alignment, so {image.name} is assumed to match the morphology image pixel by pixel."
        record.note("warning", text)
    return record


def _check_image(record: StepRecord, image: Path | None, alignment: Path | None, *, belongs: bool) -> None:
    """Check image and alignment before the counts are read, and report all problems together."""
    if image is not None:
        with collecting(record):
            probe_image(image, record.sample)
    if alignment is None:
        return
    if image is None:
        found, expected, mend = (
            "an image alignment without an image",
            "the image that was aligned",
            "Provide the image.",
        )
        record.problems.append(Problem(record.sample, alignment.name, found, expected, mend))
    if not belongs:
        found = "an image alignment for a sample that is not a Xenium folder"
        expected = "an image alignment only for Xenium"
        mend = "Leave it out, because Space Ranger positions already refer to the image."
        record.problems.append(Problem(record.sample, alignment.name, found, expected, mend))
    with collecting(record):
        read_alignment(alignment, record.sample)


def _describe(record: StepRecord, reference: Reference, bin_um: float, *, kind: str) -> None:
    record.metrics |= {
        "reference_kind": kind,
        "bin_um": reference.grid.bin_um,
        "n_bins_on_tissue": int(reference.tissue.sum()),
        "n_genes": len(reference.genes),
        "total_counts": float(reference.counts.sum(dtype=np.float64)),
        "has_image": reference.histology is not None,
    }
    if reference.histology is not None:
        record.metrics |= {
            "um_per_px": reference.image_um_per_px,
            "image_coverage": float(reference.histology.valid[reference.tissue].mean()),
            "n_features": reference.histology.n_features,
        }
        if reference.histology.encoder:
            record.metrics["image_encoder"] = reference.histology.encoder
    if abs(reference.grid.bin_um / bin_um - 1) > _SAME:
        text = (
            f"The bin size is {reference.grid.bin_um:g} µm instead of {bin_um:g} µm, a multiple of the measured "
            f"{reference.measured_um:g} µm."
        )
        record.note("handled", text)


def read_reference(path: Path | str, bin_um: float) -> Reference:
    """Read a reference: a prepared file, a folder of Xenium, or the ``.h5ad`` of an ingested Visium HD section.

    Parameters
    ----------
    path
        Where it is. Features of the image of a prepared file are read from the file that stands beside it.
    bin_um
        Bins wanted.

    Returns
    -------
    The reference, with ``histology`` where it was prepared with an image; :meth:`Reference.with_image` adds one to it.

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
    """Write a reference so that :func:`read_reference` gives it back: its image's features go into a file beside it."""
    grid = reference.grid
    stated: dict[str, Any] = {
        "bin_um": grid.bin_um,
        "n_rows": grid.n_rows,
        "n_cols": grid.n_cols,
        "origin_px": np.asarray(grid.origin_px, dtype=np.float64),
        "px_per_um": grid.px_per_um,
        "measured_um": reference.measured_um,
    }
    if reference.to_image is not None:
        stated["to_image"] = reference.to_image
    adata = ad.AnnData(
        X=sparse.csr_matrix(reference.counts),
        obs=pd.DataFrame({keys.IN_TISSUE: reference.tissue.ravel()}, index=np.arange(grid.n_bins).astype(str)),
        var=pd.DataFrame(index=reference.genes.astype(str)),
        uns={keys.UNS: {keys.REFERENCE_GRID: stated}},
    )
    beside = histology_beside(path)
    if reference.histology is None:
        beside.unlink(missing_ok=True)  # of an earlier run with an image
    else:
        Embedding(reference.histology, grid, reference.image_um_per_px or float("nan")).write(beside)
    write_h5ad(adata, path)


def _is_xenium(path: Path) -> bool:
    return any((path / name).exists() for name in XENIUM_FILES)


def _read_outs(path: Path, outdir: Path, record: StepRecord, bin_um: float, **options: Any) -> Reference:
    """Ingest a section; where it has an image, look first at what a sample's check would say of the two."""
    # beside the results, because a node's /tmp is often too small for an unpacked outs folder
    with TemporaryDirectory(prefix=".unpacked-", dir=outdir) as unpacked:
        if options["image"] is not None:
            checked = check_outs(path, record.sample, unpack_to=Path(unpacked) / "check", **options)
            if checked.problems:
                raise BadInputError(checked.problems)
            record.messages += [message for message in checked.messages if message.level == "warning"]
        section, _ = ingest_outs(path, record.sample, unpack_to=Path(unpacked) / "ingest", **options)
    return _from_section(section, record.sample, path.name, bin_um)


def _from_section(adata: ad.AnnData, sample: str, name: str, bin_um: float) -> Reference:
    require_one_section(adata, sample, "A reference")
    stated = adata.uns.get(keys.UNS, {})
    side = stated.get(keys.BIN_SIZE_UM)
    if not side or keys.COUNTS not in adata.layers:
        found = "a section without bins smaller than spots"
        mend = "Use a Visium HD or Xenium sample as reference. Leave 'role' empty for a sample to analyse."
        raise BadInputError(Problem(sample, name, found, _HIGH_RESOLUTION, mend))
    return from_visium_hd(adata, bin_um, hd_bin_um=float(side), sample=sample)


def _prepared(adata: ad.AnnData, stated: dict[str, Any], path: Path, bin_um: float) -> Reference:
    x, y = (float(value) for value in stated["origin_px"])
    grid = FineGrid(
        float(stated["bin_um"]), int(stated["n_rows"]), int(stated["n_cols"]), (x, y), float(stated["px_per_um"])
    )
    measured = float(stated.get("measured_um", 0.0))
    # HD bins may be wider than those wanted, or narrower by up to half a measured one: the rest is for another run
    if grid.bin_um + measured / 2 < bin_um * (1 - _SAME):
        found, expected = f"a reference with bins of {grid.bin_um:g} µm", f"bins of {bin_um:g} µm, as in the section"
        mend = f"Prepare it with the {option('bin_um', 'bin-um')} of this run."
        raise BadInputError(Problem(keys.sample_of_reference(path.name), path.name, found, expected, mend))
    tissue = read_flag(adata.obs, keys.IN_TISSUE, path.stem).reshape(grid.shape)
    to_image = np.asarray(stated["to_image"], dtype=np.float64) if "to_image" in stated else None
    reference = Reference(sparse.csr_array(adata.X), adata.var_names, grid, tissue, measured, to_image)
    beside = histology_beside(path)
    return _with_histology(reference, beside) if beside.exists() else reference


def histology_beside(path: Path) -> Path:
    """Where the features of the image of a prepared reference are."""
    return path.with_name(keys.reference_histology_name(keys.sample_of_reference(path.name)))


def _with_histology(reference: Reference, path: Path) -> Reference:
    embedding = Embedding.read(path)
    if embedding.grid != reference.grid:
        sample = path.name.split(".")[0]
        mend = "Prepare the reference again, or delete the file, which is from another run."
        found = "image features for bins that differ from those of the reference"
        expected = "the features of this reference's image"
        raise BadInputError(Problem(sample, path.name, found, expected, mend))
    return replace(reference, histology=embedding.histology, image_um_per_px=embedding.um_per_px)
