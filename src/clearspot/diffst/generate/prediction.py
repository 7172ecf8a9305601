"""What a trained model says about a section: programs of every draw, and from them genes, a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.hidden_pairs import hidden_pairs
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.dispersion import dispersion, explained, noise_sd
from clearspot.diffst.generate.decoding import UNEXPLAINED, Decoder
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.gene_detail import GeneDetail
from clearspot.diffst.generate.gene_noise import COARSE_CELLS, FINE_CELLS
from clearspot.diffst.generate.sampling import add_residual, centring
from clearspot.diffst.generate.uncertainty import RunningSummary, Summary
from clearspot.diffst.geometry.scratch import parked
from clearspot.diffst.params import DiffstParams
from clearspot.learning.progress import Progress

_VALUES_AT_ONCE: Final = 2_000_000


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the networks gave for one section, see :func:`clearspot.diffst.generate.predicting.predict`.

    Parameters
    ----------
    section
        Spots, genes and grid.
    view
        The section as the networks saw it; all spots are visible.
    fitted
        The model.
    params
        Settings of sampling.
    programs
        For the section's genes.
    loadings
        ``(programs, genes)``, as the gene graph corrects them.
    mean
        ``(programs, rows, columns)``: stage 1's, in units of the view's scale.
    draws
        Files with the standardised residual of every draw of stage 2, ``(programs, rows, columns)``; none without
        diffusion.
    detail
        What the gene head adds; None: nothing.
    """

    section: SpotSection
    view: View
    fitted: Fitted
    params: DiffstParams
    programs: Programs
    loadings: NDArray[np.float32]
    mean: NDArray[np.float32]
    draws: tuple[Path, ...]
    detail: GeneDetail | None = None

    @property
    def mean_is_of_draws(self) -> bool:
        """Whether the reported mean is that of the draws; else it is stage 1's, which did better or is all there is."""
        verdict = self.fitted.verdict
        return len(self.draws) > 1 and verdict is not None and verdict.diffusion_wins

    @property
    def spread_is_of_draws(self) -> bool:
        """Whether the diffusion's draws spread the values; else the genes' own noise does, around stage 1's mean."""
        verdict = self.fitted.verdict
        return len(self.draws) > 1 and (self.mean_is_of_draws or verdict is None or verdict.spread_is_of_draws)

    @property
    def amplitude(self) -> float:
        """Factor on the drawn residual, as held-out spots of the training section wanted it; 1 where none were."""
        verdict = self.fitted.verdict
        if verdict is None:
            return 1.0
        return verdict.amplitude if self.mean_is_of_draws else verdict.amplitude_of_spread

    @property
    def weight_of_head(self) -> float | None:
        """Weight of the gene head, 0 where it did not help; None: the model has none."""
        if self.fitted.model.head is None:
            return None
        return 0.0 if self.detail is None else self.detail.strength

    def decoder(self) -> Decoder:
        """Decoder of the section's genes, with the noise that brings the draws to the dispersion of hidden spots."""
        section = self.section
        phi = dispersion(*hidden_pairs(self.view, section.counts, self.loadings))
        of_draws: NDArray[np.float64] | float = 0.0
        if self.spread_is_of_draws:
            amounts = np.stack([self._captured(programs) for programs in self.programs_of_draws])
            of_draws = explained(amounts @ self.loadings)
        noise = noise_sd(phi, of_draws, UNEXPLAINED)
        return Decoder(
            section,
            self.view,
            mean=self.mean,
            loadings=self.loadings,
            phi=phi,
            noise_sd=noise,
            seed=self.params.seed,
            detail=self.detail,
            noise_cells=COARSE_CELLS if self._draws_know_bins else FINE_CELLS,
        )

    @cached_property
    def programs_of_draws(self) -> tuple[NDArray[np.float32], ...]:
        """Programs of each draw, ``(programs, rows, columns)``, in temporary files.

        They lie around their own mean or, where that did not do better, around stage 1's. Where the spread is not the
        diffusion's, all are stage 1's.
        """
        if not self.spread_is_of_draws:
            return (self.mean,) * self.params.samples
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
        """Decode ``params.gene_chunk`` genes at a time, and sum up the draws, one at a time.

        With ``params.projection`` the mean adds up to the spots' counts; else it follows them as far as left-out spots
        bear them out. Spread and quantiles are of the expectation, of which a count is one reading. The spread is NaN,
        not measured, without at least two draws, and quantiles with fewer than eight. The mean lies between the outer
        quantiles. Without the diffusion a draw is stage 1's mean times the genes' own noise.

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
                yield genes, running.result().around(mean) if running.n_samples > 1 else Summary.of_mean(mean)
                bar.step()

    def best_programs(self) -> NDArray[np.float32]:
        """Programs whose decoded genes are the reported mean, ``(programs, rows, columns)``."""
        if not self.mean_is_of_draws:
            return self.mean
        total = np.zeros_like(self.mean)
        for programs in self.programs_of_draws:
            total += programs
        return total / np.float32(len(self.programs_of_draws))

    @property
    def _draws_know_bins(self) -> bool:
        """Whether the spread is of draws that learned from bins, and so leave no detail to the genes' own noise."""
        return self.spread_is_of_draws and bool(self.fitted.model.mean.paired)

    def _captured(self, programs: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the spots capture of the programs, ``(spots, programs)``."""
        amounts = (programs * self.view.scale[:, None, None]).reshape(len(programs), -1).T
        return np.asarray(self.section.operator @ amounts, dtype=np.float32)
