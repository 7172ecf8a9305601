import anndata as ad
import numpy as np
import pytest
import squidpy as sq

from clearspot.caller import called_from
from clearspot.errors import BadInputError
from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams
from tests.helpers.sections import from_counts, hexagon, square


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
    assert [message.level for message in record.messages if message.level != "info"] == ["handled", "handled"]


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
    assert "8 were used" in record.messages[0].text


def test_scattered_spots_say_so():
    record = build_graph(made(np.random.default_rng(0).uniform(0, 1000, size=(300, 2))), "s")
    assert record.metrics["lattice"] == "irregular"
    assert record.metrics["median_degree"] == 6
    assert "do not form a regular lattice" in " ".join(message.text for message in record.messages)


def test_a_radius_needs_a_known_scale():
    adata = made(hexagon(4, 4))
    del adata.uns["clearspot"]["microns_per_pixel"]
    with pytest.raises(BadInputError, match="microns_per_pixel in the samplesheet"), called_from("pipeline"):
        build_graph(adata, "s", GraphParams(radius=100.0))


def test_a_single_spot_is_refused():
    with pytest.raises(BadInputError, match="1 spots that passed"):
        build_graph(made(np.zeros((1, 2))), "s")


@pytest.mark.parametrize("distance", [0.0, 1e-7])
def test_spots_that_share_a_place_are_counted_and_refused(distance):
    coordinates = np.concatenate([hexagon(6, 6), hexagon(6, 6)[[3, 7]] + distance])
    adata = made(coordinates)
    with pytest.raises(BadInputError, match="4 spots that passed quality control at only"):
        build_graph(adata, "s")
    assert not adata.obsp


def test_all_spots_in_one_place_are_refused():
    with pytest.raises(BadInputError, match="5 spots that passed quality control at only 1 different positions"):
        build_graph(made(np.zeros((5, 2))), "s")


def test_failed_spots_may_share_a_place():
    coordinates = np.concatenate([hexagon(3, 3), np.zeros((12, 2))])
    adata = made(coordinates, np.arange(21) < 9)
    build_graph(adata, "s")
    alone = made(hexagon(3, 3))
    build_graph(alone, "s")
    assert (adata.obsp["spatial_connectivities"][:9, :9] != alone.obsp["spatial_connectivities"]).nnz == 0


@pytest.mark.parametrize("method", ["radius", "knn", "grid", "delaunay"])
def test_each_section_gets_the_graph_it_has_alone(method):
    # Sections lie over each other, mixed in their order, and have spacings of their own.
    parts = [hexagon(6, 7), 0.3 * square(5, 6) + 17.0]
    section = np.repeat([4, 2], [42, 30])
    order = np.random.default_rng(0).permutation(72)
    adata = made(np.concatenate(parts)[order])
    build_graph(adata, "s", GraphParams(method=method), sections=section[order])
    for number, part in zip([4, 2], parts, strict=True):
        rows = np.flatnonzero(section[order] == number)
        rows = rows[np.argsort(order[rows])]
        alone = made(part)
        build_graph(alone, "s", GraphParams(method=method))
        together = adata.obsp["spatial_connectivities"]
        assert together[rows].nnz == together[rows][:, rows].nnz
        assert (together[rows][:, rows] != alone.obsp["spatial_connectivities"]).nnz == 0


def test_spots_of_two_sections_may_stand_in_one_place():
    adata = made(np.concatenate([hexagon(4, 4), hexagon(4, 4)]))
    record = build_graph(adata, "s", sections=np.repeat([0, 1], 16))
    assert record.metrics["n_components"] == 2


def test_a_section_of_one_spot_is_an_isolated_spot():
    adata = made(np.concatenate([hexagon(4, 4), [[0.0, 0.0]]]))
    record = build_graph(adata, "s", sections=np.repeat([0, 1], [16, 1]))
    assert record.metrics["n_isolates"] == 1
    assert record.metrics["lattice"] == "hexagonal"


def test_sections_are_one_number_a_spot():
    with pytest.raises(ValueError, match="one number for each of 16"):
        build_graph(made(hexagon(4, 4)), "s", sections=np.zeros(3, dtype=int))


def test_spots_on_a_line_cannot_be_triangulated():
    line = np.column_stack([np.arange(10.0), np.zeros(10)])
    with pytest.raises(BadInputError, match="use --graph_method radius or knn"), called_from("pipeline"):
        build_graph(made(line), "s", GraphParams(method="delaunay"))


@pytest.mark.parametrize("params", [{"method": "hexagon"}, {"radius": 0.0}, {"n_neighbors": 0}])
def test_impossible_settings_are_refused(params):
    with pytest.raises(ValueError):
        GraphParams(**params)


def test_the_record_says_how_alike_touching_spots_are():
    places = hexagon(20, 20)
    rate = np.exp(np.outer(places[:, 0] / places[:, 0].max() - 0.5, np.where(np.arange(40) % 2, 1.5, -1.5)))
    counts = np.random.default_rng(0).poisson(3 * rate)
    alike = build_graph(from_counts(counts, places), "s").metrics["neighbour_likeness"]
    assert alike > 0.8
    mixed = build_graph(from_counts(np.random.default_rng(1).permutation(counts), places), "s")
    assert mixed.metrics["neighbour_likeness"] < 0.2
    assert mixed.metrics["median_degree"] == 6


def test_without_counts_that_tell_spots_apart_nothing_is_said_of_likeness(holed):
    assert build_graph(holed, "s").metrics["neighbour_likeness"] is None
