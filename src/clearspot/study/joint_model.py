"""One DUSTED model of all sections of a study."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import torch
from numpy.typing import NDArray

from clearspot import keys
from clearspot.dusted.evaluation import HeldOutComparison
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.inference import embed
from clearspot.dusted.model import Dusted
from clearspot.dusted.params import DustedParams
from clearspot.dusted.run import Run
from clearspot.dusted.section import Section, StudySections
from clearspot.dusted.training import TrainingState
from clearspot.learning.device import resolve_device
from clearspot.learning.memory import gpu_memory_errors, peak_memory_bytes
from clearspot.study.batch_factors import batch_factors
from clearspot.threads import cpu_threads


@dataclass
class JointModel:
    """A trained model of several sections.

    Parameters
    ----------
    latent
        Shape ``(n_spots, latent)``.
    factors
        What each section multiplies each modelled gene's rate by, shape ``(n_sections, n_genes)``.
    genes
        Modelled genes.
    metrics
        Metrics of the step ``study`` that are about training and held-out counts.
    training
        Loss and held-out score of each epoch, column by column.
    totals
        What another section is normalised with: total counts of a spot whose size factor is 1 (``size_factor``), and
        the total that the input's counts are brought to (``input``).
    """

    latent: NDArray[np.float32]
    factors: NDArray[np.float32]
    genes: tuple[str, ...]
    metrics: dict[str, Any]
    training: dict[str, list[float]]
    totals: dict[str, float]


def train_jointly(
    adata: ad.AnnData,
    study: str,
    section: NDArray[np.intp],
    batch: NDArray[np.intp],
    params: DustedParams,
    *,
    checkpoint: Path | None = None,
    progress: bool = False,
) -> JointModel:
    """Train one network on all sections.

    The graph has no edge between sections, size factors are totals over the median of all spots, and tiles lie within
    sections. A batch multiplies the rate of each gene by a factor of its own
    (:func:`clearspot.study.batch_factors.batch_factors`); the gene dispersions are those of all batches.

    Parameters
    ----------
    adata
        Passing spots of all sections with counts, positions, graph and ``var['highly_variable']``.
    study
        Name of the study, for messages.
    section
        Section of each spot, 0, 1, ..., shape ``(n_spots,)``.
    batch
        Batch of each section, shape ``(n_sections,)``; all 0: nothing is corrected.
    params
        Settings of DUSTED.
    checkpoint
        File for the trained model.
    progress
        Show progress on standard error.
    """
    together = replace(params, library_key=keys.SAMPLE_ID)
    device = resolve_device(params.device)
    with cpu_threads(params.threads), gpu_memory_errors("max_spots_per_tile"):
        source = read_section(_side_by_side(adata, section), study, together)
        whole = source.section
        factors = np.ones((len(batch), whole.n_genes), dtype=np.float32)
        if batch.max() > 0:
            factors = batch_factors(whole.counts, whole.size_factor, batch[section], params.seed)[batch]
        source = replace(source, section=replace(whole, study=StudySections(section, factors)))
        run = Run(source, study, together, device)
        began = time.perf_counter()
        model, state, _ = run.train(checkpoint, None, None, progress)
        run.save(checkpoint, model, state)
        latent = embed(model, source.section, run.tiles, device).latent
        metrics = _metrics(model, state, run.compare(model), together) | {
            "n_genes_modelled": whole.n_genes,
            "n_tiles": len(run.tiles),
            "seconds_training": time.perf_counter() - began,
            "peak_memory_bytes": peak_memory_bytes(),
        }
    training: dict[str, list[float]] = {"epoch": [*range(1, state.epoch + 1)], "loss": state.loss}
    if state.score:
        training["held_out"] = state.score
    return JointModel(latent, factors, source.section.genes, metrics, training, _totals(adata, whole, together))


def _totals(adata: ad.AnnData, whole: Section, params: DustedParams) -> dict[str, float]:
    counted = np.asarray(adata.layers[keys.COUNTS].sum(axis=1), dtype=np.float64).ravel()
    modelled = np.asarray(whole.counts.sum(axis=1), dtype=np.float64).ravel()
    of_input = np.median(modelled if params.normalise_over == "modelled" else counted)
    return {"size_factor": float(np.median(counted)), "input": float(params.target_sum or of_input)}


def _side_by_side(adata: ad.AnnData, section: NDArray[np.intp]) -> ad.AnnData:
    """The same spots with places of their own: sections use the same coordinates."""
    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[:, :2]
    low, width = xy[:, 0].min(), np.ptp(xy[:, 0]) + 1.0
    moved = np.column_stack([xy[:, 0] - low + section * width, xy[:, 1]])
    apart = ad.AnnData(obs=adata.obs[[keys.SAMPLE_ID]], var=adata.var, layers={keys.COUNTS: adata.layers[keys.COUNTS]})
    apart.obsm[keys.SPATIAL] = moved
    apart.obsp[keys.CONNECTIVITIES] = adata.obsp[keys.CONNECTIVITIES]
    return apart


def _metrics(
    model: Dusted, state: TrainingState, comparison: HeldOutComparison | None, params: DustedParams
) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "epochs": state.epoch,
        "best_epoch": state.best_epoch + 1,
        "device": model.encoder_outer.device.type,
        "precision": str(model.compute).removeprefix("torch."),
    }
    if model.self_gates is not None:
        outer, inner = torch.sigmoid(model.self_gates.detach()).tolist()
        metrics |= {"self_gate_outer": outer, "self_gate_inner": inner}
    if comparison is not None:
        constant = comparison.constant.deviance
        metrics |= {
            "heldout_fraction": params.holdout,
            "heldout_counts": int(comparison.dusted.gene_counts.sum()),
            "heldout_deviance_constant": constant,
            "heldout_deviance_dusted": comparison.dusted.deviance,
            "heldout_explained_dusted": 1 - comparison.dusted.deviance / constant,
            "heldout_deviance_neighbours": comparison.neighbours.deviance,
            "heldout_explained_neighbours": 1 - comparison.neighbours.deviance / constant,
            "heldout_beats_neighbours": comparison.dusted.deviance < min(comparison.neighbours.deviance, constant),
        }
    return metrics
