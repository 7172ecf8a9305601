"""Space Ranger's figures of a sequencing run that went badly."""

from __future__ import annotations

from typing import Final

import pandas as pd

_FIGURES: Final[dict[str, tuple[float, float, float]]] = {
    "Sequencing Saturation": (0.30, 0.18, 0.08),
    "Valid Barcodes": (0.78, 0.62, 0.41),
    "Q30 Bases in Barcode": (0.60, 0.50, 0.40),
    "Q30 Bases in UMI": (0.78, 0.70, 0.42),
    "Q30 Bases in RNA Read": (0.67, 0.58, 0.35),
    "Q30 Bases in Probe Read": (0.67, 0.58, 0.35),
    "Reads Mapped Confidently to Transcriptome": (0.40, 0.25, 0.15),
    "Reads Mapped Confidently to Probe Set": (0.60, 0.40, 0.20),
    "Reads Mapped Confidently to the Filtered Probe Set": (0.58, 0.38, 0.19),
    "Fraction Reads in Spots Under Tissue": (0.55, 0.42, 0.31),
    "Fraction Reads in Squares Under Tissue": (0.55, 0.42, 0.31),
}
_READS: Final = (0.5, 0.25, 0.11)
"""Factor on the numbers of reads."""

_OF_READS: Final = ("Number of Reads", "Mean Reads", "Reads per sq mm")


def spoil_metrics(table: pd.DataFrame, level: int) -> pd.DataFrame:
    """Return the one row of ``metrics_summary.csv`` with bad figures (``level`` 0, weak, to 2, strong)."""
    spoilt = table.copy()
    for name in table.columns:
        if name in _FIGURES:
            spoilt[name] = _FIGURES[name][level]
        elif name.startswith(_OF_READS):
            reads = table[name] * _READS[level]
            spoilt[name] = reads.round().astype(int) if name == "Number of Reads" else reads
    return spoilt
