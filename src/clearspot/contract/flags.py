"""Columns of truth values: ``in_tissue``, ``qc_pass``, ``highly_variable`` and the like."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot.contract.sections import bad_section

_TRUE: Final = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_FALSE: Final = frozenset(("false", "f", "no", "n", "0", "0.0"))
_SHOWN: Final = 3


def read_flag(frame: pd.DataFrame, column: str, sample: str = "sample", table: str = "obs") -> NDArray[np.bool_]:
    """Read a column of truth values, however it is stored.

    Parameters
    ----------
    frame
        ``obs`` or ``var``.
    column
        Name of a column that is there: Boolean, nullable Boolean, numbers 0 and 1, or text (``True``, ``false``,
        ``yes``, ``0``, ...), also as categories.
    sample, table
        For the message.

    Raises
    ------
    BadInputError
        If a value is missing, or is neither true nor false.
    """
    values = frame[column]
    if values.dtype == bool:
        return values.to_numpy()
    codes, distinct = pd.factorize(values)  # the few distinct values are looked at, not a million spots
    meaning = [_truth(value) for value in distinct]
    missing = int((codes < 0).sum())
    unknown = [value for value, truth in zip(distinct, meaning, strict=True) if truth is None]
    if missing or unknown:
        parts = [f"{missing} missing values"] if missing else []
        if unknown:
            number = int(np.isin(codes, [row for row, truth in enumerate(meaning) if truth is None]).sum())
            shown = ", ".join(repr(str(value)) for value in unknown[:_SHOWN])
            parts.append(f"{number} values that are neither true nor false ({shown})")
        raise bad_section(
            sample,
            f"{' and '.join(parts)} among {len(values)} rows of {table}['{column}']",
            "True or False for each row",
            f"Set {table}['{column}'] to True or False in every row, or delete the column.",
        )
    return np.array(meaning, dtype=bool)[codes] if len(values) else np.zeros(0, dtype=bool)


def _truth(value: Any) -> bool | None:
    word = str(value).strip().casefold()
    return True if word in _TRUE else False if word in _FALSE else None
