"""What was measured, in results.csv, and what DUSTED's training would have taken with other settings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clearspot.dusted.params import DustedParams

RESULTS = Path(__file__).with_name("results.csv")
SLIDE_GENES = 10_000
"""A size with more genes is a slide, measured for its own sake."""

ALL_EPOCHS = DustedParams().epochs


def with_training(results: pd.DataFrame, *, epochs: int = ALL_EPOCHS, speedup: float = 1.0) -> pd.DataFrame:
    """The same with DUSTED's training for so many epochs, so many times as fast; the rest of its task is the same."""
    more = results["training_seconds"] * (epochs / results["epochs"] / speedup - 1)
    return results.assign(cpu_seconds=results["cpu_seconds"] + more.fillna(0))
