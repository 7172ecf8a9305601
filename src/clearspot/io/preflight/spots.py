"""Whether matrix and positions tell of the same spots (rows 13 to 15, 18 and 19)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.errors import BadInputError, Problem
from clearspot.io.barcodes import match_barcodes, no_position, require_unique
from clearspot.io.collecting import collecting
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.layout import OutsLayout
from clearspot.io.matrix import matrix_size
from clearspot.io.naming import shown_name
from clearspot.record import StepRecord

MOST_BINS: Final = 2_000_000
"""A whole slide of 6.5 mm has 0.7 million bins of 8 µm and 11 million of 2 µm, for which no step is made."""


def too_many_bins(layout: OutsLayout, sample: str) -> Problem | None:
    """What is wrong where there are more bins than the steps can take, found without reading them."""
    try:
        _, number, _ = matrix_size(layout.matrix, sample)
    except BadInputError:
        return None  # the reader says more about it
    if layout.bin_size_um is None or number <= MOST_BINS:
        return None
    larger = [str(size) for size in layout.bins_available if size > layout.bin_size_um]
    return Problem(
        sample,
        shown_name(layout.matrix),
        f"{number:,} bins of {layout.bin_size_um} µm",
        f"at most {MOST_BINS:,} bins",
        f"set bin_size_um to {' or '.join(larger)}"
        if larger
        else "rerun Space Ranger with a larger --custom-bin-size, or set unit to cells if it segmented cells",
    )


def check_spots(
    record: StepRecord, matrix: FeatureMatrix, matrix_file: Path, positions: pd.DataFrame, positions_file: Path
) -> pd.Series | None:
    """Record how many spots are in tissue and counted, and what is wrong with them.

    Parameters
    ----------
    record
        Gets metrics, messages and problems.
    matrix, matrix_file
        The matrix to analyse, and where it came from.
    positions, positions_file
        All positions, and where they came from.

    Returns
    -------
    Series or None
        UMIs of gene expression by the positions' barcode; None where the two files do not fit together.
    """
    in_tissue = positions[keys.IN_TISSUE].to_numpy()
    record.metrics |= {"n_positions": len(positions), "n_positions_in_tissue": int(in_tissue.sum())}
    if not in_tissue.any():
        record.problems.append(_none_in_tissue(record.sample, shown_name(positions_file)))
    elif in_tissue.all():
        record.note(
            "handled",
            "All positions are in tissue, so diffusion outside the tissue cannot be measured.",
        )
    with collecting(record):
        require_unique(matrix.barcodes, matrix_file, record.sample)
    with collecting(record):
        require_unique(positions.index, positions_file, record.sample)
    if not (matrix.barcodes.is_unique and positions.index.is_unique):
        return None
    match = match_barcodes(matrix.barcodes, positions.index)
    lost = no_position(matrix.barcodes, match, matrix_file, record.sample)
    if lost is not None:
        record.problems += lost.problems
        return None
    if not match.exact:
        example = f"{matrix.barcodes[0]} is {positions.index[match.rows[0]]}"
        record.note(
            "handled", f"Barcodes were matched without their suffix and prefix: {example} in the positions file."
        )
    totals = pd.Series(matrix.totals().totals, index=positions.index[match.rows])
    if (matrix.features[keys.FEATURE_TYPES] == keys.GENE_EXPRESSION).any():
        _check_counts(record, totals, in_tissue[match.rows], matrix_file)
    return totals


def _check_counts(record: StepRecord, totals: pd.Series, in_tissue: np.ndarray, matrix_file: Path) -> None:
    counted = totals.to_numpy() > 0
    record.metrics |= {
        "n_spots": int(in_tissue.sum()),
        "n_spots_without_counts": int((in_tissue & ~counted).sum()),
        "umis_in_tissue": int(totals.to_numpy()[in_tissue].sum()),
    }
    if not (in_tissue & counted).any() and record.metrics["n_positions_in_tissue"]:
        record.problems.append(
            Problem(
                record.sample,
                shown_name(matrix_file),
                "no counts in tissue" if in_tissue.any() else "no barcode with a position in tissue",
                "counts for the spots with in_tissue = 1",
                "use the matrix and the spatial folder of the same Space Ranger run",
            )
        )
    elif empty := record.metrics["n_spots_without_counts"]:
        unit = record.metrics.get("unit", "spots")
        record.note("handled", f"{unit.capitalize()} in tissue without counts: {empty:,}. They are excluded.")


def _none_in_tissue(sample: str, file: str) -> Problem:
    return Problem(
        sample,
        file,
        "no spot in tissue: in_tissue is 0 everywhere",
        "in_tissue = 1 for the spots under tissue",
        "check detected_tissue_image.jpg; mark the tissue manually in Loupe Browser and rerun Space Ranger",
    )
