"""A sparse count matrix cut into blocks of rows, as the loss walks through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from scipy.special import gammaln
from torch import Tensor

from clearspot.distributions.gamma import count_prefixes


@dataclass(frozen=True)
class CountBlock:
    """The counts above zero of a few consecutive spots, largest first.

    Parameters
    ----------
    first, last
        Rows ``first <= i < last``.
    entry
        Position of each count in the flattened dense block, shape ``(n_counts,)``.
    x
        The counts, descending, shape ``(n_counts,)``.
    size_factor
        Size factor of each count's spot, shape ``(n_counts,)``.
    prefixes
        See :func:`clearspot.distributions.gamma.count_prefixes`.
    log_factorials
        Sum of ``log(x!)``: a constant of the data.
    """

    first: int
    last: int
    entry: Tensor
    x: Tensor
    size_factor: Tensor
    prefixes: tuple[int, ...]
    log_factorials: float


def count_blocks(
    counts: sp.csr_matrix, size_factor: Tensor, rows_per_block: int, device: torch.device
) -> list[CountBlock]:
    """Cut a sparse count matrix into blocks of rows.

    Parameters
    ----------
    counts
        Shape ``(n_spots, n_genes)``.
    size_factor
        Shape ``(n_spots,)``, in the type that the loss is computed in.
    rows_per_block
        Rows of a dense block; the last one may have fewer.
    device
        Where the blocks shall live.
    """
    n_spots, n_genes = counts.shape
    blocks = []
    for first in range(0, n_spots, rows_per_block):
        last = min(first + rows_per_block, n_spots)
        start, stop = counts.indptr[first], counts.indptr[last]
        x = counts.data[start:stop]
        row = np.repeat(np.arange(last - first), np.diff(counts.indptr[first : last + 1]))
        entry = row * np.int64(n_genes) + counts.indices[start:stop]
        kept = np.flatnonzero(x)
        order = kept[np.argsort(-x[kept], kind="stable")]
        sorted_x = torch.from_numpy(x[order]).to(size_factor.dtype)
        blocks.append(
            CountBlock(
                first=first,
                last=last,
                entry=torch.from_numpy(entry[order]).to(device),
                x=sorted_x.to(device),
                size_factor=size_factor[first + torch.from_numpy(row[order])].to(device),
                prefixes=count_prefixes(sorted_x),
                log_factorials=float(gammaln(x[kept].astype(np.float64) + 1).sum()),
            )
        )
    return blocks
