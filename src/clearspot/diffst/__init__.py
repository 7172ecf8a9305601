"""Diff-ST: super-resolution of spatial expression by histology-guided diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearspot.diffst.output.api import SuperresResult, superresolve
    from clearspot.diffst.params import DiffstParams

__all__ = ["DiffstParams", "SuperresResult", "superresolve"]


def __getattr__(name: str) -> Any:
    """Import the model on first use, because the geometry next to it does not need torch."""
    if name == "DiffstParams":
        from clearspot.diffst.params import DiffstParams

        return DiffstParams
    if name in __all__:
        from clearspot.diffst.output import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
