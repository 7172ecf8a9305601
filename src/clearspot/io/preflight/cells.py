"""Checks of a sample whose unit is the cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clearspot.errors import BadInputError, Problem
from clearspot.io.collecting import collecting
from clearspot.io.consistency import require_scalefactors
from clearspot.io.layout import OutsLayout
from clearspot.io.metrics_summary import read_metrics_summary
from clearspot.io.naming import shown_name
from clearspot.io.preflight.features import check_features
from clearspot.io.preflight.fullres import check_fullres
from clearspot.io.preflight.reduced import check_bounds, check_reduced
from clearspot.io.preflight.scales import check_version
from clearspot.io.preflight.superres import check_superres
from clearspot.io.segmented_cells import read_segmented_cells
from clearspot.record import StepRecord


def check_cells(
    record: StepRecord,
    layout: OutsLayout,
    image: Path | None,
    microns_per_pixel: float | None,
    *,
    allow_lowres: bool,
) -> None:
    """Check counts, outlines and pictures of segmented cells; what is wrong with one does not hide the others.

    Parameters
    ----------
    record
        Gets metrics, messages and problems.
    layout
        With ``cells``.
    image
        Full-resolution image.
    microns_per_pixel
        Overrides what the scale factors say.
    allow_lowres
        Take a reduced image in place of the full-resolution one.
    """
    sample = record.sample
    factors = cells = positions = None
    with collecting(record):
        factors = require_scalefactors(layout, sample)
    if factors is not None:
        with collecting(record):
            cells = read_segmented_cells(layout, factors, sample, microns_per_pixel)
    if layout.metrics_summary is not None:
        try:
            read_metrics_summary(layout.metrics_summary, sample)
        except BadInputError as error:
            record.note("warning", f"metrics_summary.csv was ignored: {error.problems[0].found}.")
    reduced = check_reduced(record, layout, factors, None, None, None)
    outside = False
    if cells is not None and factors is not None:
        check_features(record, cells.matrix, layout.matrix)
        check_version(record, is_hd=True)
        record.messages += cells.messages
        positions = cells.positions()
        totals = cells.matrix.totals().totals
        record.metrics |= {
            "slide_type": "visium_hd",
            "n_positions": cells.n_outlines,
            "n_positions_in_tissue": len(positions),
            "n_spots": len(positions),
            "n_spots_without_counts": int((totals == 0).sum()),
            "umis_in_tissue": int(totals.sum()),
            "microns_per_pixel": cells.microns_per_pixel,
            "microns_per_pixel_source": cells.microns_per_pixel_source,
            "microns_per_pixel_from_scale_factors": factors.microns_per_pixel,
        }
        if not np.any(totals):
            mend = "provide the matrix of this sample's own Space Ranger run"
            record.problems.append(
                Problem(sample, shown_name(layout.matrix), "no counts in any cell", "cells with counts", mend)
            )
        outside = check_bounds(record, layout, positions, reduced.infos, factors, "cells")
    full = None
    if image is not None:
        full = check_fullres(record, image, layout, factors, positions, reduced.infos, allow_lowres=allow_lowres)
    check_superres(record, full, given=False, is_hd=True, outside=outside)
