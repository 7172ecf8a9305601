"""Columns that quality control adds beside those of :mod:`clearspot.keys` (scanpy's own names where it has one)."""

from typing import Final

# obs
TOTAL_COUNTS: Final = "total_counts"
N_GENES: Final = "n_genes_by_counts"
LOCAL_OUTLIER: Final = "local_outlier"
EDGE_DISTANCE: Final = "edge_distance"

# var
N_SPOTS: Final = "n_cells_by_counts"
HVG_RANK: Final = "highly_variable_rank"
GENE_OF_INTEREST: Final = "gene_of_interest"


def percent_of(gene_set: str) -> str:
    """Column of ``obs`` with the percentage of a spot's counts that fall on a gene set."""
    return f"pct_counts_{gene_set}"


def local_z(metric: str) -> str:
    """Column of ``obs`` with a metric's robust z-score against the spot's spatial neighbours."""
    return f"local_z_{metric}"
