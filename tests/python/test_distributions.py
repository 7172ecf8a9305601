"""The wheel and the sdist: what is in them, and that the wheel runs where nothing of the tree can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from clearspot import __version__

UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def built(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist of the tracked files, and the wheel that was built from that sdist."""
    tree = tmp_path_factory.mktemp("tree")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repo, capture_output=True, check=True).stdout
    copy = ["tar", "--create", "--null", "--files-from=-", "--ignore-failed-read"]
    archive = subprocess.run(copy, cwd=repo, input=listed, capture_output=True, check=False).stdout
    subprocess.run(["tar", "--extract", "--directory", str(tree)], input=archive, check=True)
    command = [UV, "build", "--quiet", "--offline", "--no-build-isolation", "--python", sys.executable]
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run([*command, "--out-dir", str(folder)], cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_both_are_named_by_the_version(built: Path) -> None:
    names = {path.name for path in built.iterdir() if path.name != ".gitignore"}
    assert names == {f"clearspot-{__version__}.tar.gz", f"clearspot-{__version__}-py3-none-any.whl"}


def test_the_wheel_holds_the_package_and_nothing_else(built: Path, repo: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("clearspot-")}
    listed = subprocess.run(["git", "ls-files", "src"], cwd=repo, capture_output=True, text=True, check=True).stdout
    present = {name.removeprefix("src/") for name in listed.splitlines() if (repo / name).is_file()}
    assert held == present


def test_the_sdist_holds_its_licence_and_no_data(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        parts = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {"LICENSE", "README.md", "pyproject.toml", "src", "PKG-INFO"} <= parts
    assert not parts & {"docs", "benchmarks", "modules", "tests"}


def test_the_installed_wheel_denoises(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    there = tmp_path / "installed"
    install = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(there), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = kept | {"PYTHONPATH": str(there), "CUDA_VISIBLE_DEVICES": ""}

    def run(*arguments: str) -> str:
        done = subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    code = "import clearspot; print(clearspot.__file__, clearspot.__version__)"
    assert run(sys.executable, "-c", code).split() == [str(there / "clearspot" / "__init__.py"), __version__]
    command = [sys.executable, str(there / "bin" / "clearspot")]
    run(sys.executable, "-c", SECTION)
    run(*command, "denoise", "section.h5ad", "-o", "denoised.h5ad", "--epochs", "2", "--genes", "all")
    shapes = "import anndata as ad; print(ad.read_h5ad('denoised.h5ad').layers['denoised'].shape)"
    assert run(sys.executable, "-c", shapes).strip() == "(100, 60)"


SECTION = """
import anndata as ad
import numpy as np

rng = np.random.default_rng(0)
rows, columns = np.divmod(np.arange(100), 10)
section = ad.AnnData(rng.poisson(3, (100, 60)).astype(np.float32))
section.obsm["spatial"] = np.column_stack([columns + 0.5 * (rows % 2), rows * 0.75**0.5]) * 100.0
section.write_h5ad("section.h5ad")
"""
"""Counts on a lattice of spots, which any AnnData file of one section may hold."""
