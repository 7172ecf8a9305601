"""Whether two runs left the same results."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import issparse

from clearspot import keys


def assert_same_section(ours: Path, theirs: Path) -> None:
    """Two sections hold equal tables and equal arrays."""
    one, other = ad.read_h5ad(ours), ad.read_h5ad(theirs)
    pd.testing.assert_frame_equal(one.obs, other.obs, check_exact=True)
    pd.testing.assert_frame_equal(one.var, other.var, check_exact=True)
    assert keys.DENOISED in one.layers
    assert keys.LATENT in one.obsm
    assert _unequal(one.X, other.X) == 0
    for name in ("layers", "obsm", "obsp"):
        of_one, of_other = getattr(one, name), getattr(other, name)
        assert set(of_one) == set(of_other)
        assert {key: _unequal(of_one[key], of_other[key]) for key in of_one} == dict.fromkeys(of_one, 0)


def assert_same_tables(ours: Path, theirs: Path) -> list[str]:
    """Two sample folders hold the same CSV files, byte for byte; returns their names."""
    names = sorted(str(path.relative_to(ours)) for path in ours.rglob("*.csv"))
    assert names == sorted(str(path.relative_to(theirs)) for path in theirs.rglob("*.csv"))
    assert names
    assert [name for name in names if (ours / name).read_bytes() != (theirs / name).read_bytes()] == []
    return names


def _unequal(one: object, other: object) -> int:
    """How many values differ."""
    dense = [np.asarray(part.toarray() if issparse(part) else part) for part in (one, other)]
    assert dense[0].shape == dense[1].shape
    return int((~((dense[0] == dense[1]) | (np.isnan(dense[0]) & np.isnan(dense[1])))).sum())
