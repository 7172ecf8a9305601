"""From a finished run to the AnnData's annotations, the step's record and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import torch

from clearspot import keys
from clearspot.dusted.evaluation import MIN_COUNTS_FOR_CORRELATION, HeldOutComparison
from clearspot.dusted.from_anndata import Source
from clearspot.dusted.inference import Embedding
from clearspot.dusted.model import Dusted
from clearspot.dusted.params import DustedParams
from clearspot.dusted.result import DustedResult
from clearspot.dusted.training import TrainingState
from clearspot.learning.memory import peak_memory_bytes
from clearspot.record import StepRecord
from clearspot.version import versions

TABLE_GENES = 200
"""Genes listed one by one in the record: those with the most held-out counts."""

GAINED_GENES = 48
"""Genes listed whose held-out counts the model predicts better than averages and the spots' own counts do."""

EXTREME_GENES = 20
"""Genes listed at either end of the gene attention."""


@dataclass
class Outcome:
    """All that a run came to.

    Parameters
    ----------
    source, params, model, state, embedding, comparison
        What went in and what came out; ``comparison`` is ``None`` without a hold-out.
    shuffled_latent
        Latent of the section with its spots shuffled over the places.
    training_latent
        Latent of the counts that the model was trained on; None where none were held out, or spots are many.
    tiles
        Number of tiles.
    seconds_training, seconds_total
        Wall time.
    checkpoint_sha256
        Of the checkpoint, if one was written.
    denoised_file
        Name of the file with the denoised values, if they are not in the AnnData.
    dropout_share
        Share of the denoised counts that the model takes for lost to drop-out; 0 under NB.
    """

    source: Source
    params: DustedParams
    model: Dusted
    state: TrainingState
    embedding: Embedding
    shuffled_latent: np.ndarray
    training_latent: np.ndarray | None
    comparison: HeldOutComparison | None
    tiles: int
    seconds_training: float
    checkpoint_sha256: str | None
    denoised_file: str | None = None
    dropout_share: float = 0.0
    seconds_total: float = 0.0

    @property
    def gene_attention(self) -> np.ndarray | None:
        """``A_gc`` of every modelled gene, or ``None``."""
        if self.model.gene_attention is None:
            return None
        with torch.no_grad():
            return self.model.gene_attention().float().cpu().numpy()


def annotate(adata: ad.AnnData, outcome: Outcome) -> None:
    """Set latents, gene columns and ``uns['clearspot']['dusted']``, in place."""
    source = outcome.source
    latents = {
        keys.LATENT: outcome.embedding.latent,
        keys.LATENT_SHUFFLED: outcome.shuffled_latent,
        keys.LATENT_TRAINING: outcome.training_latent,
    }
    for key, values in latents.items():
        if values is None:
            continue
        latent = np.full((adata.n_obs, values.shape[1]), np.nan, dtype=np.float32)
        latent[source.spots] = values
        adata.obsm[key] = latent
    modelled = np.zeros(adata.n_vars, dtype=bool)
    modelled[source.genes] = True
    adata.var[keys.MODELLED] = modelled
    attention = outcome.gene_attention
    if attention is not None:
        column = np.full(adata.n_vars, np.nan, dtype=np.float32)
        column[source.genes] = attention
        adata.var[keys.GENE_ATTENTION] = column
    note: dict[str, Any] = {
        "params": {name: _storable(value) for name, value in outcome.params.as_dict().items() if value is not None},
        "seed": outcome.params.seed,
        keys.VERSIONS: versions(["torch", "anndata"]),
        "epochs": outcome.state.epoch,
        "best_epoch": outcome.state.best_epoch + 1,
        "best_loss": outcome.state.loss[outcome.state.best_epoch],
    }
    if outcome.checkpoint_sha256 is not None:
        note["checkpoint_sha256"] = outcome.checkpoint_sha256
    if outcome.denoised_file is not None:
        note["denoised_file"] = outcome.denoised_file
    adata.uns.setdefault(keys.UNS, {})["dusted"] = note


def build_result(adata: ad.AnnData, sample: str, outcome: Outcome) -> DustedResult:
    """Make the result with its record."""
    state, source = outcome.state, outcome.source
    training = pd.DataFrame({"epoch": np.arange(1, state.epoch + 1), "loss": state.loss, "learning_rate": state.lr})
    if state.score:
        training["held_out"] = state.score
    attention = outcome.gene_attention
    by_gene = None if attention is None else pd.Series(attention, index=source.section.genes, name="attention")
    record = StepRecord(
        sample, "dusted", metrics=_metrics(outcome), params=outcome.params.as_dict(), messages=list(source.messages)
    )
    record.tables["training"] = training.to_dict(orient="list")
    if by_gene is not None:
        ranked = by_gene.sort_values(ascending=False, kind="stable")
        for name, part in (("top", ranked.head(EXTREME_GENES)), ("bottom", ranked.tail(EXTREME_GENES)[::-1])):
            record.tables[f"gene_attention_{name}"] = {"gene": part.index.tolist(), "attention": part.tolist()}
    if outcome.comparison is not None:
        record.tables["heldout_genes"] = _heldout_table(outcome.comparison, source.section.genes)
        record.tables["heldout_gained"] = _gained_table(outcome.comparison, source.section.genes)
        if not record.metrics["heldout_beats_neighbours"]:
            record.note(
                "warning",
                "The denoised values do not predict held-out counts better than averages. Use them for display only, "
                "not for conclusions.",
            )
    if outcome.denoised_file is not None:
        record.note(
            "info",
            f"The denoised values of the {source.section.n_genes:,} modelled genes are in {outcome.denoised_file}: a "
            f"layer over all genes would need {4 * adata.n_obs * adata.n_vars / 2**30:.1f} GiB.",
        )
    if state.epoch < outcome.params.epochs:
        record.note(
            "info",
            f"Training stopped after {state.epoch} epochs, because the score did not improve for "
            f"{outcome.params.patience} epochs.",
        )
    return DustedResult(
        record=record,
        params=outcome.params,
        embedding=outcome.embedding,
        barcodes=tuple(adata.obs_names[source.spots].astype(str)),
        training=training,
        gene_attention=by_gene,
    )


def _metrics(outcome: Outcome) -> dict[str, Any]:
    state, section = outcome.state, outcome.source.section
    metrics: dict[str, Any] = {
        "n_spots": section.n_spots,
        "n_genes_modelled": section.n_genes,
        "n_edges": section.graph.nnz // 2,
        "n_tiles": outcome.tiles,
        "n_parameters": sum(parameter.numel() for parameter in outcome.model.parameters()),
        "epochs": state.epoch,
        "best_epoch": state.best_epoch + 1,
        "loss_first": state.loss[0],
        "loss_final": state.loss[-1],
        "loss_best": state.loss[state.best_epoch],
        "seconds_training": outcome.seconds_training,
        "seconds_total": outcome.seconds_total,
        "peak_memory_bytes": peak_memory_bytes(),
        "device": outcome.model.encoder_outer.device.type,
        "precision": str(outcome.model.compute).removeprefix("torch."),
        "dropout_share": outcome.dropout_share,
        "checkpoint_sha256": outcome.checkpoint_sha256,
    }
    gates = outcome.model.self_gates
    if gates is not None:
        outer, inner = torch.sigmoid(gates.detach()).tolist()
        metrics |= {"self_gate_outer": outer, "self_gate_inner": inner}
    attention = outcome.gene_attention
    if attention is not None:
        metrics |= {
            "gene_attention_min": attention.min(),
            "gene_attention_median": np.median(attention),
            "gene_attention_max": attention.max(),
        }
    if outcome.comparison is not None:
        metrics |= _heldout_metrics(outcome.comparison, outcome.params.holdout)
    return metrics


def _heldout_metrics(comparison: HeldOutComparison, fraction: float) -> dict[str, Any]:
    constant = comparison.constant.deviance
    metrics: dict[str, Any] = {
        "heldout_fraction": fraction,
        "heldout_counts": int(comparison.dusted.gene_counts.sum()),
        "heldout_deviance_constant": constant,
        "heldout_beats_neighbours": comparison.dusted.deviance < min(comparison.neighbours.deviance, constant),
        "heldout_deviance_dusted": comparison.dusted.deviance,
        "heldout_explained_dusted": 1 - comparison.dusted.deviance / constant,
        "heldout_deviance_neighbours": comparison.neighbours.deviance,
        "heldout_explained_neighbours": 1 - comparison.neighbours.deviance / constant,
    }
    for name, score in (
        ("heldout_correlation_dusted", comparison.dusted),
        ("heldout_correlation_neighbours", comparison.neighbours),
    ):
        correlation = score.gene_correlation
        measured = np.isfinite(correlation)
        metrics["heldout_genes_correlated"] = int(measured.sum())
        if measured.any():
            metrics[name] = float(np.median(correlation[measured]))
    return metrics


def _heldout_table(comparison: HeldOutComparison, genes: tuple[str, ...]) -> dict[str, list[Any]]:
    counts = comparison.dusted.gene_counts
    rows = np.argsort(-counts, kind="stable")[:TABLE_GENES]
    table: dict[str, list[Any]] = {"gene": [genes[row] for row in rows], "heldout_counts": counts[rows].tolist()}
    for name, score in (
        ("dusted", comparison.dusted),
        ("neighbours", comparison.neighbours),
        ("constant", comparison.constant),
    ):
        table[f"deviance_{name}"] = score.gene_deviance[rows].tolist()
        if name != "constant":
            table[f"correlation_{name}"] = score.gene_correlation[rows].tolist()
    return table


def _gained_table(comparison: HeldOutComparison, genes: tuple[str, ...]) -> dict[str, list[Any]]:
    """Genes whose held-out counts the model predicts better than all else, the largest gain first."""
    gain, constant = comparison.gene_gain, comparison.constant.gene_deviance
    measured = np.where(comparison.dusted.gene_counts >= MIN_COUNTS_FOR_CORRELATION, gain, 0.0)
    rows = [row for row in np.argsort(-measured, kind="stable")[:GAINED_GENES] if measured[row] > 0]
    table: dict[str, list[Any]] = {"gene": [genes[row] for row in rows], "gain": gain[rows].tolist()}
    for name in ("dusted", "neighbours", "own"):
        table[f"explained_{name}"] = (1 - getattr(comparison, name).gene_deviance[rows] / constant[rows]).tolist()
    return table


def _storable(value: Any) -> Any:
    """A value that ``.h5ad`` can hold: an empty tuple has no type there."""
    return np.array(value, dtype=np.str_) if isinstance(value, tuple) else value
