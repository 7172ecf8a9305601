"""A page from its sections: templates, the charts' data, and the plotting library, in one file."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from clearspot import __version__
from clearspot.extras import extra
from clearspot.report.blocks import Finding, GeneSearch, Picker, ReportSection, Spec
from clearspot.report.store import Store

with extra("report"):
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.utils import htmlsafe_json_dumps
    from markupsafe import Markup, escape
    from plotly.offline import get_plotlyjs

LARGEST_PAGE: Final = 10_000_000
"""Bytes; Seqera Platform previews no more."""


SUMMARY: Final = (
    "overlay",
    "map-total_counts",
    "map-domain_gmm",
    "map-domain_leiden",
    "gene-measured",
    "gene-denoised",
)
"""Charts of the one page that is printed, as far as there are any."""


def render(
    sample: str,
    verdict: Finding,
    sections: Sequence[ReportSection],
    store: Store,
    *,
    made: date,
    underlay: Spec | None,
    kind: str = "sample",
) -> str:
    """Return the page.

    Everything that comes from the data is escaped: text by the template, the charts' data by JSON that cannot
    end its script element.

    Parameters
    ----------
    sample
        Name of the sample, or of what else the page is about.
    verdict
        Shown under it.
    sections
        Parts of the page.
    store
        Arrays that the charts refer to.
    made
        Day of the report.
    underlay
        Picture that may be laid under maps, as an image of plotly's layout; ``None``: none.
    kind
        What the page is about: ``sample`` or ``study``.
    """
    charts = {chart.id: chart.spec for section in sections for chart in section.charts()}
    pickers: dict[str, Any] = {}
    genes = None
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Picker):
            pickers[block.id] = {"id": block.id, "charts": list(block.charts), "axes": block.axes}
        elif isinstance(block, GeneSearch):
            genes = block.genes.as_dict()
            pickers[block.id] = {"id": block.id, "charts": list(block.charts), "groups": block.groups, "packed": True}
    page_data: dict[str, Any] = {
        "store": store.arrays if charts else {}, "charts": charts, "pickers": pickers, "genes": genes,
        "underlay": underlay,
    }  # fmt: skip
    return (
        _templates()
        .get_template("sample.html.j2")
        .render(
            sample=sample,
            kind=kind,
            version=__version__,
            verdict=verdict,
            sections=sections,
            date=f"{made.day} {made:%B %Y}",
            summary=[name for name in SUMMARY if name in charts],
            charts=charts,
            page_data=htmlsafe_json_dumps(page_data, allow_nan=False, separators=(",", ":")),
            style=_asset("style.css"),
            script=_asset("genes.js") + _asset("report.js"),
            plotly=_plotly() if charts else "",
        )
    )


@cache
def _plotly() -> str:
    """Plotly's code, deflated: 2 MB in place of 4.8, which leaves the room to the genes."""
    return base64.b64encode(zlib.compress(get_plotlyjs().encode(), 9)).decode("ascii")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("clearspot.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    return environment


def _prose(text: str) -> Markup:
    """Text whose options (``--genes_of_interest``) stay on one line: browsers break lines after a hyphen."""
    return Markup(re.sub(r"(?<![\w-])--?[a-z]\w*", r'<span class="option">\g<0></span>', str(escape(text))))


def _asset(name: str) -> Markup:
    text = (files("clearspot.report") / "templates" / name).read_text(encoding="utf-8")
    return Markup(text)
