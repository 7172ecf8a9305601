import json

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from clearspot import dusted, keys
from clearspot.caller import called_from
from clearspot.errors import BadInputError, DeviceNotAvailableError
from clearspot.io.atomic import write_h5ad
from clearspot.record import StepRecord

SETTINGS = {
    "hidden": 8,
    "latent": 4,
    "reduction_ratio": 4,
    "epochs": 8,
    "lr": 0.01,
    "threads": 1,
    "progress": False,
}


@pytest.fixture
def denoised(adata):
    result = dusted.denoise(adata, sample="s1", **SETTINGS)
    return adata, result


def test_layer_holds_counts_of_passing_spots_and_modelled_genes_and_nan_elsewhere(denoised):
    adata, _ = denoised
    layer = adata.layers[keys.DENOISED]
    inside = np.outer(adata.obs[keys.QC_PASS], adata.var[keys.MODELLED])
    assert layer.shape == adata.shape
    assert layer.dtype == np.float32
    np.testing.assert_array_equal(np.isfinite(layer), inside)
    assert (layer[inside] > 0).all()


def test_measured_counts_stay_as_they_are(adata):
    before = adata.layers[keys.COUNTS].copy()
    x = adata.X.copy()
    dusted.denoise(adata, **SETTINGS)
    assert (adata.layers[keys.COUNTS] != before).nnz == 0
    assert (x != adata.X).nnz == 0


def test_denoised_total_is_the_measured_total(adata):
    dusted.denoise(adata, **SETTINGS)
    genes = adata.var[keys.MODELLED].to_numpy()
    spots = adata.obs[keys.QC_PASS].to_numpy()
    measured = adata.layers[keys.COUNTS][spots][:, genes].sum()
    # not thinned by the hold-out: the scale is that of the counts as measured
    assert adata.layers[keys.DENOISED][spots][:, genes].sum() == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize("holdout", [0.0, 0.1])
def test_progress_shows_the_loss_and_the_held_out_score_where_there_is_one(adata, capsys, holdout):
    with called_from("pipeline"):
        dusted.denoise(adata, **SETTINGS | {"epochs": 2, "progress": True, "holdout": holdout})
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dusted")]
    assert len(lines) == 2
    assert all("loss" in line and ("held-out" in line) == (holdout > 0) for line in lines)


def test_latent_is_nan_for_failing_spots_alone(denoised):
    adata, _ = denoised
    latent = adata.obsm[keys.LATENT]
    assert latent.shape == (adata.n_obs, 4)
    np.testing.assert_array_equal(np.isfinite(latent).all(axis=1), adata.obs[keys.QC_PASS])


def test_gene_attention_is_known_for_modelled_genes_alone(denoised):
    adata, result = denoised
    column = adata.var[keys.GENE_ATTENTION]
    np.testing.assert_array_equal(column.notna(), adata.var[keys.MODELLED])
    np.testing.assert_allclose(result.gene_attention, column.dropna(), rtol=1e-6)
    assert column.dropna().between(0, 1).all()


def test_failing_spots_have_no_influence(adata):
    twin = adata.copy()
    counts = twin.layers[keys.COUNTS].tolil()
    counts[9] = 50
    twin.layers[keys.COUNTS] = counts.tocsr()
    for section in (adata, twin):
        dusted.denoise(section, **SETTINGS)
    np.testing.assert_array_equal(twin.layers[keys.DENOISED], adata.layers[keys.DENOISED])


def test_same_seed_same_values_other_seed_other_values(adata):
    runs = [adata.copy() for _ in range(3)]
    for section, seed in zip(runs, (0, 0, 1), strict=True):
        dusted.denoise(section, seed=seed, **SETTINGS)
    one, again, other = (section.layers[keys.DENOISED] for section in runs)
    np.testing.assert_array_equal(one, again)
    assert np.nanmax(np.abs(one - other)) > 1e-3


def test_file_can_be_written_and_read(denoised, tmp_path):
    adata, _ = denoised
    write_h5ad(adata, tmp_path / "s1.h5ad")
    back = ad.read_h5ad(tmp_path / "s1.h5ad")
    note = back.uns[keys.UNS]["dusted"]
    assert note["seed"] == 0
    assert note["params"]["likelihood"] == "nb"
    assert note["versions"]["torch"]
    np.testing.assert_array_equal(back.layers[keys.DENOISED], adata.layers[keys.DENOISED])


def test_record_has_what_the_report_needs(denoised, tmp_path):
    _, result = denoised
    result.record.write(tmp_path / "s1.dusted.json")
    record = StepRecord.read(tmp_path / "s1.dusted.json")
    assert (record.step, record.sample, record.status) == ("dusted", "s1", "ok")
    metrics = record.metrics
    assert metrics["n_spots"] == 54
    assert metrics["n_genes_modelled"] == 10
    assert metrics["epochs"] == len(record.tables["training"]["loss"]) == 8
    assert metrics["loss_best"] <= metrics["loss_first"]
    assert metrics["peak_memory_bytes"] > 1e6
    for name in ("dusted", "neighbours", "constant"):
        assert metrics[f"heldout_deviance_{name}"] > 0
    assert len(record.tables["heldout_genes"]["gene"]) == 10
    assert len(record.tables["gene_attention_top"]["gene"]) == 10


def test_paper_preset_holds_nothing_out_and_says_nothing_of_it(adata):
    result = dusted.denoise(adata, preset="paper", **SETTINGS)
    assert not [name for name in result.record.metrics if name.startswith("heldout")]
    assert "held_out" not in result.training


def test_no_gene_attention_leaves_no_column(adata):
    result = dusted.denoise(adata, gene_attention=False, **SETTINGS)
    assert result.gene_attention is None
    assert keys.GENE_ATTENTION not in adata.var


def test_warns_where_plain_averages_predict_better(adata):
    result = dusted.denoise(adata, **(SETTINGS | {"preset": "paper", "holdout": 0.1, "epochs": 1, "lr": 1e-6}))
    assert not result.record.metrics["heldout_beats_neighbours"]
    assert [message.level for message in result.record.messages] == ["warning"]


def test_beats_neighbour_averaging_where_far_spots_are_alike(section_factory):
    adata = section_factory(rows=20, columns=20, n_genes=40)
    rng = np.random.default_rng(0)
    spot = np.arange(adata.n_obs)
    domain = spot // 20 // 10 * 2 + spot % 20 // 10
    rates = rng.gamma(0.5, 1.0, (4, 40))
    adata.layers[keys.COUNTS] = sp.csr_matrix(rng.poisson(rates[domain] + 0.01))
    metrics = dusted.denoise(adata, **(SETTINGS | {"epochs": 100, "hidden": 32, "latent": 8})).record.metrics
    assert metrics["heldout_beats_neighbours"]
    assert metrics["heldout_explained_dusted"] > metrics["heldout_explained_neighbours"] > 0


def test_takes_counts_from_x_and_any_sparse_or_dense_form(adata):
    expected = adata.copy()
    dusted.denoise(expected, **SETTINGS)
    bare = ad.AnnData(adata.layers[keys.COUNTS].toarray().astype(np.int64), obs=adata.obs, var=adata.var)
    bare.obsp[keys.CONNECTIVITIES] = adata.obsp[keys.CONNECTIVITIES]
    dusted.denoise(bare, **SETTINGS)
    np.testing.assert_allclose(bare.layers[keys.DENOISED], expected.layers[keys.DENOISED], rtol=1e-6)


def test_settings_are_checked(adata):
    with pytest.raises(TypeError, match="no setting named"):
        dusted.denoise(adata, epoch=3)
    with pytest.raises(ValueError, match="likelihood"):
        dusted.denoise(adata, likelihood="poisson")
    with pytest.raises(TypeError, match="either"):
        dusted.denoise(adata, params=dusted.DustedParams(), epochs=3)


def neither_graph_nor_positions(adata):
    del adata.obsp[keys.CONNECTIVITIES], adata.obsm[keys.SPATIAL]


def positions_that_are_no_numbers(adata):
    del adata.obsp[keys.CONNECTIVITIES]
    adata.obsm[keys.SPATIAL][3, 1] = np.nan


def directed_graph(adata):
    graph = adata.obsp[keys.CONNECTIVITIES].tolil()
    graph[0, 5] = 1
    graph[5, 0] = 0
    adata.obsp[keys.CONNECTIVITIES] = graph.tocsr()


def normalised_counts(adata):
    adata.layers[keys.COUNTS] = adata.layers[keys.COUNTS] * 0.5


def negative_counts(adata):
    adata.layers[keys.COUNTS] = -adata.layers[keys.COUNTS]


def empty_spot(adata):
    adata.layers[keys.COUNTS] = adata.layers[keys.COUNTS].multiply(np.arange(adata.n_obs)[:, None] != 4).tocsr()


def nothing_passes(adata):
    adata.obs[keys.QC_PASS] = False


def no_genes(adata):
    adata.var[keys.HIGHLY_VARIABLE] = False


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (neither_graph_nor_positions, "no obsm\\['spatial'\\]"),
        (positions_that_are_no_numbers, "missing or infinite coordinates"),
        (directed_graph, "symmetric"),
        (normalised_counts, "not whole"),
        (negative_counts, "negative"),
        (empty_spot, "1 spots without counts"),
        (nothing_passes, "0 spots"),
        (no_genes, "0 genes"),
    ],
)
def test_unusable_input_is_named(adata, damage, word):
    damage(adata)
    with pytest.raises(BadInputError, match=word) as caught:
        dusted.denoise(adata, sample="s7", **SETTINGS)
    assert caught.value.problems[0].sample == "s7"
    assert keys.DENOISED not in adata.layers


def test_size_factor_from_a_column(adata):
    adata.obs["all_genes"] = np.arange(adata.n_obs) + 100.0
    dusted.denoise(adata, size_factor_key="all_genes", **SETTINGS)
    with pytest.raises(BadInputError, match="no obs"):
        dusted.denoise(adata, size_factor_key="absent", **SETTINGS)


def test_gpu_that_is_not_there_is_an_error(adata, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceNotAvailableError, match="PyTorch finds 0 GPUs"):
        dusted.denoise(adata, device="cuda", **SETTINGS)


def test_threads_are_given_back(adata):
    import torch

    before = torch.get_num_threads()
    dusted.denoise(adata, **SETTINGS)
    assert torch.get_num_threads() == before


def test_section_too_large_for_a_layer_goes_to_a_file(adata, tmp_path, monkeypatch):
    expected = adata.copy()
    dusted.denoise(expected, **SETTINGS)
    monkeypatch.setattr("clearspot.dusted.denoised_store.LAYER_UP_TO", 100)
    monkeypatch.setattr("clearspot.dusted.denoised_store.MAX_LAYER_BYTES", 100)
    with pytest.raises(ValueError, match="denoised_path"):
        dusted.denoise(adata.copy(), **SETTINGS)
    path = tmp_path / "s.denoised.h5ad"
    dusted.denoise(adata, denoised_path=path, max_spots_per_tile=20, **SETTINGS)
    assert keys.DENOISED not in adata.layers
    assert adata.uns[keys.UNS]["dusted"]["denoised_file"] == "s.denoised.h5ad"
    back = ad.read_h5ad(path)
    part = expected[expected.obs[keys.QC_PASS], expected.var[keys.MODELLED]]
    assert list(back.obs_names) == list(part.obs_names)
    assert list(back.var_names) == list(part.var_names)
    np.testing.assert_allclose(back.X, part.layers[keys.DENOISED], rtol=1e-3)
    np.testing.assert_array_equal(back.obsm[keys.SPATIAL], part.obsm[keys.SPATIAL])


def test_denoised_store_says_where_the_values_go(adata, tmp_path, monkeypatch):
    path = tmp_path / "s.denoised.h5ad"
    with pytest.raises(ValueError, match="requires denoised_path"):
        dusted.denoise(adata.copy(), denoised_store="file", **SETTINGS)
    small = adata.copy()
    dusted.denoise(small, denoised_path=path, **SETTINGS)
    assert keys.DENOISED in small.layers
    assert not path.exists()
    in_file = adata.copy()
    dusted.denoise(in_file, denoised_store="file", denoised_path=path, **SETTINGS)
    assert keys.DENOISED not in in_file.layers
    assert path.exists()
    path.unlink()
    monkeypatch.setattr("clearspot.dusted.denoised_store.LAYER_UP_TO", 100)
    dusted.denoise(adata, denoised_store="layer", denoised_path=path, **SETTINGS)
    np.testing.assert_array_equal(adata.layers[keys.DENOISED], small.layers[keys.DENOISED])
    assert not path.exists()


def test_attention_files(denoised, tmp_path):
    adata, result = denoised
    result.write_tables(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["s1.dusted_attention.npz", "s1.dusted_gene_attention.csv", "s1.dusted_loss.csv"]
    with np.load(tmp_path / "s1.dusted_attention.npz", allow_pickle=False) as attention:
        assert list(attention["barcodes"]) == list(adata.obs_names[adata.obs[keys.QC_PASS]])
        for layer in ("attention_layer1", "attention_layer2"):
            np.testing.assert_allclose(np.bincount(attention["receiver"], attention[layer]), 1, rtol=1e-5)


def test_record_is_plain_json(denoised):
    _, result = denoised
    assert "seconds_training" in json.dumps(sorted(result.record.metrics))


def test_any_anndata_with_counts_and_coordinates_will_do(adata):
    counts = adata.layers[keys.COUNTS].toarray().astype(np.float64)
    counts[4] = 0
    bare = ad.AnnData(counts, obsm={keys.SPATIAL: adata.obsm[keys.SPATIAL]})
    bare.obs[keys.IN_TISSUE] = (np.arange(bare.n_obs) != 7).astype(int)
    messages = [message.text for message in dusted.denoise(bare, genes="all", **SETTINGS).record.messages]
    denoised = np.isfinite(bare.layers[keys.DENOISED]).all(axis=1)
    np.testing.assert_array_equal(np.flatnonzero(~denoised), [4, 7])
    assert "1 of 56 spots have no counts and were not denoised." in messages
    assert "1 of 56 spots lie outside the tissue and were not denoised." in messages
    assert any(text.startswith("obsp['spatial_connectivities'] was missing and has been built") for text in messages)
    expected = adata.obsp[keys.CONNECTIVITIES]
    assert ((bare.obsp[keys.CONNECTIVITIES] > 0) != (expected > 0)).nnz == 0
