"""The two statistics of ranks that the orientation of an image is judged by, against SciPy's."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from clearspot.io.preflight.picture import _auc, _ranks


@pytest.mark.parametrize("levels", [3, 10_000], ids=["many ties", "few ties"])
def test_they_are_scipys(levels):
    rng = np.random.default_rng(levels)
    a, b, c = (rng.integers(levels, size=n).astype(float) for n in (120, 75, 120))
    assert _auc(a, b) == pytest.approx(mannwhitneyu(a, b).statistic / (len(a) * len(b)))
    assert np.corrcoef(_ranks(a), _ranks(c))[0, 1] == pytest.approx(spearmanr(a, c).statistic)
