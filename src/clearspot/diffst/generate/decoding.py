"""From programs to genes: loadings, the genes' own fields, the gene head's detail, and in a draw their own noise."""

from __future__ import annotations

from typing import Final
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.dispersion import expectation_draws
from clearspot.diffst.estimate.projection import project
from clearspot.diffst.generate.gene_detail import GeneDetail
from clearspot.diffst.generate.gene_field import GeneField
from clearspot.diffst.generate.gene_noise import FINE_CELLS, GeneNoise

UNEXPLAINED: Final = 0.1
"""Share of a gene's dispersion that its own noise keeps, however much the programs' draws explain."""


class Decoder:
    """Decodes maps of programs of one section, some genes at a time.

    Parameters
    ----------
    section, view
        Spots, counts and grid; all spots are visible.
    mean
        ``(programs, rows, columns)``: stage 1's.
    loadings
        ``(programs, genes)``.
    phi
        ``(genes,)``: dispersion of spots that were not looked at, around their prediction.
    noise_sd
        ``(genes,)``: standard deviation of the logarithm of the genes' own noise.
    seed
        Of everything random.
    detail
        What the gene head adds; None: nothing.
    noise_cells
        How smooth the genes' own noise is, see :class:`GeneNoise`.
    """

    def __init__(
        self,
        section: SpotSection,
        view: View,
        *,
        mean: NDArray[np.float32],
        loadings: NDArray[np.float32],
        phi: NDArray[np.float64],
        noise_sd: NDArray[np.float64],
        seed: int,
        detail: GeneDetail | None = None,
        noise_cells: float = FINE_CELLS,
    ):
        self._section, self._view, self._mean, self._loadings = section, view, mean, loadings
        self._phi, self._noise_sd, self._seed = phi, noise_sd, seed
        self._detail = detail
        self._field = GeneField(view, np.ones(len(section.rows), dtype=bool), mean, loadings, section.counts)
        self._noise = GeneNoise(section.grid, section.operator, section.pitch_um, seed, section.sample, noise_cells)

    def chunk(self, genes: slice) -> Chunk:
        """Everything that the draws of these genes have in common."""
        return Chunk(self, genes)


class Chunk:
    """Some genes; see :class:`Decoder`."""

    def __init__(self, decoder: Decoder, genes: slice):
        self._of, self._genes = decoder, genes
        self._names = decoder._section.genes[genes]
        self._field = decoder._field(genes)
        if decoder._detail is not None:
            self._field *= decoder._detail(genes, self.mean(decoder._mean))
        self._counts = sp.csr_matrix(decoder._section.counts[:, genes])
        self._expected = decoder._section.operator @ self.mean(decoder._mean)

    def mean(self, programs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Expected counts ``(bins, genes)``, not projected."""
        amounts = (programs * self._of._view.scale[:, None, None]).reshape(len(programs), -1).T
        expected = np.asarray(amounts @ self._of._loadings[:, self._genes], dtype=np.float32)
        expected *= self._field
        return expected

    def conserving(self, expected: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same, adding up to what the spots measured."""
        return project(expected, self._counts, self._of._section.operator)

    def draw(self, number: int, programs: NDArray[np.float32], *, projected: bool) -> NDArray[np.float32]:
        """One draw of the expected counts ``(bins, genes)``.

        A measured count is one noisy reading of its expectation. So a projected draw adds up not to the counts but to
        what the expectations may have been, given the counts.

        Parameters
        ----------
        number
            Of the draw.
        programs
            ``(programs, rows, columns)``.
        projected
            Whether the draw adds up under each spot. Off: it strays from the mean as spots that were left out do.
        """
        drawn = self.mean(programs)
        drawn *= self._of._noise.factors(number, self._names, self._of._noise_sd[self._genes])
        if not projected:
            return drawn
        counts = self._counts.toarray()
        phi = self._of._phi[self._genes]
        wanted = np.empty(counts.shape, dtype=np.float32)
        for column, gene in enumerate(self._names):
            # a generator a gene: how genes are grouped changes nothing
            generator = np.random.default_rng([self._of._seed, 31, number, crc32(gene.encode())])
            one = slice(column, column + 1)
            wanted[:, one] = expectation_draws(counts[:, one], self._expected[:, one], phi[one], generator)
        return project(drawn, wanted, self._of._section.operator)
