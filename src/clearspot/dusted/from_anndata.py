"""From an AnnData to what is trained on."""

from __future__ import annotations

from dataclasses import dataclass, field

import anndata as ad
import numpy as np
import scipy.sparse as sp

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.contract.flags import read_flag
from clearspot.contract.sections import bad_section, require_positions, section_labels
from clearspot.dusted.genes import choose_genes
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section, input_scale
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
    """Take the spots and the genes to model out of an AnnData.

    Parameters
    ----------
    adata
        With counts in ``layers['counts']`` (or ``X``), positions in ``obsm['spatial']`` and, where there is one,
        ``obs['qc_pass']``. The graph in ``obsp['spatial_connectivities']`` is built and added where it is absent.
    sample
        Sample name, for messages.
    params
        Settings.

    Raises
    ------
    BadInputError
        If counts, positions or graph are missing or unusable, or too little is left.
    """
    if params.library_key is None:
        section_labels(adata, sample=sample)
    counts = read_counts(adata, sample)
    spots, messages = _spots(adata, counts, sample)
    positions = None
    if keys.SPATIAL in adata.obsm or keys.CONNECTIVITIES not in adata.obsp:
        positions = require_positions(adata, sample, spots)
    if len(spots) >= MIN_SPOTS and keys.CONNECTIVITIES not in adata.obsp:
        messages += _add_graph(adata, sample)
    genes, notes = choose_genes(adata, counts, spots, params, sample)
    messages += notes
    for found, least, what in ((len(spots), MIN_SPOTS, "spots"), (len(genes), MIN_GENES, "genes with counts")):
        if found < least:
            raise bad_section(
                sample, f"{found} {what} to model", f"at least {least}", "Check the filters and the choice of genes."
            )
    graph = _graph(adata, sample, spots)
    totals = _totals(adata, counts, sample, spots, params)
    chosen = sp.csr_matrix(counts[spots][:, genes], dtype=np.float32)
    chosen.sort_indices()
    modelled = np.asarray(chosen.sum(axis=1)).ravel()
    section = Section(
        counts=chosen,
        input_scale=input_scale(modelled if params.normalise_over == "modelled" else totals, params.target_sum),
        size_factor=(totals / np.median(totals)).astype(np.float32),
        graph=graph,
        positions=positions,
        genes=tuple(adata.var_names[genes].astype(str)),
        log_input=params.input == "log",
    )
    return Source(section, spots, genes, messages)


def section_size(adata: ad.AnnData, sample: str, params: DustedParams) -> tuple[int, int]:
    """Number of spots and of genes that :func:`read_section` would take."""
    counts = read_counts(adata, sample)
    spots, _ = _spots(adata, counts, sample)
    return len(spots), len(choose_genes(adata, counts, spots, params, sample)[0])


def _spots(adata: ad.AnnData, counts: sp.csr_matrix, sample: str) -> tuple[np.ndarray, list[Message]]:
    """Rows to model: what passed quality control or, where that has not run, what lies in tissue and has counts."""
    if keys.QC_PASS in adata.obs:
        return np.flatnonzero(passing_spots(adata, sample)), []
    inside = np.ones(adata.n_obs, dtype=bool)
    if keys.IN_TISSUE in adata.obs:
        inside = read_flag(adata.obs, keys.IN_TISSUE, sample)
    seen = np.diff(counts.indptr) > 0
    messages = [
        Message("handled", f"{number} of {adata.n_obs} spots {what} and were not denoised.")
        for number, what in (
            (int((~inside).sum()), "lie outside the tissue"),
            (int((inside & ~seen).sum()), "have no counts"),
        )
        if number
    ]
    return np.flatnonzero(inside & seen), messages


def _add_graph(adata: ad.AnnData, sample: str) -> list[Message]:
    """Build the graph of touching spots into ``adata``."""
    from clearspot.graph.build import build_graph  # the pipeline's sections have a graph already

    record = build_graph(adata, sample)
    degree = record.metrics["mean_degree"]
    built = (
        f"obsp['{keys.CONNECTIVITIES}'] was missing and has been built ({degree:.1f} neighbours per spot on average)."
    )
    return [Message("info", built), *record.messages]


def _graph(adata: ad.AnnData, sample: str, spots: np.ndarray) -> sp.csr_matrix:
    graph = sp.csr_matrix(adata.obsp[keys.CONNECTIVITIES])[spots][:, spots].astype(bool).astype(np.int8)
    graph.eliminate_zeros()
    graph.sort_indices()
    if (graph != graph.T).nnz:
        raise bad_section(
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
        raise bad_section(
            sample, f"no obs['{params.size_factor_key}']", "total counts of all genes", "Leave size_factor_key out."
        )
    empty = int(np.count_nonzero(~(totals > 0)))
    if empty:
        raise bad_section(
            sample, f"{empty} spots without counts", "spots with counts", "Remove them, or flag them in obs['qc_pass']."
        )
    return totals
