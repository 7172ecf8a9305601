"""The views of a section: itself with spots hidden, and itself at the scale of its spots, where the truth is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.view import Condition, View
from clearspot.diffst.estimate.image_trend import ImageTrend
from clearspot.diffst.estimate.plain_estimate import gaussian_mean, plain_estimate
from clearspot.diffst.estimate.spread import spread
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.geometry.scratch import parked
from clearspot.diffst.image.histology import Histology
from clearspot.diffst.image.stain import stain_of

GAP_WIDTH: Final = 0.4
"""Standard deviation of the Gaussian that fills gaps, in spot pitches."""

SEEN_WIDTH: Final = 0.45
"""Standard deviation of the Gaussian mean that networks are shown which learned from pairs, in spot pitches."""

AskImage = Callable[[], ImageTrend | None]
"""Gives what the image can be asked; see :func:`image_trend`."""

_HIDDEN_SHARES: Final = (0.5, 0.25, 0.125)
_SCALE_FLOOR: Final = 1e-4


def section_view(
    section: SpotSection,
    values: NDArray[np.float32],
    histology: Histology,
    *,
    tissue: NDArray[np.bool_],
    training: NDArray[np.bool_],
    n_patterns: int,
    seed: int,
    paired: bool = False,
) -> View:
    """The section itself. Its conditions: all training spots shown, then patterns of hidden spots.

    Parameters
    ----------
    section
        Spots and grid.
    values
        ``(spots, programs)``: counts of each program.
    histology
        Features on the section's grid.
    tissue
        ``(rows, columns)`` bool.
    training
        ``(spots,)`` bool: spots that training may see; the others are neither shown nor scored.
    n_patterns
        Ways to hide spots: at random a half, a quarter or an eighth of them, in turn.
    seed
        Of the hiding.
    paired
        Whether the networks learned from pairs.
    """
    area = max(float(section.area_of_bin[training].sum()), 1e-6)
    mean = values[training].sum(axis=0) / area
    scale = np.maximum(mean, max(_SCALE_FLOOR * float(mean.sum()), 1e-12)).astype(np.float32)
    generator = np.random.default_rng([seed, 11])
    trend = image_trend(histology, section.operator)
    masks = [training]
    for number in range(n_patterns):
        share = _HIDDEN_SHARES[number % len(_HIDDEN_SHARES)]
        masks.append(training & (generator.random(len(training)) >= share))
    return View(
        name=section.sample,
        grid=section.grid,
        operator=section.operator,
        xy_px=section.xy_px,
        pitch_um=section.pitch_um,
        scale=scale,
        histology=histology,
        tissue=tissue,
        conditions=tuple(show(section, values, scale, mask, trend, paired=paired) for mask in masks if mask.any()),
        counts=section.counts,
        scored=training,
        stain=stain_of(histology.pixels),
    )


def show(
    section: SpotSection,
    values: NDArray[np.float32],
    scale: NDArray[np.float32],
    visible: NDArray[np.bool_],
    trend: AskImage,
    *,
    paired: bool,
) -> Condition:
    """The condition with these spots visible."""
    return make_condition(
        values,
        section.operator,
        section.grid,
        scale=scale,
        visible=visible,
        xy_px=section.xy_px,
        pitch_um=section.pitch_um,
        trend=trend,
        paired=paired,
    )


def make_condition(
    values: NDArray[np.float32],
    operator: sp.csr_array,
    grid: FineGrid,
    *,
    scale: NDArray[np.float32],
    visible: NDArray[np.bool_],
    xy_px: NDArray[np.float64],
    pitch_um: float,
    trend: AskImage,
    paired: bool = False,
) -> Condition:
    """Estimate the programs of the bins from the visible spots.

    Parameters
    ----------
    values
        ``(spots, programs)``: counts of each program.
    operator
        Capture operator.
    grid
        The bins.
    scale
        Counts of each program a bin that stand for 1.
    visible
        ``(spots,)`` bool.
    xy_px, pitch_um
        Centres of the spots, and the distance between neighbours.
    trend
        See :func:`image_trend`.
    paired
        Whether the networks learn, or learned, from pairs, see :class:`clearspot.diffst.data.view.Condition`.
    """
    part = sp.csr_array(operator[visible])
    scaled = (values / scale).astype(np.float32)

    def plain() -> NDArray[np.float16]:
        image = trend()
        suggested = None if image is None else image.fit(scaled, visible)
        return _kept(plain_estimate(scaled[visible], part, grid, xy_px[visible], pitch_um, suggested))

    coverage = np.minimum(np.asarray(part.sum(axis=0)).reshape(grid.n_rows, grid.n_cols), 1)
    if paired:
        seen = _kept(gaussian_mean(scaled[visible], part, grid, SEEN_WIDTH * pitch_um))
        return Condition(plain, coverage.astype(np.float16), visible, seen)
    made = plain()
    return Condition(lambda: made, coverage.astype(np.float16), visible, made)


def _kept(maps: NDArray[np.float32]) -> NDArray[np.float16]:
    return parked(np.minimum(maps, 6e4).astype(np.float16))


def image_trend(histology: Histology, operator: sp.csr_array) -> AskImage:
    """What the image can be asked, made when it is first asked; None where there is no image."""

    @cache
    def asked() -> ImageTrend | None:
        return ImageTrend(histology.fine, operator) if histology.valid.any() else None

    return asked


def coarse_view(section: SpotSection, view: View, values: NDArray[np.float32], seed: int) -> View | None:
    """The section seen from further away: its spots are the bins, and larger spots capture several of them.

    What a network learns here, one scale up, it applies at the fine scale (cross-scale self-supervision).

    Parameters
    ----------
    section, view
        The section at its own scale; only training spots of the view's first condition are used.
    values
        ``(spots, programs)``.
    seed
        Of the counting noise of the larger spots.

    Returns
    -------
    None where the section is too small for even a few of the larger spots.
    """
    factor = max(2, round(section.pitch_um / section.grid.bin_um))
    fine = section.grid
    shape = (_up(-(-fine.n_rows // factor)), _up(-(-fine.n_cols // factor)))
    grid = FineGrid(fine.bin_um * factor, shape[0], shape[1], fine.origin_px, fine.px_per_um)
    visible = view.conditions[0].visible
    # on the coarse grid a spot stands for the whole bin around it
    footprint = disk_operator(section.xy_px, grid, grid.bin_um)
    footprint = sp.csr_array(footprint[visible])
    enlarged = footprint.sum(axis=1) / np.maximum(section.area_of_bin[visible], 1e-6)
    truth = spread(
        (values[visible] * enlarged[:, None] / view.scale).astype(np.float32),
        footprint,
        grid,
        width_um=GAP_WIDTH * section.pitch_um,
    )
    tissue = _any_block(view.tissue, factor, shape)
    middle = section.xy_px[visible].mean(axis=0)
    places = middle + (section.xy_px - middle) * factor
    column, row = grid.to_grid(places).T
    inside = (row > 0) & (row < shape[0]) & (column > 0) & (column < shape[1])
    operator = sp.csr_array(disk_operator(places[inside], grid, section.diameter_um * factor))
    on_tissue = operator @ tissue.ravel().astype(np.float32) > 0.5 * np.asarray(operator.sum(axis=1)).ravel()
    operator = sp.csr_array(operator[on_tissue])
    if operator.shape[0] < 4:
        return None
    taken = np.maximum(operator @ truth.reshape(len(truth), -1).T, 0).astype(np.float32)
    # a larger spot covers as many coarse bins as a real one fine bins: in these units it counts as few, and as noisily
    expected = taken * view.scale
    generator = np.random.default_rng([seed, 12])
    noisy = (generator.poisson(expected) / np.maximum(view.scale, 1e-12)).astype(np.float32)
    ones = np.ones_like(view.scale)
    visible_all = np.ones(operator.shape[0], dtype=bool)
    histology = view.histology.coarsened(factor, shape)
    centres = places[inside][on_tissue]
    pitch = section.pitch_um * factor
    trend = image_trend(histology, operator)
    shown = make_condition(
        noisy, operator, grid, scale=ones, visible=visible_all, xy_px=centres, pitch_um=pitch, trend=trend
    )
    return View(
        name=f"{view.name} (coarse)",
        grid=grid,
        operator=operator,
        xy_px=centres,
        pitch_um=pitch,
        scale=view.scale,
        histology=histology,
        tissue=tissue,
        conditions=(shown,),
        counts=None,
        scored=visible_all,
        truth=np.minimum(truth, 6e4).astype(np.float16),
        stain=view.stain,
    )


def _up(length: int) -> int:
    return -(-length // 8) * 8


def _any_block(mask: NDArray[np.bool_], factor: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    padded = np.zeros((shape[0] * factor, shape[1] * factor), dtype=bool)
    rows, columns = min(mask.shape[0], padded.shape[0]), min(mask.shape[1], padded.shape[1])
    padded[:rows, :columns] = mask[:rows, :columns]
    return np.asarray(padded.reshape(shape[0], factor, shape[1], factor).any(axis=(1, 3)), dtype=bool)
