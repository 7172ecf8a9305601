"""Mixing of batches in a latent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.study.mixing import mixing

N = 200
NO_EDGE = csr_matrix((N, N))
BATCH = np.arange(N) % 2


def test_it_is_one_by_chance_and_zero_apart() -> None:
    latent = np.random.default_rng(0).normal(size=(N, 4))
    assert mixing(latent, BATCH, NO_EDGE) == pytest.approx(1, abs=0.05)
    assert mixing(latent + 100 * BATCH[:, None], BATCH, NO_EDGE) == 0


def test_spots_that_share_counts_are_left_out() -> None:
    # a chain of spots whose latent goes along it: each spot's nearest ones are its neighbours on the tissue
    place = np.concatenate([np.arange(100), np.arange(100)]) * 1.0
    batch = np.repeat([0, 1], 100)
    latent = np.column_stack([place, 0.5 * batch])
    chain = csr_matrix((np.abs(np.subtract.outer(place, place)) == 1) & (batch[:, None] == batch))
    assert mixing(latent, batch, chain) > 1.1 * mixing(latent, batch, NO_EDGE)


def test_one_batch_has_no_mixing() -> None:
    assert mixing(np.zeros((N, 2)), np.zeros(N, dtype=int), NO_EDGE) is None
