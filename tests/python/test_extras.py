"""What is imported is declared, and a part that needs an extra says which where it is not installed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clearspot.extras import EXTRAS

IMPORTER = """
import importlib, json, os, pkgutil, sys

class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)

def refused():
    found = {}
    for module in pkgutil.walk_packages(clearspot.__path__, "clearspot."):
        try:
            importlib.import_module(module.name)
        except MissingExtraError as error:
            found[module.name] = [error.name, error.extra, str(error)]
    return found

cases = json.loads(sys.stdin.read())
hidden = cases.pop("none")
sys.meta_path[:] = map(Hiding, sys.meta_path)
import clearspot
from clearspot.errors import MissingExtraError

print(json.dumps(["none", refused()]), flush=True)
for extra, hidden in cases.items():
    if os.fork() == 0:  # what every case shares is loaded once
        print(json.dumps([extra, refused()]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, extra
"""
"""Imports every module as if packages were not there, case by case, and prints which said what is missing."""


@pytest.fixture(scope="module")
def project(repo: Path) -> dict:
    return tomllib.loads((repo / "pyproject.toml").read_text())["project"]


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def imports(tree: ast.AST, extra: str | None = None) -> Iterator[tuple[str, str | None]]:
    """Each imported top-level name, and the extra in whose block it stands."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], extra) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.partition(".")[0], extra
        elif isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr).startswith("extra("):
            yield from imports(node, ast.literal_eval(node.items[0].context_expr.args[0]))
        else:
            yield from imports(node, extra)


def test_what_is_imported_is_declared(repo: Path, project: dict) -> None:
    declared = {None: names(project["dependencies"])}
    declared |= {extra: names(project["optional-dependencies"][extra]) for extra in EXTRAS}
    homes = packages_distributions()
    undeclared = set()
    for path in [*(repo / "src").rglob("*.py"), *(repo / "bin").glob("*.py")]:
        for module, extra in imports(ast.parse(path.read_text())):
            if module in sys.stdlib_module_names or module == "clearspot":
                continue
            homes_of = {canonicalize_name(home) for home in homes.get(module, [module])}
            if not homes_of & (declared[None] | declared[extra]):
                undeclared.add(f"{path.relative_to(repo)}: {module} (extra: {extra})")
    assert sorted(undeclared) == []


def test_every_extra_is_described(project: dict) -> None:
    assert set(project["optional-dependencies"]) == {*EXTRAS, "pipeline", "dev"}


def brought(requirements: list[str]) -> set[str]:
    """Distributions that these requirements install, with all that they need."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *requirement.extras):
            step = (canonicalize_name(requirement.name), wanted)
            if step not in found:
                found.add(step)
                with suppress(PackageNotFoundError):  # timm may be left out
                    waiting += [(Requirement(line), wanted) for line in requires(step[0]) or []]
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def refusals(project: dict) -> dict[str, dict[str, tuple[str, str, str]]]:
    """By the extra that is installed alone: modules that cannot be imported; what is missing, its extra, the words."""
    homes = {module: {canonicalize_name(home) for home in of} for module, of in packages_distributions().items()}
    needed = {"none": [], **{extra: project["optional-dependencies"][extra] for extra in EXTRAS}}
    there = {case: brought([*project["dependencies"], *extra]) | {"clearspot"} for case, extra in needed.items()}
    hidden = {case: [module for module, of in homes.items() if not of & there[case]] for case in needed}
    command = [sys.executable, "-c", IMPORTER]
    done = subprocess.run(command, input=json.dumps(hidden), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_without_extras_their_parts_name_what_is_missing(refusals: dict) -> None:
    assert {extra for _, extra, _ in refusals["none"].values()} == set(EXTRAS) - {"timm", "study"}
    for missing, extra, words in refusals["none"].values():
        assert words == f"{EXTRAS[extra]} needs {missing}, which is not installed: pip install 'clearspot[{extra}]'"
        assert missing in {"diffusers", "torch_geometric", "jinja2", "plotly", "geopandas", "spatialdata", "zarr"}


@pytest.mark.parametrize("installed", EXTRAS)
def test_an_extra_alone_is_enough_for_its_part(installed: str, refusals: dict) -> None:
    expected = {module: found for module, found in refusals["none"].items() if found[1] != installed}
    assert refusals[installed] == expected


@pytest.mark.parametrize(
    "part", ["dusted.denoising", "qc.run", "graph.build", "domains.run", "io.ingest", "simulate.cohort"]
)
def test_what_needs_no_extra(part: str, refusals: dict) -> None:
    assert f"clearspot.{part}" not in refusals["none"]
    assert find_spec(f"clearspot.{part}") is not None


def test_a_command_says_what_is_missing_and_leaves_with_its_code(tmp_path: Path) -> None:
    code = "import sys; sys.modules['diffusers'] = None; from clearspot.cli import main; main()"
    sheet = tmp_path / "section.h5ad"
    sheet.touch()
    command = [sys.executable, "-c", code, "superresolve", str(sheet), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (
        69,
        ["ERROR: Not installed", "Super-resolution (Diff-ST) needs diffusers, which is not installed: "
         "pip install 'clearspot[superres]'"],
    )  # fmt: skip
