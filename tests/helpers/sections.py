"""Small made-up sections, as ingest leaves them, for the tests of quality control, graph and domains."""

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

PITCH = 100.0


def hexagon(rows: int, cols: int, pitch: float = PITCH) -> np.ndarray:
    """Positions of a hexagonal lattice, row by row."""
    row, col = np.divmod(np.arange(rows * cols), cols)
    return np.column_stack([pitch * (col + 0.5 * (row % 2)), pitch * np.sqrt(3) / 2 * row])


def square(rows: int, cols: int, pitch: float = PITCH) -> np.ndarray:
    """Positions of a square lattice, row by row."""
    row, col = np.divmod(np.arange(rows * cols), cols)
    return np.column_stack([pitch * col, pitch * row]).astype(float)


def from_counts(counts, coordinates=None, symbols=None, genomes=None) -> ad.AnnData:
    """Section with the given counts; positions on a hexagonal lattice unless given."""
    counts = csr_matrix(np.asarray(counts), dtype=np.int32)
    n_spots, n_genes = counts.shape
    symbols = [f"Gene{i}" for i in range(n_genes)] if symbols is None else list(symbols)
    var = pd.DataFrame(
        {
            "gene_ids": [f"ENSG{i:05d}" for i in range(n_genes)],
            "feature_types": "Gene Expression",
            "genome": ["GRCh38"] * n_genes if genomes is None else list(genomes),
        },
        index=symbols,
    )
    obs = pd.DataFrame({"in_tissue": 1}, index=[f"SPOT{i}-1" for i in range(n_spots)])
    adata = ad.AnnData(None, obs=obs, var=var, shape=counts.shape)
    adata.layers["counts"] = counts
    adata.obsm["spatial"] = hexagon(n_spots, 1) if coordinates is None else np.asarray(coordinates, dtype=float)
    adata.uns["spatial"] = {"library": {"images": {}, "scalefactors": {}, "metadata": {}}}
    adata.uns["clearspot"] = {"microns_per_pixel": 0.5}
    return adata


def section(rows: int = 12, cols: int = 14, n_genes: int = 120, seed: int = 0) -> ad.AnnData:
    """Two tissues side by side: the first third of the genes is high on the left, the second third on the right."""
    rng = np.random.default_rng(seed)
    coordinates = hexagon(rows, cols)
    left = coordinates[:, 0] < coordinates[:, 0].mean()
    rate = np.full((len(coordinates), n_genes), 3.5)  # the mean of the others, so that only their pattern differs
    rate[:, : 2 * n_genes // 3] = 1.0
    rate[np.ix_(left, range(n_genes // 3))] = 6.0
    rate[np.ix_(~left, range(n_genes // 3, 2 * n_genes // 3))] = 6.0
    depth = rng.gamma(20.0, 0.05, size=(len(coordinates), 1))
    return from_counts(rng.poisson(rate * depth), coordinates)
