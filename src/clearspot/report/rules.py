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
_CHOICE: Final = "choice of clearspot"
_MEASURED: Final = "chosen on slides of benchmarks/verdict"
_DEFINITION: Final = "definition"
_SATURATED: Final = "Sequencing saturation is {sequencing_saturation}: deeper sequencing would find few new molecules."

_STRUCTURE: Final = (
    Rule(
        "spatial_structure", "graph", "has_spatial_structure", None, 1,
        "no spatial structure: {percent_genes_spatial} of {n_genes_structure_tested} genes vary over the tissue "
        "(Moran's I {morans_i_median}; {morans_i_shuffled} with the {places} shuffled)",
        "Barcodes and positions do not belong together (files of another slide or area), or nothing but noise was "
        "counted. Domains, denoised values and super-resolution of this sample mean nothing.",
        _DEFINITION, topic="structure",
    ),
    Rule(
        "percent_genes_spatial", "graph", "percent_genes_spatial", 10, 5,
        "only {value} of {n_genes_structure_tested} genes vary over the tissue",
        "Few molecules, a tissue of one kind, or barcodes that are mixed up in part: compare the maps of known "
        "markers with the picture.",
        _MEASURED, required=False, topic="structure",
    ),
    Rule(
        "neighbour_likeness", "graph", "neighbour_likeness", 0.3, 0.15,
        "touching {places} have little in common: {value} of what tells {places} apart",
        "Some of the barcodes are mixed up, or the tissue changes from spot to spot: compare the maps of known markers "
        "with the picture.",
        _MEASURED, required=False, topic="structure",
    ),
)  # fmt: skip

_PLACE: Final = (
    Rule(
        "spots_on_tissue_image", "qc", "percent_spots_on_tissue_image", 70, 50,
        "only {value} of the {places} lie on tissue of the image",
        "The image or the positions are shifted, turned, or of another slide: look at the overlay and at "
        "aligned_fiducials.jpg, and align again in Loupe Browser.",
        _MEASURED, required=False, topic="place",
    ),
    Rule(
        "picture_symmetry", "qc", "picture_symmetry_p", 0.02, 0.01,
        "the counts fit the picture better when they are {picture_best_symmetry}: p = {value}",
        "The image or the positions are turned or mirrored: look at aligned_fiducials.jpg, and align again in Loupe "
        "Browser.",
        f"{_CHOICE}: false alarms in 1 and 2 of 100 sections", required=False, direction="below", topic="place",
    ),
    Rule(
        "picture_shift", "qc", "picture_shift_um", 75, 200,
        "the counts fit the picture best {value} µm beside it",
        "The fiducials were not found rightly, or the image is of another section: look at aligned_fiducials.jpg, and "
        "align again in Loupe Browser.",
        _MEASURED, required=False, guard="picture_shift_p", guard_limit=0.01, topic="place", is_open=True,
        excuse="Not significant (p = {picture_shift_p}): the counts follow the image too weakly to tell.",
    ),
)  # fmt: skip

_COUNTS: Final = (
    Rule(
        "percent_spots_pass", "qc", "percent_spots_pass", 70, 30,
        "{value} of {places} pass quality control",
        "Many spots hold too few molecules or too many mitochondrial ones: see what each filter removed.",
        _CHOICE, replaces="Quality control removes ",
    ),
    Rule(
        "median_counts_spot", "qc", "median_counts", 1000, 100,
        "median {value} UMI a spot",
        "Few molecules were counted. Deeper sequencing helps while saturation is low; else look at RNA quality.",
        _CHOICE, of="spot",
    ),
    Rule(
        "median_counts_bin", "qc", "median_counts", 30, 5,
        "median {value} UMI a bin",
        "Few molecules were counted per bin: look at a larger bin size, sequencing depth and RNA quality.",
        _CHOICE, of="bin",
    ),
    Rule(
        "median_counts_cell", "qc", "median_counts", 40, 10,
        "median {value} UMI a cell",
        "Few molecules were counted per cell: read bins of 16 µm instead, or look at sequencing depth and RNA quality.",
        _CHOICE, of="cell",
    ),
    Rule(
        "fraction_umi_in_cells", "ingest", "fraction_umi_in_cells", 0.4, 0.15,
        "{value} of the counts lie in cells",
        "Many molecules lie outside the segmented cells: look at the outlines on the image; a segmentation that misses "
        "cells loses their counts, and bins keep them.",
        _CHOICE, required=False, of="cell",
    ),
    Rule(
        "percent_cells_without_nucleus", "qc", "percent_cells_without_nucleus", 20, 60,
        "{value} of the cells have no nucleus",
        "Space Ranger grows cells from nuclei, so that a cell without one comes from another segmentation: look at the "
        "outlines on the image.",
        _CHOICE, required=False, of="cell",
    ),
    Rule(
        "median_genes_spot", "qc", "median_genes", 500, 75,
        "median {value} genes a spot",
        "Few genes were seen in each spot: markers of rare cells will be missing.",
        _CHOICE, of="spot", genes="whole",
    ),
    Rule(
        "percent_genes_seen", "qc", "percent_genes_seen", 10, 2,
        "a spot has {value} of the panel's genes",
        "Few genes of the panel were seen in each spot: look at RNA quality, and whether the panel fits the tissue.",
        _CHOICE, required=False, of="spot", genes="panel",
    ),
    Rule(
        "median_percent_mt", "qc", "median_percent_mt", 20, 50,
        "median {value} mitochondrial counts",
        "Damaged tissue leaves mitochondrial RNA behind; heart, kidney and muscle have much of it when healthy.",
        _CHOICE, required=False,
    ),
)  # fmt: skip

_AREAS: Final = (
    Rule(
        "percent_spots_in_regions", "qc", "percent_spots_in_regions", 2.5, 50,
        "{value} of the {places} lie in damaged regions ({n_low_regions} of them, the largest {regions.place}"
        "[, {largest_region_mm2} mm²], with {regions.kind})",
        "Part of the tissue was torn, dried, folded, covered or badly permeabilised: see the map of quality control, "
        "and leave out obs['artefact_region'] where it is not empty.",
        _MEASURED, required=False,
    ),
    Rule(
        "stripes", "qc", "stripes_percent", 5, 20,
        "rows and columns of bins differ by {value} from their neighbours (rows {row_stripes_percent}, columns "
        "{column_stripes_percent})",
        "Visium HD slides have stripes. They cancel where a bin is divided by its own total; maps of counts and "
        "thresholds on counts show them: take them out with --qc_destripe.",
        "measured (benchmarks/stripes): at most 4 % on 20 simulated slides without stripes, at most 2 % along the "
        "diagonals of a real kidney, where there can be none, and 8 % along its rows and columns; 20 % is a choice",
        required=False, of="bin",
    ),
    Rule(
        "border_to_inner_counts", "qc", "border_to_inner_counts", 0.6, 0.1,
        "bins at the slide's border hold {value} times the counts of those behind them ({n_border_bins} bins)",
        "The tissue reaches the border of the capture area, whose outermost bins lie partly outside it: leave them out "
        "of comparisons of counts.",
        "measured: 0.37 on one side of a real kidney whose tissue reaches the border; 0.1 is a choice",
        required=False, of="bin",
    ),
    Rule(
        "bleed_share", "qc", "bleed_share", 0.05, 0.3,
        "{value} of the counts bled over {bleed_spread_um} µm",
        "RNA left its place before it was caught: fine structures are blurred, and counts off tissue are not nothing. "
        "Look at permeabilisation time.",
        _MEASURED, required=False, topic="bleeding",
    ),
    Rule(
        "far_to_tissue_counts", "qc", "far_to_tissue_counts", 0.1, 0.5,
        "far from the tissue a position still has {value} of the counts of one in it",
        "RNA lies everywhere on the slide (permeabilisation, washing), or tissue lies outside the outline: look at the "
        "map of counts outside the tissue.",
        _MEASURED, required=False, topic="bleeding",
    ),
    Rule(
        "percent_counts_outside", "qc", "percent_counts_outside_tissue", 20, 50,
        "{value} of the counts lie outside the tissue",
        "RNA has spread over the slide, or the tissue outline is wrong: look at the overlay.",
        _CHOICE, required=False, topic="bleeding",
    ),
)  # fmt: skip

_SEQUENCING: Final = (
    Rule(
        "fraction_reads_in_spots", SPACE_RANGER, "fraction_reads_in_spots_under_tissue", 0.5, 0.25,
        "{value} of the reads lie under tissue",
        "Many reads come from outside the tissue: the tissue was not covered by the outline, or RNA has spread.",
        f"{_NOTE}; half of it (bad)", required=False,
    ),
    Rule(
        "valid_barcodes", SPACE_RANGER, "valid_barcodes", 0.75, 0.5,
        "{value} of the reads have a valid barcode",
        "Sequencing or library preparation went wrong: look at the read quality.",
        _ALERT, required=False,
    ),
    Rule(
        "valid_umis", SPACE_RANGER, "valid_umis", 0.75, 0.5,
        "{value} of the reads have a valid UMI",
        "Sequencing or library preparation went wrong: look at the quality of read 1.",
        _ALERT, required=False,
    ),
    Rule(
        "q30_rna_read", SPACE_RANGER, "q30_bases_in_rna_read", 0.65, 0.55,
        "{value} of the bases of the RNA read reach Q30",
        "Sequencing went wrong (loading concentration, run quality): sequence the library again.",
        _ALERT, required=False,
    ),
    Rule(
        "q30_probe_read", SPACE_RANGER, "q30_bases_in_probe_read", 0.65, 0.55,
        "{value} of the bases of the probe read reach Q30",
        "Sequencing went wrong (loading concentration, run quality): sequence the library again.",
        _ALERT, required=False,
    ),
    Rule(
        "q30_barcode", SPACE_RANGER, "q30_bases_in_barcode", 0.55, 0.45,
        "{value} of the bases of the barcode reach Q30",
        "Sequencing went wrong (loading concentration, run quality): sequence the library again.",
        _ALERT, required=False,
    ),
    Rule(
        "q30_umi", SPACE_RANGER, "q30_bases_in_umi", 0.75, 0.65,
        "{value} of the bases of the UMI reach Q30",
        "Sequencing went wrong (loading concentration, run quality): sequence the library again.",
        _ALERT, required=False,
    ),
    Rule(
        "mapped_transcriptome", SPACE_RANGER, "reads_mapped_confidently_to_transcriptome", 0.3, 0.2,
        "{value} of the reads map to the transcriptome",
        "The wrong reference, contamination, or degraded RNA.",
        _ALERT, required=False, topic="mapping",
    ),
    Rule(
        "mapped_probe_set", SPACE_RANGER, "reads_mapped_confidently_to_probe_set", 0.5, 0.25,
        "{value} of the reads map to the probe set",
        "The wrong probe set, contamination, or degraded RNA.",
        f"{_NOTE}; half of it (bad)", required=False, topic="mapping",
    ),
    Rule(
        "mean_reads_spot", SPACE_RANGER, "mean_reads_per_spot", 25_000, 2_500,
        "{value} reads a spot",
        "Sequenced less deeply than 10x recommends: sequence the library further.",
        f"{_NOTE}; a tenth of it (bad)", required=False, of="spot", genes="whole", topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "mean_reads_spot_panel", SPACE_RANGER, "mean_reads_per_spot", 2_500, 250,
        "{value} reads a spot",
        "Sequenced less deeply than a panel needs: sequence the library further.",
        f"{_CHOICE}: a tenth of a transcriptome's", required=False, of="spot", genes="panel", topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "mean_reads_bin", SPACE_RANGER, "mean_reads_under_tissue_per_bin_8_um", 300, 30,
        "{value} reads a bin of 8 µm",
        "Sequenced shallowly for Visium HD: sequence the library further.",
        f"{_CHOICE}: three quarters of 275 million reads a full capture area (look), a tenth of that (bad)",
        required=False, of="bin", genes="whole", topic="depth",
        guard="sequencing_saturation", guard_limit=0.5, excuse=_SATURATED,
    ),
    Rule(
        "sequencing_saturation", SPACE_RANGER, "sequencing_saturation", 0.25, 0.1,
        "sequencing saturation {value}",
        "Most molecules of the library were not sequenced yet: sequence it further.",
        _CHOICE, required=False,
    ),
)  # fmt: skip

_PICTURE: Final = (
    Rule(
        "percent_tiles_blurred", "qc", "percent_tiles_blurred", 25, None,
        "{value} of the picture's tissue is out of focus",
        "Counts are not affected. Super-resolution and whoever reads the histology need a sharper scan.",
        _MEASURED, required=False,
    ),
    Rule(
        "percent_tiles_overexposed", "qc", "percent_tiles_overexposed", 25, None,
        "{value} of the picture's tissue is overexposed",
        "Counts are not affected. Super-resolution and whoever reads the histology need a scan with less light.",
        _MEASURED, required=False,
    ),
    Rule(
        "percent_tiles_underexposed", "qc", "percent_tiles_underexposed", 25, None,
        "{value} of the picture's tissue is underexposed",
        "Counts are not affected. Super-resolution and whoever reads the histology need a scan with more light.",
        _CHOICE, required=False,
    ),
    Rule(
        "percent_tiles_pale", "qc", "percent_tiles_pale", 25, None,
        "{value} of the picture's tissue is hardly stained",
        "Counts are not affected. Super-resolution and whoever reads the histology need a stronger stain.",
        _MEASURED, required=False,
    ),
)  # fmt: skip

_RESULTS: Final = (
    Rule(
        "median_degree", "graph", "median_degree", 4, 2,
        "a {place} has {value} neighbours",
        "The graph is too thin to denoise with: set the radius, or look at the positions.",
        _CHOICE,
    ),
    Rule(
        "largest_component_share", "graph", "largest_component_share", 0.2, None,
        "the largest piece of tissue has {value} of the {places}",
        "The tissue is in many small pieces, and nothing is shared between pieces.",
        _CHOICE, required=False,
    ),
    Rule(
        "heldout_beats_neighbours", "dusted", "heldout_beats_neighbours", 1, None,
        "denoised values predict held-out counts no better than plain averages",
        "Use the denoised values for looking, not for conclusions.",
        _DEFINITION, required=False, replaces="On held-out counts the denoised values predict no better",
    ),
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *_STRUCTURE, *_PLACE, *_COUNTS, *_AREAS, *_SEQUENCING, *_PICTURE, *_RESULTS,
)  # fmt: skip
