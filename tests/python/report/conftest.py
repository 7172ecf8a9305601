"""A made sample."""

from pathlib import Path

import pytest

from tests.helpers.made_sample import Made, make_adata, make_records


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A sample with nothing missing."""
    adata = make_adata()
    return Made("good", tmp_path, adata, make_records("good", adata))
