"""Every AnnData key and output file name of the data contract, once.

Import this module as a namespace: ``from clearspot import keys``.
"""

from typing import Final

from clearspot.contract.steps import get_step

# layers
COUNTS: Final = "counts"
DENOISED: Final = "denoised"
DESTRIPED: Final = "destriped"
"""Counts of bins over the factors of their row and column; there where stripes were taken out."""

# obs
IN_TISSUE: Final = "in_tissue"
ARRAY_ROW: Final = "array_row"
ARRAY_COL: Final = "array_col"
SAMPLE_ID: Final = "sample_id"
LIBRARY_ID: Final = "library_id"
QC_PASS: Final = "qc_pass"
QC_REASON: Final = "qc_reason"
SIZE_FACTOR: Final = "size_factor"
COMPONENT: Final = "graph_component"
DEGREE: Final = "graph_degree"
DOMAIN_LEIDEN: Final = "domain_leiden"
DOMAIN_GMM: Final = "domain_gmm"
STUDY: Final = "study"
BATCH: Final = "batch"
DONOR: Final = "donor"
CONDITION: Final = "condition"
"""These four as the samplesheet states them; absent where it does not."""
STUDY_COLUMNS: Final = (STUDY, BATCH, DONOR, CONDITION)
DOMAIN_STUDY: Final = "domain_study"
DOMAIN_STUDY_PROBABILITY: Final = "domain_study_probability"
"""In the file of a study: domains that all its sections share, and how probable each assignment is."""
BARCODE: Final = "barcode"
"""In the file of a study: the spot's name in the file of its section."""
TOTAL_COUNTS: Final = "total_counts"
N_GENES: Final = "n_genes_by_counts"
LOCAL_OUTLIER: Final = "local_outlier"
EDGE_DISTANCE: Final = "edge_distance"
ARTEFACT_REGION: Final = "artefact_region"
ARTEFACT_KIND: Final = "artefact_kind"
STRIPE_FACTOR: Final = "stripe_factor"
DESTRIPED_TOTAL: Final = "total_counts_destriped"
CELL_AREA: Final = "cell_area_um2"
NUCLEUS_AREA: Final = "nucleus_area_um2"
HAS_NUCLEUS: Final = "has_nucleus"
N_SQUARES: Final = "n_squares_2um"
"""Of segmented cells: area of the outlines of cell and nucleus (missing without a nucleus), and the squares of 2 µm
whose counts were added up."""

# var
GENE_IDS: Final = "gene_ids"
FEATURE_TYPES: Final = "feature_types"
GENOME: Final = "genome"
HIGHLY_VARIABLE: Final = "highly_variable"
GENE_PASS: Final = "qc_pass"
MODELLED: Final = "dusted_modelled"
GENE_ATTENTION: Final = "dusted_gene_attention"
N_SPOTS: Final = "n_cells_by_counts"
HVG_RANK: Final = "highly_variable_rank"
GENE_OF_INTEREST: Final = "gene_of_interest"

# obsm
SPATIAL: Final = "spatial"
LATENT_STUDY: Final = "X_study"
"""In the file of a study: the latent that its sections share."""
LATENT_UNCORRECTED: Final = "X_study_uncorrected"
LATENT_MODEL: Final = "X_study_model"
"""The latent of the model of all sections, where Harmony corrected it."""
BATCH_FACTORS: Final = "batch_factors"
STUDY_TOTALS: Final = "study_totals"
"""The same without correction: principal components of normalised counts."""
PROTEIN: Final = "protein"
PROTEIN_NAMES: Final = "protein_names"
"""In ``uns['clearspot']``: the antibodies' names as written, in the order of the columns of ``obsm['protein']``."""
LATENT: Final = "X_dusted"
LATENT_TRAINING: Final = "dusted_training"
"""The latent from the counts that the model was trained on, where others were held out. Not named ``X_`` either."""
LATENT_SHUFFLED: Final = "dusted_shuffled"
"""The latent of the section with its spots shuffled over the places; a row is what then stands at the spot's place. Not
named ``X_``: it is no embedding to look at."""

# obsp (squidpy's own names)
CONNECTIVITIES: Final = "spatial_connectivities"
DISTANCES: Final = "spatial_distances"

# uns
UNS_SPATIAL: Final = "spatial"
UNS: Final = "clearspot"
MICRONS_PER_PIXEL: Final = "microns_per_pixel"
BIN_SIZE_UM: Final = "bin_size_um"
"""These two in ``uns['clearspot']``, beside an entry for each step (its settings)."""
UNIT: Final = "unit"
"""In ``uns['clearspot']``: what an observation is, ``spots``, ``bins`` or ``cells``."""
CELLS: Final = "cells"
OUTLINES: Final = "outlines"
"""In ``uns['clearspot']`` of cells: entries ``cells`` and ``nuclei`` (:mod:`clearspot.io.outlines`)."""
HAS_SPATIAL_STRUCTURE: Final = "has_spatial_structure"
"""In ``uns['clearspot']``: whether the counts have a pattern over the tissue; absent where it was not tested."""
OUTSIDE_TISSUE: Final = "outside_tissue"
"""In ``uns['clearspot']``: ``xy``, ``counts`` and ``n_positions`` of the positions outside the tissue."""
VERSIONS: Final = "versions"
IMAGE: Final = "image"
REGISTRATION_PICTURES: Final = "registration_pictures"
"""In ``uns['clearspot']``: Space Ranger's pictures of its registration, JPEG files as bytes."""
PIXELS_PER_FULLRES_PIXEL: Final = "pixels_per_fullres_pixel"
"""In the entry ``image`` of ``uns['clearspot']``."""
REFERENCE_GRID: Final = "reference_grid"
"""In ``uns['clearspot']`` of a prepared reference."""

# super-resolved output: a file of its own, predicted and never measured
SUPERRES_MEAN: Final = "mean"
SUPERRES_SD: Final = "sd"
SUPERRES_Q05: Final = "q05"
SUPERRES_Q50: Final = "q50"
SUPERRES_Q95: Final = "q95"
SUPERRES_LAYERS: Final = (SUPERRES_MEAN, SUPERRES_SD, SUPERRES_Q05, SUPERRES_Q50, SUPERRES_Q95)
EVIDENCE: Final = "evidence"
"""Column of ``obs``: ``measured`` or ``gap``."""
PREDICTED: Final = "predicted"
BIN_UM: Final = "bin_um"
AFFINE: Final = "affine_to_fullres"
GRID_SHAPE: Final = "grid_shape"
"""These four in ``uns['clearspot']`` of that file."""

# feature types, as Space Ranger writes them
GENE_EXPRESSION: Final = "Gene Expression"
ANTIBODY_CAPTURE: Final = "Antibody Capture"


def percent_of(gene_set: str) -> str:
    """Column of ``obs`` with the percentage of a spot's counts that fall on a gene set."""
    return f"pct_counts_{gene_set}"


def local_z(metric: str) -> str:
    """Column of ``obs`` with a metric's robust z-score against the spot's spatial neighbours."""
    return f"local_z_{metric}"


def of_genome(column: str, suffix: str) -> str:
    """Column of ``obs`` with a metric of one genome's genes alone."""
    return f"{column}_{suffix}"


def colours_of(column: str) -> str:
    """Entry of ``uns`` with the colours of a column's categories, where scanpy and squidpy look for them."""
    return f"{column}_colors"


# samplesheet
COHORT: Final = "cohort"
"""Stands for the sample's name in the record of the samplesheet."""
VALID_SAMPLESHEET_NAME: Final = "samplesheet.valid.json"

# folder of an image encoder, as the Hugging Face hub names its files
ENCODER_CONFIG: Final = "config.json"
ENCODER_WEIGHTS: Final = "model.safetensors"

# folders in a sample's folder
MODELS_FOLDER: Final = "models"
LOUPE_FOLDER: Final = "loupe"
SUPERRES_MAPS_FOLDER: Final = "superres_maps"

STUDIES_FOLDER: Final = "studies"
"""Folder of the run's results with a folder for each study."""

# reports
METRICS_NAME: Final = "metrics.json"
QC_SUMMARY_NAME: Final = "qc_summary.csv"
MULTIQC_REPORT_NAME: Final = "multiqc_report.html"

_REFERENCE_SUFFIX: Final = ".reference.h5ad"


def record_name(sample: str, step: str) -> str:
    """File name of the record that a step writes for a sample.

    Raises
    ------
    KeyError
        If there is no such step.
    ValueError
        If the step writes no record.
    """
    return get_step(step).record_name(sample)


def h5ad_name(sample: str) -> str:
    """File name of a sample's AnnData file."""
    return f"{sample}.h5ad"


def denoised_name(sample: str) -> str:
    """File name of the denoised values of a section that is too large for a dense layer."""
    return f"{sample}.denoised.h5ad"


def dusted_checkpoint_name(sample: str) -> str:
    """File name of a sample's DUSTED checkpoint, in its folder of models."""
    return f"{sample}.dusted.pt"


def dusted_loss_name(sample: str) -> str:
    """File name of the denoiser's loss curve, in the folder of models."""
    return f"{sample}.dusted_loss.csv"


def dusted_attention_name(sample: str) -> str:
    """File name of the denoiser's attention weights, in the folder of models."""
    return f"{sample}.dusted_attention.npz"


def dusted_gene_attention_name(sample: str) -> str:
    """File name of the denoiser's gene attention, in the folder of models."""
    return f"{sample}.dusted_gene_attention.csv"


def loupe_name(sample: str, table: str) -> str:
    """File name of a table for Loupe Browser, in its folder."""
    return f"{sample}_{table}.csv"


def histology_name(sample: str) -> str:
    """File name of the features of a sample's image."""
    return f"{sample}.histology.npz"


def reference_name(sample: str) -> str:
    """File name of a reference rasterised into bins."""
    return f"{sample}{_REFERENCE_SUFFIX}"


def reference_histology_name(sample: str) -> str:
    """File name of the features of a reference's image; it stands beside the file of :func:`reference_name`."""
    return f"{sample}.reference.histology.npz"


def sample_of_reference(name: str) -> str:
    """Name of the reference that a file of :func:`reference_name` is of; any other name stays as it is."""
    return name.removesuffix(_REFERENCE_SUFFIX)


PRETRAINED_NAME: Final = "references.diffst.pt"
"""File name of the Diff-ST model that learned from the references of a run."""


def diffst_checkpoint_name(sample: str) -> str:
    """File name of a sample's Diff-ST checkpoint."""
    return f"{sample}.diffst.pt"


def superres_name(sample: str) -> str:
    """File name of a sample's super-resolved expression."""
    return f"{sample}.superres.h5ad"


def spatialdata_name(sample: str) -> str:
    """File name of a sample's zipped SpatialData store."""
    return f"{sample}.zarr.zip"


def vitessce_name(sample: str) -> str:
    """File name of a sample's view configuration of Vitessce."""
    return f"{sample}.vitessce.json"


def tissuumaps_name(sample: str) -> str:
    """File name of a sample's project of TissUUmaps."""
    return f"{sample}.tmap"


def tissue_tiff_name(sample: str) -> str:
    """File name of the reduced picture of a sample's tissue, for TissUUmaps."""
    return f"{sample}.tissue.tif"


def superres_tiff_name(sample: str) -> str:
    """File name of all super-resolved genes as one image, in the folder of maps."""
    return f"{sample}.superres.ome.tif"


def study_sections_name(study: str) -> str:
    """File name of the table of a study's sections."""
    return f"{study}_sections.csv"


def study_composition_name(study: str) -> str:
    """File name of the table of domains by section."""
    return f"{study}_composition.csv"


def study_composition_tests_name(study: str) -> str:
    """File name of the table of domains' shares compared between conditions."""
    return f"{study}_composition_tests.csv"


def study_differences_name(study: str) -> str:
    """File name of the table of genes compared between conditions, domain by domain."""
    return f"{study}_differences.csv"


def study_markers_name(study: str) -> str:
    """File name of the table of marker genes of the shared domains."""
    return f"{study}_markers.csv"


def report_name(sample: str) -> str:
    """File name of a sample's HTML report."""
    return f"{sample}_report.html"
