"""From files to files: what the scripts ``histology_embed``, ``diffusion_train`` and ``diffusion_sample`` call."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clearspot import keys
from clearspot.contract.gene_lists import gene_choice
from clearspot.diffst.params import DiffstParams, Preset
from clearspot.errors import BadInputError
from clearspot.io.section_file import read_section as read_file
from clearspot.record import StepRecord

if TYPE_CHECKING:
    from clearspot.diffst.output.api import SuperresResult

EMBED_STEP = "histology"


def embed_file(
    h5ad: Path,
    image: Path,
    outdir: Path,
    sample: str,
    *,
    preset: Preset = "cpu",
    microns_per_pixel: float | None = None,
    **settings: Any,
) -> StepRecord:
    """Compute the image's features on the fine grid; write ``<sample>.histology.npz`` and its record.

    Parameters
    ----------
    h5ad
        Section with counts and positions.
    image
        Full-resolution image.
    outdir
        Folder for the results, made if absent.
    sample
        Sample name.
    preset, settings
        See :class:`DiffstParams`; ``factor`` and ``bin_um`` matter here.
    microns_per_pixel
        Overrides what the section says.
    """
    from clearspot.diffst.data.embedding import embed_histology

    began = time.perf_counter()
    params = _params(preset, settings, sample)
    embedding = embed_histology(read_file(h5ad), image, sample, params, microns_per_pixel=microns_per_pixel)
    outdir.mkdir(parents=True, exist_ok=True)
    embedding.write(outdir / keys.histology_name(sample))
    grid, histology = embedding.grid, embedding.histology
    entropy = histology.cell_rank
    record = StepRecord(
        sample,
        EMBED_STEP,
        metrics={
            "bin_um": grid.bin_um,
            "n_rows": grid.n_rows,
            "n_cols": grid.n_cols,
            "um_per_px": embedding.um_per_px,
            "image_coverage": float(histology.valid.mean()),
            "n_features": histology.n_features,
            "n_patches": int(np.count_nonzero(entropy >= 0)),
            "seconds": time.perf_counter() - began,
        },
        params={"image": image.name, "factor": params.factor, "bin_um": params.bin_um},
        messages=list(embedding.messages),
    )
    if histology.encoder:
        record.metrics["image_encoder"] = histology.encoder
    record.write(outdir / keys.record_name(sample, EMBED_STEP))
    return record


def train_file(
    h5ad: Path,
    histology: Path | None,
    outdir: Path,
    sample: str,
    *,
    preset: Preset = "cpu",
    resume_from: Path | None = None,
    checkpoint_dir: Path | None = None,
    start_from: Path | None = None,
    alone_if_unfit: bool = False,
    microns_per_pixel: float | None = None,
    **settings: Any,
) -> StepRecord:
    """Train on one section; write ``<sample>.diffst.pt`` and the record of the step.

    Parameters
    ----------
    h5ad
        Section with counts and positions.
    histology
        What :func:`embed_file` wrote; None: expression alone.
    outdir
        Folder for the results, made if absent.
    sample
        Sample name.
    preset, settings
        See :class:`DiffstParams`; ``genes`` and ``always_genes`` may be files.
    resume_from
        Checkpoint of a run that was broken off.
    checkpoint_dir
        Folder that outlives this attempt: another one on the same input and settings goes on from what it finds there.
    start_from
        Model of :func:`pretrain_files`, from which training goes on; None: learn from this section alone.
    alone_if_unfit
        Learn from this section alone, with a warning, where that model does not fit it.
    microns_per_pixel
        Overrides what the section says.
    """
    from clearspot.diffst.data.embedding import Embedding
    from clearspot.diffst.output.api import train
    from clearspot.diffst.training.checkpoint import kept_checkpoint

    outdir.mkdir(parents=True, exist_ok=True)
    adata, params = read_file(h5ad), _params(preset, settings, sample)
    embedding = None if histology is None else Embedding.read(histology)
    final = outdir / keys.diffst_checkpoint_name(sample)
    kept = resumed = None
    if checkpoint_dir is not None and resume_from is None:
        inputs = [h5ad, histology, start_from]
        kept = kept_checkpoint(checkpoint_dir, sample, inputs, params, microns_per_pixel=microns_per_pixel)
        resumed = kept.found()
    arguments: dict[str, Any] = {
        "sample": sample,
        "params": params,
        "resume_from": kept.path if kept is not None and resumed is not None else resume_from,
        "microns_per_pixel": microns_per_pixel,
    }
    target = final if kept is None else kept.path
    try:
        record = train(adata, embedding, target, start_from=start_from, **arguments)
    except BadInputError as error:
        unfit = [problem for problem in error.problems if start_from is not None and problem.file == start_from.name]
        if not alone_if_unfit or not unfit:
            raise
        record = train(adata, embedding, target, **arguments)
        record.note(
            "warning", f"The model was trained on this sample alone, not from {unfit[0].file}: {unfit[0].found}."
        )
    if resumed is not None:
        record.note("info", f"Resumed after step {resumed} of an earlier attempt.")
    if kept is not None:
        kept.copy_to(final)
    record.write(outdir / keys.record_name(sample, record.step))
    if kept is not None:
        kept.remove()
    return record


def pretrain_files(
    references: tuple[Path, ...],
    outdir: Path,
    *,
    preset: Preset = "cpu",
    bin_um: float = 16.0,
    skip_bad_references: bool = False,
    **settings: Any,
) -> StepRecord:
    """Train on references once; write ``references.diffst.pt`` and the record of the step.

    Parameters
    ----------
    references
        What ``reference_prepare`` wrote (features of their images beside them), Xenium folders, or Visium HD sections
        (``.h5ad``).
    outdir
        Folder for the results, made if absent.
    preset, settings
        See :class:`DiffstParams`.
    bin_um
        Side of the bins.
    skip_bad_references
        Leave out references that do not go with the others, with a warning in the record.
    """
    from clearspot.diffst.data.reference_file import read_reference
    from clearspot.diffst.output.pretraining import pretrain_on

    outdir.mkdir(parents=True, exist_ok=True)
    record = pretrain_on(
        {keys.sample_of_reference(path.name): read_reference(path, bin_um) for path in references},
        outdir / keys.PRETRAINED_NAME,
        params=_params(preset, settings, keys.COHORT),
        skip_bad_references=skip_bad_references,
    )
    record.write(outdir / keys.record_name(keys.COHORT, record.step))
    return record


def sample_file(
    h5ad: Path,
    histology: Path | None,
    checkpoint: Path,
    outdir: Path,
    sample: str,
    *,
    preset: Preset = "cpu",
    draws: Path | None = None,
    ome_tiff: bool = False,
    microns_per_pixel: float | None = None,
    **settings: Any,
) -> SuperresResult:
    """Sample one section; write ``<sample>.superres.h5ad`` and the record of the step.

    Genes requested by name also get maps, ``superres_maps/<gene>.ome.tif`` and ``.png``.

    Parameters
    ----------
    h5ad, histology, outdir, sample, preset, microns_per_pixel, settings
        As :func:`train_file`.
    checkpoint
        What :func:`train_file` wrote, for this section or another.
    draws
        Folder that keeps the draws of a run that is broken off.
    ome_tiff
        Write every gene as one image too, ``superres_maps/<sample>.superres.ome.tif``.
    """
    from clearspot.diffst.data.embedding import Embedding
    from clearspot.diffst.output.api import sample_section
    from clearspot.diffst.output.gene_stack import write_gene_stack
    from clearspot.diffst.output.maps import write_maps

    outdir.mkdir(parents=True, exist_ok=True)
    params = _params(preset, settings, sample)
    result = sample_section(
        read_file(h5ad),
        None if histology is None else Embedding.read(histology),
        checkpoint,
        outdir,
        sample=sample,
        params=params,
        microns_per_pixel=microns_per_pixel,
        draws=draws,
    )
    named = (*(params.genes if isinstance(params.genes, tuple) else ()), *params.always_genes)
    if named:
        maps = write_maps(result.path, named, outdir / keys.SUPERRES_MAPS_FOLDER)
        result.record.metrics["n_maps"] = len(maps) // 2
    if ome_tiff:
        write_gene_stack(result.path, outdir / keys.SUPERRES_MAPS_FOLDER / keys.superres_tiff_name(sample))
    result.record.write(outdir / keys.record_name(sample, result.record.step))
    return result


def superresolve_file(
    h5ad: Path,
    image: Path | None,
    outdir: Path,
    sample: str,
    *,
    checkpoint: Path | None = None,
    start_from: Path | None = None,
    **options: Any,
) -> list[StepRecord]:
    """Super-resolve one section from file to files, as the pipeline's three steps do one after the other.

    Parameters
    ----------
    h5ad, outdir, sample
        As :func:`train_file`.
    image
        Full-resolution image; None: expression alone.
    checkpoint
        A trained model; None: one is trained on this section.
    start_from
        Model of :func:`pretrain_files`, from which that training goes on.
    options
        ``preset``, ``microns_per_pixel`` and fields of :class:`DiffstParams`.

    Returns
    -------
    The records of the steps.
    """
    records, histology = [], None
    if start_from is not None and options.get("bin_um") is None:
        from clearspot.diffst.training.model_card import bins_of

        options["bin_um"] = bins_of(start_from, sample)
    if image is not None:
        records.append(embed_file(h5ad, image, outdir, sample, **options))
        histology = outdir / keys.histology_name(sample)
    if checkpoint is None:
        records.append(train_file(h5ad, histology, outdir, sample, start_from=start_from, **options))
        checkpoint = outdir / keys.diffst_checkpoint_name(sample)
    records.append(sample_file(h5ad, histology, checkpoint, outdir, sample, **options).record)
    return records


def _params(preset: Preset, settings: dict[str, Any], sample: str) -> DiffstParams:
    """Settings from the options: lists of genes may come in files."""
    genes, always = settings.pop("genes", None), settings.pop("always_genes", None)
    return DiffstParams.preset(
        preset,
        genes=None if genes is None else gene_choice(genes, sample),
        always_genes=None if always is None else gene_choice(always, sample, keywords=()),
        **{name: value for name, value in settings.items() if value is not None},
    )
