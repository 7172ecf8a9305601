"""A small hexagonal section with spatial structure, as an AnnData and as the model sees it."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams
from clearspot.threads import cpu_threads

SMALL = {"hidden": 8, "latent": 4, "reduction_ratio": 4, "threads": 1}


def hexagonal_section(
    rows: int = 7, columns: int = 8, n_genes: int = 12, seed: int = 0, depth: float = 1.0
) -> ad.AnnData:
    """Counts with a gradient across the section, the graph of touching spots, one isolated spot, two failing ones."""
    rng = np.random.default_rng(seed)
    row, column = np.divmod(np.arange(rows * columns), columns)
    positions = np.column_stack([column + 0.5 * (row % 2), row * np.sqrt(3) / 2]) * 100
    positions[-1] += 1000
    across = positions[:, 0] / 100 / columns
    rates = np.exp(rng.normal(0, 1, n_genes) + np.outer(across - 0.5, rng.normal(0, 2, n_genes)))
    library = rng.lognormal(0, 0.3, len(positions))
    counts = sp.csr_matrix(rng.negative_binomial(2.0, 2.0 / (2.0 + depth * rates * library[:, None])).astype(np.int32))
    counts[0, 0] += 1
    pairs = cKDTree(positions).query_pairs(105, output_type="ndarray")
    half = sp.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(positions),) * 2)
    adata = ad.AnnData(
        X=counts.astype(np.float32),
        obs=pd.DataFrame(index=[f"spot{i}-1" for i in range(len(positions))]),
        var=pd.DataFrame(
            {keys.GENE_IDS: [f"ENSG{i:03d}" for i in range(n_genes)]}, index=[f"g{i}" for i in range(n_genes)]
        ),
        layers={keys.COUNTS: counts},
        obsm={keys.SPATIAL: positions},
        obsp={keys.CONNECTIVITIES: (half + half.T).tocsr()},
    )
    adata.var[keys.HIGHLY_VARIABLE] = np.arange(n_genes) < n_genes - 2
    adata.obs[keys.QC_PASS] = ~np.isin(np.arange(adata.n_obs), [9, 20])
    return adata


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors on one thread: a second one only waits, and on a busy machine for long."""
    with cpu_threads(1):
        yield


@pytest.fixture
def adata() -> ad.AnnData:
    """56 spots, 54 of which pass, and 12 genes, 10 of which are highly variable."""
    return hexagonal_section()


@pytest.fixture
def section_of():
    """Function from settings to the section of a fresh AnnData."""

    def make(params: DustedParams | None = None, **kwargs):
        return read_section(hexagonal_section(**kwargs), "s", params or DustedParams.preset("paper", **SMALL)).section

    return make


@pytest.fixture
def section_factory():
    """Function that makes an AnnData of any size."""
    return hexagonal_section
