"""What the gene head adds to the decoded maps, as far as hidden spots bear it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.diffst.data.gene_inputs import GeneInputs, gene_inputs, surroundings
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.view import Condition, View
from clearspot.diffst.generate.gene_field import GeneField
from clearspot.diffst.geometry.scratch import scratch
from clearspot.diffst.networks.gene_head import HIDDEN, GeneHead
from clearspot.metrics.maps import poisson_deviance

STRENGTHS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Weights of the gene head in the geometric mean that are tried on hidden spots: 0 leaves it out."""

FEWEST_SPOTS: Final = 20
"""Hidden spots without which the gene head is left out."""

_BINS_AT_ONCE: Final = 20_000
_GENES_AT_ONCE: Final = 64
_FLOOR: Final = 0.01
_TINY: Final = 1e-9


class GeneDetail:
    """Factors that make decoded maps the weighted geometric mean of themselves and of the gene head's rates.

    Parameters
    ----------
    head
        Trained.
    inputs
        Of the section.
    columns
        ``(genes,)``: output of the head for each of the section's genes, -1 for a gene that it leaves as it is.
    covered
        ``(bins,)``: area of each bin inside spots. A gene's total under the spots stays what it was.
    strength
        Weight of the head, from 0 to 1.
    device
        Where the head runs.
    """

    def __init__(
        self,
        head: GeneHead,
        inputs: GeneInputs,
        columns: NDArray[np.intp],
        *,
        covered: NDArray[np.floating],
        strength: float,
        device: torch.device,
    ):
        self.strength, self.n_genes = strength, int((columns >= 0).sum())
        self._head, self._inputs, self._columns = head, inputs, columns
        self._covered = np.asarray(covered, dtype=np.float32)
        # once for all genes, in a temporary file
        self._hidden = scratch((len(inputs.image), HIDDEN), np.float16)
        for bins in _pieces(len(self._hidden)):
            with torch.no_grad():
                shown = torch.from_numpy(inputs.of(np.arange(bins.start, bins.stop))).to(device)
                self._hidden[bins] = head.hidden(shown).cpu().numpy()

    def __call__(
        self, genes: slice, expected: NDArray[np.float32], strength: float | None = None
    ) -> NDArray[np.float32]:
        """Factors ``(bins, genes)`` on what is expected of these genes.

        Parameters
        ----------
        genes
            Some of the section's.
        expected
            ``(bins, genes)``.
        strength
            In place of the detail's own.
        """
        factor = np.ones_like(expected)
        known = np.flatnonzero(self._columns[genes] >= 0)
        if not len(known):
            return factor
        rates, before = self._rates(self._columns[genes][known]), expected[:, known]
        floor = _FLOOR * self._covered @ before / max(float(self._covered.sum()), _TINY)
        power = np.float32(self.strength if strength is None else strength)
        moved = ((rates + floor) / (before + floor)) ** power
        moved *= (self._covered @ before) / np.maximum(self._covered @ (before * moved), 1e-12)
        factor[:, known] = moved
        return factor

    def _rates(self, columns: NDArray[np.intp]) -> NDArray[np.float32]:
        """Expected counts ``(bins, len(columns))``."""
        of_head = torch.from_numpy(columns)
        weight, bias = (part.detach().cpu()[of_head] for part in (self._head.last.weight, self._head.last.bias))
        result = np.empty((len(self._hidden), len(columns)), dtype=np.float32)
        for bins in _pieces(len(result)):
            hidden = torch.from_numpy(self._hidden[bins].astype(np.float32))
            result[bins] = torch.exp(hidden @ weight.T + bias).numpy()
        return np.asarray(result * self._inputs.scale[columns], dtype=np.float32)


def gene_detail(
    head: GeneHead,
    known: Sequence[str],
    section: SpotSection,
    view: View,
    *,
    loadings: NDArray[np.float32],
    hiding: tuple[Condition, NDArray[np.float32]],
    device: torch.device,
) -> GeneDetail | None:
    """The gene head on a section, with the strength that predicts hidden spots best.

    Genes whose own hidden spots it does not help are left as they are.

    Parameters
    ----------
    head, known
        Trained, and its genes.
    section, view
        Spots, counts and grid.
    loadings
        ``(programs, genes)``.
    hiding
        A condition that hides some spots, and what the mean network makes of it, ``(programs, rows, columns)``.
    device
        Where the head runs.

    Returns
    -------
    None where it does not help, or nothing can tell: without an image, a common gene or 20 hidden spots.
    """
    place = {gene: column for column, gene in enumerate(known)}
    columns = np.array([place.get(gene, -1) for gene in section.genes])
    condition, mean = hiding
    whole = (slice(0, view.shape[0]), slice(0, view.shape[1]))
    hidden = np.flatnonzero(~condition.visible & view.scored & view.spots_inside(whole))
    if len(hidden) < FEWEST_SPOTS or not (columns >= 0).any() or not view.histology.valid.any():
        return None

    image = surroundings(view.histology, view.grid.bin_um)

    def shown(visible: NDArray[np.bool_], strength: float) -> GeneDetail:
        inputs = gene_inputs(view, section.counts, section.genes, known, image=image, visible=visible)
        covered = np.asarray(view.operator[np.flatnonzero(visible)].sum(axis=0)).ravel()
        return GeneDetail(head, inputs, columns, covered=covered, strength=strength, device=device)

    trial = shown(condition.visible, 1.0)
    field = GeneField(view, condition.visible, mean, loadings, section.counts)
    amounts = (mean * view.scale[:, None, None]).reshape(len(mean), -1).T
    ratios = np.ones((len(STRENGTHS), len(section.genes)))
    for first in range(0, len(section.genes), _GENES_AT_ONCE):
        genes = slice(first, min(first + _GENES_AT_ONCE, len(section.genes)))
        expected = np.asarray(amounts @ loadings[:, genes], dtype=np.float32) * field(genes)
        counts = section.counts[hidden][:, genes].toarray()
        deviance = np.stack(
            [
                poisson_deviance(counts, view.operator[hidden] @ (expected * trial(genes, expected, strength)))
                for strength in STRENGTHS
            ]
        )
        # to that of the map without it: a gene of many counts has no more say than one of few
        ratios[:, genes] = np.nan_to_num(deviance / np.maximum(deviance[0], _TINY), nan=1.0)
    best = int(np.argmin(np.minimum(ratios, 1).sum(axis=1)))
    columns[ratios[best] >= 1] = -1
    return shown(np.ones(len(section.rows), dtype=bool), STRENGTHS[best]) if (columns >= 0).any() else None


def _pieces(number: int) -> Iterator[slice]:
    return (slice(first, min(first + _BINS_AT_ONCE, number)) for first in range(0, number, _BINS_AT_ONCE))
