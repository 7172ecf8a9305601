"""The limits behind the traffic lights.

Limits on Space Ranger's own figures are those below which its web summary raises an alert. The others are choices:
a facility sets its own in a thresholds file.
"""

from __future__ import annotations

from typing import Final

from clearspot.contract.metrics import SPACE_RANGER
from clearspot.report.verdict import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "percent_spots_pass", "qc", "percent_spots_pass", 70, 30,
        "Many spots hold too few molecules or too many mitochondrial ones: see what each filter removed.",
    ),
    Rule(
        "median_counts_spot", "qc", "median_counts", 1000, 100,
        "Few molecules were counted. Deeper sequencing helps while saturation is low; else look at RNA quality.",
        of="spot",
    ),
    Rule(
        "median_counts_bin", "qc", "median_counts", 30, 5,
        "Few molecules were counted per bin: look at a larger bin size, sequencing depth and RNA quality.",
        of="bin",
    ),
    Rule(
        "median_genes_spot", "qc", "median_genes", 500, 75,
        "Few genes were seen in each spot: markers of rare cells will be missing.",
        of="spot",
    ),
    Rule(
        "median_percent_mt", "qc", "median_percent_mt", 20, 50,
        "Damaged tissue leaves mitochondrial RNA behind; heart, kidney and muscle have much of it when healthy.",
    ),
    Rule(
        "fraction_umi_outside_tissue", "ingest", "fraction_umi_outside_tissue", 0.2, 0.5,
        "RNA has spread over the slide, or the tissue outline is wrong: look at the overlay.",
        required=False,
    ),
    Rule(
        "fraction_reads_in_spots", SPACE_RANGER, "fraction_reads_in_spots_under_tissue", 0.5, None,
        "Many reads come from outside the tissue: the tissue was not covered by the outline, or RNA has spread.",
        required=False,
    ),
    Rule(
        "valid_barcodes", SPACE_RANGER, "valid_barcodes", 0.75, None,
        "Sequencing or library preparation went wrong: look at the read quality.",
        required=False,
    ),
    Rule(
        "mapped_transcriptome", SPACE_RANGER, "reads_mapped_confidently_to_transcriptome", 0.3, None,
        "The wrong reference, contamination, or degraded RNA.",
        required=False,
    ),
    Rule(
        "median_degree", "graph", "median_degree", 4, 2,
        "The graph is too thin to denoise with: set the radius, or look at the positions.",
    ),
    Rule("heldout_beats_neighbours", "dusted", "heldout_beats_neighbours", 1, None, "", required=False),
    Rule(
        "largest_component_share", "graph", "largest_component_share", 0.2, None,
        "The tissue is in many small pieces, and nothing is shared between pieces.",
        required=False,
    ),
)  # fmt: skip
