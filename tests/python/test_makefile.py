"""`make run` hands each value on as it was written, and the launchers see to a locale in which Java can name files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ODD = [
    "/a b/sheet.csv",
    "/run[2024]/{a,b}/*.csv",
    '/(x)/it\'s "here".csv',
    "/$HOME/$$x/`id`;#&|<>\\.csv",
    "/Größe/試料.csv",
]


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    """Stands for Nextflow: writes down its arguments, one a line."""
    path = tmp_path / "nextflow"
    path.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{tmp_path}/arguments'\nprintf %s \"${{LC_ALL-}}\" > '{tmp_path}/locale'\n"
    )
    path.chmod(0o755)
    return path


def make_run(repo: Path, launcher: Path, *values: str) -> list[str]:
    """Arguments that Nextflow gets; nothing is set up for it."""
    command = ["make", "-o", "setup", "-o", ".phantom/samplesheet.csv", "run", f"NEXTFLOW={launcher}", *values]
    subprocess.run(command, cwd=repo, check=True, capture_output=True)
    return (launcher.parent / "arguments").read_text().splitlines()


@pytest.mark.parametrize("path", ODD)
def test_input_and_outdir_are_one_word_each(repo: Path, launcher: Path, path: str) -> None:
    arguments = make_run(repo, launcher, f"INPUT={path}", f"OUTDIR={path}.d")
    assert arguments == ["run", ".", "--input", path, "--outdir", f"{path}.d"]


def test_arguments_are_words_of_the_shell(repo: Path, launcher: Path) -> None:
    values = ["INPUT=s.csv", "PROFILE=docker,gpu", "ARGS=--multiqc_title 'My title' --seed 3 -work-dir \"/a b\""]
    assert make_run(repo, launcher, *values) == [
        "run", ".", "-profile", "docker,gpu", "--input", "s.csv", "--outdir", "results",
        "--multiqc_title", "My title", "--seed", "3", "-work-dir", "/a b",
    ]  # fmt: skip


def test_without_input_the_built_in_sample_goes_where_outdir_says(repo: Path, launcher: Path) -> None:
    assert make_run(repo, launcher, "OUTDIR=my results", "PROFILE=docker") == [
        "run", ".", "-profile", "test,docker", "--input", ".phantom/samplesheet.csv", "--outdir", "my results",
    ]  # fmt: skip


@pytest.mark.parametrize("variables", [{}, {"LC_ALL": "C"}, {"LANG": "POSIX"}, {"LC_ALL": "xx_XX.UTF-8"}])
def test_locale_of_ascii_becomes_its_utf8_form(repo: Path, launcher: Path, variables: dict[str, str]) -> None:
    assert launch(repo, launcher, variables).lower().replace("-", "") == "c.utf8"


def test_utf8_locale_is_left_alone(repo: Path, launcher: Path) -> None:
    assert launch(repo, launcher, {"LANG": "C.UTF-8"}) == ""


def launch(repo: Path, launcher: Path, variables: dict[str, str]) -> str:
    """LC_ALL of a Nextflow on PATH, started by the project's launcher in a locale."""
    kept = {name: value for name, value in os.environ.items() if name != "LANG" and not name.startswith("LC_")}
    kept |= variables | {"PATH": f"{launcher.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([repo / "tools/nextflow/launch"], env=kept, check=True, capture_output=True)
    return (launcher.parent / "locale").read_text()
