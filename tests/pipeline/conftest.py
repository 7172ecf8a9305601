"""Two simulated samples and one first run of the pipeline, shared by the tests that only look at them."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearspot.cli import main as clearspot_command

from .engine import Run, run_pipeline


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: it runs Nextflow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pipeline)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two simulated samples and their samplesheet; tests do not write here."""
    folder = tmp_path_factory.mktemp("phantoms")
    result = CliRunner().invoke(clearspot_command, ["simulate", str(folder), "--preset", "test", "--samples", "2"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def own_phantoms(phantoms: Path, tmp_path: Path) -> Path:
    """A copy of the simulated samples that a test may change."""
    return Path(shutil.copytree(phantoms, tmp_path / "phantoms"))


@pytest.fixture(scope="session")
def first_run(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One finished run over both samples with the test profile; tests resume it, they do not change its results."""
    return run_pipeline(
        tmp_path_factory.mktemp("first_run"), "-profile", "test", "--input", str(phantoms / "samplesheet.csv")
    )
