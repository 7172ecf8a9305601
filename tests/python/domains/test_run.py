import anndata as ad
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clearspot.domains import run
from clearspot.domains.components import COMPONENTS, TAILS, leading_components
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.params import DomainParams
from clearspot.domains.run import find_domains
from clearspot.errors import BadInputError
from clearspot.record import StepRecord
from tests.helpers.denoised_sections import denoised_section

QUICK = {"moran_n_genes": 10, "moran_n_perms": 5}


@pytest.fixture
def adata():
    return denoised_section()


def left_and_right(adata):
    x = adata.obsm["spatial"][:, 0]
    return x < x.mean()


@pytest.mark.parametrize("method", ["gmm", "leiden"])
def test_the_two_tissues_are_found(adata, method):
    find_domains(adata, "s", DomainParams(method=method, n_domains=2, **QUICK))
    found = adata.obs[f"domain_{method}"]
    has = found.notna()
    assert adjusted_rand_score(left_and_right(adata)[has], found[has]) > 0.8


def test_failing_spots_have_no_domain_and_the_largest_comes_first(adata):
    record = find_domains(adata, "s", DomainParams(**QUICK))
    for column in ("domain_gmm", "domain_leiden"):
        assert (adata.obs[column].notna() == adata.obs["qc_pass"]).all()
        sizes = adata.obs[column].value_counts().reindex(adata.obs[column].cat.categories)
        assert sizes.is_monotonic_decreasing
        assert record.tables[f"sizes_{column}"]["n_spots"] == sizes.tolist()


def test_the_record_says_whose_domains_come_first_and_how_they_were_chosen(adata):
    record = find_domains(adata, "s", DomainParams(method="leiden", resolution=0.4, **QUICK))
    assert record.metrics["main"] == "domain_leiden"
    assert record.metrics["n_domains"] == adata.obs["domain_leiden"].nunique()
    assert record.metrics["leiden_resolution"] == 0.4
    assert set(record.tables["markers"]["domain"]) == set(adata.obs["domain_leiden"].cat.categories)
    assert "bic" in record.tables


def test_domains_agree_with_their_neighbours_more_than_by_chance(adata):
    metrics = find_domains(adata, "s", DomainParams(n_domains=2, **QUICK)).metrics
    assert metrics["neighbour_agreement_domain_gmm"] > metrics["neighbour_agreement_by_chance_domain_gmm"] + 0.1
    assert metrics["silhouette_domain_gmm"] > 0
    assert metrics["moran_median_denoised"] > metrics["moran_median_measured"]


def test_without_the_latent_of_shuffled_spots_chance_is_not_measured_and_the_record_says_so(adata):
    del adata.obsm["dusted_shuffled"]
    record = find_domains(adata, "s", DomainParams(**QUICK))
    assert not [name for name in record.metrics if "by_chance" in name]
    assert sum("by chance was not measured" in message.text for message in record.messages) == 1


def test_of_spots_without_any_pattern_the_domains_are_as_compact_as_by_chance(adata):
    adata.obsm["X_dusted"] = adata.obsm["dusted_shuffled"]
    metrics = find_domains(adata, "s", DomainParams(n_domains=4, **QUICK)).metrics
    for method in ("gmm", "leiden"):
        measured = metrics[f"neighbour_agreement_domain_{method}"]
        assert measured > 0.35  # labels strewn anywhere would agree in a quarter
        assert measured == pytest.approx(metrics[f"neighbour_agreement_by_chance_domain_{method}"], abs=0.02)


def test_refinement_never_lowers_the_agreement_with_neighbours(adata):
    plain = find_domains(adata.copy(), "s", DomainParams(n_domains=6, **QUICK)).metrics
    refined = find_domains(adata, "s", DomainParams(n_domains=6, refine=True, **QUICK)).metrics
    assert refined["neighbour_agreement_domain_gmm"] > plain["neighbour_agreement_domain_gmm"]


def test_many_spots_skip_the_method_that_was_not_asked_for(adata, monkeypatch):
    monkeypatch.setattr(run, "_BOTH_UP_TO", 10)
    record = find_domains(adata, "s", DomainParams(**QUICK))
    assert "domain_leiden" not in adata.obs
    assert "leiden was skipped" in " ".join(message.text for message in record.messages)


def test_without_denoised_values_their_morans_i_is_missing_and_said_so(adata):
    del adata.layers["denoised"]
    record = find_domains(adata, "s", DomainParams(**QUICK))
    assert "moran_median_denoised" not in record.metrics
    assert "no denoised values" in " ".join(message.text for message in record.messages)


def test_same_seed_same_result(adata):
    other = adata.copy()
    first, second = (find_domains(one, "s", DomainParams(**QUICK)) for one in (adata, other))
    assert (first.metrics, first.tables) == (second.metrics, second.tables)


def test_data_and_record_survive_their_files(adata, tmp_path):
    record = find_domains(adata, "s", DomainParams(**QUICK))
    adata.write_h5ad(tmp_path / "s.h5ad")
    record.write(tmp_path / "s.domains.json")
    again = ad.read_h5ad(tmp_path / "s.h5ad")
    assert again.obs["domain_gmm"].astype(object).tolist()[5:9] == adata.obs["domain_gmm"].astype(object).tolist()[5:9]
    assert StepRecord.read(tmp_path / "s.domains.json").tables["markers"] == record.tables["markers"]


def test_a_latent_that_is_not_finite_is_a_fault_not_a_domain(adata):
    adata.obsm["X_dusted"][np.flatnonzero(adata.obs["qc_pass"])[0]] = np.nan
    with pytest.raises(BadInputError, match=r"1 of \d+ passing spots have no values"):
        find_domains(adata, "s", DomainParams(**QUICK))


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda adata: adata.X.data.__setitem__(0, np.nan), "1 missing or infinite values in X"),
        (lambda adata: adata.obs.__setitem__("library_id", ["a", "b"] * (adata.n_obs // 2)), "2 sections"),
        (lambda adata: adata.obs.__setitem__("qc_pass", "maybe"), "neither true nor false"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(adata, spoil, found):
    spoil(adata)
    with pytest.raises(BadInputError, match=found):
        find_domains(adata, "s", DomainParams(**QUICK))


@pytest.mark.parametrize("params", [{"method": "kmeans"}, {"n_domains": 1}, {"resolution": 0.0}])
def test_impossible_settings_are_refused(params):
    with pytest.raises(ValueError):
        DomainParams(**params)


def test_small_tissues_unlike_all_others_do_not_hide_the_rest():
    generator = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2, 3, 4, 5], [200, 200, 12, 12, 12, 12])
    centres = np.array([[-2, 0, 0], [2, 0, 0], [0, 90, 0], [0, -70, 0], [0, 0, 80], [0, 0, -60]])
    latent = centres[kinds] * generator.normal(1, 0.2, (kinds.size, 1)) + generator.normal(0, 1, (kinds.size, 3))
    found = gmm_domains(leading_components(latent), n_domains=4).codes
    assert adjusted_rand_score(kinds[:400], found[:400]) > 0.8
    assert adjusted_rand_score(kinds[:400], gmm_domains(latent, n_domains=4).codes[:400]) < 0.2


def test_values_stop_at_the_tails_and_constant_columns_stay():
    generator = np.random.default_rng(0)
    latent = np.column_stack([generator.normal(size=500), np.zeros(500)])
    latent[0] = [100.0, 3.0]
    cut = leading_components(latent)
    assert 0.8 * TAILS < cut[0, 0] < 1.2 * TAILS
    np.testing.assert_array_equal(cut[1:], latent[1:])
    assert cut[0, 1] == 3.0


def test_a_wide_latent_comes_down_to_its_components():
    assert leading_components(np.random.default_rng(0).normal(size=(100, 64))).shape == (100, COMPONENTS)
