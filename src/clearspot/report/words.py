"""Words for what a step computed, by the settings that it ran with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def denoised_values(params: Mapping[str, Any], place: str) -> str:
    """Say what the denoised values are, by the parameters of the step ``dusted``.

    Without the parameter (records of several samples that differ, or none), nothing more is claimed than all have in
    common. ``place`` is what a measured place is called: ``spot``, ``bin`` or ``cell``.
    """
    posterior = params.get("posterior")
    if posterior is None:
        return "estimates of the expression rates underlying the counts"
    if posterior:
        return f"posterior means of the expression rates, given the {place}'s own count"
    return f"means of the fitted distribution{', before dropout' if params.get('likelihood') == 'zinb' else ''}"
