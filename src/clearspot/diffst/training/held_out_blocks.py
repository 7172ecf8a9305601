"""A block of every reference that training does not see, and what a model makes of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.diffst.data.view import View
from clearspot.diffst.generate.sampling import predict_mean
from clearspot.diffst.networks.gene_head import GeneHead
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.gene_head_stage import Lesson
from clearspot.metrics.maps import gene_pearson, poisson_deviance

GUARD_UM: Final = 256.0
"""Bins nearer than this to the block are neither trained on nor scored."""


def block_of(tissue: NDArray[np.bool_], bin_um: float, share: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The lowest rows with a share of the bins on tissue, and the bins that training may see.

    Parameters
    ----------
    tissue
        ``(rows, columns)`` bool.
    bin_um
        Side of a bin.
    share
        Of the bins on tissue; 0: no block. There is none either where less than twice the guard would be left above it.

    Returns
    -------
    ``(rows, columns)`` bool each.
    """
    number = np.arange(len(tissue))[:, None]
    amount = np.cumsum(tissue.sum(axis=1)[::-1])
    first = len(tissue) - (int(np.searchsorted(amount, share * amount[-1])) + 1)
    seen = tissue & (number < first - int(np.ceil(GUARD_UM / bin_um)))
    if not share or seen.any(axis=1).sum() * bin_um < 2 * GUARD_UM:
        return np.zeros_like(tissue), tissue
    return tissue & (number >= first), seen


def scores_of(
    model: DiffstModel,
    view: View,
    block: NDArray[np.bool_],
    loadings: NDArray[np.float32],
    params: DiffstParams,
    device: torch.device,
) -> dict[str, float]:
    """Median correlation and deviance of the genes of a block, by the model and by the plain estimate.

    Parameters
    ----------
    model
        Trained.
    view
        A reference, whole.
    block
        ``(rows, columns)``: what is scored.
    loadings
        ``(programs, genes)``.
    params, device
        Settings, and where the network runs.
    """
    if view.fine_counts is None or not block.any():
        return {}
    truth = view.fine_counts[block.ravel()].toarray()
    result = {}
    mean = predict_mean(model, view, view.conditions[0], params, device)
    for name, programs in (("model", mean), ("plain", view.conditions[0].base.astype(np.float32))):
        expected = (programs[:, block] * view.scale[:, None]).T @ loadings
        result[f"pearson_{name}"] = float(np.nanmedian(gene_pearson(truth, expected)))
        result[f"deviance_{name}"] = float(np.nanmedian(poisson_deviance(truth, expected)))
    return result


@torch.no_grad()
def scores_of_head(head: GeneHead, lesson: Lesson, block: NDArray[np.bool_], device: torch.device) -> dict[str, float]:
    """Median correlation and deviance of the genes of a block, by the gene head alone.

    Parameters
    ----------
    head
        Trained.
    lesson
        The reference, whole, as the head sees it under one lattice of spots.
    block
        ``(rows, columns)``: what is scored.
    device
        Where the head runs.
    """
    bins = np.flatnonzero(block.ravel())
    inputs = lesson.lattices[0]
    logarithm = head(torch.from_numpy(inputs.of(bins)).to(device)).cpu().numpy()
    truth, expected = lesson.truth[bins].toarray(), np.exp(logarithm) * inputs.scale
    return {
        "pearson_gene_head": float(np.nanmedian(gene_pearson(truth, expected))),
        "deviance_gene_head": float(np.nanmedian(poisson_deviance(truth, expected))),
    }
