"""Sampling a section with a trained model: programs of every draw, then genes, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.diffst.fitting import Fitted, gene_loadings, tissue_of
from clearspot.diffst.histology import Histology, no_image
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.programs import Programs
from clearspot.diffst.progress import Progress
from clearspot.diffst.projection import project
from clearspot.diffst.sampling import add_residual, predict_mean, sample_residual
from clearspot.diffst.section import Section
from clearspot.diffst.uncertainty import RunningSummary, Summary
from clearspot.diffst.view import View
from clearspot.diffst.views import section_view
from clearspot.io.atomic import atomic_path


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
        section: Section,
        histology: Histology | None,
        fitted: Fitted,
        params: DiffstParams,
        device: torch.device,
        draws: Path,
        *,
        progress: bool = True,
    ):
        if histology is None or not params.image:
            histology = no_image(section.grid.shape)
        self.section, self.fitted, self.params, self._device = section, fitted, params, device
        self._programs = fitted.programs.for_genes(section.genes, section.counts)
        everywhere = np.ones(len(section.rows), dtype=bool)
        values = self._programs.transform(section.counts)
        self.view: View = section_view(section, values, histology, tissue_of(section), everywhere, 0, params.seed)
        self.mean = predict_mean(fitted.model, self.view, self.view.conditions[0], params, device)
        self._loadings = gene_loadings(fitted.model, self._programs, section, params, device, everywhere)
        self.draws = self._draw(draws, progress) if fitted.model.denoiser is not None and params.diffusion else []

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
                with atomic_path(path) as partial, partial.open("wb") as file:
                    np.save(file, residual.astype(np.float16))
                bar.step()
        return paths

    def _key(self) -> str:
        """Tells draws of this model, section and sampler from others."""
        digest = sha256(self.mean.tobytes())
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

    def summaries(self, *, progress: bool = True) -> Iterator[tuple[slice, Summary]]:
        """Decode and project ``params.gene_chunk`` genes at a time, and sum up the draws, one at a time.

        Without at least two draws, spread and quantiles are NaN: they were not measured.

        Yields
        ------
        Which of the section's genes, and their summary: arrays ``(bins, genes)``.
        """
        n_genes = len(self.section.genes)
        starts = range(0, n_genes, self.params.gene_chunk)
        sd = self.fitted.model.residual_sd.cpu().numpy()
        with Progress("decoding", len(starts), shown=progress) as bar:
            for first in starts:
                genes = slice(first, min(first + self.params.gene_chunk, n_genes))
                running = RunningSummary((self.section.grid.n_bins, genes.stop - genes.start))
                for path in self.draws:
                    residual = np.load(path, mmap_mode="r").astype(np.float32)
                    running.add(self._decode(add_residual(self.mean, residual, sd, self.amplitude), genes))
                if running.n_samples > 1:
                    summary = running.result()
                    if not self.mean_is_of_draws:
                        summary = replace(summary, mean=self._decode(self.mean, genes))
                else:
                    unknown = np.full_like(running.mean, np.nan)
                    summary = Summary(self._decode(self.mean, genes), unknown, unknown, unknown, unknown)
                yield genes, summary
                bar.step()

    @property
    def amplitude(self) -> float:
        """Factor on the drawn residual, as held-out spots of the training section wanted it; 1 where none were."""
        return self.fitted.verdict.amplitude if self.fitted.verdict is not None else 1.0

    def _decode(self, programs: NDArray[np.float32], genes: slice) -> NDArray[np.float32]:
        """Expected counts ``(bins, genes)`` that add up to what the spots measured."""
        amounts = (programs * self.view.scale[:, None, None]).reshape(len(programs), -1).T
        expected = np.ascontiguousarray(amounts @ self._loadings[:, genes], dtype=np.float32)
        if not self.params.projection:
            return expected
        return project(expected, self.section.counts[:, genes], self.section.operator)
