"""From an AnnData to what is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import anndata as ad
import numpy as np
import scipy.sparse as sp

from clearspot import keys
from clearspot.dusted.genes import choose_genes
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section, input_scale
from clearspot.errors import BadInputError, Problem
from clearspot.qc.passing import passing_spots
from clearspot.record import Message

MIN_SPOTS = 2
MIN_GENES = 2


@dataclass(frozen=True)
class Source:
    """A section and where it lies in the AnnData.

    Parameters
    ----------
    section
        What the model sees.
    spots, genes
        Rows and columns of the AnnData that it holds, ascending.
    messages
        What the reader should know.
    """

    section: Section
    spots: np.ndarray
    genes: np.ndarray
    messages: list[Message] = field(default_factory=list)


def read_section(adata: ad.AnnData, sample: str, params: DustedParams) -> Source:
    """Take the passing spots and the genes to model out of an AnnData.

    Parameters
    ----------
    adata
        With counts in ``layers['counts']`` (or ``X``), the graph in ``obsp['spatial_connectivities']`` and, where there
        is one, ``obs['qc_pass']``.
    sample
        Sample name, for messages.
    params
        Settings.

    Raises
    ------
    BadInputError
        If counts or graph are missing or unusable, or too little is left.
    """
    counts = _counts(adata, sample)
    spots = np.flatnonzero(passing_spots(adata))
    graph = _graph(adata, sample, spots)
    totals = _totals(adata, counts, sample, spots, params)
    genes, messages = choose_genes(adata, counts, spots, params)
    for found, least, what in ((len(spots), MIN_SPOTS, "spots"), (len(genes), MIN_GENES, "genes with counts")):
        if found < least:
            raise _problem(sample, f"{found} {what} to model", f"at least {least}", "Look at filters and gene choice.")
    chosen = sp.csr_matrix(counts[spots][:, genes], dtype=np.float32)
    chosen.sort_indices()
    modelled = np.asarray(chosen.sum(axis=1)).ravel()
    section = Section(
        counts=chosen,
        input_scale=input_scale(modelled if params.normalise_over == "modelled" else totals, params.target_sum),
        size_factor=(totals / np.median(totals)).astype(np.float32),
        graph=graph,
        positions=_positions(adata, spots),
        genes=tuple(adata.var_names[genes].astype(str)),
    )
    return Source(section, spots, genes, messages)


def _counts(adata: ad.AnnData, sample: str) -> sp.csr_matrix:
    matrix: Any = adata.layers.get(keys.COUNTS, adata.X)
    where = f"layers['{keys.COUNTS}']" if keys.COUNTS in adata.layers else "X"
    if matrix is None:
        raise _problem(sample, "neither counts nor X", "counts", "Put the counts into layers['counts'].")
    counts = sp.csr_matrix(matrix)
    values = counts.data
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.rint(values)).any():
        raise _problem(
            sample,
            f"values in {where} that are negative or not whole",
            "counts as they were measured",
            "Put the unnormalised counts into layers['counts'].",
        )
    return counts


def _graph(adata: ad.AnnData, sample: str, spots: np.ndarray) -> sp.csr_matrix:
    if keys.CONNECTIVITIES not in adata.obsp:
        raise _problem(
            sample,
            f"no obsp['{keys.CONNECTIVITIES}']",
            "the graph of touching spots",
            "Run clearspot.graph.build.build_graph (bin/spatial_graph.py) or squidpy.gr.spatial_neighbors first.",
        )
    graph = sp.csr_matrix(adata.obsp[keys.CONNECTIVITIES])[spots][:, spots].astype(bool).astype(np.int8)
    graph.eliminate_zeros()
    graph.sort_indices()
    if (graph != graph.T).nnz:
        raise _problem(
            sample,
            f"an obsp['{keys.CONNECTIVITIES}'] that is not symmetric",
            "an undirected graph",
            "Make it symmetric: graph.maximum(graph.T).",
        )
    return graph


def _totals(
    adata: ad.AnnData, counts: sp.csr_matrix, sample: str, spots: np.ndarray, params: DustedParams
) -> np.ndarray:
    """Total counts of every modelled spot over all genes."""
    if params.size_factor_key is None:
        totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()[spots]
    elif params.size_factor_key in adata.obs:
        totals = adata.obs[params.size_factor_key].to_numpy(dtype=np.float64)[spots]
    else:
        raise _problem(
            sample, f"no obs['{params.size_factor_key}']", "total counts of all genes", "Leave size_factor_key out."
        )
    empty = int(np.count_nonzero(~(totals > 0)))
    if empty:
        raise _problem(
            sample, f"{empty} spots without counts", "spots with counts", "Drop them, or flag them in obs['qc_pass']."
        )
    return totals


def _positions(adata: ad.AnnData, spots: np.ndarray) -> np.ndarray | None:
    if keys.SPATIAL not in adata.obsm:
        return None
    return np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[spots, :2]


def _problem(sample: str, found: str, expected: str, mend: str) -> BadInputError:
    return BadInputError(Problem(sample, keys.h5ad_name(sample), found, expected, mend))
