"""Disks that are full, input that cannot be written to, files that are damaged between two steps."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.engine import Run, run_pipeline

REFUSED = "1 sample(s) refused at 'qc': phantom_2"


@dataclass(frozen=True)
class Faults:
    """Runs over one sample, each after something was done to its work folder."""

    full: Run
    with_room: Run
    damaged: Run
    ingested: Path
    mended: Run
    files_before: dict[str, int]
    files_after: dict[str, int]


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting a small disk needs root: {done.stderr.strip()}")


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk too small for an ingested sample."""
    place = tmp_path_factory.mktemp("small_disk")
    _mount("-t", "tmpfs", "-o", "size=640k", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def read_only_input(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The simulated samples on a disk that nobody can write to, root neither."""
    place = tmp_path_factory.mktemp("read_only")
    _mount("--bind", str(phantoms), str(place))
    _mount("-o", "remount,bind,ro", str(place))
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def faults(small_disk: Path, read_only_input: Path, tmp_path_factory: pytest.TempPathFactory) -> Faults:
    """A full disk; room again; the ingested file cut short; its folder deleted. QC passes no spot: it ends the run."""
    launch_dir = tmp_path_factory.mktemp("storage_faults")
    sheet = launch_dir / "samplesheet.csv"
    sheet.write_text(f"sample,spaceranger_dir\nphantom_2,{read_only_input}/phantom_2/outs\n")
    before = _files(read_only_input)
    arguments = ("-profile", "test", "--input", str(sheet), "--qc_min_counts", "10000000")
    arguments += ("-work-dir", str(small_disk / "work"), "-resume")

    full = run_pipeline(launch_dir, *arguments, outdir=launch_dir / "full")
    _mount("-o", "remount,size=200m", str(small_disk))
    with_room = run_pipeline(launch_dir, *arguments, outdir=launch_dir / "with_room")
    (ingested,) = (small_disk / "work").glob("*/*/phantom_2.h5ad")
    os.truncate(ingested, ingested.stat().st_size // 2)
    damaged = run_pipeline(launch_dir, *arguments, outdir=launch_dir / "damaged")
    subprocess.run(["rm", "-r", str(ingested.parent)], check=True)
    mended = run_pipeline(launch_dir, *arguments, outdir=launch_dir / "mended")
    return Faults(full, with_room, damaged, ingested, mended, before, _files(read_only_input))


def test_full_disk_is_named_and_leaves_no_part_of_a_file(faults: Faults) -> None:
    assert faults.full.exit_code != 0
    assert "The disk of the work folder is full" in faults.full.log
    assert ("SPACERANGER_INGEST", "phantom_2") in faults.full.steps("FAILED")
    assert [path.name for path in faults.full.outdir.iterdir() if path.name != "ro-crate-metadata.json"] == [
        "pipeline_info"
    ]


def test_run_goes_on_once_there_is_room(faults: Faults) -> None:
    assert REFUSED in faults.with_room.log
    assert ("SPACERANGER_CHECK", "phantom_2") in faults.with_room.steps("CACHED")
    assert ("SPACERANGER_INGEST", "phantom_2") in faults.with_room.steps("COMPLETED")


def test_damaged_intermediate_file_is_named_with_what_to_do(faults: Faults) -> None:
    assert faults.damaged.exit_code != 0
    assert f"file     {faults.ingested}" in faults.damaged.log
    assert f"delete the folder {faults.ingested.parent}" in faults.damaged.log
    assert "Traceback" not in faults.damaged.log
    assert ("SPOT_QC", "phantom_2") in faults.damaged.steps("FAILED")


def test_step_whose_folder_was_deleted_runs_again(faults: Faults) -> None:
    assert REFUSED in faults.mended.log
    assert ("SPACERANGER_CHECK", "phantom_2") in faults.mended.steps("CACHED")
    assert ("SPACERANGER_INGEST", "phantom_2") in faults.mended.steps("COMPLETED")


def test_input_that_cannot_be_written_to_is_enough(faults: Faults, read_only_input: Path) -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        (read_only_input / "phantom_2" / "outs" / "note").touch()
    assert ("SPACERANGER_INGEST", "phantom_2") in faults.with_room.steps("COMPLETED")
    assert faults.files_after == faults.files_before


def _files(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}
