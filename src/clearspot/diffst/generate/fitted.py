"""A trained model, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from clearspot.diffst.data.programs import Programs
from clearspot.diffst.generate.verdict import Verdict
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams


@dataclass
class Fitted:
    """A trained model and what is known about it.

    Parameters
    ----------
    model, programs, params
        What sampling needs.
    verdict
        On held-out spots; None where there were too few, or there is no diffusion.
    losses
        Per stage, one value a step.
    seconds
        That training took, by part.
    checkpoint_sha256
        Of the file, where one was written.
    references
        Names of the samples that were learned from besides.
    """

    model: DiffstModel
    programs: Programs
    params: DiffstParams
    verdict: Verdict | None
    losses: dict[str, list[float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    checkpoint_sha256: str | None = None
    references: tuple[str, ...] = ()
