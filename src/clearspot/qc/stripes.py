"""Faults of the lattice of Visium HD as part of quality control: stripes, and bins at the slide's border."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix, diags_array

from clearspot import keys
from clearspot.checks.border import compare_border
from clearspot.checks.stripes import Lines, Stripes, measure_stripes
from clearspot.qc.params import bin_size_um
from clearspot.record import StepRecord


def add_lattice_checks(record: StepRecord, adata: ad.AnnData, *, destripe: bool) -> None:
    """Measure stripes and the border of a section of bins; take the stripes out where that is asked for.

    Taken out, ``layers['destriped']`` holds counts over the factors of row and column (float32), and
    ``obs['stripe_factor']`` their product; ``layers['counts']`` stays as measured.

    Parameters
    ----------
    record
        Gets metrics, the table ``stripes`` and messages.
    adata
        One section after :func:`clearspot.qc.metrics.add_qc_metrics`.
    destripe
        Whether to take the stripes out.
    """
    for name in (keys.STRIPE_FACTOR, keys.DESTRIPED_TOTAL):
        adata.obs.pop(name) if name in adata.obs else None
    adata.layers.pop(keys.DESTRIPED, None)
    bin_um = bin_size_um(adata)
    if bin_um is None or not {keys.ARRAY_ROW, keys.ARRAY_COL} <= set(adata.obs):
        if destripe:
            record.note("info", "Stripes are only removed from Visium HD bins, so the counts were not changed.")
        return
    row, column = (adata.obs[name].to_numpy(dtype=np.int64) for name in (keys.ARRAY_ROW, keys.ARRAY_COL))
    totals = adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=np.float64)
    border = compare_border(row, column, totals, bin_um)
    record.metrics["n_border_bins"] = border.n_bins
    if border.ratio is not None:
        record.metrics["border_to_inner_counts"] = border.ratio
    found = measure_stripes(row, column, totals)
    if found is None:
        record.note("info", "There are too few rows and columns of bins to measure stripes.")
        return
    record.metrics |= {
        "row_stripes_percent": 100.0 * found.rows.strength,
        "column_stripes_percent": 100.0 * found.columns.strength,
        "stripes_percent": 100.0 * max(found.rows.strength, found.columns.strength),
    }
    record.tables["stripes"] = _table(found)
    record.metrics["is_destriped"] = destripe
    if destripe:
        _take_out(adata, found, totals)
        left = measure_stripes(row, column, adata.obs[keys.DESTRIPED_TOTAL].to_numpy(dtype=np.float64))
        assert left is not None  # the bins are the same
        record.metrics["stripes_left_percent"] = 100.0 * max(left.rows.strength, left.columns.strength)
        record.note(
            "handled",
            f"Stripes were removed: rows of bins differed by {100 * found.rows.strength:.1f} % and columns by "
            f"{100 * found.columns.strength:.1f} %. The corrected counts are in layers['destriped'].",
        )


def _take_out(adata: ad.AnnData, found: Stripes, totals: np.ndarray) -> None:
    counts: csr_matrix = adata.layers[keys.COUNTS]
    adata.layers[keys.DESTRIPED] = csr_matrix(diags_array(1.0 / found.of_bin) @ counts, dtype=np.float32)
    adata.obs[keys.STRIPE_FACTOR] = found.of_bin
    adata.obs[keys.DESTRIPED_TOTAL] = totals / found.of_bin


def _table(found: Stripes) -> dict[str, list[Any]]:
    parts: tuple[tuple[str, Lines], ...] = (("row", found.rows), ("column", found.columns))
    return {
        "axis": [name for name, lines in parts for _ in lines.number],
        "number": [int(number) for _, lines in parts for number in lines.number],
        "factor": [round(float(factor), 4) for _, lines in parts for factor in lines.factor],
    }
