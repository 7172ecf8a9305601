"""What a trained model says about a section, tile by tile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clearspot.distributions.nb import posterior_mean
from clearspot.distributions.zinb import zinb_posterior_mean
from clearspot.dusted.model import Dusted, Encoded
from clearspot.dusted.section import Section
from clearspot.dusted.tile_data import ROWS_PER_BLOCK, TileInput, tile_input
from clearspot.dusted.tiles import Tile
from clearspot.nn.dense_product import raw_product
from clearspot.nn.output_activations import dispersion_activation, dropout_activation, linked_, mean_activation


@dataclass(frozen=True)
class MeanBlock:
    """Means of a few spots.

    Parameters
    ----------
    spots
        Spot numbers in the section, shape ``(n_rows,)``.
    mean
        ``M`` in counts, float32, shape ``(n_rows, n_genes)``; if requested, given the spot's own count of the gene.
    expected
        Expected counts: ``mean`` less what drop-out takes; the same array under NB.
    """

    spots: np.ndarray
    mean: np.ndarray
    expected: np.ndarray


@dataclass
class Embedding:
    """Latent values and attention of a section.

    Parameters
    ----------
    latent
        Shape ``(n_spots, latent)``, float32.
    receiver, neighbour
        Spot numbers of every edge, shape ``(n_edges,)``; self-loops included.
    outer, inner
        Attention of every edge in the first and second layer, shape ``(n_edges,)``.
    """

    latent: np.ndarray
    receiver: np.ndarray
    neighbour: np.ndarray
    outer: np.ndarray
    inner: np.ndarray


@torch.no_grad()
def embed(model: Dusted, section: Section, tiles: Iterable[Tile], device: torch.device) -> Embedding:
    """Latent values of every spot and attention of every edge, both as the attention alone makes them.

    Where a model has self gates they are left out here: what a spot keeps for itself when its counts are denoised would
    hide the tissue that its neighbours show.
    """
    scale = model.latent_scale()
    latent = np.empty((section.n_spots, model.encoder_inner.shape[1]), dtype=np.float32)
    edges: list[tuple[np.ndarray, ...]] = []
    for tile in tiles:
        source = tile_input(section, tile, device, model.compute)
        encoded = model.encode(source.x, source.neighbourhood, gated=False)
        values = encoded.latent if scale is None else encoded.latent * scale
        latent[tile.core] = values[: tile.n_core].float().cpu().numpy()
        edges.append(_core_edges(tile, source, encoded))
    receiver, neighbour, outer, inner = (np.concatenate(column) for column in zip(*edges, strict=True))
    order = np.lexsort((neighbour, receiver))
    return Embedding(latent, receiver[order], neighbour[order], outer[order], inner[order])


def _core_edges(tile: Tile, source: TileInput, encoded: Encoded) -> tuple[np.ndarray, ...]:
    """Edges that core spots receive over; those are exact, a halo spot's are not."""
    receiver = source.neighbourhood.receiver.cpu().numpy()
    received = receiver < tile.n_core
    neighbour = source.neighbourhood.neighbour.cpu().numpy()
    return (
        tile.spots[receiver[received]],
        tile.spots[neighbour[received]],
        encoded.outer.float().cpu().numpy()[received],
        encoded.inner.float().cpu().numpy()[received],
    )


@torch.no_grad()
def means(
    model: Dusted,
    section: Section,
    tiles: Iterable[Tile],
    device: torch.device,
    *,
    posterior: bool = False,
    scale: float = 1.0,
) -> Iterator[MeanBlock]:
    """Means of all spots, in blocks of rows, always with 32-bit products in the output layer.

    Parameters
    ----------
    model, section, tiles, device
        The model, the counts it sees, how they are cut, and where.
    posterior
        Give the mean of each rate when the spot's own count of the gene is known
        (:func:`clearspot.distributions.nb.posterior_mean`).
    scale
        Counts of ``section`` per count that the model was trained on.

    Yields
    ------
    Blocks in the order of the tiles; together they hold every spot once.
    """
    heads = model.heads
    for tile in tiles:
        source = tile_input(section, tile, device, model.compute)
        _, received = model(source.x, source.neighbourhood)
        intercepts = heads.intercepts(source.offset)
        for first in range(0, tile.n_core, ROWS_PER_BLOCK[device.type]):
            rows = slice(first, min(first + ROWS_PER_BLOCK[device.type], tile.n_core))
            size_factor = source.size_factor[rows, None]
            mean = mean_activation(_logit(model, received[0][rows], 0, intercepts), size_factor) * scale
            dropout = _logit(model, received[2][rows], 2, intercepts) if len(heads.weights) == 3 else None
            if posterior:
                dispersion = dispersion_activation(_logit(model, received[1][rows], 1, intercepts))
                own = torch.from_numpy(section.counts[tile.core[rows]].toarray()).to(mean)
                mean = (
                    posterior_mean(own, mean, dispersion)
                    if dropout is None
                    else zinb_posterior_mean(own, mean, dispersion, dropout)
                )
            expected = mean if dropout is None else mean * (1.0 - dropout_activation(dropout))
            yield MeanBlock(tile.core[rows], mean.cpu().numpy(), expected.cpu().numpy())


def _logit(model: Dusted, received: Tensor, head: int, biases: list[Tensor] | None) -> Tensor:
    if head == 0 and model.heads.mean_link == "elu" and biases is not None:
        logit = raw_product(received.contiguous(), model.heads.weights[0])
        linked_(logit, biases[0])
        return logit
    return raw_product(received.contiguous(), model.heads.weights[head], None if biases is None else biases[head])
