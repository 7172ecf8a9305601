#!/usr/bin/env python3
"""Hold the project's prose to its vocabulary: codespell, with a dictionary of words and what to write instead.

Prose is what a reader sees: Markdown without its code, comments and strings of Python (docstrings, help, messages),
text of the reports' templates, Nextflow and shell files, and the texts of ``nextflow_schema.json`` and of YAML that
is shown. The rest is blanked, so that codespell names the right line.

``tests/words/refused.txt`` has what fails everywhere. ``tests/words/later.txt`` has what fails in the pages of the
documentation, but is still in use in the source: ``--later`` lists it. An entry moves from the second file to the first
once nothing is listed for it. ``um`` and ``mend`` are names in the source, and stay.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

ROOT: Final = Path(__file__).resolve().parents[1]
WORDS: Final = ROOT / "tests" / "words"
PAGES: Final = ("README.md", "CHANGELOG.md", "docs/*.md", "docs/*.rst")
SOURCE: Final = (
    "src/*.py", "src/*.j2", "bin/*.py", "nextflow_schema.json", "assets/*.yml", "modules/**/meta.yml", "tower.yml",
    "*.nf", "*.config", "*.sh", "Makefile", ".ci/run",
)  # fmt: skip

FENCE: Final = re.compile(r"^( *)(```+|~~~+).*?^\1\2", re.MULTILINE | re.DOTALL)
INCLUDE: Final = re.compile(r"^include .*", re.MULTILINE)
DOCTEST: Final = re.compile(r"^ *(?:>>>|\.\.\.) .*", re.MULTILINE)
CODE: Final = re.compile(
    r"``.*?``|`[^`\n]*`|:\w+:`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|(?<=\]\()[^)\s]+|https?://\S+", re.DOTALL
)
NAME: Final = re.compile(r"^[bBfFrRuU]*(['\"])[\w.<>/*{}-]+\1$")
"""A string that is one name: a key, a path, an option, never prose."""
FIELD: Final = re.compile(r"\{[^{}]*\}")
"""What an f-string fills in. From Python 3.12 on, the tokenizer splits an f-string, and its fields are no text."""

_TEXTS: Final = {tokenize.COMMENT, tokenize.STRING} | {
    kind for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END") if (kind := getattr(tokenize, name, None))
}


def blank(text: str) -> str:
    """Spaces in place of everything but line ends."""
    return re.sub(r"[^\n]", " ", text)


def without(pattern: re.Pattern[str], text: str) -> str:
    """The text with what a pattern matches blanked."""
    return pattern.sub(lambda match: blank(match[0]), text)


def python_prose(text: str) -> str:
    """Comments and strings of a Python module; all else, and strings that are one name, blanked."""
    lines = text.splitlines(keepends=True)
    kept = [blank(line) for line in lines]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _TEXTS or NAME.match(token.string):
            continue
        filled = token.type == tokenize.STRING and "f" in token.string.partition(token.string[-1])[0].lower()
        (first, start), (last, end) = token.start, token.end
        for number in range(first, last + 1):
            line, left = lines[number - 1], start if number == first else 0
            line = without(FIELD, line) if filled else line
            right = end if number == last else len(line)
            kept[number - 1] = kept[number - 1][:left] + line[left:right] + kept[number - 1][right:]
    return without(DOCTEST, "".join(kept))


def prose(path: Path, text: str) -> str:
    """What a reader sees of a file, in its place."""
    if path.suffix == ".py":
        text = python_prose(text)
    elif path.suffix == ".md":
        text = without(FENCE, text)
    elif path.suffix == ".nf":
        text = without(INCLUDE, text)
    return without(CODE, text)


def check(root: Path, files: Iterable[Path], dictionaries: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    """Run codespell on the prose of files.

    Parameters
    ----------
    root
        Folder to which the files are relative.
    files
        Files to read, relative to it.
    dictionaries
        Files of lines ``WORDS->WHAT TO WRITE``.

    Returns
    -------
    Its exit code, 65 where it found something, and its findings as ``FILE:LINE: FOUND ==> WRITE``.
    """
    dictionaries = list(dictionaries)
    entries = [line for one in dictionaries for line in one.read_text(encoding="utf-8").splitlines() if "->" in line]
    phrases = sorted((line.partition("->")[0] for line in entries), key=len, reverse=True)
    # Codespell reads single words: an entry of several words is a word of its own.
    pattern = "|".join([rf"\b(?i:{re.escape(one)})(?![\w-])" for one in phrases if not one.isalpha()] + [r"[\w\-'’]+"])
    with TemporaryDirectory(prefix="words-") as folder:
        names = []
        for path in files:
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(prose(path, (root / path).read_text(encoding="utf-8")), encoding="utf-8")
            names.append(str(path))
        named = [argument for one in dictionaries for argument in ("--dictionary", str(one.resolve()))]
        command = [sys.executable, "-m", "codespell_lib", "--disable-colors", "--regex", pattern, *named, *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    # Codespell writes in small letters what it proposes.
    written = {instead.lower(): instead for _, _, instead in (line.partition("->") for line in entries)}
    done.stdout = re.sub(r"(?<= ==> ).*", lambda match: written.get(match[0].lower(), match[0]), done.stdout)
    return done


def tracked(patterns: Iterable[str]) -> list[Path]:
    """Files of the repository that match."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name]


@click.command()
@click.option("--later", is_flag=True, help="List what tests/words/later.txt has, in place of what is refused.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(later: bool, files: tuple[Path, ...]) -> None:
    """Check FILES, as pages of the documentation, or all prose of the project."""
    refused, to_go = WORDS / "refused.txt", WORDS / "later.txt"
    if files:
        chosen = [path.resolve().relative_to(Path.cwd()) for path in files]
        done = [check(Path.cwd(), chosen, [to_go] if later else [refused, to_go])]
    elif later:
        done = [check(ROOT, tracked(SOURCE), [to_go])]
    else:
        done = [check(ROOT, tracked(PAGES), [refused, to_go]), check(ROOT, tracked(SOURCE), [refused])]
    for one in done:
        click.echo(one.stdout + one.stderr, nl=False)
    sys.exit(0 if later else max(one.returncode for one in done))


if __name__ == "__main__":
    main()
