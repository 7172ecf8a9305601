"""The tutorials run from the first cell to the last, and show what they say they show."""

import io
import re

import jupytext
import pytest
from PIL import Image

from tools import tutorials

pytestmark = pytest.mark.long

NAMES = ["outs-to-domains", "super-resolution"]
LARGEST_PICTURE = 150_000
MOST_PICTURES = 6


def test_every_tutorial_is_run():
    assert sorted(path.stem for path in tutorials.FOLDER.glob("*.md")) == NAMES


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_gives_what_it_shows(name, tmp_path):
    notebook = tutorials.execute(tutorials.FOLDER / f"{name}.md", tmp_path)
    pictures = 0
    for code, text in tutorials.shown(notebook):
        if tutorials.PRINTED.match(text.source):
            assert tutorials.printed(code), code.source
        if tutorials.PICTURE.search(text.source):
            pictures += 1
            image = Image.open(io.BytesIO(tutorials.picture(code)))
            assert min(image.size) > 200
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10
    assert pictures >= 3


@pytest.mark.parametrize("name", NAMES)
def test_its_results_are_in_the_text(name):
    path = tutorials.FOLDER / f"{name}.md"
    text = path.read_text(encoding="utf-8")
    assert jupytext.writes(jupytext.read(path), "md") == text
    notebook = jupytext.read(path)
    blocks = [tutorials.PRINTED.match(cell.source) for _, cell in tutorials.shown(notebook)]
    assert all(len(block[0].splitlines()) > 2 for block in blocks if block)
    named = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(named) == len([cell for _, cell in tutorials.shown(notebook) if tutorials.PICTURE.search(cell.source)])
    assert all((path.parent / picture).is_file() for picture in named)


def test_pictures_are_few_and_small_and_all_are_used():
    pictures = sorted((tutorials.FOLDER / "images").iterdir())
    assert len(pictures) <= MOST_PICTURES
    assert {path.name: path.stat().st_size for path in pictures if path.stat().st_size > LARGEST_PICTURE} == {}
    texts = "".join(path.read_text(encoding="utf-8") for path in tutorials.FOLDER.glob("*.md"))
    assert [path.name for path in pictures if f"images/{path.name}" not in texts] == []
