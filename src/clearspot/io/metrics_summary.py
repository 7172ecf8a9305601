"""Space Ranger's own summary metrics."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clearspot.io.reading import bad, open_binary, reading

_EXPECTED = "Space Ranger's metrics: one line of names and one line of values"


def read_metrics_summary(path: Path, sample: str) -> dict[str, float | str]:
    """Read ``metrics_summary.csv``.

    Returns
    -------
    dict
        Space Ranger's names with numbers where the value is one: ``"80.25%"`` is 0.8025 and ``"1,234"`` is 1234.
        Empty values are left out.

    Raises
    ------
    BadInputError
        The file cannot be read, or has not exactly one line of values.
    """
    with reading(path, sample, _EXPECTED), open_binary(path) as file:
        # no filter for missing values: a line that is too short has empty text in its last columns
        table = pd.read_csv(file, dtype=str, na_filter=False, encoding="utf-8-sig", skipinitialspace=True)
    if len(table) != 1:
        raise bad(path, sample, f"{len(table)} lines of values", _EXPECTED)
    return {name.strip(): _value(text.strip()) for name, text in table.iloc[0].items() if text.strip()}


def _value(text: str) -> float | str:
    plain = text.replace(",", "")
    try:
        return round(float(plain[:-1]) / 100, 12) if plain.endswith("%") else float(plain)
    except ValueError:
        return text
