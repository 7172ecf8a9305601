"""Paths of a file system that is not the machine's own, as those of a bucket: Java's zip file system stands in."""

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.helpers.engine import REPO, Run, run_pipeline
from tests.helpers.task_scripts import run_script

OUTS = ["filtered_feature_bc_matrix.h5", "spatial/scalefactors_json.json", "spatial/tissue_positions.csv"]

# rows of a samplesheet, by the sample that is refused
ABSENT = {
    "no_outs": "no_outs,elsewhere,",
    "no_image": "no_image,outs,../elsewhere.tif",
    "no_such_store": "no_such_store,elsewhere://bucket/outs,",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a zip file's root, with a samplesheet whose paths are relative to it."""
    place = tmp_path_factory.mktemp("zip") / "bucket.zip"
    with zipfile.ZipFile(place, "w") as file:
        file.writestr("sheets/samplesheet.csv", "sample,spaceranger_dir,image\ns,outs,../image.tif\n")
        file.writestr("sheets/absent.csv", "\n".join(["sample,spaceranger_dir,image", *ABSENT.values()]) + "\n")
        file.writestr("sheets/s.check.json", '{"status": "ok"}')
        file.writestr("image.tif", "an image")
        file.writestr("genes.txt", "A\nB\n")
        for name in [*OUTS, "possorted_genome_bam.bam"]:
            file.writestr(f"sheets/outs/{name}", name)
    return f"jar:file://{place}!/"


def test_functions_of_the_workflow_read_paths_of_another_file_system(archive: str, tmp_path: Path) -> None:
    run = run_script(tmp_path, REPO / "tests/nf/other_file_system.nf", "--archive", archive)
    assert run.exit_code == 0, run.log
    (line,) = [line for line in run.log.splitlines() if line.startswith("SEEN ")]
    seen = json.loads(line.removeprefix("SEEN "))
    lists = seen.pop("lists")
    assert seen == {
        "root": f"{archive}sheets/outs",
        "above": True,
        "files": OUTS,
        "record": {"status": "ok"},
        "genes": "A\nB\n",
        "genes_of_interest": "A\nB\n",
    }
    # a list of genes is named by its content: two runs in one work folder do not share it
    (first, text), (other, _), again = lists
    assert text == "A,B\n"
    assert first != other
    assert again == [first, text]


@pytest.fixture(scope="module")
def from_archive(archive: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A stub run whose samplesheet, inputs and image lie there."""
    arguments = ("--input", f"{archive}sheets/samplesheet.csv", "--skip_superres", "false", "--skip_spatialdata")
    return run_pipeline(tmp_path_factory.mktemp("from_archive"), "-profile", "test", "-stub-run", *arguments)


def test_a_run_stages_what_its_sheet_names_there(from_archive: Run) -> None:
    assert from_archive.exit_code == 0, from_archive.log
    assert "1 done" in from_archive.log
    assert "DIFFUSION_SAMPLE" in set(from_archive.trace["step"])
    (workdir,) = from_archive.trace.query("step == 'SPACERANGER_INGEST'")["workdir"]
    staged = {path.read_text() for path in (Path(workdir) / "staged").rglob("*") if path.is_file()}
    assert staged == set(OUTS)
    assert (Path(workdir) / "image" / "image.tif").read_text() == "an image"


def test_no_folder_of_the_results_is_empty(from_archive: Run) -> None:
    # an object store keeps none, and a task whose output is one would have no output there
    folders = [path for path in from_archive.outdir.rglob("*") if path.is_dir()]
    assert folders
    assert [path for path in folders if not any(path.iterdir())] == []


def test_what_is_not_there_refuses_its_sample_and_no_other(archive: str, tmp_path: Path) -> None:
    arguments = ("--validate_only", "--on_bad_sample", "skip", "--input", f"{archive}sheets/absent.csv")
    run = run_pipeline(tmp_path, "-profile", "test", *arguments)
    assert run.exit_code == 0, run.log
    assert "3 refused" in run.log
    reasons = dict(re.findall(r"^  (\S+) +REFUSED +check: (.*)", run.log, re.MULTILINE))
    assert set(reasons) == set(ABSENT)
    assert "elsewhere: no such file or folder" in reasons["no_outs"]
    assert "elsewhere.tif: a link to " in reasons["no_image"]
    assert "outs: no such file or folder" in reasons["no_such_store"]
    assert "elsewhere://bucket/outs cannot be accessed: " in run.log
