"""Made-up sections with two tissues, one of which holds little RNA by nature, for the tests of regional checks."""

import numpy as np
from scipy.sparse import csr_matrix

PITCH_UM = 100.0
N_GENES = 300


def lattice(side: int = 40) -> np.ndarray:
    """Hexagonal positions in micrometres, row by row."""
    row, col = np.divmod(np.arange(side * side), side)
    return np.column_stack([PITCH_UM * (col + 0.5 * (row % 2)), PITCH_UM * np.sqrt(3) / 2 * row])


def symbols(*, mito: bool = True) -> list[str]:
    """Names of the genes, the first ten of them mitochondrial."""
    return [f"MT-{i}" if mito and i < 10 else f"GENE{i}" for i in range(N_GENES)]


def expected(xy: np.ndarray, *, poor: float = 0.25, depth: float = 1500) -> np.ndarray:
    """Expected counts: a poor tissue (the lower third) of genes of its own below a rich one."""
    rng = np.random.default_rng(7)
    profiles = rng.gamma(0.5, size=(2, N_GENES)) + 0.01
    profiles[:, :10] = 0.3
    profiles /= profiles.sum(axis=1, keepdims=True)
    lower = xy[:, 1] > 0.67 * xy[:, 1].max()
    total = np.where(lower, poor * depth, depth)
    return total[:, None] * profiles[lower.astype(int)]


def sample(means: np.ndarray, seed: int = 0) -> csr_matrix:
    """Poisson counts with a spot's own efficiency."""
    rng = np.random.default_rng(seed)
    return csr_matrix(rng.poisson(means * rng.gamma(12, 1 / 12, size=(len(means), 1))))


def disk(xy: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """Mask of the positions within a distance of a point."""
    return np.hypot(*(xy - [x, y]).T) < radius


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Jaccard index of two masks."""
    return float((one & other).sum() / (one | other).sum())
