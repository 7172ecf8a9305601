"""Figures that Space Ranger states itself."""

from __future__ import annotations

from typing import Final

from clearspot.contract.metric import Better, Kind, Metric

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
