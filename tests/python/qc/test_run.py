import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.caller import called_from
from clearspot.errors import BadInputError
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord
from tests.helpers.sections import from_counts, section


@pytest.fixture
def adata():
    return section()


def texts(record, level=None):
    return " ".join(message.text for message in record.messages if level in (None, message.level))


def test_every_spot_and_count_is_kept(adata):
    before = adata.layers["counts"].copy()
    record = run_qc(adata, "s", QCParams(min_counts=300))
    assert (adata.layers["counts"] != before).nnz == 0
    assert adata.layers["counts"].dtype == np.int32
    assert record.metrics["n_spots"] == 168
    assert 0 < record.metrics["n_spots_pass"] == adata.obs["qc_pass"].sum() < 168


def test_the_record_counts_what_is_in_the_data(adata):
    record = run_qc(adata, "s")
    assert record.metrics["total_counts"] == adata.layers["counts"].sum()
    assert record.metrics["n_hvgs"] == adata.var["highly_variable"].sum()
    assert record.metrics["median_counts"] == np.median(adata.obs["total_counts"])


def test_defaults_that_depend_on_the_spot_stand_in_the_record(adata):
    assert run_qc(adata, "s").params["min_counts"] == 50


def test_the_result_survives_a_file(adata, tmp_path):
    run_qc(adata, "s", QCParams(genes_of_interest=("Gene3",)))
    adata.write_h5ad(tmp_path / "s.h5ad")
    again = ad.read_h5ad(tmp_path / "s.h5ad")
    np.testing.assert_array_equal(again.X.toarray(), adata.X.toarray())
    assert again.obs["qc_reason"].astype(str).tolist() == adata.obs["qc_reason"].tolist()
    assert again.uns["clearspot"]["qc"]["min_counts"] == 50


def test_the_record_survives_a_file(adata, tmp_path):
    record = run_qc(adata, "s")
    record.write(tmp_path / "s.qc.json")
    assert StepRecord.read(tmp_path / "s.qc.json").metrics == record.metrics


def test_a_gene_set_that_was_not_measured_is_missing_and_said_so(adata):
    record = run_qc(adata, "s")
    assert "median_percent_mt" not in record.metrics
    assert "No mitochondrial gene has counts" in texts(record, "handled")


def test_two_genomes_have_a_table(adata):
    adata.var["genome"] = ["GRCh38"] * 40 + ["mm10"] * 80
    record = run_qc(adata, "s")
    table = record.tables["genomes"]
    assert table["genome"] == ["GRCh38", "mm10"]
    assert sum(table["counts"]) == adata.layers["counts"].sum()
    assert sum(table["n_spots_mostly"]) == adata.n_obs
    assert table["median_percent_mt"] == [None, None]


def test_genes_of_interest_that_are_absent_are_named_with_their_nearest(adata):
    record = run_qc(adata, "s", QCParams(genes_of_interest=("Gene5", "Gene1x")))
    assert adata.var["gene_of_interest"].sum() == 1
    assert "1 of 2 genes of interest are not in the sample: Gene1x (nearest: Gene1" in texts(record, "warning")


def test_filters_that_remove_much_are_a_warning(adata):
    totals = np.asarray(adata.layers["counts"].sum(axis=1)).ravel()
    record = run_qc(adata, "s", QCParams(min_counts=int(np.quantile(totals, 0.5))))
    assert "removes 50 %" in texts(record, "warning")


def test_too_few_spots_name_the_filter_its_median_and_the_way_out(adata):
    with pytest.raises(BadInputError) as caught, called_from("pipeline"):
        run_qc(adata, "s", QCParams(min_counts=10**6))
    problem = caught.value.problems[0]
    median = np.median(np.asarray(adata.layers["counts"].sum(axis=1)))
    assert problem.sample == "s"
    assert "0 of 168 spots" in problem.found
    assert f"qc_min_counts (1e+06) alone removes 168: the median spot has total_counts = {median:g}" in problem.found
    assert f"--qc_min_counts to {median:g} or lower" in problem.mend


def test_the_filter_that_removes_most_is_the_one_blamed():
    rng = np.random.default_rng(0)
    adata = from_counts(rng.poisson(3, size=(80, 60)), symbols=["MT-CO1", *[f"G{i}" for i in range(59)]])
    with pytest.raises(BadInputError, match=r"control; mito_threshold \(0\.01\) alone removes") as caught:
        run_qc(adata, "s", QCParams(min_counts=150, mito_threshold=0.01))
    assert "or higher" in caught.value.problems[0].mend


def test_exactly_as_many_spots_as_needed_are_enough(adata):
    run_qc(adata, "s", QCParams(min_spots_left=168))
    with pytest.raises(BadInputError):
        run_qc(section(), "s", QCParams(min_spots_left=169))


def test_too_few_genes_to_model_are_refused(adata):
    with pytest.raises(BadInputError, match="0 of 120 genes have more than 1000000 counts"):
        run_qc(adata, "s", QCParams(hvg_min_counts=10**6))


def test_spots_without_counts_fail_and_do_no_harm(adata):
    counts = adata.layers["counts"].toarray()
    counts[:3] = 0
    adata.layers["counts"] = csr_matrix(counts)
    run_qc(adata, "s", QCParams(min_counts=0, min_genes=1))
    assert not adata.obs["qc_pass"][:3].any()
    assert np.isfinite(adata.X.data).all()
    assert adata.X[:3].nnz == 0


@pytest.mark.parametrize("again", [1, 2])
def test_running_again_changes_nothing(adata, again):
    first = run_qc(adata, "s")
    x = adata.X.copy()
    for _ in range(again):
        assert run_qc(adata, "s").metrics == first.metrics
    assert (x != adata.X).nnz == 0


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda adata: adata.obs.__setitem__("library_id", ["a", "b"] * (adata.n_obs // 2)), "2 sections"),
        (
            lambda adata: adata.obsm["spatial"].__setitem__(3, adata.obsm["spatial"][4]),
            "1 of .* share the position of another",
        ),
        (lambda adata: adata.layers.__setitem__("counts", adata.layers["counts"] * 0.5), "not whole"),
    ],
)
def test_section_that_cannot_be_measured_is_refused_by_name(adata, spoil, found):
    spoil(adata)
    with pytest.raises(BadInputError, match=found):
        run_qc(adata, "s")


@pytest.mark.parametrize("scale", [0.5, None])
def test_the_share_of_counts_outside_the_tissue_needs_no_scale(scale: float | None) -> None:
    adata = section()
    inside = int(adata.layers["counts"].sum())
    adata.uns["clearspot"] = {"outside_tissue": {"xy": [[0.0, 9e3]], "counts": [inside // 3], "n_positions": [1]}}
    if scale is not None:
        adata.uns["clearspot"]["microns_per_pixel"] = scale
    record = run_qc(adata, "s", QCParams())
    expected = 100 * (inside // 3) / (inside + inside // 3)
    assert record.metrics["percent_counts_outside_tissue"] == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["cells", "bins", "spots"])
def test_messages_call_a_place_what_it_is(adata, unit):
    adata.uns.setdefault("clearspot", {})["unit"] = unit
    refused = adata.copy()
    record = run_qc(adata, "s", QCParams(min_counts=400))
    assert f"% of the {unit}. Check the filters." in texts(record, "warning")
    with pytest.raises(BadInputError, match=rf"0 of 168 {unit} pass [\s\S]*at least 50 {unit}"):
        run_qc(refused, "s", QCParams(min_counts=10**6))
