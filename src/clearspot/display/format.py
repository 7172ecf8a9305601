"""Values in words and figures that people read."""

from __future__ import annotations

import math
from typing import Any, Final

from clearspot.contract.metric import Kind, Metric

NOT_MEASURED: Final = "not measured"

_MOST_DIGITS: Final = 6


def show(value: Any, kind: Kind = "number") -> str:
    """Return a value as people read it; one that is missing as ``not measured``.

    >>> show(12345, "count"), show(0.1234, "fraction"), show(11463331.1), show(None)
    ('12,345', '12.3 %', '11,463,331', 'not measured')
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
        digits = ",.0f" if abs(value) >= 1e5 else ",.1f" if abs(value) >= 100 else ".3g"
        return f"{value:{digits}}"
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item, kind) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {show(item, kind)}" for name, item in value.items()) or "none"
    return str(value)


def brief(value: Any, kind: Kind = "number", *, apart_from: float | None = None) -> str:
    """Return a value as a sentence has it: no more digits than tell it apart from another.

    >>> brief(22.91, "percent"), brief(0.3, "fraction"), brief(29.8, "percent", apart_from=30), brief(1000)
    ('23 %', '30 %', '29.8 %', '1,000')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return show(value, kind)
    if kind == "count" or (kind not in ("fraction", "percent") and abs(value) >= 100 and apart_from is None):
        return f"{value:,.0f}"
    scale, unit = (100.0, " %") if kind == "fraction" else (1.0, " %" if kind == "percent" else "")
    shown = scale * value
    digits = 0 if abs(shown) >= 10 or shown == int(shown) else 1 if abs(shown) >= 1 else 3
    while apart_from is not None and value != apart_from and digits < _MOST_DIGITS:
        if f"{shown:.{digits}f}" != f"{scale * apart_from:.{digits}f}":
            break
        digits += 1
    text = f"{shown:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}{unit}"


def capitalised(text: str) -> str:
    """Return a phrase as the start of a sentence.

    >>> capitalised("median 12 UMI"), capitalised("Q30 of 35 %")
    ('Median 12 UMI', 'Q30 of 35 %')
    """
    return text[:1].upper() + text[1:]


def domain_name(label: str) -> str:
    """Return a domain's name as legends and tables have it: such names sort as numbers do.

    >>> domain_name("7"), domain_name("12"), domain_name("cortex")
    ('Domain 07', 'Domain 12', 'cortex')
    """
    return f"Domain {int(label):02d}" if label.isdecimal() else label


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
