"""Reading, quality control and domains as functions of an AnnData in memory.

See :func:`clearspot.dusted.denoise` and :func:`clearspot.diffst.superresolve` for the other two steps.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import numpy as np

from clearspot import keys
from clearspot.contract.keyword_arguments import takes_settings
from clearspot.contract.sections import bad_section, sample_name
from clearspot.domains.params import DomainParams
from clearspot.qc.params import QCParams
from clearspot.record import StepRecord

if TYPE_CHECKING:
    import anndata as ad

    from clearspot.contract.keywords import DomainKeywords, QCKeywords


def read_outs(
    path: Path | str,
    *,
    sample: str | None = None,
    image: Path | str | None = None,
    bin_size_um: int | None = None,
    unit: Literal["bins", "cells"] = "bins",
    microns_per_pixel: float | None = None,
    allow_lowres_image: bool = False,
) -> ad.AnnData:
    """Read Space Ranger output of any version: Visium, CytAssist or Visium HD.

    Parameters
    ----------
    path
        The ``outs`` folder, its parent folder, one bin folder of Visium HD, or an archive of one of these.
    sample
        Sample name. Default: name of the folder, or of the parent folder of ``outs``.
    image
        Full-resolution histology image. Only its size is checked here; it is read by super-resolution.
    bin_size_um
        Visium HD: bin size in µm. Default: 8, or the smallest available size above 8.
    unit
        Visium HD of Space Ranger 4 or newer: read ``bins``, or the segmented ``cells``.
    microns_per_pixel
        Size of a full-resolution pixel in µm. Default: computed from the spot positions.
    allow_lowres_image
        Accept an ``image`` that is not the one used by Space Ranger.

    Returns
    -------
    AnnData of the spots in tissue with counts, shape ``(spots, genes)``: ``layers['counts']``,
    ``obsm['spatial']`` in full-resolution pixels, ``uns['spatial']`` as scanpy and squidpy expect it. ``X`` is empty
    until :func:`clearspot.qc`.

    Raises
    ------
    BadInputError
        If a file cannot be used. The message states the file, what was found and what was expected.

    Warns
    -----
    UserWarning
        If the files are unusual and should be checked.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.read_outs("phantom_1/outs", image="phantom_1/image.tif")  # doctest: +SKIP
    """
    from clearspot.io.ingest import ingest_outs

    path = Path(path)
    named = sample or _name_of(path)
    adata, record = ingest_outs(
        path,
        named,
        image=None if image is None else Path(image),
        bin_size_um=bin_size_um,
        unit=unit,
        microns_per_pixel=microns_per_pixel,
        allow_lowres_image=allow_lowres_image,
    )
    for message in record.messages:
        if message.level == "warning":
            warnings.warn(f"{named}: {message.text}", UserWarning, stacklevel=2)
    return adata


@takes_settings(QCParams)
def qc(adata: ad.AnnData, *, sample: str | None = None, **settings: Unpack[QCKeywords]) -> StepRecord:
    """Compute QC metrics, flag and normalise spots, and select highly variable genes, in place.

    No spots or genes are removed, and counts are not changed. Sets ``X`` (log1p of counts over size factor),
    ``obs['qc_pass']``, ``obs['qc_reason']``, ``obs['size_factor']``, ``obs['local_outlier']``,
    ``obs['artefact_region']``, scanpy's QC metrics, and in ``var`` ``qc_pass``, ``highly_variable`` and
    ``highly_variable_rank``.

    Parameters
    ----------
    adata
        One section with counts in ``layers['counts']`` (or ``X``) and ``obsm['spatial']``.
    sample
        Sample name used in messages. Default: value of ``obs['sample_id']``.

    Returns
    -------
    Metrics (``record.metrics``, a dictionary), tables (``record.frame(name)``) and messages.

    Raises
    ------
    BadInputError
        If too few spots or genes pass, counts or positions are invalid, or there are several sections.
    SettingError
        If the value of a setting is not allowed.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> record = clearspot.qc(adata, min_counts=100)
    >>> record.metrics["n_spots"] == adata.n_obs
    True
    >>> adata.obs["qc_pass"].value_counts().to_dict()
    {True: 77}
    >>> clearspot.qc(adata, min_count=100)
    Traceback (most recent call last):
    TypeError: qc() has no setting named min_count (nearest: min_counts)
    """
    from clearspot.qc.run import run_qc

    return run_qc(adata, sample or sample_name(adata), QCParams.of(**settings))


@takes_settings(DomainParams)
def domains(adata: ad.AnnData, *, sample: str | None = None, **settings: Unpack[DomainKeywords]) -> StepRecord:
    """Find spatial domains in the latent space of the denoiser, and their marker genes, in place.

    Sets ``obs['domain_gmm']`` and ``obs['domain_leiden']``: categories ``1``, ``2``, ... by decreasing
    size of the domain, and missing for spots that failed quality control.

    Parameters
    ----------
    adata
        A section after :func:`clearspot.qc` and :func:`clearspot.denoise`.
    sample
        Sample name used in messages. Default: value of ``obs['sample_id']``.

    Returns
    -------
    Metrics, tables and messages. ``record.frame('markers')`` is the table of marker genes.

    Raises
    ------
    BadInputError
        If the section was not denoised, or there are several sections.
    SettingError
        If the value of a setting is not allowed.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> record = clearspot.qc(adata)
    >>> result = clearspot.denoise(adata, epochs=5, progress=False)
    >>> record = clearspot.domains(adata, n_domains=3, moran_n_perms=0)
    >>> record.metrics["n_domains"]
    3
    >>> list(adata.obs["domain_gmm"].cat.categories)
    ['1', '2', '3']
    """
    from clearspot.domains.run import find_domains

    params = DomainParams.of(**settings)
    named = sample or sample_name(adata)
    if adata.X is None:
        raise bad_section(named, "an empty X", "normalised counts", "Call clearspot.qc(adata) first.")
    if keys.LATENT not in adata.obsm:
        found = f"no obsm['{keys.LATENT}']"
        raise bad_section(named, found, "the latent space of the denoiser", "Call clearspot.denoise(adata) first.")
    return find_domains(adata, named, params)


def passing(adata: ad.AnnData) -> ad.AnnData:
    """Return a copy with the spots that passed quality control and, after denoising, have latent values.

    Other spots are kept in ``adata``, with NaN in ``obsm['X_dusted']`` and ``layers['denoised']``. Use this copy for
    functions that do not accept missing values, such as :func:`scanpy.pp.neighbors`.

    Parameters
    ----------
    adata
        A section after :func:`clearspot.qc` or :func:`clearspot.denoise`, or a result file of the pipeline.

    Returns
    -------
    A copy with all genes. Before quality control, it has all spots.

    Examples
    --------
    >>> import clearspot
    >>> import scanpy as sc
    >>> adata = clearspot.simulate.small_section()
    >>> record = clearspot.qc(adata, min_counts=400)
    >>> result = clearspot.denoise(adata, epochs=5, progress=False)
    >>> good = clearspot.passing(adata)
    >>> good.n_obs == int(adata.obs["qc_pass"].sum())
    True
    >>> sc.pp.neighbors(good, use_rep="X_dusted")
    """
    from clearspot.qc.passing import passing_spots

    kept = passing_spots(adata, sample_name(adata))
    if keys.LATENT in adata.obsm:
        kept = kept & np.isfinite(np.asarray(adata.obsm[keys.LATENT])).all(axis=1)
    return adata[kept].copy()


def _name_of(path: Path) -> str:
    """Name of a sample's folder, without the endings of an archive."""
    folder = path.resolve()
    if folder.name == "outs":
        folder = folder.parent
    return folder.name.split(".")[0] if folder.is_file() else folder.name
