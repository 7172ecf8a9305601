import numpy as np
import pytest
from scipy.sparse import csr_matrix, diags, identity, kron

from clearspot.metrics import likeness
from clearspot.metrics.likeness import neighbour_likeness

SIDE = 30


def lattice() -> csr_matrix:
    line = diags([1.0, 1.0], [-1, 1], shape=(SIDE, SIDE))
    return csr_matrix(kron(line, identity(SIDE)) + kron(identity(SIDE), line))


def counts(depth: float, own: float = 0.0, n_genes: int = 60) -> csr_matrix:
    """A gradient across the lattice, plus a part of each spot's own."""
    rng = np.random.default_rng(0)
    column = np.tile(np.linspace(-1, 1, SIDE), SIDE)
    signal = column[:, None] * np.where(np.arange(n_genes) % 2, 1, -1)
    signal = signal + own * rng.normal(size=(SIDE * SIDE, 1)) * np.where(np.arange(n_genes) % 4 < 2, 1, -1)
    return csr_matrix(rng.poisson(depth * np.exp(signal)))


def shuffled(matrix: csr_matrix, share: float) -> csr_matrix:
    rng = np.random.default_rng(1)
    moved = rng.choice(matrix.shape[0], round(share * matrix.shape[0]), replace=False)
    order = np.arange(matrix.shape[0])
    order[np.sort(moved)] = moved
    return matrix[order]


@pytest.mark.parametrize("depth", [0.3, 2.0, 20.0])
def test_a_smooth_section_is_near_one_whatever_its_depth(depth: float) -> None:
    assert neighbour_likeness(counts(depth), lattice()) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_exchanged_spots_lower_it_by_the_pairs_that_are_torn(share: float) -> None:
    found = neighbour_likeness(shuffled(counts(3.0), share), lattice())
    assert found == pytest.approx((1 - share) ** 2, abs=0.08)


def test_what_is_a_spots_own_is_not_shared() -> None:
    smooth, own = (neighbour_likeness(counts(5.0, own=part), lattice()) for part in (0.0, 0.6))
    assert smooth is not None
    assert own is not None
    assert own < 0.75 * smooth


def test_without_a_signal_nothing_is_said() -> None:
    noise = csr_matrix(np.random.default_rng(0).poisson(1.0, (SIDE * SIDE, 40)))
    assert neighbour_likeness(noise, lattice()) is None
    assert neighbour_likeness(csr_matrix((SIDE * SIDE, 40), dtype=int), lattice()) is None


def test_few_pairs_say_nothing() -> None:
    assert neighbour_likeness(counts(3.0)[:20], lattice()[:20][:, :20]) is None


def test_a_draw_of_the_pairs_agrees_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = neighbour_likeness(counts(3.0), lattice())
    monkeypatch.setattr(likeness, "MOST_PAIRS", 600)
    assert neighbour_likeness(counts(3.0), lattice()) == pytest.approx(everything, abs=0.08)
