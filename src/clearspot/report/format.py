"""Values in words and figures that people read."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

Format = Literal["count", "number", "fraction", "percent", "score", "text", "passed"]
"""``fraction``: 0..1, shown in per cent; ``percent``: 0..100; ``score``: with four
decimals, to be compared; ``passed``: of a test."""

NOT_MEASURED: Final = "not measured"


def show(value: Any, form: Format = "number") -> str:
    """Return a value as people read it; one that is missing as ``not measured``.

    >>> show(12345, "count"), show(0.1234, "fraction"), show(None)
    ('12,345', '12.3 %', 'not measured')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOT_MEASURED
    if form == "passed":
        return "passed" if value else "not passed"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and form != "text":
        if form == "fraction":
            return f"{100 * value:.1f} %"
        if form == "percent":
            return f"{value:.1f} %"
        if form == "score":
            return f"{value:.4f}"
        if form == "count" or float(value).is_integer():
            return f"{value:,.0f}"
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item, form) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {show(item, form)}" for name, item in value.items()) or "none"
    return str(value)


def title(name: str) -> str:
    """Return the name of a metric as a title: ``n_spots_kept`` -> ``N spots kept``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
