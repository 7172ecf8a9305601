"""Fixtures; and the folder on the path, which ``--import-mode=importlib`` leaves off it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_sample import Made, make_adata, make_records


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A sample with nothing missing."""
    adata = make_adata()
    return Made("good", tmp_path, adata, make_records("good", adata))
