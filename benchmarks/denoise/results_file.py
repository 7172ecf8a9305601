"""Finished cells on disk: each is written at once, so that a run that was broken off goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

RESULTS = Path(__file__).resolve().parent / "results"


class Cells:
    """The table of one evaluation.

    Parameters
    ----------
    letter
        ``a`` to ``e``.
    """

    def __init__(self, letter: str):
        self.path = RESULTS / f"{letter}.csv"

    def table(self) -> pd.DataFrame:
        """All rows so far."""
        return pd.read_csv(self.path, keep_default_na=False, na_values=["nan", ""]) if self.path.exists() else EMPTY

    def has(self, case: str, method: str, seed: int) -> bool:
        """Whether this cell is finished."""
        table = self.table()
        return bool(((table.case == case) & (table.method == method) & (table.seed == seed)).any())

    def add(self, case: str, method: str, seed: int, rows: list[dict[str, Any]]) -> None:
        """Append the rows of one cell."""
        made = pd.DataFrame([{"case": case, "method": method, "seed": seed} | row for row in rows])
        RESULTS.mkdir(exist_ok=True)
        made.to_csv(self.path, mode="a", header=not self.path.exists(), index=False, float_format="%.6g")


EMPTY = pd.DataFrame({"case": [], "method": [], "seed": []})
