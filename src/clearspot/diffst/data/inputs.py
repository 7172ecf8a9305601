"""From a window of a view to the tensors that a network is fed with."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearspot.diffst.data.view import Condition, View, Window, cut_histology
from clearspot.diffst.image.stain import optical_density
from clearspot.nn.pixel_unet import Tokens


@dataclass(frozen=True)
class Inputs:
    """A batch of windows; every tensor is ``(batch, channels, rows, columns)``.

    Parameters
    ----------
    pixels
        Optical density at several points of every bin, in units of the slide's own stain; 0 where there is no image.
    seen, coverage
        What is known of the spots, see :class:`clearspot.diffst.data.view.Condition`.
    counts_valid
        0 where the counts are to be ignored.
    image, image_valid
        Features of the bins, and where there is an image.
    cell, cell_visible, tissue, tissue_visible
        Tokens for the cross-attention.
    """

    pixels: Tensor
    seen: Tensor
    coverage: Tensor
    counts_valid: Tensor
    image: Tensor
    image_valid: Tensor
    cell: Tensor
    cell_visible: Tensor
    tissue: Tensor
    tissue_visible: Tensor

    @property
    def tokens(self) -> Tokens:
        """For the U-Net."""
        return self.cell, self.cell_visible, self.tissue, self.tissue_visible

    def turned(self, turn: int) -> Inputs:
        """One of the eight ways to lay a square on itself."""
        return Inputs(**{field.name: turned(getattr(self, field.name), turn) for field in fields(self)})


def turned(x: Tensor, turn: int) -> Tensor:
    """Turn by ``turn % 4`` right angles, and transpose first from 4 on."""
    return torch.rot90(x.transpose(-1, -2) if turn >= 4 else x, turn % 4, (-2, -1))


def turned_back(x: Tensor, turn: int) -> Tensor:
    """Undo :func:`turned`."""
    back = torch.rot90(x, -(turn % 4), (-2, -1))
    return back.transpose(-1, -2) if turn >= 4 else back


def read_inputs(
    view: View,
    condition: Condition,
    window: Window,
    device: torch.device,
    *,
    visible_cells: float = 1.0,
    with_image: bool = True,
    with_counts: bool = True,
) -> Inputs:
    """Read one window.

    Parameters
    ----------
    view, condition
        What to read.
    window
        Rows and columns, both from a multiple of 8 to a multiple of 8.
    device
        Where the tensors go.
    visible_cells
        Share of the cell tokens that are shown, those of highest entropy.
    with_image, with_counts
        Off: as if there was none (condition dropout).
    """
    rows, columns = window
    histology = cut_histology(view.histology, window)
    shown = with_image * (histology.cell_rank >= max(0.0, 1 - visible_cells))

    def tensor(array: NDArray[np.generic]) -> Tensor:
        array = np.ascontiguousarray(array, dtype=np.float32)
        return torch.from_numpy(array if array.ndim == 3 else array[None])[None].to(device)

    coverage = tensor(condition.coverage[window])
    density = optical_density(histology.pixels, view.stain) if with_image else np.zeros(histology.pixels.shape)
    nothing = torch.ones_like(coverage).expand(1, len(condition.seen), -1, -1)
    return Inputs(
        pixels=tensor(density),
        seen=tensor(condition.seen[:, rows, columns]) if with_counts else nothing,
        coverage=coverage,
        counts_valid=torch.full_like(coverage, float(with_counts)),
        image=tensor(histology.fine),
        image_valid=tensor(with_image * histology.valid),
        cell=tensor(histology.cell),
        cell_visible=tensor(shown),
        tissue=tensor(histology.tissue),
        tissue_visible=tensor(with_image * histology.tissue_valid),
    )


def stack(batch: list[Inputs]) -> Inputs:
    """Several windows of the same size as one batch."""
    return Inputs(**{field.name: torch.cat([getattr(one, field.name) for one in batch]) for field in fields(Inputs)})
