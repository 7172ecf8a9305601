"""A start of the weights from the data's own main directions, in place of a random one.

Standardised counts are a low-rank signal plus noise of about unit variance. Their singular vectors, each shrunk by as
much as noise of that size makes right (Gavish and Donoho 2017, IEEE Transactions on Information Theory 63:2137,
Frobenius norm), are a denoiser in one step, and a good one where spots are few. The network is set to be that denoiser:
pairs of hidden units ``ELU(+e v)`` and ``ELU(-e v)`` carry each direction, whose difference is linear in a small ``e``.

Counts vary more than Poisson's: what is left beside the directions says by how much, gene by gene, and genes are
standardised by that (``c + c^2 / Theta`` for a mean of ``c``) before the directions are taken again.
Training then goes on from there with all that the linear map has not: attention, the count distribution, ELU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from scipy.sparse.linalg import LinearOperator, svds

from clearspot.dusted.dispersion import moment_spread
from clearspot.dusted.model import LEAST_MEAN, Dusted
from clearspot.dusted.section import Section

AMPLITUDE = 0.1
"""Standard deviation of the first direction's units: where ELU is nearly linear, and still far from rounding."""

LEAST_SHRINKAGE = 0.01
"""Directions that are noise pass this much, or no gradient would ever reach them."""

SPOTS_FOR_DIRECTIONS = 30_000
"""Directions of larger sections are taken from as many of their spots, drawn at random."""

REWEIGHTINGS = 3
"""Number of iterations of measuring the noise of the genes and computing the directions; both converge by then."""

SELF_GATES = (0.5, 0.8, 0.95, 0.99)
"""Shares of a spot's attention that stay with it, tried at the start where counts are held out."""

DEFAULT_SELF_GATE = 0.9


@dataclass(frozen=True)
class Directions:
    """Main directions of the standardised input.

    Parameters
    ----------
    loadings
        Orthonormal rows, shape ``(n_directions, n_genes)``.
    spread
        Standard deviation of the spots along each, deep spots weighing more, shape ``(n_directions,)``.
    shrinkage
        Share of each that is signal, 0 to 1, shape ``(n_directions,)``.
    left
        Mean square of every gene's standardised input that the shrunk directions leave; 1 where all of it is the noise
        that it was standardised by. Shape ``(n_genes,)``.
    n_spots
        Spots that they were taken from.
    """

    loadings: np.ndarray
    spread: np.ndarray
    shrinkage: np.ndarray
    left: np.ndarray
    n_spots: int


def main_directions(section: Section, centre: np.ndarray, scale: np.ndarray, n: int, seed: int) -> Directions:
    """The first ``n`` singular directions of ``sqrt(depth) * (input - centre) * scale``.

    Entries are cut off at the square root of the number of spots, as usual for Pearson residuals: one spot's outburst
    in a rare gene is no direction.

    Parameters
    ----------
    section
        Input and depths.
    centre, scale
        Of every gene, shape ``(n_genes,)``.
    n
        Number of directions; fewer come back from a section that has fewer.
    seed
        Of the draw of spots and of the solver's first vector.
    """
    generator = np.random.default_rng(seed)
    spots = np.arange(section.n_spots)
    if section.n_spots > SPOTS_FOR_DIRECTIONS:
        spots = np.sort(generator.choice(section.n_spots, SPOTS_FOR_DIRECTIONS, replace=False))
    depth = np.sqrt(section.size_factor[spots].astype(np.float64))
    offset = (centre * scale).astype(np.float64)
    above_zero = section.expression(spots).astype(np.float64).multiply(scale).tocsr()
    row = np.repeat(np.arange(len(spots)), np.diff(above_zero.indptr))
    most = np.sqrt(len(spots)) + depth[row] * offset[above_zero.indices]
    above_zero.data = np.minimum(above_zero.data * depth[row], most)
    operator = _less_rank_one(above_zero, depth, offset)
    singular, loadings = _largest(operator, min(n, min(operator.shape)), generator)
    energy = _energy(above_zero, depth, offset)
    shape = np.array(operator.shape, dtype=np.float64)
    rest = np.prod(np.maximum(shape - len(singular), 1))
    noise = max(float(energy.sum() - (singular**2).sum()), 1e-12) / rest
    shrinkage = optimal_shrinkage(singular / np.sqrt(noise * shape.max()), shape.min() / shape.max())
    taken = (2 * shrinkage - shrinkage**2) * singular**2
    return Directions(
        loadings=loadings,
        spread=singular / np.sqrt((depth**2).sum()),
        shrinkage=shrinkage,
        # what a gene brings into a direction itself says nothing of how well others foretell it
        left=np.maximum(energy - taken @ (loadings**2 * (1 - loadings**2)), 0.0) / len(spots),
        n_spots=len(spots),
    )


def noise_scale(centre: np.ndarray, scale: np.ndarray, found: Directions) -> np.ndarray:
    """What every gene is to be multiplied by for noise of unit variance, from what directions under ``scale`` leave.

    Parameters
    ----------
    centre, scale
        As for :func:`main_directions`.
    found
        Its answer.

    Returns
    -------
    ``1 / sqrt(c + c^2 / Theta)``, never more than Poisson noise alone gives; shape ``(n_genes,)``.
    """
    variance = found.left / scale**2
    spread = moment_spread(found.n_spots * (variance - centre), found.n_spots * centre**2)
    return 1 / np.sqrt(centre + centre**2 * spread)


def optimal_shrinkage(singular: np.ndarray, aspect: float) -> np.ndarray:
    """Factor of each singular value that brings the matrix nearest to the signal in it (Frobenius norm).

    Parameters
    ----------
    singular
        Singular values over ``noise * sqrt(longer side)``.
    aspect
        Shorter side over longer side.

    Returns
    -------
    0 at and below the noise's edge ``1 + sqrt(aspect)``, towards 1 far above it; same shape.
    """
    square = np.maximum(singular**2, 1e-12)
    signal = np.sqrt(np.maximum((square - aspect - 1) ** 2 - 4 * aspect, 0.0)) / square
    return np.where(singular > 1 + np.sqrt(aspect), signal, 0.0)


@torch.no_grad()
def start_at_directions(model: Dusted, section: Section, seed: int) -> None:
    """Set a freshly built model to the shrunk projection on its section's main directions.

    Hidden units beyond two a latent column keep their random first weights and lead nowhere yet; attention starts
    even, gene attention at one half for every gene.

    Parameters
    ----------
    model
        With standardised input (``input="rate"``) and ``mean_link="elu"``.
    section
        What it will be trained on.
    seed
        See :func:`main_directions`.
    """
    if model.centre is None or model.gene_scale is None:
        raise ValueError("a spectral start requires a model with standardised input")
    n_hidden, n_latent = model.encoder_inner.shape
    centre = model.centre.cpu().numpy().astype(np.float64)
    mean = np.maximum(centre, LEAST_MEAN)
    scale, n = 1 / np.sqrt(mean), min(n_latent, n_hidden // 2)
    found = main_directions(section, centre, scale, n, seed)
    for _ in range(REWEIGHTINGS):
        scale = noise_scale(mean, scale, found)
        found = main_directions(section, centre, scale, n, seed)
    model.gene_scale.copy_(torch.from_numpy(scale))
    k = len(found.spread)
    spread = np.maximum(found.spread, 1e-12)
    gain = AMPLITUDE / spread
    into = torch.from_numpy((gain[:, None] * found.loadings).T).to(model.encoder_outer)
    out = torch.from_numpy((1 / (2 * gain))[:, None] * found.loadings / (scale * mean)).to(model.encoder_outer)
    # tied, so a direction passes here twice
    passed = torch.from_numpy(np.sqrt(np.maximum(found.shrinkage, LEAST_SHRINKAGE) / 2)).to(model.encoder_outer)
    if model.gene_attention is not None:
        for parameter in model.gene_attention.excite.parameters():
            parameter.zero_()
        into /= 1 + 0.5 * model.alpha
    model.encoder_outer[:, :k] = into
    model.encoder_outer[:, k : 2 * k] = -into
    model.encoder_inner.zero_()
    pairs = torch.arange(k)
    model.encoder_inner[pairs, pairs] = passed
    model.encoder_inner[k + pairs, pairs] = -passed
    if model.decoder_inner is not None:
        model.decoder_inner.copy_(model.encoder_inner.t())
    for scores in (model.scores_outer, model.scores_inner):
        scores.receiver.zero_()
        scores.neighbour.zero_()
    for weight in model.heads.weights:
        weight.zero_()
    model.heads.weights[0][:k] = out
    model.heads.weights[0][k : 2 * k] = -out
    if model.self_gates is not None:
        model.self_gates.fill_(_logit(DEFAULT_SELF_GATE))


@torch.no_grad()
def choose_self_gate(model: Dusted, score: Callable[[], float]) -> None:
    """Start the self gates at the share that predicts held-out counts best.

    Training alone cannot tell: what a spot keeps of itself also explains its own noise.

    Parameters
    ----------
    model
        With self gates.
    score
        Held-out score of the model as it stands, lower is better.
    """
    if model.self_gates is None:
        return
    scores = {}
    for share in SELF_GATES:
        model.self_gates.fill_(_logit(share))
        scores[share] = score()
    model.self_gates.fill_(_logit(min(scores, key=lambda share: scores[share])))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _less_rank_one(above_zero: sp.csr_matrix, depth: np.ndarray, offset: np.ndarray) -> LinearOperator:
    """``above_zero - depth offset^T`` as an operator: what is below the mean is never made dense."""
    transposed = above_zero.T.tocsr()
    return LinearOperator(
        above_zero.shape,
        matvec=lambda v: above_zero @ v - depth * (offset @ v),
        rmatvec=lambda u: transposed @ u - offset * (depth @ u),
        matmat=lambda v: above_zero @ v - np.outer(depth, offset @ v),
        rmatmat=lambda u: transposed @ u - np.outer(offset, depth @ u),
        dtype=np.float64,
    )


def _energy(above_zero: sp.csr_matrix, depth: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Squared norm of every column of ``above_zero - depth offset^T``."""
    square = np.asarray(above_zero.multiply(above_zero).sum(axis=0)).ravel()
    cross = offset * (above_zero.T @ depth)
    energy: np.ndarray = square - 2 * cross + (depth @ depth) * offset**2
    return energy


def _largest(operator: LinearOperator, n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Largest singular values, descending, and their right vectors, each with its largest entry positive."""
    shorter = min(operator.shape)
    first = generator.normal(size=shorter)
    if n < shorter // 2:
        _, singular, right = svds(operator, k=n, v0=first, return_singular_vectors="vh")
        order = np.argsort(-singular)
        singular, right = singular[order], right[order]
    else:
        dense = operator.matmat(np.eye(operator.shape[1]))
        _, singular, right = np.linalg.svd(dense, full_matrices=False)
        singular, right = singular[:n], right[:n]
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    return singular, right * signs[:, None]
