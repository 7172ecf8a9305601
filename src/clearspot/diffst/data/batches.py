"""Which windows a training step sees, drawn from the step's own number so that a resumed run draws the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearspot.diffst.data.augment import stained_otherwise
from clearspot.diffst.data.inputs import Inputs, read_inputs, stack, turned, turned_back
from clearspot.diffst.data.view import Condition, View, Window
from clearspot.diffst.params import DiffstParams
from clearspot.nn.pixel_unet import STRIDE

PHASES: Final = ("mean", "diffusion")
"""The two stages, in the order of their training."""

_MARGIN: Final = 8
"""Bins at a window's border that the loss leaves out: the network sees too little around them."""

_MAX_GENES_A_STEP: Final = 1024


@dataclass(frozen=True)
class WindowData:
    """What the loss compares one window with, not turned.

    Parameters
    ----------
    scale
        ``(programs,)``: counts a bin that stand for 1.
    spot, bins, area
        Entries of the capture operator on the spots of the window.
    weight
        ``(spots,)``: of each spot in the loss.
    counts
        ``(spots, genes)``, or None where the bins are known.
    fine
        ``(bins, genes)``: counts of the bins where they are known, or None.
    known
        ``(rows, columns)``: 1 where a bin counts in the loss.
    """

    scale: Tensor
    spot: Tensor
    bins: Tensor
    area: Tensor
    weight: Tensor
    counts: Tensor | None
    fine: Tensor | None
    known: Tensor


@dataclass(frozen=True)
class Target:
    """What stage 2 learns from one condition of a view; both ``(programs, rows, columns)``, in units of its scale.

    Parameters
    ----------
    mean
        Stage 1's programs.
    truth
        What they are.
    """

    mean: NDArray[np.floating]
    truth: NDArray[np.floating]


@dataclass(frozen=True)
class Batch:
    """Inputs, already turned, and targets.

    Parameters
    ----------
    inputs
        For the network.
    windows
        For the loss of stage 1.
    turns
        How each window was turned.
    mean, truth, known
        For stage 2, turned: stage 1's programs, the true ones, and where they count. Empty in stage 1.
    genes
        Which genes' counts the windows hold; None: all.
    """

    inputs: Inputs
    windows: tuple[WindowData, ...]
    turns: tuple[int, ...]
    mean: Tensor
    truth: Tensor
    known: Tensor
    genes: Tensor | None = None

    def turned_back(self, programs: Tensor) -> Tensor:
        """Maps of the network, laid as the windows lie in their views."""
        return torch.stack([turned_back(one, turn) for one, turn in zip(programs, self.turns, strict=True)])


class Sampler:
    """Draws batches of windows from views.

    Parameters
    ----------
    views
        Sections and references.
    shares
        Probability of each view.
    params
        Batch size, window and condition dropout.
    device
        Where the tensors go.
    targets
        Of each view and condition, for stage 2.
    """

    def __init__(
        self,
        views: Sequence[View],
        shares: Sequence[float],
        params: DiffstParams,
        device: torch.device,
        targets: Sequence[Sequence[Target]] | None = None,
    ):
        self._views, self._params, self._device, self._targets = views, params, device, targets
        self._shares = np.asarray(shares) / np.sum(shares)
        smallest = min(min(view.shape) for view in views)
        self._side = min(params.crop, smallest // STRIDE * STRIDE)

    def batch(self, phase: str, step: int, visible_cells: float) -> Batch:
        """The batch of a step, which is reproducible."""
        generator = np.random.default_rng([self._params.seed, 3 + PHASES.index(phase), step])
        genes = self._genes(generator)
        inputs, windows, turns, means, truths, known = [], [], [], [], [], []
        for _ in range(self._params.batch):
            number = int(generator.choice(len(self._views), p=self._shares))
            view = self._views[number]
            shown = self._condition(view, generator)
            window = self._window(view, generator)
            dropped = generator.random()
            rate = self._params.condition_dropout
            turn = int(generator.integers(8))
            one = read_inputs(
                view,
                view.conditions[shown],
                window,
                self._device,
                visible_cells=visible_cells,
                with_image=not dropped < rate,
                with_counts=not rate <= dropped < 2 * rate,
            )
            inputs.append(stained_otherwise(one, self._params.stain_jitter, generator).turned(turn))
            turns.append(turn)
            data = self._read(view, view.conditions[shown], window, genes)
            windows.append(data)
            if self._targets is not None:
                target = self._targets[number][shown]
                means.append(turned(self._cut(target.mean, window), turn))
                truths.append(turned(self._cut(target.truth, window), turn))
                known.append(turned(data.known[None], turn))
        nothing = torch.empty(0, device=self._device)
        stacked = [torch.stack(parts) if parts else nothing for parts in (means, truths, known)]
        return Batch(
            inputs=stack(inputs),
            windows=tuple(windows),
            turns=tuple(turns),
            mean=stacked[0],
            truth=stacked[1],
            known=stacked[2],
            genes=None if genes is None else torch.from_numpy(genes).to(self._device),
        )

    def _cut(self, maps: NDArray[np.floating], window: Window) -> Tensor:
        return torch.from_numpy(maps[:, window[0], window[1]].astype(np.float32)).to(self._device)

    def _genes(self, generator: np.random.Generator) -> NDArray[np.intp] | None:
        """Some of the genes where there are too many for one step."""
        counts = (counts for view in self._views for counts in (view.counts, view.fine_counts) if counts is not None)
        number = max((part.shape[1] for part in counts), default=0)
        if number <= _MAX_GENES_A_STEP:
            return None
        return np.sort(generator.choice(number, _MAX_GENES_A_STEP, replace=False))

    def _condition(self, view: View, generator: np.random.Generator) -> int:
        """One that hides spots, where the loss looks at hidden spots alone."""
        first = int(view.truth is None and len(view.conditions) > 1 and self._params.visible_weight == 0)
        return int(generator.integers(first, len(view.conditions)))

    def _window(self, view: View, generator: np.random.Generator) -> Window:
        """A window with tissue in its middle."""
        rows, columns = np.nonzero(view.tissue)
        if not len(rows):
            rows, columns = np.array([view.shape[0] // 2]), np.array([view.shape[1] // 2])
        place = int(generator.integers(len(rows)))
        window = []
        for middle, length in ((rows[place], view.shape[0]), (columns[place], view.shape[1])):
            first = int(np.clip(middle - self._side // 2, 0, length - self._side)) // STRIDE * STRIDE
            window.append(slice(first, first + self._side))
        return window[0], window[1]

    def _read(self, view: View, condition: Condition, window: Window, genes: NDArray[np.intp] | None) -> WindowData:
        rows, columns = window
        device = self._device
        spots = np.flatnonzero(view.scored & view.spots_inside(window, _MARGIN))
        part = view.operator[spots].tocoo()
        row, column = np.divmod(part.col.astype(np.int64), view.grid.n_cols)
        known = _inner(view, window)
        weight = np.where(condition.visible[spots], self._params.visible_weight, 1.0).astype(np.float32)
        bins = np.arange(view.grid.n_bins).reshape(view.shape)[window].ravel()
        return WindowData(
            scale=torch.from_numpy(view.scale).to(device),
            spot=torch.from_numpy(part.row.astype(np.int64)).to(device),
            bins=torch.from_numpy((row - rows.start) * (columns.stop - columns.start) + column - columns.start).to(
                device
            ),
            area=torch.from_numpy(part.data.astype(np.float32)).to(device),
            weight=torch.from_numpy(weight).to(device),
            counts=self._dense(view.counts, spots, genes),
            fine=self._dense(view.fine_counts, bins, genes),
            known=torch.from_numpy(known.astype(np.float32)).to(device),
        )

    def _dense(
        self, counts: sp.csr_matrix | None, rows: NDArray[np.intp], genes: NDArray[np.intp] | None
    ) -> Tensor | None:
        if counts is None:
            return None
        some = counts[rows] if genes is None else counts[rows][:, genes]
        return torch.from_numpy(some.toarray().astype(np.float32)).to(self._device)


def _inner(view: View, window: Window) -> NDArray[np.bool_]:
    """Tissue of a window, without the margin at borders that are not the grid's own."""
    known = view.tissue[window].copy()
    for axis, (part, length) in enumerate(zip(window, view.shape, strict=True)):
        known = np.moveaxis(known, axis, 0)
        if part.start > 0:
            known[:_MARGIN] = False
        if part.stop < length:
            known[-_MARGIN:] = False
        known = np.moveaxis(known, 0, axis)
    return known
