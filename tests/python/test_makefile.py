"""`make run` hands each value on as it was written, and the launchers see to a locale in which Java can name files."""

from __future__ import annotations

import os
import subprocess
import sys
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
        f"printf %s \"${{PYTHONDONTWRITEBYTECODE-not set}}\" > '{tmp_path}/bytecode'\n"
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


def test_pythons_keep_the_bytecode_of_what_they_import(
    repo: Path, launcher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    make_run(repo, launcher)
    assert (launcher.parent / "bytecode").read_text() == "not set"


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


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """Folder for Pythons of other versions than the one that runs this, and bash's own tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "awk", "ls", "env"):
        (folder / tool).symlink_to(f"/usr/bin/{tool}")
    return folder


def stand_in(path: Path, version: tuple[int, int, int]) -> Path:
    """A Python that says it is of another version."""
    path.write_text(f'#!/bin/bash\nexec {sys.executable} -c "import sys; sys.version_info = {version}\n$2"\n')
    path.chmod(0o755)
    return path


def find_python(repo: Path, folder: Path, *named: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder), "HOME": str(folder)}
    command = ["bash", str(repo / "tools" / "find_python.sh"), *named]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_python_that_the_lock_is_for_comes_first(repo: Path, pythons: Path) -> None:
    stand_in(pythons / "python3", (3, 13, 1))
    wanted = stand_in(pythons / "python3.11", (3, 11, 2))
    assert find_python(repo, pythons).stdout.splitlines() == [str(wanted)]


def test_a_newer_python_will_do_an_older_one_is_passed_over(repo: Path, pythons: Path) -> None:
    stand_in(pythons / "python3.11", (3, 10, 9))
    wanted = stand_in(pythons / "python3.12", (3, 12, 0))
    assert find_python(repo, pythons).stdout.splitlines() == [str(wanted)]


def test_without_a_suitable_python_it_says_what_it_looked_at(repo: Path, pythons: Path) -> None:
    done = find_python(repo, pythons)
    assert (done.returncode, done.stdout) == (69, "")
    assert "python3.11, python3.12, python3.13, python3 and python on PATH, and pyenv: none is there" in done.stderr
    old = stand_in(pythons / "python3", (3, 9, 2))
    assert f"  {old} is Python 3.9.2\n" in find_python(repo, pythons).stderr
    named = find_python(repo, pythons, "/nowhere/python")
    assert (named.returncode, named.stdout) == (69, "")
    assert "  /nowhere/python does not run\n" in named.stderr
    assert str(old) not in named.stderr
