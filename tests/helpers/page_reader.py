"""What a browser would find in the page of a sample, for tests that read it as a file."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from clearspot.report.gene_pack import PackedGenes, unpack
from clearspot.report.sample import write_sample_report
from clearspot.report.store import decode
from tests.helpers.made_sample import Made

HOSTILE = "</script><img src=x onerror=alert(1)>%{x}"


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


def shown_texts(page: Page) -> list[str]:
    """What a reader meets: sentences and labels of the page, what its elements are called, all texts of its charts."""
    attributes = [value for _, given in page.tags for name, value in given.items() if name in _SPOKEN and value]
    return [*re.split(r"(?<=[.:]) ", page.text), *attributes, *_strings(page.data["charts"])]


_SPOKEN = ("title", "alt", "aria-label", "placeholder")
_REFERENCES = ("ref", "where", "at")


def _strings(item: Any) -> list[str]:
    """Strings of a chart, without the names of arrays."""
    if isinstance(item, dict):
        return [text for name, part in item.items() if name not in _REFERENCES for text in _strings(part)]
    if isinstance(item, list):
        return [text for part in item for text in _strings(part)]
    return [item] if isinstance(item, str) else []


def with_arrays(item: Any, store: dict[str, Any], gene: str) -> Any:
    """Fill in references as the page's script does."""
    if isinstance(item, dict) and "ref" in item:
        entry = store[item["ref"].replace("$gene", gene)]
        values = decode(entry) if isinstance(entry, dict) else np.asarray(entry)
        if "where" in item:
            values = values[decode(store[item["where"]]) == item["is"]]
        if "at" in item:
            places = decode(store[item["at"]])
            none = "" if values.dtype.kind == "U" else np.nan
            values = np.array([none if np.isnan(place) else values[int(place)] for place in places])
        return (values.reshape(-1, item["columns"]) if "columns" in item else values).tolist()
    if isinstance(item, dict):
        return {name: with_arrays(part, store, gene) for name, part in item.items()}
    if isinstance(item, list):
        return [with_arrays(part, store, gene) for part in item]
    return (
        {"$ink": "#000000", "$grid": "#cccccc", "$muted": "#888888"}.get(item, item) if isinstance(item, str) else item
    )


def packed_of(data: dict[str, Any]) -> PackedGenes:
    """The packed genes of a page's data."""
    genes = dict(data["genes"])
    order, chunk_genes, levels = (genes.pop(name) for name in ("order", "genes", "levels"))
    return PackedGenes(np.array(order), chunk_genes=chunk_genes, chunk_levels=levels, **genes)


def arrays_of(data: dict[str, Any]) -> dict[str, Any]:
    """The page's store and the maps of its first gene."""
    arrays = dict(data["store"])
    if data.get("genes"):
        gene = data["genes"]["names"][0]
        for kind, values in zip(("measured", "denoised"), unpack(packed_of(data), gene), strict=True):
            arrays[f"{kind}:{gene}"] = values
    return arrays


def trace_arrays(trace: dict[str, Any], store: dict[str, Any]) -> bool:
    """Whether a trace has anything to draw."""
    drawn = next(trace[name] for name in ("z", "y", "x") if name in trace)
    values = with_arrays(drawn, store, "Gene7")
    return any(value is not None and value == value for value in np.ravel(values))
