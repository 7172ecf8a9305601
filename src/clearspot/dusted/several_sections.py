"""Several sections in one AnnData: each normalised and denoised on its own, the results put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.contract.sections import Sections
from clearspot.dusted.inference import Embedding
from clearspot.dusted.params import DustedParams
from clearspot.dusted.result import DustedResult
from clearspot.record import Message, StepRecord

_SUMS: Final = ("n_spots", "n_edges", "n_tiles", "seconds_training", "seconds_total")
_SAME: Final = ("device", "precision")
_LISTED: Final = (
    "n_spots",
    "n_genes_modelled",
    "epochs",
    "best_epoch",
    "loss_final",
    "heldout_deviance_dusted",
    "heldout_deviance_neighbours",
    "heldout_deviance_constant",
)


def file_part(section: str) -> str:
    """A section's name as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", section)


def denoise_each(
    adata: ad.AnnData,
    sections: Sections,
    sample: str,
    params: DustedParams,
    denoise_one: Callable[[ad.AnnData, str, DustedParams, str], DustedResult],
) -> DustedResult:
    """Denoise the sections of an AnnData one after the other, and annotate it as one section would be.

    Each section gets what it would get in a file of its own: size factors over its own median, its own choice of
    variable genes (where ``var['highly_variable']`` is absent) and its own model. Latent values of different sections
    have nothing in common.

    Parameters
    ----------
    adata
        Changed in place.
    sections
        Which observation belongs to which section.
    sample
        Sample name.
    params
        Settings.
    denoise_one
        Denoises a section in place; takes it, a sample name, settings and the section's name.

    Returns
    -------
    The results of all sections as one, with the single ones in ``sections``.
    """
    messages = _own_graphs(adata, sections, sample)
    alone = replace(params, library_key=None)
    layer = np.full(adata.shape, np.nan, dtype=np.float32)
    modelled = np.zeros(adata.n_vars, dtype=bool)
    latents: dict[str, np.ndarray] = {}
    results: dict[str, DustedResult] = {}
    notes: dict[str, Any] = {}
    for code, name in enumerate(sections.names):
        rows = np.flatnonzero(sections.codes == code)
        part = _part(adata, rows)
        result = denoise_one(part, f"{sample}.{file_part(name)}", alone, name)
        results[name] = result
        layer[rows] = part.layers[keys.DENOISED]
        modelled |= part.var[keys.MODELLED].to_numpy()
        for key in (keys.LATENT, keys.LATENT_SHUFFLED, keys.LATENT_TRAINING):
            if key not in part.obsm:
                continue
            values = part.obsm[key]
            whole = latents.setdefault(key, np.full((adata.n_obs, values.shape[1]), np.nan, dtype=np.float32))
            whole[rows] = values
        notes[name.replace("/", "_")] = part.uns[keys.UNS]["dusted"]
    adata.layers[keys.DENOISED] = layer
    for key, whole in latents.items():
        adata.obsm[key] = whole
    adata.var[keys.MODELLED] = modelled
    adata.uns.setdefault(keys.UNS, {})["dusted"] = {"library_key": params.library_key, "sections": notes}
    record = _record(sample, params, results, int(modelled.sum()))
    record.messages = messages + record.messages
    return _joined(record, params, results)


def _own_graphs(adata: ad.AnnData, sections: Sections, sample: str) -> list[Message]:
    """Make sure that there is a graph, and that none of its edges joins two sections."""
    messages = []
    if keys.CONNECTIVITIES in adata.obsp:
        edges = sp.coo_matrix(adata.obsp[keys.CONNECTIVITIES])
        crossing = int((sections.codes[edges.row] != sections.codes[edges.col]).sum()) // 2
        if not crossing:
            return []
        found = f"obsp['{keys.CONNECTIVITIES}'] had {crossing} edges between sections and was rebuilt for each section."
        messages.append(Message("handled", found))
    from clearspot.graph.build import build_graph  # squidpy takes seconds to import, and the pipeline has a graph

    return [*messages, *build_graph(adata, sample, sections=sections.codes).messages]


def _part(adata: ad.AnnData, rows: np.ndarray) -> ad.AnnData:
    """One section, with what the denoiser reads of it."""
    counts = adata.layers.get(keys.COUNTS, adata.X)
    part = ad.AnnData(obs=adata.obs.iloc[rows].copy(), var=adata.var.copy(), layers={keys.COUNTS: counts[rows]})
    part.obsp[keys.CONNECTIVITIES] = sp.csr_matrix(adata.obsp[keys.CONNECTIVITIES])[rows][:, rows]
    if keys.SPATIAL in adata.obsm:
        part.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL])[rows]
    return part


def _record(sample: str, params: DustedParams, results: dict[str, DustedResult], n_genes: int) -> StepRecord:
    metrics = [result.record.metrics for result in results.values()]
    record = StepRecord(sample, "dusted", params=params.as_dict())
    record.metrics = {name: sum(one[name] for one in metrics) for name in _SUMS}
    record.metrics |= {name: metrics[0][name] for name in _SAME}
    record.metrics["n_genes_modelled"] = n_genes
    record.metrics["peak_memory_bytes"] = max(one["peak_memory_bytes"] for one in metrics)
    record.tables["sections"] = {"section": list(results)} | {
        name: [one.get(name) for one in metrics] for name in _LISTED
    }
    record.note(
        "info",
        f"{len(results)} sections were normalised and denoised separately: {', '.join(results)}. Values of "
        f"obsm['{keys.LATENT}'] are comparable within a section, not between sections.",
    )
    for name, result in results.items():
        for message in result.record.messages:
            record.note(message.level, f"{name}: {message.text}")
    return record


def _joined(record: StepRecord, params: DustedParams, results: dict[str, DustedResult]) -> DustedResult:
    parts = list(results.values())
    starts = np.cumsum([0] + [len(part.barcodes) for part in parts[:-1]])

    def joined(name: str, shifted: bool = False) -> np.ndarray:
        values = [getattr(part.embedding, name) for part in parts]
        if shifted:
            values = [value + start for value, start in zip(values, starts, strict=True)]
        return np.concatenate(values)

    return DustedResult(
        record=record,
        params=params,
        embedding=Embedding(
            joined("latent"), joined("receiver", True), joined("neighbour", True), joined("outer"), joined("inner")
        ),
        barcodes=tuple(barcode for part in parts for barcode in part.barcodes),
        training=pd.concat([part.training.assign(section=name) for name, part in results.items()], ignore_index=True),
        gene_attention=None,
        sections=results,
    )
