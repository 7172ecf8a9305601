"""Values in words and figures that people read."""

from __future__ import annotations

import math
from typing import Any, Final

from clearspot.contract.metric import Kind, Metric

NOT_MEASURED: Final = "not measured"


def show(value: Any, kind: Kind = "number") -> str:
    """Return a value as people read it; one that is missing as ``not measured``.

    >>> show(12345, "count"), show(0.1234, "fraction"), show(None)
    ('12,345', '12.3 %', 'not measured')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOT_MEASURED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and kind != "text":
        if kind in ("fraction", "skill"):
            return f"{100 * value:.1f} %"
        if kind == "percent":
            return f"{value:.1f} %"
        if kind == "score":
            return f"{value:.4f}"
        if kind == "count" or float(value).is_integer():
            return f"{value:,.0f}"
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item, kind) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {show(item, kind)}" for name, item in value.items()) or "none"
    return str(value)


def show_metric(value: Any, metric: Metric) -> str:
    """Return a metric's value with its unit."""
    text = show(value, metric.kind)
    if text == NOT_MEASURED or not metric.unit:
        return text
    if metric.unit == "bytes":
        return f"{value / 1e9:.3g} GB"
    if metric.unit == "s":
        return f"{value / 60:.1f} min" if value >= 90 else f"{value:.0f} s"
    return f"{text} {metric.unit}"
