#!/usr/bin/env python3
"""The version, in every file that states it.

``tools/version.py 0.2.0`` writes it. ``tools/version.py --check`` fails where a file states another one than
``pyproject.toml``; with a tag, ``--check v0.2.0``, also where the tag of a release does. Nextflow, conda and the images
read literals, so that the number cannot stand in one file alone: it is set from one place, and held to the tag.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"\d+\.\d+\.\d+(?:\.?(?:dev|a|b|rc)\d*)?"

PLACES = {
    "pyproject.toml": r'(?m)^version = "({})"$',
    "nextflow.config": r"(?m)^    version         = '({})'$",
    ".nf-core.yml": r"(?m)^  version: ({})$",
    "CITATION.cff": r"(?m)^version: ({})$",
    "conf/gpu.config": r"'clearspot:({})-gpu'",
    "containers/cpu/Dockerfile": r"clearspot:({})",
    "containers/gpu/Dockerfile": r"clearspot:({})",
    "docs/usage.md": r"clearspot:({})",
    "tests/pipeline/test_profiles.py": r"clearspot:({})",
    "modules/local/**/main.nf": r"'clearspot:({})'",
    "modules/local/**/environment.yml": r"clearspot\[pipeline\]==({})",
}
"""Files, and what stands round the number in them."""


def files() -> dict[Path, re.Pattern[str]]:
    """Every file that states the version, with what finds it."""
    found = {
        path: re.compile(pattern.replace("{}", NUMBER))
        for glob, pattern in PLACES.items()
        for path in sorted(ROOT.glob(glob))
    }
    missing = [str(path) for path, pattern in found.items() if not pattern.search(path.read_text(encoding="utf-8"))]
    if missing:
        raise SystemExit(f"no version in {', '.join(missing)}: mend PLACES of tools/version.py")
    return found


def stated() -> dict[str, set[str]]:
    """Versions by the file, relative to the root, that states them."""
    texts = {path: path.read_text(encoding="utf-8") for path in files()}
    return {str(path.relative_to(ROOT)): set(pattern.findall(texts[path])) for path, pattern in files().items()}


def check(tag: str | None) -> int:
    """Compare all files with ``pyproject.toml``, and that with the tag; return the exit code."""
    versions = stated()
    (version,) = versions["pyproject.toml"]
    wrong = [f"{name} has {', '.join(sorted(of))}" for name, of in versions.items() if of != {version}]
    if tag is not None and tag.removeprefix("v") != version:
        wrong.append(f"the tag is {tag}")
    if wrong:
        print(f"The version of pyproject.toml is {version}, but " + "; ".join(wrong))
    return int(bool(wrong))


def write(version: str) -> int:
    """Write the version into every file; return the exit code."""
    if not re.fullmatch(NUMBER, version):
        print(f"{version} is no version like 1.2.3")
        return 2
    for path, pattern in files().items():
        text = path.read_text(encoding="utf-8")
        path.write_text(pattern.sub(lambda found: found[0].replace(found[1], version), text), encoding="utf-8")
    return 0


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    if arguments[:1] == ["--check"] and len(arguments) <= 2:
        return check(arguments[1] if len(arguments) == 2 else None)
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        return write(arguments[0])
    print("tools/version.py VERSION, or tools/version.py --check [TAG]")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
