"""The vocabulary of the prose: what is read, what is refused, and that a refused word turns the lint red."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def vocabulary(repo: Path):
    """Dictionaries of the project by name."""

    def entries(name: str) -> dict[str, str]:
        lines = (repo / "tests" / "words" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        return dict(line.split("->") for line in lines)

    return entries


def check(repo: Path, folder: Path, name: str, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / name).write_text(text, encoding="utf-8")
    command = [sys.executable, repo / "tools" / "words.py", *options, name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


MARKDOWN = """# Samples

The sample sheet is a table.

```bash
cat "sample sheet"
```

See `sample sheet` and [this](sample-sheet.md).
"""
PYTHON = '''"""Read a table."""

spaceranger = {"spaceranger": 1}


def read(path):
    """Read what spaceranger wrote to ``spaceranger/outs``.

    >>> spaceranger = 1
    """
    raise ValueError(f"{path} is no sample sheet")  # superresolution
'''


def test_prose_of_markdown_is_checked_and_its_code_is_not(repo: Path, tmp_path: Path) -> None:
    done = check(repo, tmp_path, "page.md", MARKDOWN)
    assert (done.returncode, done.stdout) == (65, "page.md:3: sample sheet ==> samplesheet\n")


def test_docstrings_messages_and_comments_are_checked_and_names_are_not(repo: Path, tmp_path: Path) -> None:
    done = check(repo, tmp_path, "module.py", PYTHON)
    assert done.returncode == 65
    assert sorted(done.stdout.splitlines()) == [
        "module.py:11: sample sheet ==> samplesheet",
        "module.py:11: superresolution ==> super-resolution",
        "module.py:7: spaceranger ==> Space Ranger",
    ]


@pytest.mark.parametrize(
    "text", ["Moran's I of each gene.\n", "The samplesheet names it.\n", "Space Ranger's `outs`.\n"]
)
def test_right_words_pass(repo: Path, tmp_path: Path, text: str) -> None:
    done = check(repo, tmp_path, "page.md", text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_refused_word_is_found(repo: Path, tmp_path: Path, vocabulary) -> None:
    words = list(vocabulary("refused"))
    done = check(repo, tmp_path, "page.md", "".join(f"Here {word} stands.\n" for word in words))
    assert [line.split(": ")[1].split(" ==>")[0] for line in done.stdout.splitlines()] == words


def test_words_for_later_are_refused_on_a_page_and_listed_on_demand(repo: Path, tmp_path: Path, vocabulary) -> None:
    word, instead = next((one for one in vocabulary("later").items() if "," not in one[1]), (None, None))
    if word is None:
        pytest.skip("nothing is left for later")
    done = check(repo, tmp_path, "page.md", f"Here {word} stands.\n", "--later")
    assert (done.returncode, done.stdout) == (0, f"page.md:1: {word} ==> {instead}\n")
    assert check(repo, tmp_path, "page.md", f"Here {word} stands.\n").returncode == 65


def test_a_word_is_refused_now_or_later_and_nothing_is_replaced_by_what_is_refused(vocabulary) -> None:
    refused, later = vocabulary("refused"), vocabulary("later")
    assert set(refused).isdisjoint(later)
    assert not {instead.lower() for instead in (refused | later).values()} & set(refused | later)


def test_the_prose_of_the_project_has_no_refused_word(repo: Path) -> None:
    done = subprocess.run([sys.executable, repo / "tools" / "words.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
