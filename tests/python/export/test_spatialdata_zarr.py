import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import spatialdata as sd
from scipy.sparse import csr_matrix
from spatialdata.transformations import get_transformation

from clearspot.export.spatialdata_zarr import to_spatialdata, write_spatialdata


def sample(**clearspot) -> ad.AnnData:
    """Twelve spots on a turned lattice, 20 px apart, with a hires picture of a tenth."""
    row, col = np.divmod(np.arange(12), 4)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]]) * 20
    adata = ad.AnnData(csr_matrix(np.ones((12, 5), dtype=np.float32)))
    adata.obs_names = [f"s_008um_{r:05}_{c:05}-1" for r, c in zip(row, col, strict=True)]
    adata.obs["array_row"], adata.obs["array_col"] = row, col
    adata.layers["counts"] = csr_matrix(np.arange(60).reshape(12, 5))
    adata.obsm["spatial"] = np.column_stack([col, row]) @ turn.T + [200, 100]
    adata.obsp["spatial_connectivities"] = csr_matrix(np.eye(12))
    picture = np.zeros((30, 40, 3), dtype=np.uint8)
    picture[10, 20] = 255
    library = {"images": {"hires": picture}, "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 15}}
    adata.uns = {"spatial": {"lib": library}, "clearspot": {"microns_per_pixel": 0.4, **clearspot}}
    return adata


@pytest.fixture(scope="module")
def read_back(tmp_path_factory) -> sd.SpatialData:
    folder = tmp_path_factory.mktemp("zarr")
    write_spatialdata(sample(), "s1", folder / "s1.zarr.zip")
    with zipfile.ZipFile(folder / "s1.zarr.zip") as archive:
        archive.extractall(folder)
    return sd.read_zarr(folder / "s1.zarr")


def test_spatialdata_reads_what_was_written(read_back):
    assert (set(read_back.images), set(read_back.shapes)) == ({"s1_hires"}, {"s1_spots"})
    table = read_back.tables["table"]
    np.testing.assert_array_equal(table.layers["counts"].toarray(), np.arange(60).reshape(12, 5))
    assert list(table.obs["spot_id"]) == list(read_back.shapes["s1_spots"].index)
    assert "images" not in table.uns["spatial"]["lib"]


def test_the_store_is_zarr_version_2(tmp_path):
    write_spatialdata(sample(), "s1", tmp_path / "s1.zarr.zip")
    names = zipfile.ZipFile(tmp_path / "s1.zarr.zip").namelist()
    assert "s1.zarr/.zgroup" in names
    assert not any(name.endswith("zarr.json") for name in names)


def test_a_spot_is_55_um_wide(read_back):
    np.testing.assert_allclose(read_back.shapes["s1_spots"]["radius"], 55 / 0.4 / 2)


def test_picture_and_spots_share_a_frame(read_back):
    to_global = get_transformation(read_back.images["s1_hires"], "global").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(to_global @ [20, 10, 1], [200, 100, 1])
    first = read_back.shapes["s1_spots"].geometry.iloc[0]
    assert (first.x, first.y) == (200, 100)


def test_micrometres_are_a_frame_of_their_own(read_back):
    to_um = get_transformation(read_back.shapes["s1_spots"], "um").to_affine_matrix(("x", "y"), ("x", "y"))
    np.testing.assert_allclose(to_um @ [200, 100, 1], [80, 40, 1])


def test_without_a_scale_there_are_pixels_only():
    adata = sample()
    del adata.uns["clearspot"]["microns_per_pixel"]
    assert to_spatialdata(adata, "s1").coordinate_systems == ["global"]


def test_bins_are_squares_turned_as_their_lattice():
    squares = to_spatialdata(sample(bin_size_um=8), "s1").shapes["s1_bins"].geometry
    np.testing.assert_allclose(squares.area, 400)
    first = np.asarray(squares.iloc[0].exterior.coords)[:4] - [200, 100]
    np.testing.assert_allclose(np.sort(np.abs(first), axis=0)[[0, -1]], [[2, 2], [14, 14]])


def test_the_same_sample_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_spatialdata(sample(), "s1", tmp_path / name / "s1.zarr.zip")
    assert (tmp_path / "a/s1.zarr.zip").read_bytes() == (tmp_path / "b/s1.zarr.zip").read_bytes()


def test_spatialdata_plot_draws_it(read_back):
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import spatialdata_plot  # noqa: F401  (adds .pl)

    figure, axes = plt.subplots()
    read_back.pl.render_images("s1_hires").pl.render_shapes("s1_spots", color="0").pl.show(
        coordinate_systems="global", ax=axes
    )
    assert len(axes.images) == 1
    assert len(axes.collections) == 1
    plt.close(figure)


def test_names_that_are_no_keys_do_not_stop_the_export(tmp_path):
    adata = sample()
    adata.obsm["protein"] = pd.DataFrame({"HLA-A/B": np.arange(12), "_index": 1}, index=adata.obs_names)
    adata.obs["a/b"] = 1
    adata.uns["spatial"] = {"run/1": adata.uns["spatial"]["lib"]}
    write_spatialdata(adata, "my section/1", tmp_path / "s.zarr.zip")
    with zipfile.ZipFile(tmp_path / "s.zarr.zip") as archive:
        archive.extractall(tmp_path)
    (store,) = tmp_path.glob("*.zarr")
    back = sd.read_zarr(store)
    assert set(back.shapes) == {"my_section_1_spots"}
    table = back.tables["table"]
    assert list(table.obsm["protein"].columns) == ["HLA-A_B", "index"]
    np.testing.assert_array_equal(table.obsm["protein"]["HLA-A_B"], np.arange(12))
    assert "a_b" in table.obs
