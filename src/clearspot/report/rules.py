"""The limits behind the verdict, each with its source, and the sentences that name a problem.

The order is that in which a verdict names its reasons. A facility sets its own limits in a thresholds file.
"""

from __future__ import annotations

from typing import Final

from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER
from clearspot.report.rule import Rule

_ALERT: Final = "10x: alert and error of the web summary"
"""Both limits of 10x's published table of alerts (``METRIC_ALARMS`` of Cell Ranger, whose read metrics are Space
Ranger's too): "may be affected" below the first, "is likely to be affected" below the second."""

_NOTE: Final = "10x: technical note CG000499 on Space Ranger's web summary (look)"
_CHOICE: Final = "set by clearspot"
_MEASURED: Final = "calibrated on the slides of benchmarks/verdict"
_DEFINITION: Final = "by definition"
_LOW_QUALITY: Final = "Sequencing quality is low (loading concentration, run quality). Sequence the library again."
_SATURATED: Final = (
    "Sequencing saturation is {sequencing_saturation}, so deeper sequencing would detect few additional molecules."
)

_STRUCTURE: Final = (
    Rule(
        "spatial_structure", "graph", "has_spatial_structure", None, 1,
        "no spatial structure: only {percent_genes_spatial} of {n_genes_structure_tested} genes are spatially "
        "variable (median Moran's I {morans_i_median}; {morans_i_shuffled} with the {places} shuffled)",
        "Barcodes and positions do not match (files of another slide or capture area), or the counts are only noise. "
        "Domains, denoised values and super-resolution of this sample are meaningless.",
        _DEFINITION, topic="structure",
    ),
    Rule(
        "percent_genes_spatial", "graph", "percent_genes_spatial", 10, 5,
        "only {value} of {n_genes_structure_tested} genes are spatially variable",
        "Possible causes: few molecules, a homogeneous tissue, or partly swapped barcodes. Compare the maps of known "
        "markers with the tissue image.",
        _MEASURED, required=False, topic="structure",
    ),
    Rule(
        "neighbour_likeness", "graph", "neighbour_likeness", 0.3, 0.15,
        "adjacent {places} are dissimilar: they share only {value} of the variation between {places}",
        "Some barcodes may be swapped, or the tissue varies from {place} to {place}. Compare the maps of known markers "
        "with the tissue image.",
        _MEASURED, required=False, topic="structure",
    ),
)  # fmt: skip

_PLACE: Final = (
    Rule(
        "spots_on_tissue_image", "qc", "percent_spots_on_tissue_image", 70, 50,
        "only {value} of the {places} lie on tissue in the image",
        "The image or the positions are shifted, rotated or from another slide. Check the overlay and "
        "aligned_fiducials.jpg, and redo the alignment in Loupe Browser.",
        _MEASURED, required=False, topic="place",
    ),
    Rule(
        "picture_symmetry", "qc", "picture_symmetry_p", 0.02, 0.01,
        "the counts match the tissue image better when {picture_best_symmetry}: p = {value}",
        "The image or the positions are rotated or mirrored. Check aligned_fiducials.jpg, and redo the alignment in "
        "Loupe Browser.",
        f"{_CHOICE}: false alarms in 1 and 2 of 100 sections", required=False, direction="below", topic="place",
    ),
    Rule(
        "picture_shift", "qc", "picture_shift_um", 75, 200,
        "the counts match the tissue image best when shifted by {value} µm",
        "The fiducials were not detected correctly, or the image is from another section. Check "
        "aligned_fiducials.jpg, and redo the alignment in Loupe Browser.",
        _MEASURED, required=False, guard="picture_shift_p", guard_limit=0.01, topic="place", is_open=True,
        excuse="Not significant (p = {picture_shift_p}): counts and image are too weakly associated to detect a shift.",
    ),
)  # fmt: skip

_COUNTS: Final = (
    Rule(
        "percent_spots_pass", "qc", "percent_spots_pass", 70, 30,
        "only {value} of {places} pass quality control",
        "Many {places} have too few counts or too many mitochondrial counts. See what each filter removed.",
        _CHOICE, replaces="Quality control removes ",
    ),
    Rule(
        "median_counts_spot", "qc", "median_counts", 1000, 100,
        "median of {value} UMI counts per spot",
        "Few molecules were counted. If sequencing saturation is low, sequence more deeply; otherwise check RNA "
        "quality.",
        _CHOICE, of="spot",
    ),
    Rule(
        "median_counts_bin", "qc", "median_counts", 30, 5,
        "median of {value} UMI counts per bin",
        "Few molecules were counted per bin. Consider a larger bin size, and check sequencing depth and RNA quality.",
        _CHOICE, of="bin",
    ),
    Rule(
        "median_counts_cell", "qc", "median_counts", 40, 10,
        "median of {value} UMI counts per cell",
        "Few molecules were counted per cell. Use bins of 16 µm instead, or check sequencing depth and RNA quality.",
        _CHOICE, of="cell",
    ),
    Rule(
        "fraction_umi_in_cells", "ingest", "fraction_umi_in_cells", 0.4, 0.15,
        "only {value} of the counts lie in cells",
        "Many molecules lie outside the segmented cells. Check the outlines on the image (Segmentation, in quality "
        "control): counts of cells missed by the segmentation are lost, while bins keep them.",
        _CHOICE, required=False, of="cell",
    ),
    Rule(
        "percent_cells_without_nucleus", "qc", "percent_cells_without_nucleus", 20, 60,
        "{value} of the cells have no nucleus",
        "Space Ranger expands cells from nuclei, so cells without a nucleus come from another segmentation. Check the "
        "outlines on the image (Segmentation, in quality control).",
        _CHOICE, required=False, of="cell",
    ),
    Rule(
        "median_genes_spot", "qc", "median_genes", 500, 75,
        "median of {value} genes per spot",
        "Few genes were detected per spot. Markers of rare cell types may be missing.",
        _CHOICE, of="spot", genes="whole",
    ),
    Rule(
        "percent_genes_seen", "qc", "percent_genes_seen", 10, 2,
        "the median spot has only {value} of the panel's genes",
        "Few genes of the panel were detected per spot. Check RNA quality, and whether the panel suits the tissue.",
        _CHOICE, required=False, of="spot", genes="panel",
    ),
    Rule(
        "median_percent_mt", "qc", "median_percent_mt", 20, 50,
        "median of {value} mitochondrial counts per {place}",
        "A high share indicates damaged tissue. In heart, kidney and muscle, it is normally high.",
        _CHOICE, required=False,
    ),
)  # fmt: skip

_AREAS: Final = (
    Rule(
        "percent_spots_in_regions", "qc", "percent_spots_in_regions", 2.5, 50,
        "{value} of the {places} lie in damaged regions ({n_low_regions} in total, the largest {regions.place}"
        "[, {largest_region_mm2} mm²], with {regions.kind})",
        "Part of the tissue is torn, dried, folded, covered or poorly permeabilised. See the map under Quality "
        "control, and exclude {places} with a value in obs['artefact_region'].",
        _MEASURED, required=False,
    ),
    Rule(
        "stripes", "qc", "stripes_percent", 5, 20,
        "rows and columns of bins differ by {value} from their neighbours (rows {row_stripes_percent}, columns "
        "{column_stripes_percent})",
        "Visium HD slides have stripes. They cancel if each bin is normalised by its total, but show in maps of "
        "counts and affect count thresholds. Remove them with --qc_destripe.",
        "measured (benchmarks/stripes): at most 4 % on 20 simulated slides without stripes, at most 2 % along the "
        "diagonals of a real kidney, where there can be none, and 8 % along its rows and columns; 20 % is set by "
        "clearspot",
        required=False, of="bin",
    ),
    Rule(
        "border_to_inner_counts", "qc", "border_to_inner_counts", 0.6, 0.1,
        "bins at the slide border have only {value} times the counts of adjacent inner bins ({n_border_bins} bins)",
        "The tissue reaches the border of the capture area. The outermost bins lie partly outside it: exclude them "
        "from comparisons of counts.",
        "measured: 0.37 on one side of a real kidney whose tissue reaches the border; 0.1 is set by clearspot",
        required=False, of="bin",
    ),
    Rule(
        "bleed_share", "qc", "bleed_share", 0.05, 0.3,
        "{value} of the counts diffused out of the tissue with a 1/e distance of {bleed_spread_um} µm",
        "RNA diffused before capture. Fine structures are blurred, and counts outside the tissue are not background. "
        "Check the permeabilisation time.",
        _MEASURED, required=False, topic="bleeding",
    ),
    Rule(
        "far_to_tissue_counts", "qc", "far_to_tissue_counts", 0.1, 0.5,
        "positions far from the tissue still have {value} of the counts of positions in the tissue",
        "RNA is spread over the whole slide (permeabilisation, washing), or there is tissue outside the outline. See "
        "the map of counts outside the tissue.",
        _MEASURED, required=False, topic="bleeding",
    ),
    Rule(
        "percent_counts_outside", "qc", "percent_counts_outside_tissue", 20, 50,
        "{value} of the counts lie outside the tissue",
        "RNA diffused over the slide, or the tissue outline is wrong. Check the overlay.",
        _CHOICE, required=False, topic="bleeding",
    ),
)  # fmt: skip

_SEQUENCING: Final = (
    Rule(
        "fraction_reads_in_spots", SPACE_RANGER, "fraction_reads_in_spots_under_tissue", 0.5, 0.25,
        "only {value} of the reads lie under tissue",
        "Many reads come from outside the tissue. The outline does not cover the whole tissue, or RNA diffused.",
        f"{_NOTE}; half of it (bad)", required=False,
    ),
    Rule(
        "valid_barcodes", SPACE_RANGER, "valid_barcodes", 0.75, 0.5,
        "only {value} of the reads have a valid barcode",
        "Sequencing or library preparation failed. Check the read quality.",
        _ALERT, required=False,
    ),
    Rule(
        "valid_umis", SPACE_RANGER, "valid_umis", 0.75, 0.5,
        "only {value} of the reads have a valid UMI",
        "Sequencing or library preparation failed. Check the quality of read 1.",
        _ALERT, required=False,
    ),
    Rule(
        "q30_rna_read", SPACE_RANGER, "q30_bases_in_rna_read", 0.65, 0.55,
        "only {value} of the bases of the RNA read reach Q30",
        _LOW_QUALITY,
        _ALERT, required=False,
    ),
    Rule(
        "q30_probe_read", SPACE_RANGER, "q30_bases_in_probe_read", 0.65, 0.55,
        "only {value} of the bases of the probe read reach Q30",
        _LOW_QUALITY,
        _ALERT, required=False,
    ),
    Rule(
        "q30_barcode", SPACE_RANGER, "q30_bases_in_barcode", 0.55, 0.45,
        "only {value} of the bases of the barcode reach Q30",
        _LOW_QUALITY,
        _ALERT, required=False,
    ),
    Rule(
        "q30_umi", SPACE_RANGER, "q30_bases_in_umi", 0.75, 0.65,
        "only {value} of the bases of the UMI reach Q30",
        _LOW_QUALITY,
        _ALERT, required=False,
    ),
    Rule(
        "mapped_transcriptome", SPACE_RANGER, "reads_mapped_confidently_to_transcriptome", 0.3, 0.2,
        "only {value} of the reads map to the transcriptome",
        "Possible causes: wrong reference, contamination or degraded RNA.",
        _ALERT, required=False, topic="mapping",
    ),
    Rule(
        "mapped_probe_set", SPACE_RANGER, "reads_mapped_confidently_to_probe_set", 0.5, 0.25,
        "only {value} of the reads map to the probe set",
        "Possible causes: wrong probe set, contamination or degraded RNA.",
        f"{_NOTE}; half of it (bad)", required=False, topic="mapping",
    ),
    Rule(
        "mean_reads_spot", SPACE_RANGER, "mean_reads_per_spot", 25_000, 2_500,
        "only {value} reads per spot",
        "Sequencing depth is below the 10x recommendation. Sequence the library more deeply.",
        f"{_NOTE}; a tenth of it (bad)", required=False, of="spot", genes="whole", topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "mean_reads_spot_panel", SPACE_RANGER, "mean_reads_per_spot", 2_500, 250,
        "only {value} reads per spot",
        "Sequencing depth is too low for a panel. Sequence the library more deeply.",
        f"{_CHOICE}: a tenth of the limit for whole transcriptomes", required=False, of="spot", genes="panel",
        topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "mean_reads_bin", SPACE_RANGER, "mean_reads_under_tissue_per_bin_8_um", 300, 30,
        "only {value} reads per 8 µm bin",
        "Sequencing depth is low for Visium HD. Sequence the library more deeply.",
        f"{_CHOICE}: three quarters of 275 million reads per full capture area (look), a tenth of that (bad)",
        required=False, of="bin", genes="whole", topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "sequencing_saturation", SPACE_RANGER, "sequencing_saturation", 0.25, 0.1,
        "sequencing saturation of only {value}",
        "Most molecules of the library have not been sequenced yet. Sequence it more deeply.",
        _CHOICE, required=False,
    ),
)  # fmt: skip

_PICTURE: Final = (
    Rule(
        "percent_tiles_blurred", "qc", "percent_tiles_blurred", 25, None,
        "{value} of the tissue in the image is out of focus",
        "Counts are not affected. Super-resolution and histology need a sharper scan.",
        _MEASURED, required=False,
    ),
    Rule(
        "percent_tiles_overexposed", "qc", "percent_tiles_overexposed", 25, None,
        "{value} of the tissue in the image is overexposed",
        "Counts are not affected. Super-resolution and histology need a scan with lower exposure.",
        _MEASURED, required=False,
    ),
    Rule(
        "percent_tiles_underexposed", "qc", "percent_tiles_underexposed", 25, None,
        "{value} of the tissue in the image is underexposed",
        "Counts are not affected. Super-resolution and histology need a scan with higher exposure.",
        _CHOICE, required=False,
    ),
    Rule(
        "percent_tiles_pale", "qc", "percent_tiles_pale", 25, None,
        "{value} of the tissue in the image is barely stained",
        "Counts are not affected. Super-resolution and histology need a stronger stain.",
        _MEASURED, required=False,
    ),
)  # fmt: skip

_RESULTS: Final = (
    Rule(
        "median_degree", "graph", "median_degree", 4, 2,
        "the median {place} has only {value} neighbours",
        "The graph is too sparse for denoising. Set the radius, or check the positions.",
        _CHOICE,
    ),
    Rule(
        "largest_component_share", "graph", "largest_component_share", 0.2, None,
        "the largest piece of tissue has only {value} of the {places}",
        "The tissue is in many small pieces. Denoising shares no information between pieces.",
        _CHOICE, required=False,
    ),
    Rule(
        "heldout_beats_neighbours", "dusted", "heldout_beats_neighbours", 1, None,
        "denoised values predict held-out counts no better than averages",
        "Use the denoised values for display only, not for conclusions.",
        _DEFINITION, required=False, replaces="The denoised values do not predict held-out counts better",
    ),
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *_STRUCTURE, *_PLACE, *_COUNTS, *_AREAS, *_SEQUENCING, *_PICTURE, *_RESULTS,
)  # fmt: skip
