"""Maps of thousands of genes in a page: one byte a value, deflated, as many genes as the page has room for.

A gene has two maps, measured and denoised. Counts up to 254 are kept exactly in one byte, larger ones in two; all else
becomes a level of ``log(1 + value)`` between 0 and the map's maximum, the scale on which colours are drawn. Spots stand
in the order of their denoised totals (measured ones, if nothing is denoised): neighbours in that order are alike in
every gene, which saves a quarter. Genes are deflated in chunks: the browser (``DecompressionStream``) unpacks no more
than the chunk of the gene that it shows.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.report.map_parts import upper_limit

LEVELS: Final = (254, 126, 62, 30)
"""Numbers of levels that are tried, finest first; one more stands for a missing value."""

MISSING: Final = 255
MISSING_2: Final = 65535
GENES_IN_A_CHUNK: Final = 48
_SAMPLED: Final = 96
_BASE64: Final = 4 / 3
_LISTED: Final = 48
"""Bytes that a gene takes in the lists: name, limits, maxima."""

EXACT, EXACT_2 = 0.0, -1.0
"""In place of the maximum of a map: its values are whole numbers, in one byte or in two."""

Read = Callable[[Sequence[str]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Genes -> measured and denoised maps, each of shape ``(n_drawn, n_genes)``; NaN: missing."""


@dataclass
class PackedGenes:
    """Genes as the page's script reads them.

    Parameters
    ----------
    order
        Spot (or cell) of each value of a map.
    names
        Genes, in the order of the chunks.
    highs
        Upper colour limit of both maps of each gene.
    measured, denoised
        Maximum of each map, ``EXACT`` or ``EXACT_2``; ``None`` for a gene without denoised values.
    chunks
        Deflated bytes, in base64.
    chunk_genes, chunk_levels
        Genes of each chunk, and levels of its maps.
    """

    order: NDArray[np.intp]
    names: list[str] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    denoised: list[float | None] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    chunk_genes: list[int] = field(default_factory=list)
    chunk_levels: list[int] = field(default_factory=list)

    @property
    def n_drawn(self) -> int:
        """Values of a map."""
        return len(self.order)

    @property
    def size(self) -> int:
        """Bytes in the page: the chunks and the lists."""
        return sum(map(len, self.chunks)) + _LISTED * len(self.names)

    @property
    def levels(self) -> int:
        """Levels of the coarsest chunk."""
        return min(self.chunk_levels, default=LEVELS[0])

    @property
    def rounding(self) -> str:
        """What the page says of the levels; empty where they are the finest."""
        if self.levels == LEVELS[0]:
            return ""
        return f" Genes other than those listed first are rounded to {self.levels} steps of the colour scale."

    def as_dict(self) -> dict[str, Any]:
        """Return what the page's script reads."""
        return {
            "order": self.order.tolist(), "names": self.names, "highs": self.highs, "measured": self.measured,
            "denoised": self.denoised, "chunks": self.chunks, "genes": self.chunk_genes, "levels": self.chunk_levels,
        }  # fmt: skip


def pack_genes(first: Sequence[str], others: Sequence[str], read: Read, budget: int) -> PackedGenes:
    """Pack genes until the budget is spent.

    Parameters
    ----------
    first
        Genes that come first, always with the finest levels.
    others
        The others in order of importance, with the finest levels that let all of them fit; if none does, with the
        coarsest, as many as fit.
    read
        Gives the maps of some genes.
    budget
        Bytes in the page.
    """
    every = [*first, *others]
    some = every[:: max(1, len(every) // _SAMPLED)]
    measured, denoised = read(some)
    by = denoised if np.isfinite(denoised).any() else measured
    totals = np.where(np.isfinite(by).any(axis=1), np.nansum(by, axis=1), -1.0)
    packed = PackedGenes(np.argsort(totals, kind="stable"))
    budget -= 6 * packed.n_drawn  # the order
    for names in _chunks(first):
        if not _add(packed, names, *read(names), LEVELS[0], budget):
            return packed
    expected = _levels(measured[packed.order], denoised[packed.order], len(others), budget - packed.size)
    for levels in LEVELS[LEVELS.index(expected) :]:
        whole = deepcopy(packed)
        if all(_add(whole, names, *read(names), levels, budget) for names in _chunks(others)):
            break
    return whole


def unpack(packed: PackedGenes, gene: str) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the two maps of a gene as the page's script reads them."""
    at, chunk, start = packed.names.index(gene), 0, 0
    while start + packed.chunk_genes[chunk] <= at:
        start += packed.chunk_genes[chunk]
        chunk += 1
    data = zlib.decompress(base64.b64decode(packed.chunks[chunk]))
    levels, offset, found = packed.chunk_levels[chunk], 0, []
    for tops in (packed.measured, packed.denoised):
        for number in range(start, start + packed.chunk_genes[chunk]):
            top = tops[number]
            if top is None:
                continue
            values, size = _decode(data, offset, packed, top, levels)
            offset += size
            if number == at:
                found.append(values)
    return found[0], (found[1] if len(found) > 1 else None)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), GENES_IN_A_CHUNK):
        yield names[start : start + GENES_IN_A_CHUNK]


def _add(
    packed: PackedGenes,
    names: Sequence[str],
    measured: NDArray[np.float64],
    denoised: NDArray[np.float64],
    levels: int,
    budget: int,
) -> bool:
    """Append a chunk, or the part of it that fits; say whether it fitted whole."""
    left = budget - packed.size
    number = len(names)
    measured, denoised = measured[packed.order], denoised[packed.order]
    while number:
        planes = [
            (
                _encode(measured[:, n], levels) or (EXACT, bytes([MISSING]) * len(measured)),
                _encode(denoised[:, n], levels),
            )
            for n in range(number)
        ]
        # first all measured, then all denoised: like stands with like
        parts = [pair[0] for pair in planes] + [pair[1] for pair in planes if pair[1]]
        text = base64.b64encode(_deflate(part[1] for part in parts)).decode("ascii")
        size = len(text) + _LISTED * number
        if size <= left:
            packed.chunks.append(text)
            packed.chunk_genes.append(number)
            packed.chunk_levels.append(levels)
            packed.names += names[:number]
            packed.measured += [first[0] for first, _ in planes]
            packed.denoised += [second and second[0] for _, second in planes]
            packed.highs += [float(f"{upper_limit(measured[:, n], denoised[:, n]):.6g}") for n in range(number)]
            return number == len(names)
        number = min(number - 1, int(number * max(left, 0) / size))
    return False


def _levels(measured: NDArray[np.float64], denoised: NDArray[np.float64], n_genes: int, budget: int) -> int:
    """Return the most levels with which so many genes are expected to fit, judged by some; else the fewest."""
    some = measured.shape[1]
    for levels in LEVELS:
        planes = [_encode(values[:, n], levels) for values in (measured, denoised) for n in range(some)]
        expected = len(_deflate(part[1] for part in planes if part)) * n_genes / some * _BASE64 + _LISTED * n_genes
        if 1.03 * expected <= budget:
            return levels
    return LEVELS[-1]


def _encode(values: NDArray[np.float64], levels: int) -> tuple[float, bytes] | None:
    """Maximum of a map (or ``EXACT``, ``EXACT_2``) and its bytes; ``None`` where no value is known."""
    known = np.isfinite(values)
    if not known.any():
        return None
    numbers = np.where(known, values, 0.0)
    top = float(numbers.max())
    if top < MISSING_2 and bool(np.all(numbers == np.round(numbers))):
        short = top < MISSING
        whole = np.where(known, numbers, MISSING if short else MISSING_2)
        return (EXACT if short else EXACT_2), whole.astype("u1" if short else "<u2").tobytes()
    top = max(float(f"{top:.6g}"), 1e-9)
    level = np.round(np.log1p(numbers) / np.log1p(top) * levels)
    return top, np.where(known, np.minimum(level, levels), MISSING).astype("u1").tobytes()


def _decode(data: bytes, offset: int, packed: PackedGenes, top: float, levels: int) -> tuple[NDArray[np.float64], int]:
    kind, missing = ("<u2", MISSING_2) if top == EXACT_2 else ("u1", MISSING)
    raw = np.frombuffer(data, dtype=kind, count=packed.n_drawn, offset=offset)
    values = np.empty(packed.n_drawn)
    values[packed.order] = np.where(raw == missing, np.nan, np.expm1(raw / levels * np.log1p(top)) if top > 0 else raw)
    return values, raw.nbytes


def _deflate(planes: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9, strategy=zlib.Z_FILTERED)
    return packer.compress(b"".join(planes)) + packer.flush()
