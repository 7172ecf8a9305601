"""Display of results: a line in a console, a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Final

from clearspot.contract.metrics import get_metric, is_declared, metrics_of
from clearspot.display.format import NOT_MEASURED, show, show_metric

if TYPE_CHECKING:
    from clearspot.record import StepRecord

HEADLINES: Final[Mapping[str, tuple[str, ...]]] = {
    "ingest": ("n_spots", "n_genes", "median_umi_per_spot", "microns_per_pixel"),
    "qc": ("n_spots_pass", "n_spots", "n_genes_pass", "n_hvgs", "median_counts_pass"),
    "graph": ("n_spots", "median_degree", "n_components"),
    "dusted": ("n_spots", "n_genes_modelled", "epochs", "heldout_explained_dusted", "heldout_explained_neighbours"),
    "domains": ("main", "n_domains", "ari_gmm_leiden"),
    "superres_pretrain": ("n_references", "n_genes"),
    "superres_train": ("n_spots", "n_genes", "heldout_diffusion_wins"),
    "superres": ("bin_um", "n_bins_on_tissue", "n_genes", "image_used", "mean_is"),
}
"""The main metrics of each step, shown by default."""

_STYLE: Final = "text-align:left;padding:2px 12px 2px 0"


def as_line(record: StepRecord, kind: str) -> str:
    """The result in one line: ``kind``, sample, main metrics and number of messages."""
    if record.status != "ok":
        return f"{kind}(step={record.step!r}, sample={record.sample!r}, status={record.status!r})"
    shown = [f"step={record.step!r}", f"sample={record.sample!r}"]
    shown += [f"{name}={_plain(record.metrics[name])}" for name in _headlines(record)]
    if record.messages:
        shown.append(f"messages={len(record.messages)}")
    return f"{kind}({', '.join(shown)})"


def as_html(record: StepRecord) -> str:
    """The result as HTML: main metrics, messages, and all metrics in a collapsed table."""
    headlines = _headlines(record)
    parts = [f"<b>{escape(record.step)}</b> of {escape(record.sample)}" + _status(record), _table(record, headlines)]
    if record.messages:
        lines = "".join(f"<li><i>{one.level}</i>: {escape(one.text)}</li>" for one in record.messages)
        parts.append(f"<ul>{lines}</ul>")
    order = [metric.name for metric in metrics_of(record.step) if metric.name in record.metrics]
    rest = [name for name in (*order, *record.metrics) if name not in headlines]
    if rest:
        unfolded = _table(record, list(dict.fromkeys(rest)))
        parts.append(f"<details><summary>All metrics</summary>{unfolded}</details>")
    if record.tables:
        parts.append(f"Tables (<code>record.frame(name)</code>): {escape(', '.join(record.tables))}")
    return "<div>" + "".join(parts) + "</div>"


def _headlines(record: StepRecord) -> list[str]:
    return [name for name in HEADLINES.get(record.step, ()) if record.metrics.get(name) is not None]


def _status(record: StepRecord) -> str:
    return "" if record.status == "ok" else f": {escape(record.status)}"


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def _table(record: StepRecord, names: list[str]) -> str:
    rows = ""
    for name in names:
        value = record.metrics[name]
        title, text = name, show(value)
        if is_declared(record.step, name):
            metric = get_metric(record.step, name)
            title, text = metric.title, show_metric(value, metric)
        if text != NOT_MEASURED:
            cells = f"<td style='{_STYLE}'>{escape(text)}</td><td style='{_STYLE}'><code>{escape(name)}</code></td>"
            rows += f"<tr><th style='{_STYLE};font-weight:normal'>{escape(title)}</th>{cells}</tr>"
    return f"<table>{rows}</table>"
