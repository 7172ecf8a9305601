"""Training of the gene head on references, bin by bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import nn

from clearspot.diffst.data.gene_inputs import GeneInputs, gene_inputs, surroundings
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import PseudoSpots
from clearspot.diffst.data.view import View
from clearspot.diffst.networks.gene_head import GeneHead
from clearspot.learning.divergence import require_finite
from clearspot.learning.schedule import warm_up_times_cosine
from clearspot.nn.optimizer import AdamW

MOST_GENES: Final = 2000
"""Of a gene head: those with the most counts."""

LATTICES: Final = 16
"""Lattices of spots that a reference is seen through. With few of them the head learns their noise by heart."""

_ROWS_A_STEP: Final = 1024
_PASSES: Final = 2
_FEWEST_STEPS: Final = 100
_MOST_STEPS: Final = 6000
_WARM_UP: Final = 20
_LR: Final = 2e-3


@dataclass(frozen=True, eq=False)
class Lesson:
    """One reference as the gene head learns from it.

    Parameters
    ----------
    lattices
        What the gene head is shown of the bins, for each of several lattices of spots.
    truth
        ``(bins, genes)`` CSR: counts of the bins.
    bins
        Those that are learned from.
    """

    lattices: Sequence[GeneInputs]
    truth: sp.csr_array
    bins: NDArray[np.intp]

    def read(self, bins: NDArray[np.intp], lattice: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Inputs of some bins, and their counts in units of the genes' mean, ``(len(bins), genes)``."""
        shown = self.lattices[lattice]
        # a gene that no spot of the lattice counted has no scale, and nothing is learned of it here
        scale = np.where(shown.scale > 0, shown.scale, np.inf)
        return shown.of(bins), np.asarray(self.truth[bins].toarray() / scale, dtype=np.float32)


def head_genes(references: Sequence[Reference], genes: Sequence[str]) -> tuple[str, ...]:
    """Genes that a head is trained for, in the order of ``genes``: all, or the 2,000 with the most counts."""
    total = sum(np.asarray(one.counts[one.tissue.ravel()].sum(axis=0)).ravel() for one in references)
    chosen = np.sort(np.argsort(-np.asarray(total), kind="stable")[:MOST_GENES])
    return tuple(genes[column] for column in chosen)


def lesson(view: View, lattices: Sequence[PseudoSpots], genes: Sequence[str], known: Sequence[str]) -> Lesson:
    """A reference as the gene head learns from it.

    Parameters
    ----------
    view
        With known bins and an image.
    lattices
        Spots on it.
    genes
        Names of the genes of the view and of the spots.
    known
        Genes of the head, all among ``genes``.
    """
    if view.fine_counts is None:
        raise ValueError(f"{view.name}: nothing is known of the bins")
    place = {gene: column for column, gene in enumerate(genes)}
    image = surroundings(view.histology, view.grid.bin_um)
    return Lesson(
        lattices=[
            gene_inputs(replace(view, operator=one.operator, xy_px=one.xy_px), one.counts, genes, known, image=image)
            for one in lattices
        ],
        truth=sp.csr_array(sp.csr_array(view.fine_counts)[:, [place[gene] for gene in known]]),
        bins=np.flatnonzero(view.tissue.ravel()),
    )


def steps_of(lessons: Sequence[Lesson]) -> int:
    """Training steps, 100 to 6,000: enough to see each bin twice under every lattice."""
    rows = sum(_PASSES * len(one.lattices) * len(one.bins) for one in lessons)
    return min(max(-(-rows // _ROWS_A_STEP), _FEWEST_STEPS), _MOST_STEPS)


def train_gene_head(
    head: GeneHead, lessons: Sequence[Lesson], seed: int, device: torch.device, after_step: Callable[[float], None]
) -> list[float]:
    """Train a gene head to its end, by the Poisson likelihood of the bins; all genes have the same weight.

    Parameters
    ----------
    head
        Untrained, on the device.
    lessons
        Bins that are learned from.
    seed
        Of the order of the bins.
    device
        Where the network runs.
    after_step
        Called with the loss after each step.

    Returns
    -------
    The loss of each step.

    Raises
    ------
    TrainingDivergedError
        If the loss is not finite.
    """
    steps, generator = steps_of(lessons), np.random.default_rng([seed, 21])
    optimizer, loss = AdamW(head.parameters(), lr=_LR), nn.PoissonNLLLoss(log_input=True)
    schedule = warm_up_times_cosine(optimizer, steps, _WARM_UP)
    of, bins = (
        np.concatenate(parts)
        for parts in zip(*((np.full(len(one.bins), n), one.bins) for n, one in enumerate(lessons)), strict=True)
    )
    losses: list[float] = []
    head.train()
    order = np.empty(0, dtype=np.intp)
    while len(losses) < steps:
        if len(order) < min(_ROWS_A_STEP, len(bins)):
            order = generator.permutation(len(bins))
        rows, order = order[:_ROWS_A_STEP], order[_ROWS_A_STEP:]
        read = []
        for number in np.unique(of[rows]):
            one = lessons[number]
            read.append(one.read(bins[rows[of[rows] == number]], int(generator.integers(len(one.lattices)))))
        inputs, wanted = (torch.from_numpy(np.concatenate(parts)).to(device) for parts in zip(*read, strict=True))
        optimizer.zero_grad()
        value = loss(head(inputs), wanted)
        value.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(value.detach()))
        require_finite(losses[-1], f"step {len(losses)} of the gene head")
        after_step(losses[-1])
    head.eval()
    return losses
