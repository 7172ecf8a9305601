"""What the terminal says at the end: a line a sample, the message of a failed task once, and who is at fault."""

import re
from pathlib import Path

import pytest

from tests.helpers.engine import Run, run_again, run_pipeline

SOFTWARE = "a software error"


def last_words(run: Run) -> str:
    """What the pipeline itself says once a run has stopped, after Nextflow's own message."""
    return run.log[run.log.index("Stopped after") :]


def test_the_message_of_a_task_is_said_once_without_its_base64(own_phantoms: Path, tmp_path: Path) -> None:
    sheet = own_phantoms / "samplesheet.csv"
    sheet.write_text("sample,spaceranger_dir\na b,phantom_1/outs\n")
    run = run_pipeline(tmp_path / "launch", "--input", str(sheet), "--qc_mito_threshold", "400")
    assert run.exit_code != 0
    assert run.log.count("found    --qc_mito_threshold 400") == 1
    assert run.log.count("to fix   call it 'a_b'") == 1
    assert not re.search(r"[A-Za-z0-9+/=]{200}", run.log), run.log
    assert "base64" not in run.log
    assert "at SAMPLESHEET_CHECK (samplesheet), exit code 65" in last_words(run)
    assert "The input is faulty" in last_words(run)
    # a bad sheet and a bad parameter are told together
    assert set(run.trace["step"]) == {"SAMPLESHEET_CHECK"}


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        (
            "echo 'docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
            "running?' >&2; exit 125",
            "Docker is not running where the task ran: start it",
        ),
        (
            "echo \"Unable to find image 'clearspot:0.1.0' locally\" >&2; exit 125",
            "The container image clearspot:0.1.0 is not available where the task ran",
        ),
        ("echo '.command.run: line 5: docker: command not found' >&2; exit 127", "Docker is not installed"),
    ],
    ids=["no_daemon", "no_image", "no_docker"],
)
def test_a_container_engine_that_does_not_run_is_no_fault_of_the_software(
    phantoms: Path, tmp_path: Path, script: str, advice: str
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    # Nextflow asks it to clean up, too: only a run fails
    (tools / "docker").write_text(f'#!/bin/bash\n[ "$1" = run ] || exit 0\n{script}\n')
    (tools / "docker").chmod(0o755)
    run = run_pipeline(
        tmp_path / "launch",
        *("-profile", "test,docker", "--input", str(phantoms / "samplesheet.csv")),
        variables={"PATH": f"{tools}:{environment_path()}"},
    )
    assert run.exit_code != 0
    assert advice in last_words(run), run.log
    assert SOFTWARE not in run.log


def environment_path() -> str:
    """PATH of every run."""
    from tests.helpers.engine import environment

    return environment()["PATH"]


def test_a_stopped_run_has_a_line_for_each_sample_that_was_refused(failed: Run) -> None:
    for sample, file in (("bad_matrix", "filtered_feature_bc_matrix.h5"), ("bad_positions", "outs")):
        assert re.search(rf"^  {sample} +REFUSED  check: .*{file}", last_words(failed), re.MULTILINE), failed.log
    assert failed.log.count("The reasons are listed above") == 1


def test_a_finished_run_has_one_line_for_each_sample_with_verdict_reason_and_page(skipped: Run) -> None:
    said = skipped.log[skipped.log.index("1 done, 2 refused") :]
    for sample, verdict in (("bad_matrix", "REFUSED"), ("bad_positions", "REFUSED"), ("phantom_1", r"[A-Z ]+")):
        page = re.escape(str(skipped.outdir / sample / f"{sample}_report.html"))
        assert len(re.findall(rf"\b{sample} +{verdict} +\S.* -> {page}$", said, re.MULTILINE)) == 1, said
        assert len(re.findall(rf"\b{sample} ", said)) == 1, said


def test_validate_only_ends_with_a_line_for_each_refused_sample(failed: Run, spoiled: Path, tmp_path: Path) -> None:
    run = run_again(failed, spoiled.parent, tmp_path, "--validate_only", "--on_bad_sample", "skip")
    assert run.exit_code == 0, run.log
    assert re.search(r"bad_matrix +REFUSED  check: ", run.log), run.log
