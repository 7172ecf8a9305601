"""A made sample, and its report."""

from pathlib import Path

import pytest

from clearspot.report.sample import write_sample_report
from tests.helpers.made_sample import Made, add_superres, make_adata, make_records


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A sample with nothing missing."""
    adata = make_adata()
    return Made("good", tmp_path, adata, make_records("good", adata))


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a made sample with all parts, for tests that change nothing on disk."""
    folder = tmp_path_factory.mktemp("page")
    adata = make_adata()
    made = Made("good", folder, adata, make_records("good", adata))
    out = folder / "good_report.html"
    superres = add_superres(made)
    write_sample_report(made.h5ad, made.write(), out, superres=superres)
    return out
