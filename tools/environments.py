#!/usr/bin/env python3
"""Write ``environment.yml`` beside every module, from ``pyproject.toml`` and the lock of the images.

All modules have the same one, as they have the same image: conda makes it once. With ``--check``, write nothing, and
fail where a file is not what it should be.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
HEAD = "# Written by tools/environments.py: what containers/requirements.lock has of the packages of pyproject.toml.\n"


def python_of_the_images() -> str:
    """Version of Python in the images, like ``3.12``."""
    (version,) = re.findall(
        r"^ARG BASE=python:(\d\.\d+)-", (ROOT / "containers/cpu/Dockerfile").read_text(), re.MULTILINE
    )
    return str(version)


def locked(name: str, lock: str, python: str) -> str:
    """The line of a package in the lock that holds for a Python, without its hashes and its marker."""
    of_python = {"python_version": python, "python_full_version": f"{python}.0"}
    for line in re.findall(rf"^{re.escape(name)}==[^\\\n]+", lock, flags=re.MULTILINE):
        found = Requirement(line)
        if found.marker is None or found.marker.evaluate(of_python):
            return f"{found.name}{found.specifier}"
    raise SystemExit(f"{name} is not in containers/requirements.lock: run containers/lock.sh")


def environment() -> str:
    """Return the text of the files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "containers" / "requirements.lock").read_text(encoding="utf-8")
    python = python_of_the_images()
    extras = project["optional-dependencies"]
    of_steps = re.fullmatch(r"clearspot\[(.+)\]", extras["pipeline"][0])
    assert of_steps is not None
    lines = [*project["dependencies"], *(line for name in of_steps[1].split(",") for line in extras[name])]
    names = sorted({re.split(r"[^\w.-]", line)[0].lower() for line in lines})
    pins = [f"clearspot[pipeline]=={project['version']}", *(locked(name, lock, python) for name in names)]
    pip = "".join(f"      - {pin}\n" for pin in pins)
    return f"{HEAD}channels:\n  - conda-forge\ndependencies:\n  - python={python}\n  - pip\n  - pip:\n{pip}"


def main() -> int:
    """Write, or check, the files; return the exit code."""
    text = environment()
    files = [path.with_name("environment.yml") for path in sorted((ROOT / "modules" / "local").rglob("main.nf"))]
    stale = [path for path in files if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is stale: run tools/environments.py")
        else:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
