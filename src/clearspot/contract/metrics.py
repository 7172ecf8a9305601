"""Every metric that a step writes into its record, declared once: name, kind, unit, words, direction.

Reports, ``qc_summary.csv``, limits and the tables of the documentation take them from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clearspot.contract.metric import Better, Kind, Metric

_SHEET: Final = ("samplesheet",)
_CHECK: Final = ("check",)
_REFERENCE: Final = ("reference",)
_INGEST: Final = ("ingest",)
_QC: Final = ("qc",)
_GRAPH: Final = ("graph",)
_DUSTED: Final = ("dusted",)
_DOMAINS: Final = ("domains",)
_HISTOLOGY: Final = ("histology",)
_PRETRAIN: Final = ("superres_pretrain",)
_TRAIN: Final = ("superres_train",)
_SUPERRES: Final = ("superres",)
_INPUT: Final = (*_CHECK, *_INGEST)
_MODELS: Final = (*_DUSTED, *_TRAIN, *_SUPERRES)
_DIFFST: Final = (*_TRAIN, *_SUPERRES)
_GRIDS: Final = (*_HISTOLOGY, *_SUPERRES)

_HD: Final = "Visium HD"
_IMAGE: Final = "an image is given"
_ENCODER: Final = "an image encoder is given"
_HELD_OUT: Final = "counts are held out"
_SPOTS_HELD_OUT: Final = "enough spots can be held out, and there is a diffusion"
_DIFFUSION_TRAINED: Final = "the diffusion is trained on the sample, and not on references"
_STRUCTURE: Final = "there are enough spots and genes to test"
_PICTURE: Final = "a stained section's picture, its scale and at least 50 spots are there"
_REGULAR: Final = "the spots stand on a regular lattice"
_SCALE: Final = "micrometres per pixel are known"
_ENOUGH: Final = "there are at least 75 spots, or cells of 100 µm"
_RAW_MATRIX: Final = "there is a raw matrix, and positions outside the tissue"
_HIRES: Final = "there is a hires image on a bright ground"
_GMM: Final = "the Gaussian mixture ran"
_LEIDEN: Final = "Leiden ran"
_GMM_CHANCE: Final = f"{_GMM}, after the denoiser"
_LEIDEN_CHANCE: Final = f"{_LEIDEN}, after the denoiser"

# A table: one line a metric where it fits.
# fmt: off
METRICS: Final[tuple[Metric, ...]] = (
    # samplesheet
    Metric(_SHEET, "n_query", "count", "Samples", "samples to be analysed"),
    Metric(_SHEET, "n_reference", "count", "References", "references for super-resolution"),
    # check, ingest
    Metric(_INPUT, "assay", "text", "Assay", "kind of Space Ranger output"),
    Metric(_INPUT, "slide_type", "text", "Slide", "kind of slide"),
    Metric(_INPUT, "chemistry", "text", "Chemistry", "chemistry as Space Ranger states it",
           when="the matrix states it"),
    Metric(_INPUT, "software_version", "text", "Space Ranger", "Space Ranger's version", when="the matrix states it"),
    Metric(_INPUT, "bin_size_um", "number", "Bin size", "side of a Visium HD bin", "µm", when=_HD),
    Metric(_INPUT, "microns_per_pixel", "number", "Pixel size",
           "side of a pixel of the full-resolution image", "µm per pixel", when=_SCALE),
    Metric(_INPUT, "microns_per_pixel_source", "text", "Source of the pixel size", when=_SCALE),
    Metric(_INPUT, "library_id", "text", "Library", "name of the library in the matrix"),
    Metric(_INPUT, "n_positions", "count", "Positions", "positions in the positions file, in and outside tissue"),
    Metric(_INPUT, "n_antibodies", "count", "Antibodies", "antibodies counted beside the genes",
           when="ingest: there are any"),
    # check
    Metric(_CHECK, "bins_available", "text", "Bin sizes available", "bin sizes in the output, in µm", when=_HD),
    Metric(_CHECK, "matrix", "text", "Matrix", "file with the counts"),
    Metric(_CHECK, "has_raw_matrix", "flag", "Raw matrix", "whether there is a matrix of all positions"),
    Metric(_CHECK, "positions", "text", "Positions file"),
    Metric(_CHECK, "has_metrics_summary", "flag", "Space Ranger's summary", "whether there is a metrics_summary.csv"),
    Metric(_CHECK, "n_barcodes", "count", "Barcodes", "barcodes in the matrix"),
    Metric(_CHECK, "n_features", "count", "Features", "genes and antibodies in the matrix"),
    Metric(_CHECK, "n_entries", "count", "Non-zero entries", "non-zero entries of the matrix"),
    Metric(_CHECK, "n_genes", "count", "Genes", "genes in the matrix"),
    Metric(_CHECK, "n_repeated_symbols", "count", "Duplicated gene symbols", "genes whose symbol another gene has too"),
    Metric(_CHECK, "genomes", "text", "Genomes", "genomes in the matrix", when="the matrix states them"),
    Metric(_CHECK, "has_mt_genes", "flag", "Mitochondrial genes", "whether there are mitochondrial genes"),
    Metric(_CHECK, "has_ribo_genes", "flag", "Ribosomal protein genes", "whether there are ribosomal protein genes"),
    Metric(_CHECK, "has_hb_genes", "flag", "Haemoglobin genes", "whether there are haemoglobin genes"),
    Metric(_CHECK, "n_positions_in_tissue", "count", "Positions under tissue"),
    Metric(_CHECK, "n_spots", "count", "Spots under tissue", "spots of the matrix under tissue"),
    Metric(_CHECK, "n_spots_without_counts", "count", "Empty spots", "spots under tissue without counts",
           better="lower"),
    Metric(_CHECK, "umis_in_tissue", "count", "UMI counts under tissue", better="higher"),
    Metric(_CHECK, "grid_residual_px", "number", "Grid residual",
           "distance of the positions from a regular grid (root mean square)", "pixels", "lower", _REGULAR),
    Metric(_CHECK, "microns_per_pixel_from_pitch", "number", "Pixel size from the pitch",
           "pixel size from the distance of the spots", "µm per pixel", when=_REGULAR),
    Metric(_CHECK, "microns_per_pixel_from_scale_factors", "number", "Pixel size from the scale factors",
           "", "µm per pixel", when="the scale factors state it or a spot diameter"),
    Metric(_CHECK, "scale_factors_fit_spots", "flag", "Scale factors fit the spots",
           "whether the stated spot diameter fits the distance of the spots", better="higher", when=_REGULAR),
    Metric(_CHECK, "images", "text", "Reduced images", "Space Ranger's reduced images", when="there are any"),
    Metric(_CHECK, "image_kind", "text", "Kind of the reduced image", when="there is a reduced image"),
    Metric(_CHECK, "fraction_tissue_in_image", "fraction", "Spots inside the image",
           "share of the spots under tissue that lie inside the reduced image", better="higher",
           when="there is a reduced image"),
    Metric(_CHECK, "image", "text", "Image", "file of the full-resolution image", when=_IMAGE),
    Metric(_CHECK, "image_width", "count", "Image width", unit="pixels", when=_IMAGE),
    Metric(_CHECK, "image_height", "count", "Image height", unit="pixels", when=_IMAGE),
    Metric(_CHECK, "image_channels", "count", "Image channels", when=_IMAGE),
    Metric(_CHECK, "image_dtype", "text", "Image data type", when=_IMAGE),
    Metric(_CHECK, "image_scale", "number", "Image scale", "pixels of the image per pixel of the positions",
           when=_IMAGE),
    Metric(_CHECK, "superres_possible", "flag", "Super-resolution possible",
           "whether the input allows super-resolution", better="higher"),
    Metric(_CHECK, "superres_reason", "text", "Reason against super-resolution",
           "what super-resolution lacks", when="super-resolution is not possible"),
    # reference
    Metric(_REFERENCE, "reference_kind", "text", "Kind of reference", "Visium HD or Xenium"),
    Metric(_REFERENCE, "bin_um", "number", "Bin size", "side of a bin of the reference", "µm"),
    Metric(_REFERENCE, "n_bins_on_tissue", "count", "Bins on tissue"),
    Metric(_REFERENCE, "n_genes", "count", "Genes", "genes of the reference"),
    Metric(_REFERENCE, "total_counts", "number", "Counts", "counts of the reference"),
    Metric(_REFERENCE, "has_image", "flag", "With image", "whether the reference comes with its histology image"),
    Metric(_REFERENCE, "um_per_px", "number", "Pixel size", "side of a pixel of the reference's image", "µm per pixel",
           when=_IMAGE),
    Metric(_REFERENCE, "image_coverage", "fraction", "Tissue covered by the image",
           "share of the reference's bins on tissue that its image covers", better="higher", when=_IMAGE),
    Metric(_REFERENCE, "n_features", "count", "Image features", "features of the image in each bin", when=_IMAGE),
    Metric((*_REFERENCE, *_HISTOLOGY), "image_encoder", "text", "Image encoder",
           "architecture of the pretrained image encoder, and hash of its weights and settings", when=_ENCODER),
    # ingest
    Metric(_INGEST, "n_in_tissue", "count", "Spots under tissue", "spots under tissue", better="higher"),
    Metric(_INGEST, "n_in_tissue_without_counts", "count", "Empty spots", "spots under tissue without counts: left out",
           better="lower"),
    Metric(_INGEST, "n_spots", "count", "Spots with counts", "spots under tissue that have counts", better="higher"),
    Metric(_INGEST, "n_genes", "count", "Genes", "genes of the sample"),
    Metric(_INGEST, "n_genes_detected", "count", "Genes detected", "genes with at least one count", better="higher"),
    Metric(_INGEST, "n_genomes", "count", "Genomes", "genomes that the genes belong to"),
    Metric(_INGEST, "total_umi", "count", "UMI counts", "UMI counts under tissue", better="higher"),
    Metric(_INGEST, "median_umi_per_spot", "number", "Median UMI counts per spot", "median UMI counts per spot",
           better="higher"),
    Metric(_INGEST, "median_genes_per_spot", "number", "Median genes per spot", better="higher"),
    Metric(_INGEST, "n_positions_outside_tissue", "count", "Positions outside the tissue",
           when="there is a raw matrix"),
    Metric(_INGEST, "umi_outside_tissue", "count", "UMI counts outside the tissue", "number of UMI counts outside the "
           "tissue", better="lower", when="there is a raw matrix"),
    Metric(_INGEST, "fraction_umi_outside_tissue", "fraction", "Share of UMI counts outside the tissue",
           "share of UMI counts outside the tissue", better="lower", when="there is a raw matrix"),
    # qc
    Metric(_QC, "n_spots", "count", "Spots", "spots before quality control"),
    Metric(_QC, "n_spots_pass", "count", "Spots kept", "spots that pass quality control", better="higher"),
    Metric(_QC, "percent_spots_pass", "percent", "Spots that pass quality control", "spots that pass quality control",
           better="higher"),
    Metric(_QC, "n_genes", "count", "Genes", "genes before quality control"),
    Metric(_QC, "n_genes_pass", "count", "Genes kept", "genes that pass quality control", better="higher"),
    Metric(_QC, "n_genes_fail", "count", "Genes removed", "genes that fail quality control"),
    Metric(_QC, "n_hvgs", "count", "Highly variable genes"),
    Metric(_QC, "hvg_method", "text", "Ranking of the genes", "method that ranked the variable genes"),
    Metric(_QC, "total_counts", "count", "Counts", "counts of all spots", better="higher"),
    Metric(_QC, "median_counts", "number", "Median UMI counts per spot", "median UMI counts per spot, all spots",
           better="higher"),
    Metric(_QC, "median_counts_pass", "number", "Median UMI counts per kept spot",
           "median UMI counts of the spots that pass", better="higher"),
    Metric(_QC, "median_genes", "number", "Median genes per spot", "median genes per spot, all spots", better="higher"),
    Metric(_QC, "median_genes_pass", "number", "Median genes per kept spot", "median genes of the spots that pass",
           better="higher"),
    Metric(_QC, "median_percent_mt", "percent", "Median share of mitochondrial counts", better="lower",
           when="the genes are measured"),
    Metric(_QC, "median_percent_ribo", "percent", "Median share of ribosomal protein counts",
           when="the genes are measured"),
    Metric(_QC, "median_percent_hb", "percent", "Median share of haemoglobin counts", better="lower",
           when="the genes are measured"),
    Metric(_QC, "n_local_outliers", "count", "Local outliers",
           "spots that differ strongly from their surroundings (kept)", better="lower",
           when="there are enough spots"),
    Metric(_QC, "edge_to_interior_counts", "number", "Counts at the edge over those inside",
           "median counts at the tissue's edge over those inside", when=_REGULAR),
    Metric(_QC, "n_genes_of_interest", "count", "Genes of interest", "genes of interest that the sample has",
           when="genes of interest are given"),
    # qc: counts and picture
    Metric(_QC, "percent_spots_on_tissue_image", "percent", "Spots on tissue of the picture",
           "share of the spots whose place is tissue in the picture", better="higher", when=_PICTURE),
    Metric(_QC, "picture_correlation", "number", "Correlation of counts and picture",
           "Spearman correlation of counts with darkness or haematoxylin around the spot, whichever is stronger",
           when=_PICTURE),
    Metric(_QC, "picture_fit", "fraction", "Counts explained by the picture",
           "share of the variance of the counts' ranks that darkness, haematoxylin and texture explain", when=_PICTURE),
    Metric(_QC, "picture_fit_moved", "fraction", "Counts explained by the picture, moved",
           "the same with the spots moved to where they fit best", when=_PICTURE),
    Metric(_QC, "picture_fit_turned", "fraction", "Counts explained by the picture, turned or mirrored",
           "the same with the spots turned or mirrored as fits best", when=_PICTURE),
    Metric(_QC, "picture_p", "number", "Correlation of counts and picture (p)",
           "share of fields as smooth as the counts that fit the picture as well", when=_PICTURE),
    Metric(_QC, "picture_shift_um", "number", "Shift at which counts fit the picture best",
           "distance by which the spots would have to move to fit the picture best", "µm", "lower", _PICTURE),
    Metric(_QC, "picture_shift_p", "number", "Shift of counts against picture (p)",
           "share of fields as smooth as the counts that gain as much by a shift", when=_PICTURE),
    Metric(_QC, "picture_best_symmetry", "text", "Turn or mirror image that fits the picture best",
           "of the eight symmetries of the square", when=_PICTURE),
    Metric(_QC, "picture_symmetry_p", "number", "Turn or mirror image of the counts (p)",
           "share of fields as smooth as the counts that gain as much by a turn or mirror image", when=_PICTURE),
    # qc: panel, regions, spread RNA
    Metric(_QC, "is_panel", "flag", "Targeted panel", "whether fewer than 2,000 genes were measured"),
    Metric(_QC, "percent_genes_seen", "percent", "Genes of a spot among those seen",
           "median genes per spot over the genes with any counts", better="higher"),
    Metric(_QC, "n_low_regions", "count", "Damaged regions",
           "connected regions with fewer counts, more mitochondrial RNA or fewer genes than their tissue explains",
           better="lower", when=_ENOUGH),
    Metric(_QC, "percent_spots_in_regions", "percent", "Spots in damaged regions", better="lower", when=_ENOUGH),
    Metric(_QC, "largest_region_mm2", "number", "Largest damaged region", unit="mm²", better="lower",
           when="there is a damaged region and micrometres per pixel are known"),
    Metric(_QC, "percent_counts_outside_tissue", "percent", "Counts outside the tissue", better="lower",
           when=_RAW_MATRIX),
    Metric(_QC, "bleed_spread_um", "number", "Spread of RNA outside the tissue",
           "distance from the tissue within which counts fall to 1/e", "µm", "lower",
           "there is a raw matrix, and counts fall with the distance"),
    Metric(_QC, "bleed_share", "fraction", "Share of counts spread from the tissue",
           "counts outside the tissue that fall with the distance from it, over all counts", better="lower",
           when=_RAW_MATRIX),
    Metric(_QC, "far_to_tissue_counts", "number", "Counts far from the tissue over those in it",
           "counts of a position far from the tissue over those of the median position in it", better="lower",
           when=_RAW_MATRIX),
    # qc: the picture by tile
    Metric(_QC, "percent_tiles_blurred", "percent", "Blurred tiles of the image",
           "tiles of the image under tissue that lack fine detail", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_overexposed", "percent", "Overexposed tiles of the image",
           "tiles under tissue most of which is white", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_underexposed", "percent", "Underexposed tiles of the image",
           "tiles under tissue most of which is black", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_pale", "percent", "Pale tiles of the image",
           "tiles under tissue that are hardly darker than the glass", better="lower", when=_HIRES),
    Metric(_QC, "image_tissue_share", "fraction", "Stained share of the image under tissue",
           "share of the points of the tiles under tissue that are stained", better="higher", when=_HIRES),
    # graph
    Metric(_GRAPH, "n_spots", "count", "Spots", "spots in the graph"),
    Metric(_GRAPH, "n_edges", "count", "Edges"),
    Metric(_GRAPH, "median_degree", "number", "Neighbours per spot (median)",
           "median number of neighbours in the graph",
           better="higher"),
    Metric(_GRAPH, "mean_degree", "number", "Neighbours per spot (mean)", "mean number of neighbours in the graph",
           better="higher"),
    Metric(_GRAPH, "neighbour_likeness", "number", "Likeness of touching spots",
           "share of the signal between spots that touching spots have in common, the noise of counting taken off",
           better="higher", when="there are enough pairs of spots, with counts that tell them apart"),
    Metric(_GRAPH, "n_isolates", "count", "Spots without a neighbour", better="lower"),
    Metric(_GRAPH, "n_components", "count", "Connected pieces", "connected pieces of the graph", better="lower"),
    Metric(_GRAPH, "largest_component_share", "fraction", "Share of spots in the largest connected piece",
           better="higher"),
    Metric(_GRAPH, "lattice", "text", "Lattice", "arrangement of the spots"),
    Metric(_GRAPH, "pitch_px", "number", "Pitch", "distance of neighbouring spots", "pixels"),
    Metric(_GRAPH, "pitch_um", "number", "Pitch", "distance of neighbouring spots", "µm", when=_SCALE),
    Metric(_GRAPH, "radius_px", "number", "Radius", "distance up to which spots are neighbours", "pixels",
           when="neighbours are chosen by distance"),
    Metric(_GRAPH, "radius_um", "number", "Radius", "distance up to which spots are neighbours", "µm",
           when="neighbours are chosen by distance, and " + _SCALE),
    Metric(_GRAPH, "n_genes_structure_tested", "count", "Genes tested for a pattern",
           "most variable genes tested for a pattern over the tissue", when=_STRUCTURE),
    Metric(_GRAPH, "percent_genes_spatial", "percent", "Spatially variable genes",
           "share of the tested genes with a pattern over the tissue (Moran's I, q < 0.05)", better="higher",
           when=_STRUCTURE),
    Metric(_GRAPH, "morans_i_median", "number", "Median Moran's I", "median Moran's I of the tested genes",
           better="higher", when=_STRUCTURE),
    Metric(_GRAPH, "morans_i_shuffled", "number", "Median Moran's I by chance",
           "the same with the spots shuffled over the places, 95th percentile of the shuffles", when=_STRUCTURE),
    Metric(_GRAPH, "has_spatial_structure", "flag", "Pattern over the tissue",
           "whether the counts have a pattern over the tissue", better="higher", when=_STRUCTURE),
    # models
    Metric(_MODELS, "n_spots", "count", "Spots modelled", "spots that the model was given"),
    Metric(_DIFFST, "n_genes", "count", "Genes", "genes that were super-resolved"),
    Metric((*_PRETRAIN, *_DIFFST), "n_programs", "count", "Gene programs", "gene programs that stand for the genes"),
    Metric((*_DUSTED, *_PRETRAIN, *_TRAIN), "n_parameters", "count", "Parameters", "weights of the networks"),
    Metric((*_DUSTED, *_PRETRAIN, *_TRAIN), "checkpoint_sha256", "text", "Checkpoint (SHA-256)",
           when="a checkpoint is written"),
    Metric((*_MODELS, *_PRETRAIN), "peak_memory_bytes", "count", "Peak memory",
           "largest resident memory of the process", "bytes", "lower"),
    Metric((*_DUSTED, *_SUPERRES), "seconds_total", "number", "Total time", "wall time of the step", "s", "lower"),
    # dusted
    Metric(_DUSTED, "n_genes_modelled", "count", "Genes modelled", "genes that the denoiser modelled"),
    Metric(_DUSTED, "n_edges", "count", "Edges", "edges of the graph between modelled spots"),
    Metric(_DUSTED, "n_tiles", "count", "Tiles", "tiles that the section was computed in"),
    Metric(_DUSTED, "epochs", "count", "Epochs", "training epochs of the denoiser"),
    Metric(_DUSTED, "best_epoch", "count", "Best epoch", "epoch whose weights were kept"),
    Metric(_DUSTED, "loss_first", "score", "First loss", "training loss of the first epoch", better="lower"),
    Metric(_DUSTED, "loss_final", "score", "Final loss", "training loss of the last epoch", better="lower"),
    Metric(_DUSTED, "loss_best", "score", "Best loss", "training loss of the epoch whose weights were kept",
           better="lower"),
    Metric(_DUSTED, "seconds_training", "number", "Training time", "wall time of training", "s", "lower"),
    Metric(_DUSTED, "device", "text", "Device", "device that the networks ran on"),
    Metric(_DUSTED, "precision", "text", "Precision", "number format of the networks"),
    Metric(_DUSTED, "dropout_share", "fraction", "Drop-out share",
           "share of the denoised counts that the model takes for lost to drop-out"),
    Metric(_DUSTED, "self_gate_outer", "fraction", "Self gate (outer layers)",
           "weight of a spot's own values in the outer layers", when="the model has self gates"),
    Metric(_DUSTED, "self_gate_inner", "fraction", "Self gate (inner layers)",
           "weight of a spot's own values in the inner layers", when="the model has self gates"),
    Metric(_DUSTED, "gene_attention_min", "fraction", "Gene attention (minimum)", when="the model has gene attention"),
    Metric(_DUSTED, "gene_attention_median", "fraction", "Gene attention (median)",
           when="the model has gene attention"),
    Metric(_DUSTED, "gene_attention_max", "fraction", "Gene attention (maximum)", when="the model has gene attention"),
    Metric(_DUSTED, "heldout_fraction", "fraction", "Held-out counts", "share of the counts held out of training",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_counts", "count", "Number of held-out counts", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_genes_correlated", "count", "Genes with a held-out correlation",
           "genes whose held-out correlation is defined", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_dusted", "score", "Held-out deviance, DUSTED",
           "Poisson deviance of held-out counts, DUSTED", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_neighbours", "score", "Held-out deviance, neighbour averaging",
           "Poisson deviance of held-out counts, neighbour averaging", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_deviance_constant", "score", "Held-out deviance, gene's average",
           "Poisson deviance of held-out counts, each gene's average", better="lower", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_explained_dusted", "skill", "Held-out deviance explained, DUSTED",
           "share of the deviance of each gene's average that DUSTED explains", better="higher", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_explained_neighbours", "skill", "Held-out deviance explained, neighbour averaging",
           "share of the deviance of each gene's average that neighbour averaging explains", better="higher",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_correlation_dusted", "score", "Held-out correlation, DUSTED",
           "median over genes of the correlation with held-out counts, DUSTED", better="higher", when=_HELD_OUT),
    Metric(_DUSTED, "heldout_correlation_neighbours", "score", "Held-out correlation, neighbour averaging",
           "median over genes of the correlation with held-out counts, neighbour averaging", better="higher",
           when=_HELD_OUT),
    Metric(_DUSTED, "heldout_beats_neighbours", "flag",
           "Denoising predicts held-out counts better than plain averages",
           "whether DUSTED predicts held-out counts better than averages", better="higher", when=_HELD_OUT),
    # domains
    Metric(_DOMAINS, "main", "text", "Domain method", "column of obs with the main domains"),
    Metric(_DOMAINS, "n_domains", "count", "Domains", "number of spatial domains"),
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
           "the same of as many domains, found in the same way in the latent of shuffled spots", when=_GMM_CHANCE),
    Metric(_DOMAINS, "neighbour_agreement_by_chance_domain_leiden", "fraction",
           "Neighbours in the same domain by chance (Leiden)",
           "the same of as many domains, found in the same way in the latent of shuffled spots", when=_LEIDEN_CHANCE),
    Metric(_DOMAINS, "ari_gmm_leiden", "score", "Agreement of the two methods",
           "adjusted Rand index of the Gaussian mixture and Leiden; 1: the same", when="both methods ran"),
    Metric(_DOMAINS, "leiden_resolution", "number", "Leiden resolution", when=_LEIDEN),
    Metric(_DOMAINS, "moran_n_genes", "count", "Genes tested for Moran's I"),
    Metric(_DOMAINS, "moran_n_significant_measured", "count", "Spatially variable genes",
           "genes whose measured Moran's I is significant (adjusted p below 0.05)", when="permutations are made"),
    Metric(_DOMAINS, "moran_median_measured", "number", "Median Moran's I, measured",
           "median Moran's I of the measured values"),
    Metric(_DOMAINS, "moran_median_denoised", "number", "Median Moran's I, denoised",
           "median Moran's I of the denoised values", when="there are denoised values"),
    Metric(_DOMAINS, "moran_median_neighbour_mean", "number", "Median Moran's I, neighbour mean",
           "median Moran's I of the plain neighbour mean"),
    Metric(_DOMAINS, "moran_median_neighbour_mean_shuffled", "number",
           "Median Moran's I, neighbour mean of shuffled spots",
           "median Moran's I of the neighbour mean of shuffled spots"),
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
    Metric(_PRETRAIN, "n_genes", "count", "Genes", "genes that the model knows"),
    Metric(_PRETRAIN, "n_references_with_image", "count", "References with an image",
           "references whose histology was learned from"),
    Metric(_PRETRAIN, "pearson_model", "score", "Correlation on held-out blocks",
           "median over genes of the correlation with the bins of held-out blocks, median over references",
           better="higher", when="blocks are held out"),
    Metric(_PRETRAIN, "pearson_plain", "score", "Correlation of the plain estimate",
           "the same of the plain estimate, without a network", better="higher", when="blocks are held out"),
    # superres_train
    Metric((*_PRETRAIN, *_TRAIN), "seconds_mean", "number", "Training time of MeanNet",
           "wall time of training MeanNet", "s", "lower"),
    Metric(_TRAIN, "seconds_diffusion", "number", "Training time of the diffusion",
           "wall time of training the diffusion", "s", "lower", _DIFFUSION_TRAINED),
    Metric(_TRAIN, "seconds_scoring", "number", "Scoring time", "wall time of scoring on held-out spots", "s", "lower",
           _SPOTS_HELD_OUT),
    Metric(_TRAIN, "loss_mean_final", "score", "Final loss of MeanNet", "loss of MeanNet, mean of the last 20 steps",
           better="lower"),
    Metric(_TRAIN, "loss_diffusion_final", "score", "Final loss of the diffusion",
           "loss of the diffusion, mean of the last 20 steps", better="lower", when=_DIFFUSION_TRAINED),
    Metric((*_PRETRAIN, *_TRAIN), "n_references", "count", "References", "references that the model learned from",
           when="references are given"),
    # superres
    Metric(_SUPERRES, "spot_pitch_um", "number", "Spot pitch", "distance of neighbouring spots", "µm"),
    Metric(_SUPERRES, "spot_diameter_um", "number", "Spot diameter", "", "µm"),
    Metric(_SUPERRES, "n_spots_left_out", "count", "Spots left out", "spots that the model was not given"),
    Metric(_SUPERRES, "n_bins_on_tissue", "count", "Bins on tissue", "super-resolved bins on tissue"),
    Metric(_SUPERRES, "n_bins_measured", "count", "Bins under a spot (number)", "bins on tissue that lie under a spot"),
    Metric(_SUPERRES, "share_measured", "fraction", "Bins under a spot", "share of the bins on tissue that lie under a "
           "spot"),
    Metric(_SUPERRES, "samples", "count", "Draws", "draws of the diffusion"),
    Metric(_SUPERRES, "amplitude", "number", "Amplitude", "factor on the residual that the diffusion draws",
           when="there is a diffusion"),
    Metric(_SUPERRES, "mean_is", "text", "Mean from", "model that the predicted mean is from: diffusion or meannet"),
    Metric(_SUPERRES, "image_used", "flag", "Image used", "whether the image took part"),
    Metric(_SUPERRES, "n_maps", "count", "Maps", "genes with maps of their own", when="genes are named"),
    # superres_train, superres: scores on held-out spots
    Metric(_DIFFST, "heldout_n_spots", "count", "Held-out spots", "held-out spots that scored", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_amplitude", "number", "Amplitude, chosen",
           "factor on the residual where the mean is the diffusion's", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_amplitude_of_spread", "number", "Amplitude of the spread, chosen",
           "factor on the residual where the mean is MeanNet's", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean", "score", "CRPS, MeanNet",
           "CRPS of held-out spots, best forecast of MeanNet (square root of counts)", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean_poisson", "score", "CRPS, MeanNet with Poisson noise", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean_gaussian", "score", "CRPS, MeanNet with Gaussian error", better="lower",
           when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_crps_mean_dispersed", "score", "CRPS, MeanNet with dispersion", better="lower",
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
           "share of held-out spots' counts in the reported 90 % interval", when=_SPOTS_HELD_OUT),
    Metric(_DIFFST, "heldout_diffusion_wins", "flag", "Diffusion beats MeanNet",
           "whether the diffusion predicts held-out spots better than MeanNet", when=_SPOTS_HELD_OUT),
    # spatialdata
    Metric(("spatialdata",), "store_bytes", "count", "Size of the store", "size of the zipped store", "bytes"),
)
# fmt: on
"""All metrics, by step."""

SPACE_RANGER: Final = "space_ranger"
"""Stands for a step where figures are Space Ranger's own, from ``metrics_summary.csv``."""


def _stated(name: str, kind: Kind, title: str, better: Better = "neither") -> Metric:
    return Metric((SPACE_RANGER,), name, kind, title, f"Space Ranger: {title}", better=better)


STATED: Final[tuple[Metric, ...]] = (
    _stated("number_of_spots_under_tissue", "count", "Number of Spots Under Tissue", "higher"),
    _stated("median_umi_counts_per_spot", "number", "Median UMI Counts per Spot", "higher"),
    _stated("median_genes_per_spot", "number", "Median Genes per Spot", "higher"),
    _stated("total_genes_detected", "count", "Total Genes Detected", "higher"),
    _stated("mean_reads_per_spot", "count", "Mean Reads per Spot", "higher"),
    _stated("number_of_reads", "count", "Number of Reads", "higher"),
    _stated("sequencing_saturation", "fraction", "Sequencing Saturation", "higher"),
    _stated("valid_barcodes", "fraction", "Valid Barcodes", "higher"),
    _stated("fraction_reads_in_spots_under_tissue", "fraction", "Fraction Reads in Spots Under Tissue", "higher"),
    _stated("fraction_of_spots_under_tissue", "fraction", "Fraction of Spots Under Tissue"),
    _stated(
        "reads_mapped_confidently_to_transcriptome", "fraction", "Reads Mapped Confidently to Transcriptome", "higher"
    ),
    _stated("reads_mapped_confidently_to_probe_set", "fraction", "Reads Mapped Confidently to Probe Set", "higher"),
    _stated("valid_umis", "fraction", "Valid UMIs", "higher"),
    _stated("q30_bases_in_barcode", "fraction", "Q30 Bases in Barcode", "higher"),
    _stated("q30_bases_in_rna_read", "fraction", "Q30 Bases in RNA Read", "higher"),
    _stated("q30_bases_in_probe_read", "fraction", "Q30 Bases in Probe Read", "higher"),
    _stated("q30_bases_in_umi", "fraction", "Q30 Bases in UMI", "higher"),
    _stated("q30_bases_in_sample_index", "fraction", "Q30 Bases in Sample Index", "higher"),
    _stated("mean_reads_under_tissue_per_spot", "number", "Mean Reads Under Tissue per Spot", "higher"),
    _stated("mean_reads_under_tissue_per_bin_8_um", "number", "Mean Reads Under Tissue per Bin 8 µm", "higher"),
    _stated("mean_umis_under_tissue_per_bin_8_um", "number", "Mean UMIs Under Tissue per Bin 8 µm", "higher"),
    _stated("reads_per_sq_mm_of_tissue", "number", "Reads per sq mm of Tissue", "higher"),
    _stated("reads_mapped_to_genome", "fraction", "Reads Mapped to Genome", "higher"),
    _stated("reads_mapped_confidently_to_genome", "fraction", "Reads Mapped Confidently to Genome", "higher"),
    _stated("reads_mapped_antisense_to_gene", "fraction", "Reads Mapped Antisense to Gene", "lower"),
    _stated("reads_mapped_to_probe_set", "fraction", "Reads Mapped to Probe Set", "higher"),
    _stated(
        "reads_mapped_confidently_to_the_filtered_probe_set", "fraction",
        "Reads Mapped Confidently to the Filtered Probe Set", "higher",
    ),
    _stated("estimated_umis_from_genomic_dna", "fraction", "Estimated UMIs from Genomic DNA", "lower"),
)  # fmt: skip
"""Figures of Space Ranger that reports and limits use, each under one name whatever its version calls it; the title is
Space Ranger's own name (others: :mod:`clearspot.contract.space_ranger`)."""

_BY_STEP: Final = {(step, metric.name): metric for metric in (*METRICS, *STATED) for step in metric.steps}


def get_metric(step: str, name: str) -> Metric:
    """Return the declaration of a step's metric (or of a figure of :data:`SPACE_RANGER`).

    Raises
    ------
    KeyError
        If the step declares no such metric.
    """
    return _BY_STEP[step, name]


def is_declared(step: str, name: str) -> bool:
    """Whether a step declares a metric of that name."""
    return (step, name) in _BY_STEP


def metrics_of(step: str) -> tuple[Metric, ...]:
    """Return the metrics that a step writes, in order."""
    return tuple(metric for metric in METRICS if step in metric.steps)


def check_metrics(step: str, metrics: Mapping[str, Any]) -> None:
    """Hold a record's metrics against the declaration.

    Raises
    ------
    ValueError
        With every metric that is undeclared, or whose value is not of the declared kind.
    """
    wrong = []
    for name, value in metrics.items():
        declared = _BY_STEP.get((step, name))
        if declared is None:
            wrong.append(f"{name} is not declared")
        elif not declared.accepts(value):
            wrong.append(f"{name} = {value!r} is no {declared.kind}")
    if wrong:
        raise ValueError(f"metrics of the step {step}: {'; '.join(wrong)} (clearspot.contract.metrics)")
