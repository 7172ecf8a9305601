"""Metrics of the steps that look at what was measured: samplesheet, check, ingest, quality control, graph."""

from __future__ import annotations

from typing import Final

from clearspot.contract.metric import Metric

_SHEET: Final = ("samplesheet",)
_CHECK: Final = ("check",)
_REFERENCE: Final = ("reference",)
_INGEST: Final = ("ingest",)
_QC: Final = ("qc",)
_GRAPH: Final = ("graph",)
_HISTOLOGY: Final = ("histology",)
_INPUT: Final = (*_CHECK, *_INGEST)

_HD: Final = "Visium HD"
_BINS: Final = "bins of Visium HD"
_CELLS: Final = "segmented cells are read"
_IMAGE: Final = "an image is provided"
_ENCODER: Final = "an image encoder is used"
_STRUCTURE: Final = "there are enough spots and genes to test"
_PICTURE: Final = "a stained tissue image with known scale is available, with at least 50 spots"
_REGULAR: Final = "the spots form a regular lattice"
_SCALE: Final = "the pixel size is known"
_ENOUGH: Final = "there are at least 75 spots, or 75 cells of 100 µm on Visium HD"
_RAW_MATRIX: Final = "there is a raw matrix with positions outside the tissue"
_HIRES: Final = "there is a hires image with a bright background"

# A table: one line a metric where it fits.
# fmt: off
METRICS_OF_DATA: Final[tuple[Metric, ...]] = (
    # samplesheet
    Metric(_SHEET, "n_query", "count", "Samples", "samples to analyse"),
    Metric(_SHEET, "n_reference", "count", "References", "references for super-resolution"),
    # check, ingest
    Metric(_INPUT, "assay", "text", "Assay", "type of Space Ranger output"),
    Metric(_INPUT, "unit", "text", "Unit", "unit of analysis: spots, bins or cells"),
    Metric(_INPUT, "slide_type", "text", "Slide", "type of slide"),
    Metric(_INPUT, "chemistry", "text", "Chemistry", "chemistry recorded by Space Ranger",
           when="recorded in the matrix"),
    Metric(_INPUT, "software_version", "text", "Space Ranger", "Space Ranger's version", when="recorded in the matrix"),
    Metric(_INPUT, "bin_size_um", "number", "Bin size", "side of a Visium HD bin", "µm", when=_BINS),
    Metric(_INPUT, "microns_per_pixel", "number", "Pixel size",
           "side of a pixel of the full-resolution image", "µm per pixel", when=_SCALE),
    Metric(_INPUT, "microns_per_pixel_source", "text", "Source of the pixel size", when=_SCALE),
    Metric(_INPUT, "library_id", "text", "Library", "name of the library in the matrix"),
    Metric(_INPUT, "n_positions", "count", "Positions", "positions in the positions file, in and outside tissue"),
    Metric(_INPUT, "n_antibodies", "count", "Antibodies", "antibodies counted beside the genes",
           when="ingest: the sample has antibodies"),
    # check
    Metric(_CHECK, "bins_available", "text", "Bin sizes available", "bin sizes in the output, in µm", when=_HD),
    Metric(_CHECK, "matrix", "text", "Matrix", "file with the counts"),
    Metric(_CHECK, "has_raw_matrix", "flag", "Raw matrix", "whether a matrix of all positions is available"),
    Metric(_CHECK, "positions", "text", "Positions file"),
    Metric(_CHECK, "has_metrics_summary", "flag", "Space Ranger's summary", "whether metrics_summary.csv is available"),
    Metric(_CHECK, "n_barcodes", "count", "Barcodes", "barcodes in the matrix"),
    Metric(_CHECK, "n_features", "count", "Features", "genes and antibodies in the matrix"),
    Metric(_CHECK, "n_entries", "count", "Non-zero entries", "non-zero entries of the matrix"),
    Metric(_CHECK, "n_genes", "count", "Genes", "genes in the matrix"),
    Metric(_CHECK, "n_repeated_symbols", "count", "Duplicated gene symbols", "genes that share their symbol with "
           "another gene"),
    Metric(_CHECK, "genomes", "text", "Genomes", "genomes in the matrix", when="recorded in the matrix"),
    Metric(_CHECK, "has_mt_genes", "flag", "Mitochondrial genes", "whether the matrix has mitochondrial genes"),
    Metric(_CHECK, "has_ribo_genes", "flag", "Ribosomal protein genes", "whether the matrix has ribosomal protein "
           "genes"),
    Metric(_CHECK, "has_hb_genes", "flag", "Haemoglobin genes", "whether the matrix has haemoglobin genes"),
    Metric(_CHECK, "n_positions_in_tissue", "count", "Positions under tissue"),
    Metric(_CHECK, "n_spots", "count", "Spots under tissue", "spots of the matrix under tissue"),
    Metric(_CHECK, "n_spots_without_counts", "count", "Empty spots", "spots under tissue without counts",
           better="lower"),
    Metric(_CHECK, "umis_in_tissue", "count", "UMI counts under tissue", better="higher"),
    Metric(_CHECK, "grid_residual_px", "number", "Grid residual",
           "deviation of the positions from a regular grid (root mean square)", "pixels", "lower", _REGULAR),
    Metric(_CHECK, "microns_per_pixel_from_pitch", "number", "Pixel size from the pitch",
           "pixel size computed from the centre-to-centre distance of neighbouring spots", "µm per pixel",
           when=_REGULAR),
    Metric(_CHECK, "microns_per_pixel_from_scale_factors", "number", "Pixel size from the scale factors",
           "", "µm per pixel", when="the scale factors contain it or a spot diameter"),
    Metric(_CHECK, "scale_factors_fit_spots", "flag", "Scale factors fit the spots",
           "whether the recorded spot diameter is consistent with the spot pitch", better="higher", when=_REGULAR),
    Metric(_CHECK, "images", "text", "Reduced images", "Space Ranger's reduced images", when="there is a reduced "
           "image"),
    Metric(_CHECK, "image_kind", "text", "Type of the reduced image", when="there is a reduced image"),
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
    Metric(_CHECK, "superres_reason", "text", "Reason for no super-resolution",
           "why super-resolution is not possible", when="super-resolution is not possible"),
    # reference
    Metric(_REFERENCE, "reference_kind", "text", "Type of reference", "Visium HD or Xenium"),
    Metric(_REFERENCE, "bin_um", "number", "Bin size", "side of a bin of the reference", "µm"),
    Metric(_REFERENCE, "n_bins_on_tissue", "count", "Bins on tissue"),
    Metric(_REFERENCE, "n_genes", "count", "Genes", "genes of the reference"),
    Metric(_REFERENCE, "total_counts", "number", "Counts", "counts of the reference"),
    Metric(_REFERENCE, "has_image", "flag", "With image", "whether the reference has a histology image"),
    Metric(_REFERENCE, "um_per_px", "number", "Pixel size", "side of a pixel of the reference's image", "µm per pixel",
           when=_IMAGE),
    Metric(_REFERENCE, "image_coverage", "fraction", "Tissue covered by the image",
           "share of the reference's tissue bins covered by its image", better="higher", when=_IMAGE),
    Metric(_REFERENCE, "n_features", "count", "Image features", "features of the image in each bin", when=_IMAGE),
    Metric((*_REFERENCE, *_HISTOLOGY), "image_encoder", "text", "Image encoder",
           "architecture of the pretrained image encoder, with a hash of its weights and settings", when=_ENCODER),
    # ingest
    Metric(_INGEST, "n_in_tissue", "count", "Spots under tissue", "spots under tissue", better="higher"),
    Metric(_INGEST, "n_in_tissue_without_counts", "count", "Empty spots", "spots under tissue without counts "
           "(excluded)",
           better="lower"),
    Metric(_INGEST, "n_spots", "count", "Spots with counts", "spots under tissue that have counts", better="higher"),
    Metric(_INGEST, "n_genes", "count", "Genes", "genes of the sample"),
    Metric(_INGEST, "n_genes_detected", "count", "Genes detected", "genes with at least one count", better="higher"),
    Metric(_INGEST, "n_genomes", "count", "Genomes", "number of genomes"),
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
    Metric(_INGEST, "fraction_umi_in_cells", "fraction", "Share of UMI counts in cells",
           "UMI counts of all cells divided by those of the bins under tissue", better="higher",
           when=_CELLS + ", and bins are available"),
    # qc
    Metric(_QC, "n_spots", "count", "Spots", "spots before quality control"),
    Metric(_QC, "n_spots_pass", "count", "Spots kept", "spots that pass quality control", better="higher"),
    Metric(_QC, "percent_spots_pass", "percent", "Spots that pass quality control", "spots that pass quality control",
           better="higher"),
    Metric(_QC, "n_genes", "count", "Genes", "genes before quality control"),
    Metric(_QC, "n_genes_pass", "count", "Genes kept", "genes that pass quality control", better="higher"),
    Metric(_QC, "n_genes_fail", "count", "Genes removed", "genes that fail quality control"),
    Metric(_QC, "n_hvgs", "count", "Highly variable genes"),
    Metric(_QC, "hvg_method", "text", "Gene ranking method", "method that ranked genes by variability"),
    Metric(_QC, "total_counts", "count", "Counts", "counts of all spots", better="higher"),
    Metric(_QC, "median_counts", "number", "Median UMI counts per spot", "median UMI counts per spot, all spots",
           better="higher"),
    Metric(_QC, "median_counts_pass", "number", "Median UMI counts per kept spot",
           "median UMI counts of the spots that pass quality control", better="higher"),
    Metric(_QC, "median_genes", "number", "Median genes per spot", "median genes per spot, all spots", better="higher"),
    Metric(_QC, "median_genes_pass", "number", "Median genes per kept spot", "median genes per spot among the spots "
           "that pass quality control",
           better="higher"),
    Metric(_QC, "median_percent_mt", "percent", "Median share of mitochondrial counts", better="lower",
           when="such genes are measured"),
    Metric(_QC, "median_percent_ribo", "percent", "Median share of ribosomal protein counts",
           when="such genes are measured"),
    Metric(_QC, "median_percent_hb", "percent", "Median share of haemoglobin counts", better="lower",
           when="such genes are measured"),
    Metric(_QC, "n_local_outliers", "count", "Local outliers",
           "spots that differ strongly from their neighbours (kept)", better="lower",
           when="there are enough spots"),
    Metric(_QC, "edge_to_interior_counts", "number", "Counts at the tissue edge relative to the interior",
           "median counts of spots at the tissue edge divided by the median of interior spots", when=_REGULAR),
    Metric(_QC, "n_genes_of_interest", "count", "Genes of interest", "genes of interest found in the sample",
           when="genes of interest are given"),
    # qc: the lattice of bins
    Metric(_QC, "row_stripes_percent", "percent", "Stripes of rows",
           "standard deviation of the row factors, by which the counts of whole rows differ from those of the nearest "
           "rows",
           better="lower", when=_BINS),
    Metric(_QC, "column_stripes_percent", "percent", "Stripes of columns", "standard deviation of the column factors, "
           "by which the counts of whole columns differ from those of the nearest columns", better="lower",
           when=_BINS),
    Metric(_QC, "stripes_percent", "percent", "Stripes", "the larger of the standard deviations of row and column "
           "factors", better="lower", when=_BINS),
    Metric(_QC, "is_destriped", "flag", "Stripes removed", "whether layers['destriped'] was written", when=_BINS),
    Metric(_QC, "stripes_left_percent", "percent", "Stripes remaining", "the larger of the standard deviations of row "
           "and column factors in layers['destriped']",
           better="lower", when="stripes were removed"),
    Metric(_QC, "n_border_bins", "count", "Bins at the slide border", "bins under tissue in the outermost rows and "
           "columns of the capture area", when=_BINS),
    Metric(_QC, "border_to_inner_counts", "number", "Counts at the slide border relative to the interior",
           "counts of the outermost bins divided by those of the adjacent inner bins, on the side with the lowest "
           "ratio",
           better="higher", when=_BINS + ", 20 of them at the border"),
    # qc: segmented cells
    Metric(_QC, "median_cell_area_um2", "number", "Median area of a cell", unit="µm²", when=_CELLS),
    Metric(_QC, "percent_cells_without_nucleus", "percent", "Cells without a nucleus", better="lower",
           when=_CELLS + ", with nuclei"),
    # qc: counts and picture
    Metric(_QC, "percent_spots_on_tissue_image", "percent", "Spots on tissue in the image",
           "share of the spots that lie on tissue in the image", better="higher", when=_PICTURE),
    Metric(_QC, "picture_correlation", "number", "Correlation of counts and image",
           "Spearman correlation of counts with darkness or haematoxylin around the spot, whichever is stronger",
           when=_PICTURE),
    Metric(_QC, "picture_fit", "fraction", "Counts explained by the image",
           "share of the variance of ranked counts explained by darkness, haematoxylin and texture of the image",
           when=_PICTURE),
    Metric(_QC, "picture_fit_moved", "fraction", "Counts explained by the image, shifted",
           "share of the variance of ranked counts explained by the image with the spots shifted to the best fit",
           when=_PICTURE),
    Metric(_QC, "picture_fit_turned", "fraction", "Counts explained by the image, rotated or mirrored",
           "share of the variance of ranked counts explained by the image with the spots rotated or mirrored to the "
           "best fit", when=_PICTURE),
    Metric(_QC, "picture_p", "number", "Correlation of counts and image (p)",
           "share of random fields, as smooth as the counts, that fit the image at least as well", when=_PICTURE),
    Metric(_QC, "picture_shift_um", "number", "Shift with the best fit of counts and image",
           "distance of the shift at which the spots fit the image best", "µm", "lower", _PICTURE),
    Metric(_QC, "picture_shift_p", "number", "Shift of counts against the image (p)",
           "share of random fields, as smooth as the counts, that gain at least as much from a shift", when=_PICTURE),
    Metric(_QC, "picture_best_symmetry", "text", "Rotation or reflection with the best fit to the image",
           "orientation of the spots that fits the image best, of eight rotations and reflections", when=_PICTURE),
    Metric(_QC, "picture_symmetry_p", "number", "Rotation or reflection of the counts (p)",
           "share of random fields, as smooth as the counts, that gain at least as much from a rotation or reflection",
           when=_PICTURE),
    # qc: panel, regions, spread RNA
    Metric(_QC, "is_panel", "flag", "Targeted panel", "whether fewer than 2,000 genes were measured"),
    Metric(_QC, "percent_genes_seen", "percent", "Genes per spot as share of genes detected",
           "median genes per spot divided by the number of genes detected in the sample", better="higher"),
    Metric(_QC, "n_low_regions", "count", "Damaged regions",
           "connected regions with fewer counts, more mitochondrial RNA or fewer genes than expected for their tissue",
           better="lower", when=_ENOUGH),
    Metric(_QC, "percent_spots_in_regions", "percent", "Spots in damaged regions", better="lower", when=_ENOUGH),
    Metric(_QC, "largest_region_mm2", "number", "Largest damaged region", unit="mm²", better="lower",
           when="there is a damaged region and the pixel size is known"),
    Metric(_QC, "percent_counts_outside_tissue", "percent", "Counts outside the tissue", better="lower",
           when=_RAW_MATRIX),
    Metric(_QC, "bleed_spread_um", "number", "RNA diffusion distance outside the tissue",
           "distance from the tissue over which counts fall to 1/e", "µm", "lower",
           "there is a raw matrix, and counts decrease with distance from the tissue"),
    Metric(_QC, "bleed_share", "fraction", "Counts diffused out of the tissue",
           "share of all counts that lie outside the tissue and decrease with distance from it", better="lower",
           when=_RAW_MATRIX),
    Metric(_QC, "far_to_tissue_counts", "number", "Counts far from the tissue relative to the tissue",
           "counts of a position far from the tissue divided by those of the median position in the tissue",
           better="lower",
           when=_RAW_MATRIX),
    # qc: the picture by tile
    Metric(_QC, "percent_tiles_blurred", "percent", "Blurred tiles of the image",
           "tissue tiles of the image that are out of focus", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_overexposed", "percent", "Overexposed tiles of the image",
           "tissue tiles of the image that are mostly white", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_underexposed", "percent", "Underexposed tiles of the image",
           "tissue tiles of the image that are mostly black", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_pale", "percent", "Pale tiles of the image",
           "tissue tiles of the image that are hardly darker than the background", better="lower", when=_HIRES),
    Metric(_QC, "percent_tiles_usable", "percent", "Usable tiles of the image",
           "tissue tiles of the image that are sharp, well exposed and stained, and so usable for super-resolution",
           better="higher", when=_HIRES),
    Metric(_QC, "image_tissue_share", "fraction", "Stained area of the tissue tiles",
           "share of the pixels of the tissue tiles that are stained", better="higher", when=_HIRES),
    # graph
    Metric(_GRAPH, "n_spots", "count", "Spots", "spots in the graph"),
    Metric(_GRAPH, "n_edges", "count", "Edges"),
    Metric(_GRAPH, "median_degree", "number", "Neighbours per spot (median)",
           "median number of neighbours in the graph",
           better="higher"),
    Metric(_GRAPH, "mean_degree", "number", "Neighbours per spot (mean)", "mean number of neighbours in the graph",
           better="higher"),
    Metric(_GRAPH, "neighbour_likeness", "number", "Similarity of adjacent spots",
           "share of the variation between spots that adjacent spots have in common, corrected for counting noise",
           better="higher", when="there are enough pairs of adjacent spots, and counts vary between spots"),
    Metric(_GRAPH, "n_isolates", "count", "Spots without a neighbour", better="lower"),
    Metric(_GRAPH, "n_components", "count", "Connected components", "connected components of the graph",
        better="lower"),
    Metric(_GRAPH, "largest_component_share", "fraction", "Spots in the largest connected component",
           better="higher"),
    Metric(_GRAPH, "lattice", "text", "Lattice", "arrangement of the spots (hexagonal, square or irregular)"),
    Metric(_GRAPH, "pitch_px", "number", "Pitch", "centre-to-centre distance of neighbouring spots", "pixels"),
    Metric(_GRAPH, "pitch_um", "number", "Pitch", "centre-to-centre distance of neighbouring spots", "µm", when=_SCALE),
    Metric(_GRAPH, "radius_px", "number", "Radius", "maximum distance of neighbours", "pixels",
           when="neighbours are chosen by distance"),
    Metric(_GRAPH, "radius_um", "number", "Radius", "maximum distance of neighbours", "µm",
           when="neighbours are chosen by distance, and " + _SCALE),
    Metric(_GRAPH, "n_genes_structure_tested", "count", "Genes tested for a spatial pattern",
           "most variable genes tested for a spatial pattern", when=_STRUCTURE),
    Metric(_GRAPH, "percent_genes_spatial", "percent", "Spatially variable genes",
           "share of the tested genes with a spatial pattern (Moran's I, q < 0.05)", better="higher",
           when=_STRUCTURE),
    Metric(_GRAPH, "morans_i_median", "number", "Median Moran's I", "median Moran's I of the tested genes",
           better="higher", when=_STRUCTURE),
    Metric(_GRAPH, "morans_i_shuffled", "number", "Median Moran's I by chance",
           "median Moran's I of the tested genes after shuffling the spots, 95th percentile over the shuffles",
           when=_STRUCTURE),
    Metric(_GRAPH, "has_spatial_structure", "flag", "Spatial pattern",
           "whether the counts have a spatial pattern", better="higher", when=_STRUCTURE),
)
# fmt: on
"""In the order of the steps."""
