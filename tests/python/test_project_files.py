"""Files that state the same thing twice, or what another program reads, against each other."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from clearspot.contract.steps import STEPS


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)


def test_every_file_states_the_same_version(repo: Path) -> None:
    done = run(repo / "tools" / "version.py", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_tag_of_another_version_is_refused(repo: Path) -> None:
    done = run(repo / "tools" / "version.py", "--check", "v99.0.0")
    assert done.returncode == 1
    assert "the tag is v99.0.0" in done.stdout


def test_environments_of_the_modules_have_the_locked_versions(repo: Path) -> None:
    done = run(repo / "tools" / "environments.py", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    modules = sorted((repo / "modules" / "local").rglob("main.nf"))
    assert len(modules) == len(STEPS) + 1
    assert all(path.with_name("environment.yml").is_file() for path in modules)


def test_every_module_names_its_image_and_its_environment(repo: Path) -> None:
    for path in (repo / "modules" / "local").rglob("main.nf"):
        text = path.read_text()
        assert '    conda "${moduleDir}/environment.yml"\n' in text, path
        assert re.search(
            r"^    container \"\$\{task\.ext\.container \?: 'clearspot:[\d.]+'\}\"$", text, re.MULTILINE
        ), path


def test_the_metro_map_shows_the_steps_as_they_are(repo: Path) -> None:
    drawn = runpy.run_path(str(repo / "docs" / "images" / "metro_map.py"))["metro_map"]()
    assert drawn == (repo / "docs" / "images" / "metro_map.svg").read_text(encoding="utf-8")
    assert re.findall(r"<title>(\w+)</title>", drawn) == [step.process for step in STEPS]


def test_the_home_page_is_the_same_everywhere(repo: Path) -> None:
    (home,) = re.findall(r"homePage += '(.+)'", (repo / "nextflow.config").read_text())
    assert json.loads((repo / "modules.json").read_text())["homePage"] == home
    assert yaml.safe_load((repo / "CITATION.cff").read_text())["repository-code"] == home
    raw = home.replace("//github.com/", "//raw.githubusercontent.com/")
    for schema in ("nextflow_schema.json", "assets/schema_input.json"):
        assert json.loads((repo / schema).read_text())["$id"] == f"{raw}/main/{schema}"


REPORTS = [
    "liver_1/liver_1_report.html", "multiqc/multiqc_report.html", "qc_summary.csv",
    "pipeline_info/samplesheet.valid.json",
]  # fmt: skip


@pytest.mark.parametrize("path", REPORTS)
def test_each_report_is_listed_once_by_the_platform(repo: Path, path: str) -> None:
    patterns = yaml.safe_load((repo / "tower.yml").read_text())["reports"]
    assert sum(fnmatchcase(Path(path).name, pattern) for pattern in patterns) == 1


@pytest.mark.parametrize("name", ["execution_report_2026-01-01_00-00-00.html", "pipeline_dag_2026.html", "liver.h5ad"])
def test_what_is_no_report_is_not_listed(repo: Path, name: str) -> None:
    patterns = yaml.safe_load((repo / "tower.yml").read_text())["reports"]
    assert not [pattern for pattern in patterns if fnmatchcase(name, pattern)]


def test_the_exceptions_of_the_linter_are_files_that_are_really_absent(repo: Path) -> None:
    lint = yaml.safe_load((repo / ".nf-core.yml").read_text())["lint"]
    assert [path for path in lint["files_exist"] if (repo / path).exists()] == []
    assert [path for path in lint["template_strings"] if "{{" not in (repo / path).read_text()] == []


def test_what_the_workflows_run_is_there(repo: Path) -> None:
    workflows = sorted((repo / ".github" / "workflows").glob("*.yml"))
    names = {path.name for path in workflows}
    assert names >= {"linting.yml", "tests.yml", "nf-test.yml", "images.yml", "release.yml", "newest.yml"}
    for path in workflows:
        jobs = yaml.safe_load(path.read_text())["jobs"]
        text = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
        called = re.findall(r"\b(?:tools|containers|docs/images|tests)/[\w./-]+", text)
        assert [name for name in called if not (repo / name).exists()] == [], path.name
        targets = re.findall(r"\bmake (\w+)", text)
        makefile = (repo / "Makefile").read_text()
        assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == [], path.name


def test_every_package_has_its_folder_of_tests(repo: Path) -> None:
    packages = {path.parent.name for path in (repo / "src" / "clearspot").glob("*/__init__.py")}
    folders = {path.parent.name for path in (repo / "tests" / "python").glob("*/test_*.py")}
    assert packages <= folders
    assert folders - packages == {"benchmarks", "fuzz"}
