import numpy as np
import pytest

from clearspot.qc.filters import Filter, flag_genes, flag_spots, spot_filters
from clearspot.qc.metrics import add_qc_metrics
from clearspot.qc.params import QCParams, bin_size_um, spot_floors
from tests.helpers.sections import from_counts


def measured(counts, symbols):
    adata = from_counts(counts, symbols=symbols)
    add_qc_metrics(adata)
    return adata


@pytest.fixture
def adata():
    # totals 10, 4, 10, 2; mitochondrial 0, 50, 50, 0 per cent
    return measured([[0, 10], [2, 2], [5, 5], [0, 2]], ["MT-CO1", "ACTB"])


def flagged(adata, **params):
    filters = spot_filters(adata, QCParams(**{"min_counts": 0, "min_genes": 0, "mito_threshold": 100} | params))
    return flag_spots(adata, filters)


def test_each_filter_counts_what_it_removes_alone_and_after_the_others(adata):
    table = flagged(adata, min_counts=5, mito_threshold=20)
    removed = (table["removed_alone"], table["removed_in_sequence"], table["left"])
    rows = dict(zip(table["filter"], zip(*removed, strict=True), strict=True))
    assert rows["qc_min_counts"] == (2, 2, 2)
    assert rows["qc_mito_threshold"] == (2, 1, 1)


def test_a_spot_names_every_filter_that_it_fails(adata):
    flagged(adata, min_counts=5, mito_threshold=20)
    assert adata.obs["qc_reason"].tolist() == [
        "",
        "qc_min_counts;qc_mito_threshold",
        "qc_mito_threshold",
        "qc_min_counts",
    ]
    assert adata.obs["qc_pass"].tolist() == [True, False, False, False]


def test_spots_are_flagged_and_not_dropped(adata):
    flagged(adata, min_counts=10**6)
    assert adata.n_obs == 4
    assert not adata.obs["qc_pass"].any()


def test_a_spot_at_the_limit_passes(adata):
    flagged(adata, min_counts=4, mito_threshold=50)
    assert adata.obs["qc_pass"].tolist() == [True, True, True, False]


def test_a_filter_whose_metric_was_not_measured_is_skipped_and_says_so(adata):
    table = flagged(adata, ribo_threshold=50)
    row = table["filter"].index("qc_ribo_threshold")
    assert [table[name][row] for name in ("removed_alone", "removed_in_sequence", "left")] == [None, None, None]
    assert adata.obs["qc_pass"].all()


def test_a_percentage_that_could_not_be_computed_fails_no_filter():
    adata = measured([[1, 1], [0, 0]], ["MT-CO1", "ACTB"])
    assert Filter("qc_ribo_threshold", "pct_counts_mt", 10, lower=True).fails(adata).tolist() == [False, False]


def test_ribosomal_share_is_a_lower_limit_and_haemoglobin_an_upper_one():
    adata = measured([[1, 9], [9, 1]], ["RPS6", "HBA1"])
    flagged(adata, ribo_threshold=50, hb_threshold=80)
    assert adata.obs["qc_reason"].tolist() == ["qc_ribo_threshold;qc_hb_threshold", ""]


@pytest.mark.parametrize(
    ("bin_um", "floors"),
    [(None, (50, 25)), (2.0, (1, 1)), (8.0, (10, 5)), (16.0, (25, 15)), (55.0, (50, 25)), (100.0, (50, 25))],
)
def test_floors_grow_with_the_spot(bin_um, floors):
    assert spot_floors(bin_um) == floors


def test_floors_of_custom_bins_lie_between_those_of_their_neighbours():
    counts, genes = zip(*(spot_floors(float(side)) for side in range(2, 101)), strict=True)
    assert list(counts) == sorted(counts)
    assert list(genes) == sorted(genes)
    assert spot_floors(4.0) == (3, 2)
    assert 25 < spot_floors(32.0)[0] < 50


def test_the_bins_size_sets_the_floor_that_was_left_out(adata):
    adata.uns["clearspot"]["bin_size_um"] = 8
    filters = {one.parameter: one.threshold for one in spot_filters(adata, QCParams(min_genes=3))}
    assert (filters["qc_min_counts"], filters["qc_min_genes"]) == (10, 3)


def test_the_bins_size_is_also_read_from_the_scale_factors(adata):
    adata.uns["spatial"]["library"]["scalefactors"]["bin_size_um"] = 16.0
    assert bin_size_um(adata) == 16.0


def test_genes_are_counted_in_passing_spots_only():
    adata = from_counts([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    adata.obs["qc_pass"] = np.array([True, True, False])
    assert flag_genes(adata, min_spots=2) == 2
    assert adata.var["qc_pass"].tolist() == [True, False, False]


def mitochondrial_shares(*percent):
    """Spots of 100 counts with the given mitochondrial shares, and their default limit."""
    adata = measured([[share, 100 - share] for share in percent], ["MT-CO1", "ACTB"])
    filters = spot_filters(adata, QCParams(min_counts=50, min_genes=0))
    return {one.parameter: one.threshold for one in filters}["qc_mito_threshold"]


def test_mitochondrial_shares_up_to_the_usual_limit_pass_whatever_the_section():
    assert mitochondrial_shares(2, 3, 2, 3, 19, 90) == 20


def test_a_tissue_with_many_mitochondria_keeps_its_spots_and_loses_its_outliers():
    usual = [40, 42, 44, 46, 48]
    limit = mitochondrial_shares(*usual, *usual, 95)
    assert 48 < limit < 60


def test_empty_spots_do_not_move_the_mitochondrial_limit():
    adata = measured([[2, 98], [3, 97], *[[1, 0]] * 20], ["MT-CO1", "ACTB"])
    filters = spot_filters(adata, QCParams(min_counts=50, min_genes=0))
    assert {one.parameter: one.threshold for one in filters}["qc_mito_threshold"] == 20


def test_a_mitochondrial_limit_that_is_set_holds(adata):
    filters = spot_filters(adata, QCParams(min_counts=0, min_genes=0, mito_threshold=20))
    assert {one.parameter: one.threshold for one in filters}["qc_mito_threshold"] == 20
