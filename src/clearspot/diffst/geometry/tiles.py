"""Tiles of a grid: cores that cover it exactly, each with a halo of neighbours around it."""

from __future__ import annotations

from dataclasses import dataclass

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Tile:
    """One tile, as rows and columns.

    Parameters
    ----------
    outer
        What is computed: core and halo, cut at the grid's edge.
    core
        What is kept; the cores of a tiling are disjoint and cover the grid.
    core_in_outer
        The core's place within ``outer``.
    """

    outer: Window
    core: Window
    core_in_outer: Window


def tile_grid(shape: tuple[int, int], core: int, halo: int, multiple: int = 8) -> list[Tile]:
    """Tile a grid.

    With a halo at least as wide as a network's receptive field, and windows that begin at multiples of its total
    stride, every tiling gives every bin the same value.

    Parameters
    ----------
    shape
        Rows and columns of the grid: multiples of ``multiple``.
    core
        Edge of a core: a multiple of ``multiple``. The last ones of a row or column may be smaller.
    halo
        Least width of the halo; rounded up to a multiple.
    multiple
        Windows begin and end at multiples of this.

    Returns
    -------
    Tiles, row by row.

    Raises
    ------
    ValueError
        If ``shape`` or ``core`` is not a multiple.
    """
    if core <= 0 or core % multiple:
        raise ValueError(f"core must be a multiple of {multiple}, not {core}")
    if any(side <= 0 or side % multiple for side in shape):
        raise ValueError(f"rows and columns must be multiples of {multiple}, not {shape[0]} x {shape[1]}")
    if halo < 0:
        raise ValueError(f"halo must not be negative, not {halo}")
    halo = -(-halo // multiple) * multiple
    rows, cols = ([_along(start, side, core, halo) for start in range(0, side, core)] for side in shape)
    return [
        Tile((row_outer, col_outer), (row_core, col_core), (row_inner, col_inner))
        for row_outer, row_core, row_inner in rows
        for col_outer, col_core, col_inner in cols
    ]


def _along(start: int, side: int, core: int, halo: int) -> tuple[slice, slice, slice]:
    """Outer, core and core within outer along one axis."""
    stop = min(start + core, side)
    first, last = max(start - halo, 0), min(stop + halo, side)
    return slice(first, last), slice(start, stop), slice(start - first, stop - first)
