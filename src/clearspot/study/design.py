"""Batches, donors and conditions of a study's sections, and whether batch and condition are confounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.record import Message

COLUMNS = (keys.BATCH, keys.DONOR, keys.CONDITION)


@dataclass(frozen=True)
class Design:
    """The sections of a study.

    Parameters
    ----------
    table
        A row a section, named by its sample: ``batch``, ``donor``, ``condition`` (missing where not stated).
    """

    table: pd.DataFrame

    @property
    def sections(self) -> list[str]:
        """Names of the sections, in order."""
        return [str(name) for name in self.table.index]

    @property
    def batches(self) -> pd.Series:
        """Batch of each section; a section without one is a batch of its own."""
        stated = self.table[keys.BATCH]
        return stated.where(stated.notna(), pd.Series(self.sections, index=self.table.index))

    @property
    def conditions(self) -> list[str]:
        """Conditions that are stated, in alphabetical order."""
        return sorted(self.table[keys.CONDITION].dropna().unique())


@dataclass(frozen=True)
class Correction:
    """What is corrected.

    Parameters
    ----------
    codes
        Batch of each section, 0, 1, ..., in the order of the sections; all 0 where nothing is corrected.
    confounded
        Whether each batch has sections of one condition only.
    messages
        What the reader should know.
    """

    codes: NDArray[np.intp]
    confounded: bool
    messages: list[Message]

    @property
    def corrects(self) -> bool:
        """Whether there is anything to correct."""
        return bool(self.codes.max() > 0)


def plan_correction(design: Design) -> Correction:
    """Decide which batches are corrected.

    A batch effect is a difference between batches that the condition does not explain. Where every batch has a single
    condition, no data can tell the one from the other, and a correction would remove what the study is about.

    Parameters
    ----------
    design
        The study. Where no batch is stated, each section is a batch of its own.
    """
    batches = design.batches
    codes = pd.factorize(batches)[0].astype(np.intp)
    nothing = np.zeros_like(codes)
    if codes.max() == 0:
        text = f"All sections are of one batch ({batches.iloc[0]}). No batch effect was corrected."
        return Correction(nothing, False, [Message("info", text)])
    told = design.table[keys.CONDITION].notna().to_numpy()
    n_conditions = len(design.conditions)
    estimable = _estimable(codes[told], design.table[keys.CONDITION][told]) if n_conditions > 1 else 0
    if n_conditions < 2:
        return Correction(codes, False, [])
    if estimable == 0:
        by_batch = design.table[told].groupby(batches[told], sort=True)[keys.CONDITION]
        listed = "; ".join(f"{name}: {', '.join(sorted(set(found)))}" for name, found in by_batch)
        text = (
            "Batch and condition are confounded, because each batch has sections of one condition only "
            f"({listed}). No batch effect was corrected: the correction would also remove differences between "
            "conditions."
        )
        if design.table[keys.BATCH].isna().all():
            text += " The column batch is empty: give sections that were processed together the same batch."
        return Correction(nothing, True, [Message("warning", text)])
    messages = []
    if estimable < n_conditions - 1:
        text = (
            "Some conditions are confounded with batches, because no batch has sections of both. Differences "
            "between these conditions may have been removed together with the batch effect."
        )
        messages.append(Message("warning", text))
    return Correction(codes, False, messages)


def _estimable(batch: NDArray[np.intp], condition: pd.Series) -> int:
    """Number of differences between conditions that batches leave."""
    of_batch = pd.get_dummies(pd.Series(batch)).to_numpy(dtype=float)
    of_condition = pd.get_dummies(condition).to_numpy(dtype=float)
    both = np.hstack([of_batch, of_condition])
    return int(np.linalg.matrix_rank(both) - np.linalg.matrix_rank(of_batch))
