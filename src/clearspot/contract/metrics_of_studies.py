"""Metrics of a study of several sections."""

from __future__ import annotations

from typing import Final

from clearspot.contract.metric import Metric

_STUDY: Final = ("study",)

_JOINT: Final = "DUSTED integrates the sections"
_HELD_OUT: Final = f"{_JOINT}, and counts are held out"
_COMPARED: Final = "conditions were compared"

# A table: one line a metric where it fits.
# fmt: off
METRICS_OF_STUDIES: Final[tuple[Metric, ...]] = (
    Metric(_STUDY, "n_sections", "count", "Sections"),
    Metric(_STUDY, "n_spots", "count", "Spots", "spots of all sections that passed quality control"),
    Metric(_STUDY, "n_genes_shared", "count", "Shared genes", "genes that all sections have"),
    Metric(_STUDY, "n_donors", "count", "Donors", "donors that are stated"),
    Metric(_STUDY, "n_batches", "count", "Batches", "batches; a section without one is a batch of its own"),
    Metric(_STUDY, "n_conditions", "count", "Conditions", "conditions that are stated"),
    # integration
    Metric(_STUDY, "integration", "text", "Integration",
           "method of the shared latent: dusted_harmony, dusted, harmony, pca_harmony or none"),
    Metric(_STUDY, "batch_corrected", "flag", "Batch effect corrected"),
    Metric(_STUDY, "batch_confounded", "flag", "Batch and condition confounded",
           "whether each batch has sections of one condition only"),
    Metric(_STUDY, "mixing_before", "score", "Mixing before integration",
           "nearest neighbours from other batches in the principal components, relative to chance (1)"),
    Metric(_STUDY, "mixing_after", "score", "Mixing after integration",
           "nearest neighbours from other batches in the shared latent, relative to chance (1)"),
    Metric(_STUDY, "batch_silhouette_before", "score", "Silhouette of batches before integration",
           "mean silhouette of the batches in the principal components, -1 to 1"),
    Metric(_STUDY, "batch_silhouette_after", "score", "Silhouette of batches after integration",
           "mean silhouette of the batches in the shared latent, -1 to 1"),
    Metric(_STUDY, "n_genes_modelled", "count", "Genes modelled", "genes of the model of all sections", when=_JOINT),
    Metric(_STUDY, "n_tiles", "count", "Tiles", "tiles into which the sections were divided", when=_JOINT),
    Metric(_STUDY, "epochs", "count", "Epochs", "training epochs of the model of all sections", when=_JOINT),
    Metric(_STUDY, "best_epoch", "count", "Best epoch", "epoch whose weights were kept", when=_JOINT),
    Metric(_STUDY, "seconds_training", "number", "Training time", "wall time of training", "s", "lower", when=_JOINT),
    Metric(_STUDY, "peak_memory_bytes", "count", "Peak memory", "maximum resident memory of the process", "bytes",
           "lower", when=_JOINT),
    Metric(_STUDY, "device", "text", "Device", "device that the networks ran on", when=_JOINT),
    Metric(_STUDY, "precision", "text", "Precision", "number format of the networks", when=_JOINT),
    Metric(_STUDY, "self_gate_outer", "fraction", "Self gate (outer layers)",
           "weight of a spot's own values in the outer layers", when=_JOINT),
    Metric(_STUDY, "self_gate_inner", "fraction", "Self gate (inner layers)",
           "weight of a spot's own values in the inner layers", when=_JOINT),
    Metric(_STUDY, "heldout_fraction", "fraction", "Held-out counts", "share of the counts held out from training",
           when=_HELD_OUT),
    Metric(_STUDY, "heldout_counts", "count", "Number of held-out counts", when=_HELD_OUT),
    Metric(_STUDY, "heldout_deviance_dusted", "score", "Held-out deviance, DUSTED",
           "Poisson deviance of held-out counts, DUSTED of all sections", better="lower", when=_HELD_OUT),
    Metric(_STUDY, "heldout_deviance_neighbours", "score", "Held-out deviance, neighbour averaging",
           "Poisson deviance of held-out counts, neighbour averaging", better="lower", when=_HELD_OUT),
    Metric(_STUDY, "heldout_deviance_constant", "score", "Held-out deviance, gene mean",
           "Poisson deviance of held-out counts, mean of each gene times the factor of its batch", better="lower",
           when=_HELD_OUT),
    Metric(_STUDY, "heldout_explained_dusted", "skill", "Held-out deviance explained, DUSTED",
           "share of the deviance of the gene means that DUSTED explains", better="higher", when=_HELD_OUT),
    Metric(_STUDY, "heldout_explained_neighbours", "skill", "Held-out deviance explained, neighbour averaging",
           "share of the deviance of the gene means that neighbour averaging explains", better="higher",
           when=_HELD_OUT),
    Metric(_STUDY, "heldout_beats_neighbours", "flag", "DUSTED predicts held-out counts better than averages",
           "whether DUSTED predicts held-out counts better than the gene mean and the neighbour mean", better="higher",
           when=_HELD_OUT),
    # shared domains
    Metric(_STUDY, "n_domains", "count", "Shared domains", "number of domains of all sections together"),
    Metric(_STUDY, "n_domains_of_one_section", "count", "Domains of one section",
           "domains with 99 % or more of their spots in one section"),
    Metric(_STUDY, "assignment_probability_median", "fraction", "Probability of the assignment",
           "median posterior probability of a spot's domain", better="higher"),
    Metric(_STUDY, "fraction_assigned_surely", "fraction", "Spots assigned with certainty",
           "share of the spots whose domain has a posterior probability of 0.9 or more", better="higher"),
    # differences between conditions
    Metric(_STUDY, "compared", "flag", "Conditions compared"),
    Metric(_STUDY, "comparison_paired", "flag", "Paired comparison",
           "whether every donor has sections of all conditions", when=_COMPARED),
    Metric(_STUDY, "n_domains_compared", "count", "Domains compared",
           "domains whose genes were compared between conditions", when=_COMPARED),
    Metric(_STUDY, "n_domains_changed", "count", "Domains of different size",
           "domains whose share differs between conditions (adjusted p below 0.05)", when=_COMPARED),
    Metric(_STUDY, "n_genes_compared", "count", "Tests of genes", "genes tested, summed over domains", when=_COMPARED),
    Metric(_STUDY, "n_genes_changed", "count", "Genes changed",
           "genes that differ between conditions (adjusted p below 0.05), summed over domains", when=_COMPARED),
    Metric(_STUDY, "seconds_total", "number", "Total time", "wall time of the step", "s", "lower"),
)
# fmt: on
"""In the order of the step."""
