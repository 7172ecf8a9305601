#!/usr/bin/env python3
"""Run the tutorials (``docs/tutorials/*.md``) and write their pictures and printed results anew.

A tutorial is a notebook in jupytext's Markdown: blocks of ``python`` are its cells. A picture that follows a cell
(``![...](images/NAME.png)``) is the last one that the cell drew, and a block of ``text`` is what it printed or
returned. Run it after a change of what a tutorial shows: ``python tools/tutorials.py``.
"""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import jupytext
from nbclient import NotebookClient
from PIL import Image

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
PICTURE: Final = re.compile(r"!\[[^\]]*\]\((images/[\w.-]+\.png)\)")
PRINTED: Final = re.compile(r"\A```text\n.*?```", re.DOTALL)

_TIMEOUT_S: Final = 1800
_COLOURS: Final = 128


def execute(path: Path, folder: Path) -> Any:
    """Run the cells of a tutorial in a folder; the notebook with what they gave.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = jupytext.read(path)
    NotebookClient(
        notebook, timeout=_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def shown(notebook: Any) -> Iterator[tuple[Any, Any]]:
    """Each cell of text that shows what the cell of code before it gave, after that cell."""
    for code, text in zip(notebook.cells, notebook.cells[1:], strict=False):
        wanted = PRINTED.match(text.source) or PICTURE.match(text.source)
        if code.cell_type == "code" and text.cell_type == "markdown" and wanted:
            yield code, text


def picture(code: Any) -> bytes | None:
    """Last picture of a cell, in few colours; ``None``: it drew none."""
    found = [output.data["image/png"] for output in code.outputs if "image/png" in output.get("data", {})]
    if not found:
        return None
    image = Image.open(io.BytesIO(base64.b64decode(found[-1]))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def printed(code: Any) -> str:
    """What a cell printed, and the text of what it returned."""
    parts = [output.text for output in code.outputs if output.output_type == "stream" and output.name == "stdout"]
    parts += [output.data["text/plain"] for output in code.outputs if output.output_type == "execute_result"]
    return "\n".join(part.rstrip("\n") for part in parts)


def refresh(path: Path) -> list[Path]:
    """Run a tutorial and write it with its results; the pictures that were written."""
    written = []
    with TemporaryDirectory(prefix="tutorial-") as folder:
        notebook = execute(path, Path(folder))
    for code, text in shown(notebook):
        text.source = PRINTED.sub(lambda _, code=code: f"```text\n{printed(code)}\n```", text.source)
        named = PICTURE.search(text.source)
        content = picture(code)
        if named and content is not None:
            target = path.parent / named[1]
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
            written.append(target)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path.write_text(jupytext.writes(notebook, "md"), encoding="utf-8")
    return written


def main() -> None:
    """Refresh all tutorials, or those that are named."""
    for path in [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.md")):
        pictures = refresh(path)
        print(f"{path.name}: {', '.join(f'{one.name} ({one.stat().st_size // 1024} KB)' for one in pictures)}")


if __name__ == "__main__":
    main()
