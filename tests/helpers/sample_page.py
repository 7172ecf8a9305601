"""The page of a sample, read as a file."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from clearspot.report.sample import write_sample_report
from tests.helpers.made_sample import Made


class Page(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._data = self._script = ""
        self._in = ""
        self.feed(text)
        self.data: dict[str, Any] = json.loads(self._data) if self._data else {"charts": {}, "store": {}, "pickers": {}}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words += " "
        self._in = "data" if dict(attrs).get("id") == "page-data" else tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "data":
            self._data += data
        elif not self._in:
            self.words += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.words)


def page_of(made: Made, superres: Path | None = None) -> Page:
    out = made.folder / "page.html"
    records = made.write()
    write_sample_report(made.h5ad, records, out, superres=superres)
    return Page(out.read_text(encoding="utf-8"))
