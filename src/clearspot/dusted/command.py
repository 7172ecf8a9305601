"""From a file to files: what ``bin/dusted_denoise.py`` and ``clearspot denoise`` call."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata as ad
import torch

from clearspot import keys
from clearspot.dusted.attempts import with_smaller_tiles
from clearspot.dusted.denoising import denoise
from clearspot.dusted.device import gpu_memory_errors, resolve_device
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.genes import read_gene_list
from clearspot.dusted.kept_checkpoint import KeptCheckpoint
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.result import checkpoint_name, denoised_name
from clearspot.dusted.run import Run
from clearspot.dusted.team import device_of_rank, joined, launched_by_torchrun, run_processes, same_for_all
from clearspot.errors import exit_codes
from clearspot.io.atomic import write_h5ad
from clearspot.record import StepRecord
from clearspot.threads import cpu_threads

MODELS = "models"


@dataclass(frozen=True)
class Targets:
    """Where a denoised section goes.

    Parameters
    ----------
    h5ad, record
        The section and the record of the step.
    denoised
        Denoised values that are too large for a layer.
    models
        Folder for checkpoint, loss curve, attention and gene attention; ``None``: they are not kept.
    """

    h5ad: Path
    record: Path
    denoised: Path
    models: Path | None

    @classmethod
    def in_folder(cls, outdir: Path, sample: str) -> Targets:
        """The pipeline's names: ``<sample>.h5ad`` and so on, and ``models/``."""
        return cls(
            outdir / keys.h5ad_name(sample),
            outdir / keys.record_name(sample, "dusted"),
            outdir / denoised_name(sample),
            outdir / MODELS,
        )

    @classmethod
    def beside(cls, output: Path, models: Path | None) -> Targets:
        """A file of any name, with ``<stem>.dusted.json`` and, if need be, ``<stem>.denoised.h5ad`` beside it."""
        folder = output.parent
        return cls(
            output, folder / keys.record_name(output.stem, "dusted"), folder / denoised_name(output.stem), models
        )


def denoise_file(
    h5ad: Path,
    targets: Targets,
    sample: str,
    *,
    preset: Preset = "default",
    genes: str | None = None,
    always_genes: Path | None = None,
    attempt: int = 1,
    processes: int = 1,
    checkpoint_dir: Path | None = None,
    resume_from: Path | None = None,
    warm_start_from: Path | None = None,
    **settings: Any,
) -> StepRecord | None:
    """Denoise a file and write everything that belongs to the result.

    Under ``torchrun`` the processes that it started share the work, on several machines too; otherwise ``processes``
    says how many are started here.

    Parameters
    ----------
    h5ad
        Section with counts and, if it has one, its graph.
    targets
        Where results go; folders are made if absent.
    sample
        Sample name.
    preset
        Named settings to start from.
    genes
        ``hvg``, ``all`` or the path of a file with gene names or ids.
    always_genes
        File of genes that are modelled in any case.
    attempt
        Each after the first halves the tiles, see :func:`clearspot.dusted.attempts.with_smaller_tiles`.
    processes
        Processes that share the tiles.
    checkpoint_dir
        Folder that outlives this attempt: another one on the same input and settings goes on from what it finds there.
    resume_from, warm_start_from
        Checkpoints, see :func:`clearspot.dusted.denoise`.
    settings
        Fields of :class:`DustedParams`; ``None`` leaves the preset's.

    Returns
    -------
    The record as written; ``None`` in a process that only helped another one.
    """
    params = DustedParams.preset(
        preset,
        genes=genes if genes in (None, "hvg", "all") else read_gene_list(Path(genes)),
        always_genes=None if always_genes is None else read_gene_list(always_genes),
        **settings,
    )
    for folder in filter(None, (targets.h5ad.parent, targets.models)):
        folder.mkdir(parents=True, exist_ok=True)
    kept = None
    if checkpoint_dir is not None and resume_from is None:
        kept = KeptCheckpoint(checkpoint_dir, sample, h5ad, params, warm_start_from)
    job = _Job(h5ad, targets, sample, params, attempt, kept, resume_from, warm_start_from)
    if launched_by_torchrun():
        device = device_of_rank(params.device, int(os.environ["LOCAL_RANK"]))
        if not _work_together(job.on(device)):
            return None
    elif processes > 1:
        if params.threads is not None:
            job = replace(job, params=replace(params, threads=max(1, params.threads // processes)))
        run_processes(_process, processes, job)
    else:
        job.denoise()
    return StepRecord.read(targets.record)


@dataclass(frozen=True)
class _Job:
    """One run, as every process that takes part in it needs it."""

    h5ad: Path
    targets: Targets
    sample: str
    params: DustedParams
    attempt: int
    kept: KeptCheckpoint | None
    resume_from: Path | None
    warm_start_from: Path | None

    def on(self, device: str) -> _Job:
        """The same on another device."""
        return replace(self, params=replace(self.params, device=device))

    def start(self) -> tuple[Path | None, Path | None]:
        """Checkpoints to resume and to start from: an earlier attempt's goes before the one to start anew from."""
        if self.kept is not None and same_for_all(self.kept.found()) is not None:
            return self.kept.path, None
        return self.resume_from, self.warm_start_from

    def denoise(self) -> None:
        """Denoise and write; in the one process, or in the first of several."""
        adata = ad.read_h5ad(self.h5ad)
        resume_from, warm_start_from = self.start()
        models = self.targets.models
        final = None if models is None else models / checkpoint_name(self.sample)
        resumed = self.kept.found() if self.kept is not None and resume_from == self.kept.path else None
        result = denoise(
            adata,
            sample=self.sample,
            params=with_smaller_tiles(adata, self.sample, self.params, self.attempt),
            checkpoint=final if self.kept is None else self.kept.path,
            resume_from=resume_from,
            warm_start_from=warm_start_from,
            denoised_path=self.targets.denoised,
        )
        if resumed is not None:
            result.record.note("info", f"Went on after epoch {resumed} of an earlier attempt.")
        if models is not None:
            result.write_tables(models)
        if self.kept is not None and final is not None:
            self.kept.copy_to(final)
        write_h5ad(adata, self.targets.h5ad)
        result.record.write(self.targets.record)
        if self.kept is not None:
            self.kept.remove()

    def assist(self) -> None:
        """Train only, beside the first process."""
        adata = ad.read_h5ad(self.h5ad)
        resume_from, warm_start_from = self.start()
        params = with_smaller_tiles(adata, self.sample, self.params, self.attempt)
        with cpu_threads(params.threads), gpu_memory_errors():
            run = Run(read_section(adata, self.sample, params), self.sample, params, resolve_device(params.device))
            run.train(None, resume_from, warm_start_from, progress=False)


def _work_together(job: _Job, **where: Any) -> bool:
    """One process's part of a job; true for the one that writes."""
    device = resolve_device(job.params.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    with joined(device.type, **where) as team:
        first = team.rank == 0
        if first:
            job.denoise()
        else:
            job.assist()
    return first


def _process(rank: int, processes: int, meeting: str, job: _Job) -> None:
    """What a started process does: the errors it dies of keep their exit codes."""
    with exit_codes():
        _work_together(
            job.on(device_of_rank(job.params.device, rank)), init_method=meeting, rank=rank, world_size=processes
        )
