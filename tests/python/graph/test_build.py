import anndata as ad
import numpy as np
import pytest
import squidpy as sq
from sections import from_counts, hexagon, square

from clearspot.errors import BadInputError
from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams


def made(coordinates, passing=None):
    adata = from_counts(np.ones((len(coordinates), 2)), coordinates)
    if passing is not None:
        adata.obs["qc_pass"] = passing
    return adata


@pytest.fixture
def holed():
    """A hexagon of which every seventh spot failed quality control."""
    return made(hexagon(10, 10), np.arange(100) % 7 > 0)


def test_spots_that_failed_have_no_edges_and_no_piece(holed):
    build_graph(holed, "s")
    failed = ~holed.obs["qc_pass"].to_numpy()
    for key in ("spatial_connectivities", "spatial_distances"):
        assert holed.obsp[key][failed].nnz == holed.obsp[key][:, failed].nnz == 0
    assert holed.obs["graph_component"].isna().to_numpy().tolist() == failed.tolist()
    assert (holed.obs["graph_degree"][failed] == 0).all()


def test_failed_spots_do_not_change_the_radius(holed):
    whole = build_graph(made(hexagon(10, 10)), "s")
    assert build_graph(holed, "s").metrics["radius_px"] == whole.metrics["radius_px"]


@pytest.mark.parametrize("method", ["radius", "knn", "grid", "delaunay"])
def test_every_strategy_gives_a_symmetric_graph_with_lengths(holed, method):
    build_graph(holed, "s", GraphParams(method=method))
    connectivities, distances = holed.obsp["spatial_connectivities"], holed.obsp["spatial_distances"]
    assert connectivities.format == distances.format == "csr"
    assert (connectivities != connectivities.T).nnz == 0
    assert connectivities.diagonal().sum() == 0
    first, second = connectivities.nonzero()
    lengths = np.linalg.norm(holed.obsm["spatial"][first] - holed.obsm["spatial"][second], axis=1)
    np.testing.assert_allclose(np.asarray(distances[first, second]).ravel(), lengths)


def test_the_record_counts_degrees_isolates_and_pieces():
    far = np.array([[5000.0, 0.0], [9000.0, 0.0], [9100.0, 0.0]])
    adata = made(np.concatenate([hexagon(6, 6), far]))
    record = build_graph(adata, "s")
    metrics = record.metrics
    assert (metrics["n_isolates"], metrics["n_components"]) == (1, 3)
    assert metrics["largest_component_share"] == pytest.approx(36 / 39)
    assert metrics["n_edges"] == adata.obsp["spatial_connectivities"].nnz / 2
    assert metrics["median_degree"] == np.median(adata.obs["graph_degree"])
    assert record.tables["components"]["n_spots"] == [36, 2, 1]
    assert sum(record.tables["degree"]["n_spots"]) == 39
    assert [message.level for message in record.messages] == ["handled", "handled"]


def test_lengths_are_also_in_micrometres_where_the_scale_is_known():
    adata = made(hexagon(6, 6))
    assert build_graph(adata, "s").metrics["pitch_um"] == pytest.approx(50)
    del adata.uns["clearspot"]["microns_per_pixel"]
    assert build_graph(adata, "s").metrics["pitch_um"] is None


def test_squidpy_works_on_the_result(holed):
    holed.X = np.arange(200.0).reshape(100, 2)
    build_graph(holed, "s")
    found = sq.gr.spatial_autocorr(holed, copy=True, show_progress_bar=False)
    assert np.isfinite(found["I"]).all()
    assert holed.uns["spatial_neighbors"]["connectivities_key"] == "spatial_connectivities"


def test_the_result_survives_a_file(holed, tmp_path):
    build_graph(holed, "s", GraphParams(method="delaunay"))
    holed.write_h5ad(tmp_path / "s.h5ad")
    again = ad.read_h5ad(tmp_path / "s.h5ad")
    assert (again.obsp["spatial_connectivities"] != holed.obsp["spatial_connectivities"]).nnz == 0
    assert again.uns["clearspot"]["graph"]["method"] == "delaunay"


def test_without_quality_control_all_spots_are_taken():
    adata = made(hexagon(4, 4))
    assert build_graph(adata, "s").metrics["n_spots"] == 16


def test_a_square_grid_says_that_it_has_eight_neighbours():
    record = build_graph(made(square(8, 8)), "s")
    assert record.metrics["lattice"] == "square"
    assert "8 were taken" in record.messages[0].text


def test_scattered_spots_say_so():
    record = build_graph(made(np.random.default_rng(0).uniform(0, 1000, size=(300, 2))), "s")
    assert record.metrics["lattice"] == "irregular"
    assert record.metrics["median_degree"] == 6
    assert "no regular lattice" in " ".join(message.text for message in record.messages)


def test_a_radius_needs_a_known_scale():
    adata = made(hexagon(4, 4))
    del adata.uns["clearspot"]["microns_per_pixel"]
    with pytest.raises(BadInputError, match="microns_per_pixel in the samplesheet"):
        build_graph(adata, "s", GraphParams(radius=100.0))


@pytest.mark.parametrize("coordinates", [np.zeros((5, 2)), np.zeros((1, 2))])
def test_spots_at_one_place_are_refused(coordinates):
    with pytest.raises(BadInputError, match="at 1 places"):
        build_graph(made(coordinates), "s")


def test_spots_on_a_line_cannot_be_triangulated():
    line = np.column_stack([np.arange(10.0), np.zeros(10)])
    with pytest.raises(BadInputError, match="use --graph_method radius or knn"):
        build_graph(made(line), "s", GraphParams(method="delaunay"))


@pytest.mark.parametrize("params", [{"method": "hexagon"}, {"radius": 0.0}, {"n_neighbors": 0}])
def test_impossible_settings_are_refused(params):
    with pytest.raises(ValueError):
        GraphParams(**params)
