"""The pipeline in its CPU image, as strictly as a site may run it: a user that the image does not know, a read-only
root, no network. The image is built here (tests/containers/image.sh) on a stand-in for its base, which cannot be
pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anndata as ad
import pytest

from clearspot import keys
from tests.helpers.engine import REPO, Run, run_pipeline
from tests.helpers.task_scripts import wrapper

pytestmark = pytest.mark.long

IMAGE = "localhost/clearspot:test"
USER = 12345
STRICT = f"-u {USER}:{USER} --read-only --network none"


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The image is there, and podman is set up to run it."""
    folder = tmp_path_factory.mktemp("containers")
    script = REPO / "tests/containers/image.sh"
    built = subprocess.run([script, folder, IMAGE], capture_output=True, text=True, timeout=1800, check=False)
    if built.returncode == 77:
        pytest.skip(f"the container image is not built: {built.stdout.strip().splitlines()[-1]}")
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        yield


@pytest.fixture(scope="module")
def strict_run(podman: None, phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The test profile on one sample."""
    folder = tmp_path_factory.mktemp("in_podman")
    shutil.copytree(phantoms, folder / "phantoms")
    # what is mounted must be open to any user, as a site's data are to its users; pytest's folders are its user's alone
    for mounted in (folder, folder / "phantoms"):
        mounted.chmod(0o755)
    sheet = folder / "phantoms" / "one.csv"
    sheet.write_text("\n".join((phantoms / "samplesheet.csv").read_text().splitlines()[:2]) + "\n")
    (folder / "strict.config").write_text(f"podman.runOptions = '{STRICT}'\n")
    settings = ("-c", str(folder / "strict.config"), "-profile", "test,podman")
    before = os.umask(0)
    try:
        return run_pipeline(folder, *settings, "--container_image", IMAGE, "--input", str(sheet))
    finally:
        os.umask(before)


def inside(*command: str, options: str = STRICT) -> str:
    """What a command prints in a container."""
    line = ["podman", "run", "--rm", *options.split(), IMAGE, *command]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, check=True).stdout


@pytest.mark.usefixtures("podman")
def test_the_image_has_what_nextflow_needs_and_a_user_of_its_own() -> None:
    assert "procps" in inside("ps", "--version")
    assert inside("bash", "-c", "id -u", options="") == "1000\n"
    assert "clearspot" in inside("clearspot", "--version")


def test_the_pipeline_runs_without_rights_writable_root_or_network(strict_run: Run) -> None:
    assert strict_run.exit_code == 0, strict_run.log
    adata = ad.read_h5ad(strict_run.outdir / "phantom_1" / "phantom_1.h5ad", backed="r")
    assert keys.LATENT in adata.obsm
    assert (strict_run.outdir / "multiqc" / "multiqc_report.html").is_file()


def test_every_task_ran_in_the_container(strict_run: Run) -> None:
    for row in strict_run.trace.itertuples():
        assert STRICT in wrapper(row.workdir), row.step
        assert (Path(row.workdir) / ".command.trace").stat().st_uid == USER, row.step


def test_ps_measured_the_memory_of_every_task(strict_run: Run) -> None:
    # the check of the sheet may be over before it is measured
    table = strict_run.trace.query("step != 'SAMPLESHEET_CHECK'")
    assert table["peak_rss"].str.contains("MB|GB").all()


def test_caches_lie_in_the_folders_of_the_tasks(strict_run: Run) -> None:
    places = [Path(place) / ".cache" for place in strict_run.trace["workdir"]]
    kinds = {kind.name for place in places if place.is_dir() for kind in place.iterdir()}
    assert "matplotlib" in kinds
