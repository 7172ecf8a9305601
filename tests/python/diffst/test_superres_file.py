import anndata as ad
import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc

from clearspot import keys
from clearspot.diffst.generate.uncertainty import Summary
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.output.superres_file import as_map, write_superres

GENES = [f"g{number}" for number in range(5)]


@pytest.fixture
def grid():
    return FineGrid(16.0, 8, 16, (-20.0, 35.0), 0.5)


@pytest.fixture
def evidence(grid):
    codes = np.random.default_rng(0).integers(0, 3, grid.shape).astype(np.uint8)
    codes[0] = 0
    return codes


@pytest.fixture
def layers(grid):
    rng = np.random.default_rng(1)
    return {name: rng.random((grid.n_bins, len(GENES))).astype(np.float32) for name in keys.SUPERRES_LAYERS}


def blocks_of(layers, *slices):
    return ((genes, Summary(**{name: values[:, genes] for name, values in layers.items()})) for genes in slices)


@pytest.fixture
def written(tmp_path, grid, evidence, layers):
    path = tmp_path / keys.superres_name("s1")
    var = pd.DataFrame({keys.GENE_IDS: GENES}, index=GENES)
    write_superres(path, "s1", grid, evidence, var, blocks_of(layers, slice(0, 2), slice(2, 5)), about={"seed": 3})
    return ad.read_h5ad(path)


def test_every_layer_holds_the_bins_on_tissue(written, evidence, layers):
    kept = evidence.ravel() > 0

    assert set(written.layers) - {None} == set(keys.SUPERRES_LAYERS)  # with anndata 0.13, X is the layer None
    for name, values in layers.items():
        np.testing.assert_array_equal(written.layers[name], values[kept])
    np.testing.assert_array_equal(written.X, layers["mean"][kept])


def test_x_is_the_layer_mean_and_takes_no_room(tmp_path, written):
    with h5py.File(tmp_path / keys.superres_name("s1")) as file:
        assert file["X"].id.get_offset() == file["layers/mean"].id.get_offset()
        assert h5py.h5o.get_info(file["X"].id).addr == h5py.h5o.get_info(file["layers/mean"].id).addr


def test_scanpy_draws_the_mean_of_a_gene_by_its_name(written):
    plt.switch_backend("Agg")
    figure = sc.pl.embedding(written, keys.SPATIAL, color="g3", show=False, return_fig=True)

    drawn = next(c.get_array() for axes in figure.axes for c in axes.collections if c.get_array() is not None)
    np.testing.assert_allclose(np.sort(drawn), np.sort(written.layers["mean"][:, 3]))
    plt.close(figure)


def test_a_backed_file_gives_single_genes(tmp_path, written):
    backed = ad.read_h5ad(tmp_path / keys.superres_name("s1"), backed="r")

    np.testing.assert_array_equal(backed[:, "g2"].X.ravel(), written.layers["mean"][:, 2])
    backed.file.close()


def test_bins_say_where_they_are_and_what_stands_behind_them(written, grid, evidence):
    row, col = np.nonzero(evidence)

    np.testing.assert_array_equal(written.obs[keys.ARRAY_ROW], row)
    np.testing.assert_array_equal(written.obs[keys.ARRAY_COL], col)
    expected = np.where(evidence[row, col] == 2, "measured", "gap")
    assert written.obs[keys.EVIDENCE].tolist() == expected.tolist()
    np.testing.assert_allclose(written.obsm[keys.SPATIAL], grid.centres_px()[row * grid.n_cols + col])


def test_the_file_says_that_it_is_predicted_and_where_the_grid_lies(written, grid):
    about = written.uns[keys.UNS]

    assert about[keys.PREDICTED]
    assert about[keys.BIN_UM] == 16.0
    assert about["seed"] == 3
    np.testing.assert_allclose(about[keys.AFFINE], grid.affine())


def test_maps_put_bins_back_in_place(written, evidence, layers, grid):
    maps = as_map(written.layers["mean"], written)

    assert maps.shape == (*grid.shape, len(GENES))
    np.testing.assert_array_equal(maps[evidence > 0], layers["mean"].reshape(maps.shape)[evidence > 0])
    assert np.isnan(maps[evidence == 0]).all()


@pytest.mark.parametrize("slices", [(slice(0, 3),), (slice(0, 3), slice(2, 5))])
def test_a_file_with_genes_missing_or_twice_is_never_left(tmp_path, grid, evidence, layers, slices):
    path = tmp_path / "x.h5ad"

    with pytest.raises(ValueError, match="exactly once"):
        write_superres(path, "s1", grid, evidence, pd.DataFrame(index=GENES), blocks_of(layers, *slices))

    assert list(tmp_path.iterdir()) == []


def test_a_section_without_tissue_is_refused(tmp_path, grid, layers):
    with pytest.raises(ValueError, match="no bin"):
        write_superres(
            tmp_path / "x.h5ad", "s1", grid, np.zeros(grid.shape, np.uint8), pd.DataFrame(index=GENES), iter(())
        )
