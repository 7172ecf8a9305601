"""Rows of the list of bad inputs that only quality control and the graph can meet."""

from __future__ import annotations

import numpy as np
import pytest

from clearspot import keys
from clearspot.errors import BadInputError
from clearspot.graph.build import build_graph
from clearspot.io.ingest import ingest_outs
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc

LENIENT = QCParams(min_counts=1, min_genes=1, min_spots_left=10, min_genes_left=5, hvg_min_counts=0)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (QCParams(min_counts=10_000, hvg_min_counts=0), "spots"),
        (QCParams(min_counts=1, min_genes=1, hvg_min_counts=10**6), "genes"),
    ],
)
def test_row_32_too_little_left_is_an_error_never_the_unfiltered_data(outs, params: QCParams, expected: str):
    adata, _ = ingest_outs(outs().root, "S1")
    with pytest.raises(BadInputError) as caught:
        run_qc(adata, "S1", params)
    (problem,) = caught.value.problems
    assert problem.sample == "S1"
    assert expected in problem.expected
    assert "--qc_" in problem.mend or "--hvg_" in problem.mend


def test_row_33_islands_and_pieces_of_tissue_are_handled_and_counted(outs, rewrite):
    made = outs(n_rows=14, n_cols=14)
    # two pieces, two array rows apart, and one spot far from both
    row, col = made.positions["array_row"], made.positions["array_col"]
    tissue = (row.between(1, 4) | row.between(8, 10)) & (col <= 16) | ((row == 13) & (col == 27))
    made.positions["in_tissue"] = tissue.astype(np.int32)
    made.counts[tissue.to_numpy(), 0] += 1
    rewrite(made)
    adata, _ = ingest_outs(made.root, "S1")
    run_qc(adata, "S1", LENIENT)
    record = build_graph(adata, "S1")
    assert adata.n_obs == tissue.sum()
    assert record.metrics["n_components"] == 3
    assert record.metrics["n_isolates"] == 1
    assert (adata.obs[keys.DEGREE] == 0).sum() == 1
