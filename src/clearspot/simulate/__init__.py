"""Simulated samples with known truth: a tissue phantom in Space Ranger's format, and the DUSTED paper's benchmark."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearspot.simulate.cohort import simulate_cohort
    from clearspot.simulate.small import small_section

__all__ = ["simulate_cohort", "small_section"]

_HOMES = {"simulate_cohort": "cohort", "small_section": "small"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
