"""DUSTED: denoising of spatial expression with gene channel and spatial graph attention.

Names are imported on first use, because PyTorch takes seconds to import and ``--help`` should not wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearspot.dusted.denoising import denoise
    from clearspot.dusted.params import DustedParams
    from clearspot.dusted.result import DustedResult

__all__ = ["DustedParams", "DustedResult", "denoise"]

_HOMES = {"DustedParams": "params", "DustedResult": "result", "denoise": "denoising"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
