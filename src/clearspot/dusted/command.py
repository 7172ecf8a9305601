"""From a file to files: what ``bin/dusted_denoise.py`` and ``clearspot denoise`` call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata as ad
import torch

from clearspot import keys
from clearspot.contract.gene_lists import gene_choice
from clearspot.contract.sections import merge_duplicates as merged
from clearspot.dusted.checkpoint import kept_checkpoint
from clearspot.dusted.denoising import denoise
from clearspot.dusted.from_anndata import read_section as section_to_train_on
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.run import Run
from clearspot.dusted.team import device_of_rank, joined, launched_by_torchrun, run_processes, same_for_all
from clearspot.dusted.tile_size import tile_option, with_smaller_tiles
from clearspot.errors import BadInputError, Problem
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section, read_users_section
from clearspot.io.storable import make_keys_storable, require_folder, require_writable
from clearspot.learning.device import resolve_device
from clearspot.learning.kept_checkpoint import KeptCheckpoint
from clearspot.learning.memory import gpu_memory_errors
from clearspot.record import Message, StepRecord
from clearspot.threads import cpu_threads


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
    def in_folder(cls, outdir: Path | str, sample: str) -> Targets:
        """The pipeline's names: ``<sample>.h5ad`` and so on, and ``models/``."""
        outdir = Path(outdir)
        return cls(
            outdir / keys.h5ad_name(sample),
            outdir / keys.record_name(sample, "dusted"),
            outdir / keys.denoised_name(sample),
            outdir / keys.MODELS_FOLDER,
        )

    @classmethod
    def beside(cls, output: Path | str, models: Path | str | None) -> Targets:
        """A file of any name, with ``<stem>.dusted.json`` and, if need be, ``<stem>.denoised.h5ad`` beside it."""
        output = Path(output)
        return cls(
            output,
            output.with_name(keys.record_name(output.stem, "dusted")),
            output.with_name(keys.denoised_name(output.stem)),
            None if models is None else Path(models),
        )


def denoise_file(
    h5ad: Path,
    targets: Targets,
    sample: str,
    *,
    preset: Preset = "default",
    genes: str | Path | Sequence[str] | None = None,
    always_genes: str | Path | Sequence[str] | None = None,
    merge_duplicates: bool = False,
    written_by_step: bool = False,
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
        ``hvg``, ``all``, a file with symbols or ids (:mod:`clearspot.contract.gene_lists`), or the names themselves.
    always_genes
        Genes that are modelled in any case, as a file or as names.
    merge_duplicates
        Add up the counts of observations at one place, see :func:`clearspot.contract.sections.merge_duplicates`.
    written_by_step
        Whether an earlier step wrote ``h5ad``: one that cannot be read was then damaged, else it is bad input.
    attempt
        Each after the first halves the tiles, see :func:`clearspot.dusted.tile_size.with_smaller_tiles`.
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

    Raises
    ------
    BadInputError
        If the file or its content cannot be used, or the results could not be written. All of this is found out before
        training.
    DamagedFileError
        If a file that an earlier step wrote cannot be read.
    """
    h5ad = Path(h5ad)
    params = DustedParams.preset(
        preset,
        genes=None if genes is None else gene_choice(genes, sample),
        always_genes=None if always_genes is None else gene_choice(always_genes, sample, keywords=()),
        **{name: value for name, value in settings.items() if value is not None},
    )
    if params.library_key is not None:
        _refuse_for_sections(
            sample,
            {
                "--processes": processes > 1 or launched_by_torchrun(),
                "--checkpoint-dir": checkpoint_dir is not None,
                "--resume-from": resume_from is not None,
            },
        )
    for folder in filter(None, (targets.h5ad.parent, targets.models)):
        require_folder(folder, sample)
    kept = None
    if checkpoint_dir is not None and resume_from is None:
        kept = kept_checkpoint(checkpoint_dir, sample, h5ad, params, warm_start_from)
    source = _Input(h5ad, sample, written_by_step, merge_duplicates, params.library_key)
    job = _Job(source, targets, sample, params, attempt, kept, resume_from, warm_start_from)
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


def _refuse_for_sections(sample: str, options: dict[str, bool]) -> None:
    for option, given in options.items():
        if given:
            found, expected = f"{option} together with --library-key", "one of the two options"
            how = f"Leave {option} out, or denoise each section from a separate file."
            raise BadInputError(Problem(sample, "options", found, expected, how))


@dataclass(frozen=True)
class _Input:
    """The file to denoise."""

    h5ad: Path
    sample: str
    written_by_step: bool
    merge_duplicates: bool
    library_key: str | None

    def read(self) -> tuple[ad.AnnData, list[Message]]:
        """Read it; with what had to be changed."""
        if self.written_by_step:
            return read_section(self.h5ad), []
        adata = read_users_section(self.h5ad, self.sample)
        messages = []
        if self.merge_duplicates:
            before = adata.n_obs
            adata = merged(adata, self.library_key, self.sample)
            text = (
                f"{before - adata.n_obs} of {before} observations shared the position of another one. Their counts "
                f"were added up."
            )
            messages.append(Message("handled", text))
        return adata, [*make_keys_storable(adata), *messages]


@dataclass(frozen=True)
class _Job:
    """One run, as every process that takes part in it needs it."""

    source: _Input
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
        """Checkpoints to resume and to start from: an earlier attempt's takes precedence over the one to start from."""
        if self.kept is not None and same_for_all(self.kept.found()) is not None:
            return self.kept.path, None
        return self.resume_from, self.warm_start_from

    def denoise(self) -> None:
        """Denoise and write; in the one process, or in the first of several."""
        adata, messages = self.source.read()
        require_writable(adata, self.targets.h5ad.parent, self.sample)
        resume_from, warm_start_from = self.start()
        models = self.targets.models
        final = None if models is None else models / keys.dusted_checkpoint_name(self.sample)
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
        result.record.messages[:0] = messages
        if resumed is not None:
            result.record.note("info", f"Resumed after epoch {resumed} of an earlier attempt.")
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
        adata, _ = self.source.read()
        resume_from, warm_start_from = self.start()
        params = with_smaller_tiles(adata, self.sample, self.params, self.attempt)
        with cpu_threads(params.threads), gpu_memory_errors(tile_option()):
            run = Run(
                section_to_train_on(adata, self.sample, params), self.sample, params, resolve_device(params.device)
            )
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
    """What a started process does."""
    _work_together(
        job.on(device_of_rank(job.params.device, rank)), init_method=meeting, rank=rank, world_size=processes
    )
