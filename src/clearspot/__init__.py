"""clearspot: denoising and super-resolution of Space Ranger output.

>>> import clearspot
>>> adata = clearspot.read_outs("outs")  # doctest: +SKIP
>>> clearspot.qc(adata)  # doctest: +SKIP
>>> clearspot.denoise(adata)  # doctest: +SKIP
>>> clearspot.domains(adata)  # doctest: +SKIP
>>> clearspot.pl.domains(adata)  # doctest: +SKIP

Names are imported on first use, because PyTorch and scanpy take seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clearspot.release import __version__ as __version__
from clearspot.threads import let_waiting_threads_sleep

if TYPE_CHECKING:
    from clearspot import pl, simulate
    from clearspot.diffst.output.api import superresolve
    from clearspot.dusted.denoising import denoise
    from clearspot.errors import BadInputError, SettingError
    from clearspot.notebook.steps import domains, passing, qc, read_outs

# OpenMP reads its settings when it is loaded, so before anything that loads it.
let_waiting_threads_sleep()

__all__ = [
    "BadInputError",
    "SettingError",
    "denoise",
    "domains",
    "passing",
    "pl",
    "qc",
    "read_outs",
    "simulate",
    "superresolve",
]

_HOMES = {
    "BadInputError": "errors",
    "SettingError": "errors",
    "denoise": "dusted.denoising",
    "passing": "notebook.steps",
    "read_outs": "notebook.steps",
    "superresolve": "diffst.output.api",
}
_PACKAGES = ("domains", "pl", "qc", "simulate")
"""``domains`` and ``qc`` are callable modules (:mod:`clearspot.contract.callable_package`)."""


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
