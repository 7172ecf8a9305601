"""The small matrix as files."""

import pytest

from tests.helpers.outs_factory import write_h5, write_mex
from tests.helpers.small_matrix import BARCODES, COUNTS, FEATURES


@pytest.fixture
def h5(tmp_path):
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    write_h5(path, COUNTS, BARCODES, FEATURES)
    return path


@pytest.fixture
def mex(tmp_path):
    write_mex(tmp_path / "filtered_feature_bc_matrix", COUNTS, BARCODES, FEATURES)
    return tmp_path / "filtered_feature_bc_matrix"
