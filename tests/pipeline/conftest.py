"""Two simulated samples and the runs over them that several tests look at."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot.cli import main as clearspot_command
from tests.helpers.engine import Run, run_again, run_pipeline

SHARED_RUNS = frozenset(
    f"test_{name}.py"
    for name in (
        *("bad_samples", "determinism", "first_run", "killed", "records_against_declaration", "resume", "superres"),
        "terminal",
    )
)
"""Files that look at the runs below; one worker gets them all, so that each run is made once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: it runs Nextflow."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pipeline)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, hand out the files that share runs as one."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class SharedRunsScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "shared runs" if Path(file).name in SHARED_RUNS else file

    return SharedRunsScheduling(config, log)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two simulated samples, the second without an image, and their sheet; tests do not write here."""
    folder = tmp_path_factory.mktemp("phantoms")
    result = CliRunner().invoke(clearspot_command, ["simulate", str(folder), "--preset", "test", "--samples", "2"])
    assert result.exit_code == 0, result.output
    sheet = pd.read_csv(folder / "samplesheet.csv")
    sheet.loc[1, "image"] = None
    sheet.to_csv(folder / "samplesheet.csv", index=False)
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


@pytest.fixture(scope="session")
def edited_run(first_run: Run, phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The first run again with other parameters: three domains, and super-resolution by a small model."""
    edited = ("--n_domains", "3", "--skip_superres", "false", "--diffst_preset", "test")
    return run_again(first_run, phantoms, tmp_path_factory.mktemp("edited_run"), *edited)


@pytest.fixture(scope="session")
def spoiled(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sheet of two bad samples of different kinds beside a good one."""
    folder = Path(shutil.copytree(phantoms, tmp_path_factory.mktemp("spoiled") / "phantoms"))
    for name in ("bad_positions", "bad_matrix"):
        shutil.copytree(folder / "phantom_2", folder / name)
    shutil.rmtree(folder / "bad_positions" / "outs" / "spatial")
    matrix = folder / "bad_matrix" / "outs" / "filtered_feature_bc_matrix.h5"
    matrix.write_bytes(matrix.read_bytes()[:1000])
    sheet = folder / "samplesheet.csv"
    sheet.write_text(
        "sample,spaceranger_dir,image\n"
        "phantom_1,phantom_1/outs,phantom_1/image.tif\n"
        "bad_positions,bad_positions/outs,\n"
        "bad_matrix,bad_matrix/outs,\n"
    )
    return sheet


@pytest.fixture(scope="session")
def failed(spoiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with the default, `--on_bad_sample fail`."""
    return run_pipeline(tmp_path_factory.mktemp("bad_samples"), "-profile", "test", "--input", str(spoiled))


@pytest.fixture(scope="session")
def skipped(failed: Run, spoiled: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The failed run again with `--on_bad_sample skip`."""
    arguments = ("-profile", "test", "--input", str(spoiled), "--on_bad_sample", "skip", "-resume")
    return run_pipeline(failed.launch_dir, *arguments, outdir=tmp_path_factory.mktemp("skipped"))
