"""Metrics of the steps that compute with models: denoising, domains, super-resolution, and what they hand over."""

from __future__ import annotations

from typing import Final

from clearspot.contract.metric import Metric

_DUSTED: Final = ("dusted",)
_DOMAINS: Final = ("domains",)
_HISTOLOGY: Final = ("histology",)
_PRETRAIN: Final = ("superres_pretrain",)
_TRAIN: Final = ("superres_train",)
_SUPERRES: Final = ("superres",)
_MODELS: Final = (*_DUSTED, *_TRAIN, *_SUPERRES)
_DIFFST: Final = (*_TRAIN, *_SUPERRES)
_GRIDS: Final = (*_HISTOLOGY, *_SUPERRES)

_HELD_OUT: Final = "counts are held out"
_SPOTS_HELD_OUT: Final = "enough spots can be held out, and the diffusion is on"
_DIFFUSION_TRAINED: Final = "the diffusion is trained on the sample and not on references"
_GMM: Final = "the Gaussian mixture ran"
_COMPARED: Final = "counts are held out, there are at most 20,000 spots, and the embedding is chosen (auto)"
_LEIDEN: Final = "Leiden ran"
_GMM_CHANCE: Final = f"{_GMM} on a denoised sample"
_LEIDEN_CHANCE: Final = f"{_LEIDEN} on a denoised sample"

# A table: one line a metric where it fits.
# fmt: off
METRICS_OF_MODELS: Final[tuple[Metric, ...]] = (
    # models
    Metric(_MODELS, "n_spots", "count", "Spots modelled", "spots used by the model"),
    Metric(_DIFFST, "n_genes", "count", "Genes", "genes super-resolved"),
    Metric((*_PRETRAIN, *_DIFFST), "n_programs", "count", "Gene programs", "gene programs that represent the genes"),
    Metric((*_DUSTED, *_PRETRAIN, *_TRAIN), "n_parameters", "count", "Parameters", "number of weights of the networks"),
    Metric((*_DUSTED, *_PRETRAIN, *_TRAIN), "checkpoint_sha256", "text", "Checkpoint (SHA-256)",
           when="a checkpoint is written"),
    Metric((*_MODELS, *_PRETRAIN), "peak_memory_bytes", "count", "Peak memory",
           "maximum resident memory of the process", "bytes", "lower"),
    Metric((*_DUSTED, *_SUPERRES), "seconds_total", "number", "Total time", "wall time of the step", "s", "lower"),
    # dusted
    Metric(_DUSTED, "n_genes_modelled", "count", "Genes modelled", "genes modelled by the denoiser"),
    Metric(_DUSTED, "n_edges", "count", "Edges", "edges of the graph between modelled spots"),
    Metric(_DUSTED, "n_tiles", "count", "Tiles", "tiles into which the section was divided"),
    Metric(_DUSTED, "epochs", "count", "Epochs", "training epochs of the denoiser"),
    Metric(_DUSTED, "best_epoch", "count", "Best epoch", "epoch whose weights were kept"),
    Metric(_DUSTED, "loss_first", "score", "First loss", "training loss of the first epoch", better="lower"),
    Metric(_DUSTED, "loss_final", "score", "Final loss", "training loss of the last epoch", better="lower"),
    Metric(_DUSTED, "loss_best", "score", "Best loss", "training loss of the epoch whose weights were kept",
           better="lower"),
    Metric(_DUSTED, "seconds_training", "number", "Training time", "wall time of training", "s", "lower"),
    Metric(_DUSTED, "device", "text", "Device", "device that the networks ran on"),
    Metric(_DUSTED, "precision", "text", "Precision", "number format of the networks"),
    Metric(_DUSTED, "dropout_share", "fraction", "Dropout share",
           "share of the denoised counts attributed to dropout"),
    Metric(_DUSTED, "self_gate_outer", "fraction", "Self gate (outer layers)",
           "weight of a spot's own values in the outer layers", when="the model has self gates"),
    Metric(_DUSTED, "self_gate_inner", "fraction", "Self gate (inner layers)",
           "weight of a spot's own values in the inner layers", when="the model has self gates"),
    Metric(_DUSTED, "gene_attention_min", "fraction", "Gene attention (minimum)", when="the model has gene attention"),
    Metric(_DUSTED, "gene_attention_median", "fraction", "Gene attention (median)",
           when="the model has gene attention"),
    Metric(_DUSTED, "gene_attention_max", "fraction", "Gene attention (maximum)", when="the model has gene attention"),
    Metric(_DUSTED, "heldout_fraction", "fraction", "Held-out counts", "share of the counts held out from training",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_counts", "count", "Number of held-out counts", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_genes_correlated", "count", "Genes with a held-out correlation",
           "genes with a defined held-out correlation", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_dusted", "score", "Held-out deviance, DUSTED",
           "Poisson deviance of held-out counts, DUSTED", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_neighbours", "score", "Held-out deviance, neighbour averaging",
           "Poisson deviance of held-out counts, neighbour averaging", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_constant", "score", "Held-out deviance, gene mean",
           "Poisson deviance of held-out counts, mean of each gene", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_explained_dusted", "skill", "Held-out deviance explained, DUSTED",
           "share of the deviance of the gene means that DUSTED explains", better="higher", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_explained_neighbours", "skill", "Held-out deviance explained, neighbour averaging",
           "share of the deviance of the gene means that neighbour averaging explains", better="higher",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_correlation_dusted", "score", "Held-out correlation, DUSTED",
           "median over genes of the correlation with held-out counts, DUSTED", better="higher", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_correlation_neighbours", "score", "Held-out correlation, neighbour averaging",
           "median over genes of the correlation with held-out counts, neighbour averaging", better="higher",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_beats_neighbours", "flag",
           "Denoising predicts held-out counts better than averages",
           "whether DUSTED predicts held-out counts better than the gene mean and the neighbour mean", better="higher",
           when=_HELD_OUT),
    # domains
    Metric(_DOMAINS, "main", "text", "Domain method", "column of obs with the main domains"),
    Metric(_DOMAINS, "n_domains", "count", "Domains", "number of spatial domains"),
    Metric(_DOMAINS, "domain_embedding", "text", "Embedding of the domains",
           "embedding that was clustered: dusted (latent) or pca (principal components of the spots' own counts)"),
    Metric(_DOMAINS, "domain_explained_dusted", "score", "Held-out counts explained by domains of the latent",
           "fraction of the deviance of held-out counts that domains of the latent explain, median of three "
           "clusterings", better="higher", when=_COMPARED),
    Metric(_DOMAINS, "domain_explained_pca", "score", "Held-out counts explained by domains of principal components",
           "fraction of the deviance of held-out counts that domains of principal components explain, median of three "
           "clusterings", better="higher", when=_COMPARED),
    Metric(_DOMAINS, "n_domain_gmm", "count", "Domains (Gaussian mixture)", when=_GMM),
    Metric(_DOMAINS, "n_domain_leiden", "count", "Domains (Leiden)", when=_LEIDEN),
    Metric(_DOMAINS, "silhouette_domain_gmm", "score", "Silhouette (Gaussian mixture)", "mean silhouette in the latent "
           "space, -1 to 1", better="higher", when=_GMM),
    Metric(_DOMAINS, "silhouette_domain_leiden", "score", "Silhouette (Leiden)", "mean silhouette in the latent space, "
           "-1 to 1", better="higher", when=_LEIDEN),
    Metric(_DOMAINS, "neighbour_agreement_domain_gmm", "fraction", "Neighbours in the same domain (Gaussian mixture)",
           better="higher", when=_GMM),
    Metric(_DOMAINS, "neighbour_agreement_domain_leiden", "fraction", "Neighbours in the same domain (Leiden)",
           better="higher", when=_LEIDEN),
    Metric(_DOMAINS, "neighbour_agreement_by_chance_domain_gmm", "fraction",
           "Neighbours in the same domain by chance (Gaussian mixture)",
           "neighbours in the same domain after clustering the latent of shuffled spots into as many domains",
           when=_GMM_CHANCE),
    Metric(_DOMAINS, "neighbour_agreement_by_chance_domain_leiden", "fraction",
           "Neighbours in the same domain by chance (Leiden)",
           "neighbours in the same domain after clustering the latent of shuffled spots into as many domains",
           when=_LEIDEN_CHANCE),
    Metric(_DOMAINS, "ari_gmm_leiden", "score", "Agreement of the two methods",
           "adjusted Rand index between Gaussian mixture and Leiden domains; 1: identical", when="both methods ran"),
    Metric(_DOMAINS, "leiden_resolution", "number", "Leiden resolution", when=_LEIDEN),
    Metric(_DOMAINS, "moran_n_genes", "count", "Genes tested for Moran's I"),
    Metric(_DOMAINS, "moran_n_significant_measured", "count", "Spatially variable genes",
           "genes whose measured Moran's I is significant (adjusted p below 0.05)", when="permutations are run"),
    Metric(_DOMAINS, "moran_median_measured", "number", "Median Moran's I, measured",
           "median Moran's I of the measured values"),
    Metric(_DOMAINS, "moran_median_denoised", "number", "Median Moran's I, denoised",
           "median Moran's I of the denoised values", when="there are denoised values"),
    Metric(_DOMAINS, "moran_median_neighbour_mean", "number", "Median Moran's I, neighbour mean",
           "median Moran's I of the mean over neighbours"),
    Metric(_DOMAINS, "moran_median_neighbour_mean_shuffled", "number",
           "Median Moran's I, neighbour mean of shuffled spots",
           "median Moran's I of the mean over neighbours after shuffling the spots"),
    # histology, superres: the fine grid
    Metric(_GRIDS, "bin_um", "number", "Bin size", "side of a super-resolved bin", "µm"),
    Metric(_GRIDS, "n_rows", "count", "Rows", "rows of the fine grid"),
    Metric(_GRIDS, "n_cols", "count", "Columns", "columns of the fine grid"),
    Metric(_GRIDS, "image_coverage", "fraction", "Bins covered by the image", better="higher"),
    # histology
    Metric(_HISTOLOGY, "um_per_px", "number", "Pixel size", "side of a pixel of the image", "µm per pixel"),
    Metric(_HISTOLOGY, "n_features", "count", "Image features", "features of the image in each bin"),
    Metric(_HISTOLOGY, "n_patches", "count", "Image patches", "patches of the image at cell level"),
    Metric(_HISTOLOGY, "seconds", "number", "Total time", "wall time of the step", "s", "lower"),
    # superres_pretrain
    Metric(_PRETRAIN, "n_genes", "count", "Genes", "genes known to the model"),
    Metric(_PRETRAIN, "n_references_with_image", "count", "References with an image",
           "references with a histology image used in training"),
    Metric(_PRETRAIN, "pearson_model", "score", "Correlation on held-out blocks",
           "correlation of the model with the bins of held-out blocks, median over genes and references",
           better="higher", when="blocks are held out"),
    Metric(_PRETRAIN, "pearson_gene_head", "score", "Correlation of the gene head",
           "correlation of the gene head alone with the bins of held-out blocks, median over genes and references",
           better="higher", when="blocks of references with an image are held out"),
    Metric(_PRETRAIN, "seconds_gene_head", "number", "Training time of the gene head",
           "wall time of training the gene head", "s", "lower", "a gene head is trained"),
    Metric(_PRETRAIN, "pearson_plain", "score", "Correlation of the baseline",
           "correlation of the estimate without a network with the bins of held-out blocks, median over genes and "
           "references", better="higher", when="blocks are held out"),
    # superres_train
    Metric((*_PRETRAIN, *_TRAIN), "seconds_mean", "number", "Training time of MeanNet",
           "wall time of training MeanNet", "s", "lower"),
    Metric(_TRAIN, "seconds_diffusion", "number", "Training time of the diffusion",
           "wall time of training the diffusion", "s", "lower", _DIFFUSION_TRAINED),
    Metric(_TRAIN, "seconds_scoring", "number", "Scoring time", "wall time of the evaluation on held-out spots", "s",
        "lower",
           _SPOTS_HELD_OUT),
    Metric(_TRAIN, "loss_mean_final", "score", "Final loss of MeanNet", "loss of MeanNet, mean of the last 20 steps",
           better="lower"),
    Metric(_TRAIN, "loss_diffusion_final", "score", "Final loss of the diffusion",
           "loss of the diffusion, mean of the last 20 steps", better="lower", when=_DIFFUSION_TRAINED),
    Metric((*_PRETRAIN, *_TRAIN), "n_references", "count", "References", "references used in training",
           when="references are used"),
    # superres
    Metric(_SUPERRES, "spot_pitch_um", "number", "Spot pitch", "distance of neighbouring spots", "µm"),
    Metric(_SUPERRES, "spot_diameter_um", "number", "Spot diameter", "", "µm"),
    Metric(_SUPERRES, "n_spots_left_out", "count", "Spots left out", "spots not used by the model"),
    Metric(_SUPERRES, "n_bins_on_tissue", "count", "Bins on tissue", "super-resolved bins on tissue"),
    Metric(_SUPERRES, "n_bins_measured", "count", "Bins under a spot (number)", "bins on tissue that lie under a spot"),
    Metric(_SUPERRES, "share_measured", "fraction", "Bins under a spot", "share of the bins on tissue that lie under a "
           "spot"),
    Metric(_SUPERRES, "samples", "count", "Draws", "samples drawn from the diffusion, from which the spread is "
           "computed"),
    Metric(_SUPERRES, "amplitude", "number", "Amplitude", "factor applied to the residual drawn by the diffusion",
           when="the spread comes from the diffusion"),
    Metric(_SUPERRES, "mean_is", "text", "Mean from", "model that provides the predicted mean: diffusion or meannet"),
    Metric(_SUPERRES, "gene_head_weight", "number", "Weight of the gene head",
           "weight of the gene head in the geometric mean with the maps of the programs, chosen on hidden spots; 0 if "
           "it is not used", when="the model has a gene head"),
    Metric(_SUPERRES, "n_genes_of_head", "count", "Genes of the gene head",
           "genes whose maps the gene head changes: those whose hidden spots are predicted better with it"),
    Metric(_SUPERRES, "image_used", "flag", "Image used", "whether the image was used"),
    Metric(_SUPERRES, "n_maps", "count", "Maps", "genes with separate map files", when="genes are listed"),
    # superres_train, superres: scores on held-out spots
    Metric(_DIFFST, "heldout_n_spots", "count", "Held-out spots", "held-out spots used for evaluation",
        when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_amplitude", "number", "Amplitude, chosen",
           "factor applied to the residual if the mean comes from the diffusion", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_amplitude_of_spread", "number", "Amplitude of the spread, chosen",
           "factor applied to the residual if the mean comes from MeanNet", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean", "score", "CRPS, MeanNet",
           "CRPS of held-out spots, MeanNet with gene-wise dispersion (square root of counts)", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean_poisson", "score", "CRPS, MeanNet with Poisson noise", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean_gaussian", "score", "CRPS, MeanNet with Gaussian error", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_spread", "score", "CRPS, diffusion around MeanNet", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_diffusion", "score", "CRPS, diffusion", better="lower", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_correlation_mean", "score", "Correlation, MeanNet",
           "correlation with held-out spots, MeanNet (mean over genes)", better="higher", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_correlation_diffusion", "score", "Correlation, diffusion",
           "correlation with held-out spots, diffusion (mean over genes)", better="higher", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_coverage_mean", "fraction", "Covered by the 90 % interval, MeanNet", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_coverage_spread", "fraction", "Covered by the 90 % interval, diffusion around MeanNet",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_coverage_diffusion", "fraction", "Covered by the 90 % interval, diffusion",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_coverage", "fraction", "Covered by the 90 % interval",
           "share of the counts of held-out spots within the reported 90 % interval", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_diffusion_wins", "flag", "Diffusion beats MeanNet",
           "whether the diffusion predicts held-out spots better than MeanNet", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_spread_is_of_draws", "flag", "Spread from the diffusion",
           "whether the reported spread comes from the diffusion", when=_SPOTS_HELD_OUT),
    # spatialdata
    Metric(("spatialdata", "study_spatialdata"), "store_bytes", "count", "Store size",
           "size of the zipped SpatialData store", "bytes"),
)
# fmt: on
"""In the order of the steps."""
