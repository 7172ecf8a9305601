"""Dynamic cross-attention: fine features look at the histology's cell-level and tissue-level tokens around them.

Every query attends to the tokens of its own surroundings, which keep their positions: a cell's patch informs the bin
it lies in. Cell-level tokens enter training by their entropy, the most informative ones first.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - as PyTorch's own documentation has it
from torch import Tensor, nn

CELLS_PER_QUERY = 4
"""Cell tokens along one side of a query's area: a query is 2 bins wide, and a bin holds 2 x 2 tokens."""

QUERIES_PER_TISSUE_TOKEN = 4
"""Queries along one side of a tissue-level token, which is 8 bins wide."""

_CELL_WINDOW = CELLS_PER_QUERY + 2
_TISSUE_WINDOW = 3


def visible_fraction(step: int, curriculum_steps: int, start: float = 0.25) -> float:
    """Share of the cell tokens that training shows at a step: from ``start``, linearly, to all of them.

    Parameters
    ----------
    step
        Training step, from 0.
    curriculum_steps
        Step from which on all tokens are shown; 0 switches the curriculum off.
    start
        Share at the first step.
    """
    if step >= curriculum_steps:
        return 1.0
    return start + (1 - start) * step / curriculum_steps


class HierarchicalCrossAttention(nn.Module):
    """Cross-attention from fine features to the cell- and tissue-level tokens in a local window.

    A query at ``(i, j)`` sees the 6 x 6 cell tokens in and directly around its area and the 3 x 3 tissue-level tokens
    around its own. One learned empty token, always visible, stands for "nothing to see": where the image is missing,
    all queries get the same answer whatever the pixels are.

    Parameters
    ----------
    channels
        Of the queries.
    cell_channels, tissue_channels
        Of the tokens.
    heads
        Attention heads.
    head_width
        Width of one head.
    """

    def __init__(
        self, channels: int, cell_channels: int, tissue_channels: int, *, heads: int = 2, head_width: int = 16
    ):
        super().__init__()
        width = heads * head_width
        self.heads, self.head_width = heads, head_width
        self.query = nn.Conv2d(channels, width, 1)
        self.cell = nn.Conv2d(cell_channels, 2 * width, 1)
        self.tissue = nn.Conv2d(tissue_channels, 2 * width, 1)
        self.cell_position = nn.Parameter(0.02 * torch.randn(heads, _CELL_WINDOW**2))
        self.tissue_position = nn.Parameter(
            0.02 * torch.randn(heads, _TISSUE_WINDOW**2, QUERIES_PER_TISSUE_TOKEN, QUERIES_PER_TISSUE_TOKEN)
        )
        self.empty_key = nn.Parameter(torch.zeros(heads, head_width))
        self.empty_value = nn.Parameter(torch.zeros(heads, head_width))
        self.out = nn.Conv2d(width, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(torch.as_tensor(self.out.bias))

    def forward(self, x: Tensor, cell: Tensor, cell_visible: Tensor, tissue: Tensor, tissue_visible: Tensor) -> Tensor:
        """Add what the tokens say.

        Parameters
        ----------
        x
            ``(batch, channels, h, w)``; ``h`` and ``w`` are multiples of 4.
        cell
            ``(batch, cell_channels, 4 h + 2, 4 w + 2)``: one token more on every side.
        cell_visible
            ``(batch, 1, 4 h + 2, 4 w + 2)``, 0 or 1.
        tissue
            ``(batch, tissue_channels, h / 4 + 2, w / 4 + 2)``: one token more on every side.
        tissue_visible
            ``(batch, 1, h / 4 + 2, w / 4 + 2)``, 0 or 1.
        """
        batch, _, rows, columns = x.shape
        query = self.query(x).view(batch, self.heads, self.head_width, rows, columns)
        cell_key, cell_value = self._windows(
            self.cell(cell * cell_visible), _CELL_WINDOW, CELLS_PER_QUERY, rows, columns
        )
        scores_cell = self._scores(query, cell_key) + self.cell_position[:, :, None, None]
        shown_cell = _unfold(cell_visible, _CELL_WINDOW, CELLS_PER_QUERY, rows, columns)

        t_rows, t_columns = rows // QUERIES_PER_TISSUE_TOKEN, columns // QUERIES_PER_TISSUE_TOKEN
        tissue_key, tissue_value = (
            _repeat(part)
            for part in self._windows(self.tissue(tissue * tissue_visible), _TISSUE_WINDOW, 1, t_rows, t_columns)
        )
        position = self.tissue_position.repeat(1, 1, t_rows, t_columns)
        scores_tissue = self._scores(query, tissue_key) + position
        shown_tissue = _repeat(_unfold(tissue_visible, _TISSUE_WINDOW, 1, t_rows, t_columns))

        empty = torch.einsum("bhdij,hd->bhij", query, self.empty_key).unsqueeze(2) / math.sqrt(self.head_width)
        shown = torch.cat([shown_cell, shown_tissue], dim=2) > 0
        scores = torch.cat([scores_cell, scores_tissue], dim=2).masked_fill(~shown, float("-inf"))
        weights = torch.cat([scores, empty], dim=2).softmax(dim=2)
        n_cell, n_tissue = scores_cell.shape[2], scores_tissue.shape[2]
        answer = torch.einsum("bhtij,bhdtij->bhdij", weights[:, :, :n_cell], cell_value)
        answer = answer + torch.einsum("bhtij,bhdtij->bhdij", weights[:, :, n_cell : n_cell + n_tissue], tissue_value)
        answer = answer + weights[:, :, -1:] * self.empty_value.view(1, self.heads, self.head_width, 1, 1)
        return x + self.out(answer.reshape(batch, -1, rows, columns))

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        return torch.einsum("bhdij,bhdtij->bhtij", query, key) / math.sqrt(self.head_width)

    def _windows(self, tokens: Tensor, window: int, stride: int, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        """Keys and values around every query: ``(batch, heads, head width, tokens, rows, columns)`` each."""
        unfolded = F.unfold(tokens, window, stride=stride)
        shape = (tokens.shape[0], 2, self.heads, self.head_width, window**2, rows, columns)
        key, value = unfolded.view(shape).unbind(1)
        return key, value


def _unfold(visible: Tensor, window: int, stride: int, rows: int, columns: int) -> Tensor:
    """Visibility of every query's tokens: ``(batch, 1, tokens, rows, columns)``."""
    return F.unfold(visible, window, stride=stride).view(len(visible), 1, window**2, rows, columns)


def _repeat(x: Tensor) -> Tensor:
    """Give every query of a tissue-level token that token's windows."""
    return x.repeat_interleave(QUERIES_PER_TISSUE_TOKEN, dim=-2).repeat_interleave(QUERIES_PER_TISSUE_TOKEN, dim=-1)
