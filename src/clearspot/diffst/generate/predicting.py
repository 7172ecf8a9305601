"""Sampling a section with a trained model: programs of every draw, then genes, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.checkpoint_file import CheckpointError
from clearspot.diffst.data.hidden_pairs import hidden_pairs
from clearspot.diffst.data.make_views import section_view
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.dispersion import dispersion, explained, noise_sd
from clearspot.diffst.generate.decoding import UNEXPLAINED, Decoder
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.sampling import add_residual, centring, predict_mean, sample_residual
from clearspot.diffst.generate.uncertainty import RunningSummary, Summary
from clearspot.diffst.geometry.scratch import parked
from clearspot.diffst.image.histology import Histology, no_image
from clearspot.diffst.networks.gene_loadings import gene_loadings
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.progress import Progress
from clearspot.io.atomic import atomic_path

_VALUES_AT_ONCE: Final = 2_000_000
_PATTERNS: Final = 3
"""Ways to hide spots, by which the genes' dispersion on this section is found."""


class Prediction:
    """Programs of one section: stage 1's mean, and the draws of stage 2, which lie on disk.

    Parameters
    ----------
    section
        Spots, genes and grid.
    histology
        Features on its grid; None: no image.
    fitted
        The model.
    params
        Settings of sampling.
    device
        Where the networks run.
    draws
        Existing folder for the draws. Those of an interrupted run with the same model and data are used again.
    progress
        Show progress on the standard error.
    """

    def __init__(
        self,
        section: SpotSection,
        histology: Histology | None,
        fitted: Fitted,
        params: DiffstParams,
        device: torch.device,
        draws: Path,
        *,
        progress: bool = True,
    ):
        if histology is None or not params.image:
            histology = no_image(section.grid.shape, fitted.model.image_channels, fitted.model.pixels_per_bin)
        if histology.n_features != fitted.model.image_channels:
            text = (
                f"the model was trained with {fitted.model.image_channels} image features, not {histology.n_features}"
            )
            raise CheckpointError(text)
        self.section, self.fitted, self.params, self._device = section, fitted, params, device
        self._programs = fitted.programs.for_genes(section.genes, section.counts)
        everywhere = np.ones(len(section.rows), dtype=bool)
        values = self._programs.transform(section.counts)
        tissue = tissue_of(section)
        self.view: View = section_view(section, values, histology, tissue, everywhere, _PATTERNS, params.seed)
        self.mean = predict_mean(fitted.model, self.view, self.view.conditions[0], params, device)
        self._loadings = gene_loadings(fitted.model, self._programs, section, params, everywhere)
        self.draws = self._draw(draws, progress) if fitted.model.denoiser is not None and params.diffusion else []

    @property
    def loadings(self) -> NDArray[np.float32]:
        """``(programs, genes)``, as the gene graph corrects them."""
        return self._loadings

    @property
    def programs(self) -> Programs:
        """For the section's genes."""
        return self._programs

    def _draw(self, folder: Path, progress: bool) -> list[Path]:
        """Draw what is not there yet."""
        key = self._key()
        paths = [folder / f"{key}-{number:03d}.npy" for number in range(self.params.samples)]
        done = sum(path.exists() for path in paths)
        with Progress("sampling", len(paths), done, shown=progress) as bar:
            for number, path in enumerate(paths):
                if path.exists():
                    continue
                residual = sample_residual(
                    self.fitted.model,
                    self.view,
                    self.view.conditions[0],
                    self.mean,
                    number,
                    self.section.sample,
                    self.params,
                    self._device,
                )
                with atomic_path(path) as partial:
                    kept = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=residual.shape)
                    for channel, values in enumerate(residual):
                        kept[channel] = values
                    kept.flush()
                bar.step()
        return paths

    def _key(self) -> str:
        """Tells draws of this model, section and sampler from others."""
        digest = sha256()
        for channel in self.mean:
            digest.update(np.ascontiguousarray(channel).tobytes())
        params = self.params
        digest.update(repr((params.seed, params.evaluations, params.sigma_min, params.sigma_max)).encode())
        if self.fitted.model.denoiser is not None:
            for parameter in self.fitted.model.denoiser.parameters():
                digest.update(parameter.detach().cpu().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def mean_is_of_draws(self) -> bool:
        """Whether the reported mean is that of the draws; else it is stage 1's, which did better or is all there is."""
        verdict = self.fitted.verdict
        return len(self.draws) > 1 and verdict is not None and verdict.diffusion_wins

    def decoder(self) -> Decoder:
        """Decoder of the section's genes, with the noise that brings the draws to the dispersion of hidden spots."""
        section = self.section
        phi = dispersion(*hidden_pairs(self.view, section.counts, self._loadings))
        of_draws: NDArray[np.float64] | float = 0.0
        if len(self.draws) > 1:
            amounts = np.stack([self._captured(programs) for programs in self.programs_of_draws])
            of_draws = explained(amounts @ self._loadings)
        noise = noise_sd(phi, of_draws, UNEXPLAINED)
        return Decoder(section, self.view, self.mean, self._loadings, phi, noise, self.params.seed)

    @cached_property
    def programs_of_draws(self) -> tuple[NDArray[np.float32], ...]:
        """Programs of each draw, ``(programs, rows, columns)``, in temporary files.

        They lie around their own mean or, where that did not do better, around stage 1's.
        """
        sd = self.fitted.model.residual_sd.cpu().numpy()
        drawn = []
        for path in self.draws:
            residual = np.load(path, mmap_mode="r").astype(np.float32)
            drawn.append(parked(add_residual(self.mean, residual, sd, self.amplitude)))
        if drawn and not self.mean_is_of_draws:
            factor = centring(self.mean, drawn)
            for programs in drawn:
                programs *= factor
        return tuple(drawn)

    def summaries(self, *, progress: bool = True) -> Iterator[tuple[slice, Summary]]:
        """Decode and project ``params.gene_chunk`` genes at a time, and sum up the draws, one at a time.

        The mean adds up to the spots' counts. Spread and quantiles are of the expectation, of which a count is one
        reading. Without at least two draws they are NaN: they were not measured.

        Yields
        ------
        Which of the section's genes, and their summary: arrays ``(bins, genes)``.
        """
        n_genes = len(self.section.genes)
        # memory is that of a chunk, whatever the size of the section
        step = min(self.params.gene_chunk, max(1, _VALUES_AT_ONCE // self.section.grid.n_bins))
        starts = range(0, n_genes, step)
        decoder = self.decoder()
        programs = self.best_programs()
        with Progress("decoding", len(starts), shown=progress) as bar:
            for first in starts:
                genes = slice(first, min(first + step, n_genes))
                chunk = decoder.chunk(genes)
                mean = chunk.mean(programs)
                if self.params.projection:
                    mean = chunk.conserving(mean)
                running = RunningSummary(mean.shape)
                for number, drawn in enumerate(self.programs_of_draws):
                    running.add(chunk.draw(number, drawn, projected=self.params.projection))
                if running.n_samples > 1:
                    summary = replace(running.result(), mean=mean)
                else:
                    unknown = np.full_like(mean, np.nan)
                    summary = Summary(mean, unknown, unknown, unknown, unknown)
                yield genes, summary
                bar.step()

    def best_programs(self) -> NDArray[np.float32]:
        """Programs whose decoded genes are the reported mean, ``(programs, rows, columns)``."""
        if not self.mean_is_of_draws:
            return self.mean
        total = np.zeros_like(self.mean)
        for programs in self.programs_of_draws:
            total += programs
        return total / np.float32(len(self.draws))

    def _captured(self, programs: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the spots capture of the programs, ``(spots, programs)``."""
        amounts = (programs * self.view.scale[:, None, None]).reshape(len(programs), -1).T
        return np.asarray(self.section.operator @ amounts, dtype=np.float32)

    @property
    def amplitude(self) -> float:
        """Factor on the drawn residual, as held-out spots of the training section wanted it; 1 where none were."""
        verdict = self.fitted.verdict
        if verdict is None:
            return 1.0
        return verdict.amplitude if self.mean_is_of_draws else verdict.amplitude_of_spread
