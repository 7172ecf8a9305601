"""Diff-ST as a single function, and its two parts as used by the pipeline: training and sampling."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Unpack

import anndata as ad
import numpy as np
import torch
from numpy.typing import NDArray

from clearspot import keys
from clearspot.caller import option
from clearspot.contract.keyword_arguments import takes_settings
from clearspot.contract.sections import sample_name
from clearspot.diffst.data.embedding import Embedding, embed_histology
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_file import read_reference
from clearspot.diffst.data.reference_view import SpotGeometry
from clearspot.diffst.data.section import SpotSection, read_section
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.estimate.evidence import evidence
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.predicting import predict
from clearspot.diffst.generate.verdict import Verdict
from clearspot.diffst.output.pretraining import pretrain_on
from clearspot.diffst.output.summary import about, sampling_record, training_record
from clearspot.diffst.output.superres_file import write_superres
from clearspot.diffst.params import DiffstParams, Preset
from clearspot.diffst.training.checkpoint import load_checkpoint, model_of
from clearspot.diffst.training.fitting import fit
from clearspot.diffst.training.model_card import bins_of
from clearspot.io.storable import make_keys_storable, require_folder, require_writable
from clearspot.learning.checkpoint_file import CheckpointError, file_sha256, refused_checkpoints
from clearspot.learning.device import resolve_device
from clearspot.learning.memory import gpu_memory_errors
from clearspot.notebook.shown import as_html, as_line
from clearspot.record import StepRecord
from clearspot.threads import cpu_threads

if TYPE_CHECKING:
    from clearspot.contract.keywords import DiffstKeywords


def _tile_option() -> str:
    """Settings that reduce memory use."""
    return f"{option('tile')}, or a smaller {option('batch')} and {option('crop')}"


@dataclass(frozen=True, repr=False)
class SuperresResult:
    """Result of a super-resolution run.

    Parameters
    ----------
    path
        Path of the super-resolved file.
    record
        Metrics, settings and messages of the step ``superres``.
    training
        Record of training; None if a checkpoint was used.
    """

    path: Path
    record: StepRecord
    training: StepRecord | None

    def read(self) -> ad.AnnData:
        """Read the super-resolved file: bins x genes, expected counts per bin in ``layers['mean']``."""
        return ad.read_h5ad(self.path)

    def __repr__(self) -> str:
        return as_line(self.record, type(self).__name__)

    def _repr_html_(self) -> str:
        return as_html(self.record)


@takes_settings(DiffstParams)
def superresolve(
    adata: ad.AnnData,
    image: Path | str | NDArray[np.uint8] | None = None,
    *,
    out: Path | str,
    sample: str | None = None,
    preset: Preset = "cpu",
    params: DiffstParams | None = None,
    checkpoint: Path | str | None = None,
    start_from: Path | str | None = None,
    references: Mapping[str, Reference | Path | str] | None = None,
    microns_per_pixel: float | None = None,
    progress: bool = True,
    **settings: Unpack[DiffstKeywords],
) -> SuperresResult:
    """Super-resolve one section: train on it (or use a checkpoint), sample, and write ``<sample>.superres.h5ad``.

    Parameters
    ----------
    adata
        One section with counts in ``layers['counts']`` (or ``X``), positions in ``obsm['spatial']`` and the pixel size
        in ``uns['clearspot']['microns_per_pixel']``. Spots with ``obs['qc_pass']`` False are excluded.
    image
        Full-resolution histology image; None: use expression only.
    out
        Folder for the results, created if missing.
    sample
        Sample name, also used in file names. Default: value of ``obs['sample_id']``.
    preset
        ``cpu``, ``gpu`` or ``test``.
    params
        All settings, instead of ``preset`` and ``settings``.
    checkpoint
        Trained model; None: a model is trained on this section and kept next to the result.
    start_from
        Model pretrained on references, from which training on the section starts. The bin size is that of the model
        unless ``bin_um`` is set.
    references
        High-resolution samples on which to pretrain such a model, by name. The model is kept next to the result. Each
        reference is a path (of a prepared reference, a Xenium folder or an ingested Visium HD section), or a reference
        read with ``read_reference`` of ``clearspot.diffst.data.reference_file``, if needed with its image:
        ``read_reference(...).with_image(image, alignment)``.
    microns_per_pixel
        Size of a full-resolution pixel in µm. Overrides the value stored in the section.
    progress
        Show progress on standard error.
    settings
        Any field of :class:`DiffstParams`, for example ``factor=10``.

    Returns
    -------
    Path of the file and records of the steps. ``result.read()`` returns the AnnData.

    Raises
    ------
    BadInputError
        If counts, positions, pixel size, image, checkpoint or references are invalid, if there are several sections, or
        if the results cannot be written. All of this is checked before training.
    DeviceNotAvailableError
        If the requested GPU is unavailable.
    GpuOutOfMemoryError
        If the GPU runs out of memory. Use smaller tiles.

    Examples
    --------
    >>> import clearspot
    >>> from tempfile import mkdtemp
    >>> adata = clearspot.simulate.small_section()
    >>> result = clearspot.superresolve(adata, out=mkdtemp(), preset="test", n_genes=5, progress=False)
    >>> finer = result.read()
    >>> finer.n_obs > adata.n_obs
    True
    >>> result = clearspot.superresolve(adata, "image.tif", out="results", factor=10)  # doctest: +SKIP
    """
    sample, params = sample or sample_name(adata), _settings(params, preset, settings)
    out = Path(out)
    require_writable(_written(adata), out, sample)
    read: dict[str, Reference] = {}
    if checkpoint is None and (references or start_from is not None):
        section = _section(adata, None, sample, params, microns_per_pixel)
        read = {name: _reference(one, section.grid.bin_um) for name, one in (references or {}).items()}
        params = _with_bins_of(read, start_from, params, sample)
    embedding = None
    if image is not None:
        embedding = embed_histology(adata, image, sample, params, microns_per_pixel=microns_per_pixel)
    training = None
    if checkpoint is None:
        checkpoint = out / keys.diffst_checkpoint_name(sample)
        if read:
            start_from = out / keys.PRETRAINED_NAME
            pretrain_on(
                read,
                start_from,
                params=params,
                spots=SpotGeometry(section.pitch_um, section.diameter_um),
                progress=progress,
            )
        training = train(
            adata,
            embedding,
            checkpoint,
            sample=sample,
            params=params,
            start_from=start_from,
            microns_per_pixel=microns_per_pixel,
            progress=progress,
        )
    return sample_section(
        adata,
        embedding,
        checkpoint,
        out,
        sample=sample,
        params=params,
        microns_per_pixel=microns_per_pixel,
        progress=progress,
        training=training,
    )


def train(
    adata: ad.AnnData,
    embedding: Embedding | None,
    checkpoint: Path | str,
    *,
    sample: str,
    params: DiffstParams,
    start_from: Path | str | None = None,
    resume_from: Path | str | None = None,
    microns_per_pixel: float | None = None,
    progress: bool = True,
) -> StepRecord:
    """Train on one section and keep the model in ``checkpoint``; arguments and errors as :func:`superresolve`.

    Parameters
    ----------
    adata, embedding, sample, params, microns_per_pixel, progress
        See :func:`superresolve`.
    checkpoint
        File for the model, also written during training.
    start_from
        Model of :func:`clearspot.diffst.output.pretraining.pretrain_on`; None: train on this section only.
    resume_from
        Checkpoint of an interrupted run.
    """
    checkpoint, resume_from = Path(checkpoint), None if resume_from is None else Path(resume_from)
    require_folder(checkpoint.parent, sample)
    device = resolve_device(params.device)
    started = None if start_from is None else Path(start_from)
    with (
        cpu_threads(params.threads),
        gpu_memory_errors(_tile_option()),
        refused_checkpoints(sample, resume_from or started),
    ):
        section = _section(adata, embedding, sample, params, microns_per_pixel)
        fitted = fit(
            section,
            None if embedding is None else embedding.histology,
            params,
            device,
            start_from=started,
            checkpoint=checkpoint,
            resume_from=resume_from,
            progress=progress,
        )
    return training_record(sample, section, fitted, params)


def sample_section(
    adata: ad.AnnData,
    embedding: Embedding | None,
    checkpoint: Path | str,
    out: Path | str,
    *,
    sample: str,
    params: DiffstParams,
    microns_per_pixel: float | None = None,
    draws: Path | str | None = None,
    progress: bool = True,
    training: StepRecord | None = None,
) -> SuperresResult:
    """Sample one section with a trained model and write the result; arguments and errors as :func:`superresolve`.

    Parameters
    ----------
    adata, embedding, sample, params, microns_per_pixel, progress
        See :func:`superresolve`.
    checkpoint
        The trained model.
    out
        Folder for ``<sample>.superres.h5ad``.
    draws
        Folder for the samples drawn, so that an interrupted run can reuse them; None: a temporary folder.
    training
        Record of training, passed on to the result.
    """
    began = time.perf_counter()
    checkpoint, out, draws = Path(checkpoint), Path(out), None if draws is None else Path(draws)
    written = _written(adata)
    require_writable(written, out, sample)
    device = resolve_device(params.device)
    with (
        cpu_threads(params.threads),
        gpu_memory_errors(_tile_option()),
        refused_checkpoints(sample, checkpoint),
        TemporaryDirectory(prefix=".draws-", dir=out) as temporary,
    ):
        section = _section(adata, embedding, sample, params, microns_per_pixel)
        fitted = read_model(checkpoint, params, device)
        # the model was built with diffusion or without; drawing from it is a choice of this run
        used = replace(fitted.params, diffusion=fitted.params.diffusion and params.diffusion)
        if draws is not None:
            draws.mkdir(parents=True, exist_ok=True)
        prediction = predict(
            section,
            None if embedding is None else embedding.histology,
            fitted,
            used,
            device,
            draws or Path(temporary),
            progress=progress,
        )
        behind = evidence(section.operator, section.grid, tissue_of(section))
        record = sampling_record(adata, prediction, behind, used, 0.0)
        path = out / keys.superres_name(sample)
        write_superres(
            path,
            sample,
            section.grid,
            behind,
            written.var.iloc[section.columns].copy(),
            prediction.summaries(progress=progress),
            about=about(prediction, used, record),
            spatial=written.uns.get(keys.UNS_SPATIAL),
        )
    record.metrics["seconds_total"] = time.perf_counter() - began
    return SuperresResult(path, record, training)


def read_model(checkpoint: Path | str, params: DiffstParams, device: torch.device) -> Fitted:
    """Read a trained model for sampling.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint, or its training was interrupted.
    """
    checkpoint = Path(checkpoint)
    content = load_checkpoint(checkpoint)
    if "losses" not in content["results"]:
        raise CheckpointError(f"{checkpoint.name} is from an interrupted training: resume it first")
    model, programs, params = model_of(content, params)
    verdict = content["results"]["verdict"]
    return Fitted(
        model.to(device),
        programs,
        params,
        None if verdict is None else Verdict(**verdict),
        checkpoint_sha256=file_sha256(checkpoint),
    )


def _settings(params: DiffstParams | None, preset: Preset, settings: Mapping[str, Any]) -> DiffstParams:
    if params is None:
        return DiffstParams.preset(preset, **settings)
    if settings:
        raise TypeError("pass either params or single settings, not both")
    return params


def _section(
    adata: ad.AnnData,
    embedding: Embedding | None,
    sample: str,
    params: DiffstParams,
    microns_per_pixel: float | None,
) -> SpotSection:
    grid = None if embedding is None else embedding.grid
    section = read_section(adata, sample, params, microns_per_pixel=microns_per_pixel, grid=grid)
    if embedding is not None:
        section.messages.extend(embedding.messages)
    return section


def _written(adata: ad.AnnData) -> ad.AnnData:
    """What of a section goes into the super-resolved file, under keys that it can hold."""
    spatial = {keys.UNS_SPATIAL: deepcopy(adata.uns[keys.UNS_SPATIAL])} if keys.UNS_SPATIAL in adata.uns else {}
    written = ad.AnnData(var=adata.var.copy(), uns=spatial)
    make_keys_storable(written)
    return written


def _with_bins_of(
    references: Mapping[str, Reference], start_from: Path | str | None, params: DiffstParams, sample: str
) -> DiffstParams:
    """Settings with the bin size of the references or the model, unless a bin size in µm was set."""
    if params.bin_um is not None:
        return params
    if references:
        return replace(params, bin_um=next(iter(references.values())).grid.bin_um)
    return replace(params, bin_um=bins_of(Path(str(start_from)), sample))


def _reference(one: Reference | Path | str, bin_um: float) -> Reference:
    return one if isinstance(one, Reference) else read_reference(Path(one), bin_um)
