"""DUSTED as a single function."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import anndata as ad
import numpy as np

from clearspot import keys
from clearspot.contract.keyword_arguments import takes_settings
from clearspot.contract.sections import sample_name, section_labels
from clearspot.dusted.denoised_store import by_rows, fill_layer, goes_to_file, without_stripes, write_file
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.inference import MeanBlock, embed, means
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.result import DustedResult
from clearspot.dusted.run import Run
from clearspot.dusted.several_sections import denoise_each, file_part
from clearspot.dusted.summary import Outcome, annotate, build_result
from clearspot.dusted.tile_size import tile_option
from clearspot.dusted.tiles import Tile
from clearspot.io.storable import require_folder
from clearspot.learning.device import resolve_device
from clearspot.learning.memory import gpu_memory_errors
from clearspot.learning.progress import Watched
from clearspot.threads import cpu_threads

if TYPE_CHECKING:
    from clearspot.contract.keywords import DustedKeywords


@takes_settings(DustedParams)
def denoise(
    adata: ad.AnnData,
    *,
    sample: str | None = None,
    preset: Preset = "default",
    params: DustedParams | None = None,
    checkpoint: Path | str | None = None,
    resume_from: Path | str | None = None,
    warm_start_from: Path | str | None = None,
    denoised_path: Path | str | None = None,
    progress: bool = True,
    **settings: Unpack[DustedKeywords],
) -> DustedResult:
    """Denoise the counts of a section with DUSTED, in place.

    Adds ``layers['denoised']`` (float32, in counts; NaN for spots that failed quality control and for genes that were
    not modelled), ``obsm['X_dusted']`` (latent values, float32), ``obsm['dusted_shuffled']`` (latent values of the
    trained model for shuffled spots), ``obsm['dusted_training']`` (latent values of the counts that the model was
    trained on; sections of up to 20,000 spots), ``var['dusted_modelled']``, ``var['dusted_gene_attention']`` and
    ``uns['clearspot']['dusted']``. Measured counts are not changed.

    Parameters
    ----------
    adata
        A section with counts in ``layers['counts']`` (or ``X``) and the graph of adjacent spots in
        ``obsp['spatial_connectivities']``. If the graph is missing, it is built from ``obsm['spatial']``. Spots with
        ``obs['qc_pass']`` False are excluded. For several sections, set ``library_key`` (see :class:`DustedParams`);
        each section is then denoised separately. For a backed AnnData, the added matrices are kept in memory.
    sample
        Sample name used in messages and in the record. Default: value of ``obs['sample_id']``.
    preset
        ``default``, or ``paper`` for the settings of the paper.
    params
        All settings, instead of ``preset`` and ``settings``.
    checkpoint
        File for the trained model. With ``checkpoint_every`` or ``checkpoint_minutes``, it is also written during
        training.
    resume_from
        Checkpoint of an interrupted run with the same data and settings. The result equals that of an uninterrupted
        run. Only for a single section.
    warm_start_from
        Checkpoint with the initial weights of a new run. It may be from another section.
    denoised_path
        File for the denoised values instead of ``layers['denoised']``, over the modelled spots and genes. It is used
        for sections whose layer would need more than 1.25 GiB, or as ``denoised_store`` says. Without it, a layer of
        up to 4 GiB is made.
    progress
        Show progress on standard error.
    settings
        Any field of :class:`clearspot.dusted.DustedParams`, for example ``likelihood="nb"`` or ``epochs=50``;
        ``None`` keeps the value of the preset, unless ``None`` is itself a valid value.

    Returns
    -------
    Record of the step, attention, gene attention and loss curve.

    Raises
    ------
    BadInputError
        If counts, flags or positions are missing or invalid, if no gene of a list is in the section, or if there are
        several sections and no ``library_key``.
    DeviceNotAvailableError
        If the requested GPU is unavailable.
    GpuOutOfMemoryError
        If the GPU runs out of memory. Use smaller tiles.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> result = clearspot.denoise(adata, likelihood="zinb", epochs=5, progress=False)
    >>> adata.layers["denoised"].shape, adata.obsm["X_dusted"].shape
    ((77, 200), (77, 64))
    >>> len(result.training)
    5
    >>> clearspot.denoise(adata, epoch=5)
    Traceback (most recent call last):
    TypeError: denoise() has no setting named epoch (nearest: epochs)
    """
    sample = sample or sample_name(adata)
    if params is None:
        params = DustedParams.preset(preset, **settings)
    elif settings:
        raise TypeError("pass either params or single settings, not both")
    if resume_from is not None and warm_start_from is not None:
        raise ValueError("a run can be resumed or warm-started, not both")
    paths = [None if path is None else Path(path) for path in (checkpoint, resume_from, warm_start_from, denoised_path)]
    for path in filter(None, (paths[0], paths[3])):
        require_folder(path.parent, sample)
    sections = section_labels(adata, params.library_key, sample)
    if len(sections) < 2:
        return _denoise_one(adata, sample, params, *paths, progress=progress)
    if paths[1] is not None:
        raise ValueError("a run on several sections cannot be resumed: resume each section separately")
    if goes_to_file(adata, params, None):
        raise ValueError("several sections have no file of denoised values: denoise each section separately")

    def one(part: ad.AnnData, name: str, alone: DustedParams, section: str) -> DustedResult:
        kept = paths[0]
        if kept is not None:
            kept = kept.with_name(f"{kept.stem}.{file_part(section)}{kept.suffix}")
        return _denoise_one(part, name, alone, kept, None, paths[2], None, progress=progress)

    return denoise_each(adata, sections, sample, params, one)


def _denoise_one(
    adata: ad.AnnData,
    sample: str,
    params: DustedParams,
    checkpoint: Path | None,
    resume_from: Path | None,
    warm_start_from: Path | None,
    denoised_path: Path | None,
    *,
    progress: bool,
) -> DustedResult:
    """Denoise one section; arguments as for :func:`denoise`."""
    began = time.perf_counter()
    device = resolve_device(params.device)
    with cpu_threads(params.threads), gpu_memory_errors(tile_option()):
        source = read_section(adata, sample, params)
        to_file = goes_to_file(adata, params, denoised_path)
        run = Run(source, sample, params, device)
        model, state, seconds = run.train(checkpoint, resume_from, warm_start_from, progress)

        def tiles(what: str, those: list[Tile] | None = None) -> Watched[Tile]:
            return Watched(those or run.tiles, f"dusted, {what}: tile", shown=progress)

        outcome = Outcome(
            source=source,
            params=params,
            model=model,
            state=state,
            embedding=embed(model, source.section, tiles("latent values"), device),
            shuffled_latent=embed(model, source.section.shuffled(params.seed), tiles("shuffled spots"), device).latent,
            training_latent=run.training_latent(model),
            comparison=run.compare(model, progress),
            tiles=len(run.tiles),
            seconds_training=seconds,
            checkpoint_sha256=run.save(checkpoint, model, state),
        )
        totals = _Totals()
        scale = 1 / (1 - params.holdout)
        bands = by_rows(source.section.graph, run.tiles, run.max_spots) if to_file else run.tiles
        denoised = tiles("denoised values", bands)
        blocks = means(model, source.section, denoised, device, posterior=params.posterior, scale=scale)
        blocks = totals.watch(blocks)
        if keys.STRIPE_FACTOR in adata.obs:
            blocks = without_stripes(blocks, adata.obs[keys.STRIPE_FACTOR].to_numpy(dtype=np.float32)[source.spots])
        if to_file and denoised_path is not None:
            order = np.concatenate([tile.core for tile in bands])
            write_file(adata, source.spots, source.genes, blocks, denoised_path, order)
            outcome.denoised_file = denoised_path.name
        else:
            fill_layer(adata, source.spots, source.genes, blocks)
    outcome.dropout_share = 1 - totals.expected / totals.mean
    outcome.seconds_total = time.perf_counter() - began
    annotate(adata, outcome)
    return build_result(adata, sample, outcome)


class _Totals:
    """Sums of means and expected counts, taken while the blocks pass by."""

    def __init__(self) -> None:
        self.mean = self.expected = 0.0

    def watch(self, blocks: Iterator[MeanBlock]) -> Iterator[MeanBlock]:
        """Hand the blocks on."""
        for block in blocks:
            self.mean += float(block.mean.sum(dtype=np.float64))
            self.expected += float(block.expected.sum(dtype=np.float64))
            yield block
