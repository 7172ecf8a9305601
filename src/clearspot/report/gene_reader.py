"""Maps of genes, read many at a time: each pass over a sparse layer reads all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.report.canvas import Canvas
from clearspot.report.data import Block

VALUES_AT_ONCE: Final = 15_000_000
"""Values of maps that are held in memory at once: a thousand genes of the most cells that there are."""

Source = Callable[[Sequence[str]], Iterable[Block]]
"""Genes -> their values, some spots at a time."""


class GeneReader:
    """Reads maps of genes ahead of their request.

    Parameters
    ----------
    canvas
        Draws the maps.
    order
        Genes in the order in which they will be requested.
    measured, denoised
        Where the values come from; without the second, there are no denoised values.
    """

    def __init__(self, canvas: Canvas, order: Sequence[str], measured: Source, denoised: Source | None = None):
        self._canvas, self._order = canvas, list(order)
        self._sources = (measured, denoised)
        self._at_once = max(VALUES_AT_ONCE // max(canvas.n_drawn, 1), 1)
        self._held: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}

    def __call__(self, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the measured and denoised maps of some genes, each of shape ``(n_drawn, n_genes)``; NaN: missing."""
        missing = [name for name in names if name not in self._held]
        if missing:
            self._held = {name: self._held[name] for name in names if name in self._held}
            self._hold(missing)
        held = [self._held[name] for name in names]
        return np.stack([pair[0] for pair in held], axis=1), np.stack([pair[1] for pair in held], axis=1)

    def _hold(self, names: Sequence[str]) -> None:
        start = self._order.index(names[0])
        ahead = self._order[start : start + max(self._at_once - len(names), 0)]
        wanted = [name for name in dict.fromkeys([*names, *ahead]) if name not in self._held]
        measured, denoised = (
            self._canvas.gathered(() if source is None else source(wanted), len(wanted)) for source in self._sources
        )
        self._held |= {name: (measured[:, number], denoised[:, number]) for number, name in enumerate(wanted)}
