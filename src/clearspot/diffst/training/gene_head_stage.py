"""Training of the gene head on references, bin by bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import nn

from clearspot.diffst.data.gene_inputs import GeneInputs, gene_inputs
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.view import View
from clearspot.diffst.networks.gene_head import GeneHead
from clearspot.learning.divergence import require_finite
from clearspot.nn.optimizer import AdamW

MOST_GENES: Final = 2000
"""Of a gene head: those with the most counts."""

_ROWS_A_STEP: Final = 1024
_PASSES: Final = 10
_MOST_STEPS: Final = 6000
_LR: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Lesson:
    """Bins of one reference under one lattice of spots.

    Parameters
    ----------
    inputs
        What the gene head is shown.
    truth
        ``(bins, genes)`` CSR: counts of the bins.
    bins
        Those that are learned from.
    """

    inputs: GeneInputs
    truth: sp.csr_array
    bins: NDArray[np.intp]


def head_genes(references: Sequence[Reference], genes: Sequence[str]) -> tuple[str, ...]:
    """Genes that a head is trained for, in the order of ``genes``: all, or the 2,000 with the most counts."""
    total = sum(np.asarray(one.counts[one.tissue.ravel()].sum(axis=0)).ravel() for one in references)
    chosen = np.sort(np.argsort(-np.asarray(total), kind="stable")[:MOST_GENES])
    return tuple(genes[column] for column in chosen)


def lesson(view: View, counts: sp.csr_matrix, genes: Sequence[str], known: Sequence[str]) -> Lesson:
    """A reference as the gene head learns from it.

    Parameters
    ----------
    view
        With known bins and an image.
    counts
        ``(spots, genes)`` of the view's spots.
    genes
        Names of the genes of the view and of ``counts``.
    known
        Genes of the head, all among ``genes``.
    """
    if view.fine_counts is None:
        raise ValueError(f"{view.name}: nothing is known of the bins")
    place = {gene: column for column, gene in enumerate(genes)}
    columns = [place[gene] for gene in known]
    return Lesson(
        inputs=gene_inputs(view, counts, genes, np.ones(counts.shape[0], dtype=bool), known),
        truth=sp.csr_array(sp.csr_array(view.fine_counts)[:, columns]),
        bins=np.flatnonzero(view.tissue.ravel()),
    )


def steps_of(lessons: Sequence[Lesson]) -> int:
    """Training steps: ten passes over the bins, 6,000 at most."""
    return min(_PASSES * -(-sum(len(one.bins) for one in lessons) // _ROWS_A_STEP), _MOST_STEPS)


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
    of, bins = (
        np.concatenate(parts)
        for parts in zip(*((np.full(len(one.bins), n), one.bins) for n, one in enumerate(lessons)), strict=True)
    )
    losses: list[float] = []
    head.train()
    order = np.empty(0, dtype=np.intp)
    for _ in range(steps):
        if len(order) < min(_ROWS_A_STEP, len(bins)):
            order = generator.permutation(len(bins))
        rows, order = order[:_ROWS_A_STEP], order[_ROWS_A_STEP:]
        shown, truth = [], []
        for number in np.unique(of[rows]):
            here, one = bins[rows[of[rows] == number]], lessons[number]
            shown.append(one.inputs.of(here))
            # a gene that no spot of the lattice counted has no scale, and nothing is learned of it here
            truth.append(one.truth[here].toarray() / np.where(one.inputs.scale > 0, one.inputs.scale, np.inf))
        optimizer.zero_grad()
        inputs, wanted = (torch.from_numpy(np.concatenate(parts).astype(np.float32)) for parts in (shown, truth))
        value = loss(head(inputs.to(device)), wanted.to(device))
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
        require_finite(losses[-1], f"step {len(losses)} of the gene head")
        after_step(losses[-1])
    head.eval()
    return losses
