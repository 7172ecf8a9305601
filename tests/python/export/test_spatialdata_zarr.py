import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import spatialdata as sd
import zarr
from scipy.sparse import csr_matrix
from spatialdata.transformations import get_transformation

from clearspot.diffst.estimate.evidence import Evidence
from clearspot.diffst.generate.uncertainty import Summary
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.output.superres_file import write_superres
from clearspot.errors import SettingError
from clearspot.export.params import ExportParams
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


@pytest.fixture(scope="module", params=[2, 3], ids=lambda version: f"zarr{version}")
def read_back(request, tmp_path_factory) -> sd.SpatialData:
    folder = tmp_path_factory.mktemp("zarr")
    write_spatialdata(sample(), "s1", folder / "s1.zarr.zip", params=ExportParams(zarr_format=request.param))
    with zipfile.ZipFile(folder / "s1.zarr.zip") as archive:
        archive.extractall(folder / "s1.zarr")
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
    assert ".zgroup" in names
    assert not any(name.endswith("zarr.json") for name in names)


def test_the_store_is_zarr_version_3_where_that_is_asked_for(tmp_path):
    write_spatialdata(sample(), "s1", tmp_path / "s1.zarr.zip", params=ExportParams(zarr_format=3))
    names = zipfile.ZipFile(tmp_path / "s1.zarr.zip").namelist()
    assert "zarr.json" in names
    assert not any(name.rsplit("/")[-1] in {".zgroup", ".zarray", ".zattrs", ".zmetadata"} for name in names)


@pytest.mark.parametrize("version", [1, 4, "2"])
def test_there_are_two_versions_of_zarr(version):
    with pytest.raises(SettingError, match="zarr_format must be a whole number, at least 2 and at most 3"):
        ExportParams(zarr_format=version)


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


def test_a_single_row_of_bins_is_exported():
    squares = to_spatialdata(sample(bin_size_um=8)[:4].copy(), "s1").shapes["s1_bins"].geometry
    np.testing.assert_allclose(squares.area, 15**2)
    np.testing.assert_allclose([squares.iloc[0].centroid.x, squares.iloc[0].centroid.y], [200, 100])


@pytest.mark.parametrize("version", [2, 3])
def test_the_same_sample_makes_the_same_bytes(tmp_path, version):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_spatialdata(sample(), "s1", tmp_path / name / "s1.zarr.zip", params=ExportParams(zarr_format=version))
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
        archive.extractall(tmp_path / "s.zarr")
    back = sd.read_zarr(tmp_path / "s.zarr")
    assert set(back.shapes) == {"my_section_1_spots"}
    table = back.tables["table"]
    assert list(table.obsm["protein"].columns) == ["HLA-A_B", "index"]
    np.testing.assert_array_equal(table.obsm["protein"]["HLA-A_B"], np.arange(12))
    assert "a_b" in table.obs


def test_the_zip_is_read_by_zarr_as_it_is(tmp_path):
    """``spatialdata.read_zarr`` reads folders only (0.7.3); docs/output.md says so."""
    write_spatialdata(sample(), "s1", tmp_path / "s1.zarr.zip")
    with zarr.storage.ZipStore(tmp_path / "s1.zarr.zip", mode="r") as store:
        table = ad.io.read_elem(zarr.open_group(store, mode="r")["tables/table"])
    np.testing.assert_array_equal(table.layers["counts"].toarray(), np.arange(60).reshape(12, 5))
    with pytest.raises(Exception, match="No group found"):
        sd.read_zarr(tmp_path / "s1.zarr.zip")


@pytest.mark.parametrize("version", [2, 3])
def test_genes_without_values_take_no_room_and_nothing_is_lost(tmp_path, version):
    rng = np.random.default_rng(0)
    denoised = rng.gamma(1.0, 1.0, (600, 1000)).astype(np.float32)
    denoised[:, rng.permutation(1000)[:800]] = np.nan
    denoised[::7] = np.nan
    counts = csr_matrix(rng.poisson(0.3, (600, 1000)).astype(np.int32))
    adata = ad.AnnData(counts.astype(np.float32), layers={"counts": counts, "denoised": denoised})
    adata.obsm["spatial"] = rng.random((600, 2))
    write_spatialdata(adata, "s1", tmp_path / "s1.zarr.zip", params=ExportParams(zarr_format=version))
    with zipfile.ZipFile(tmp_path / "s1.zarr.zip") as archive:
        archive.extractall(tmp_path / "s1.zarr")
        taken = sum(entry.file_size for entry in archive.infolist() if "/denoised/" in entry.filename)
    assert taken < np.isfinite(denoised).sum() * 4 * 1.05
    table = sd.read_zarr(tmp_path / "s1.zarr").tables["table"]
    np.testing.assert_array_equal(table.layers["denoised"], denoised)
    assert (table.layers["counts"] != counts).nnz == 0
    assert (table.X != adata.X).nnz == 0
    assert table.X.format == "csc"


@pytest.fixture
def superres(tmp_path):
    """A grid of 4 x 6 bins of 10 px at (100, 50), without its first row."""
    grid = FineGrid(4.0, 4, 6, (100.0, 50.0), 2.5)
    codes = np.full(grid.shape, Evidence.GAP, dtype=np.uint8)
    codes[0] = Evidence.OFF_TISSUE
    values = np.arange(grid.n_bins * 3, dtype=np.float32).reshape(grid.n_bins, 3)
    path = tmp_path / "s1.superres.h5ad"
    write_superres(path, "s1", grid, codes, pd.DataFrame(index=list("abc")), [(slice(0, 3), Summary(*[values] * 5))])
    return path


@pytest.mark.parametrize("version", [2, 3])
def test_super_resolved_bins_are_labels_with_a_table(superres, tmp_path, version):
    write_spatialdata(sample(), "s1", tmp_path / "s1.zarr.zip", superres, ExportParams(zarr_format=version))
    with zipfile.ZipFile(tmp_path / "s1.zarr.zip") as archive:
        archive.extractall(tmp_path / "s1.zarr")
    back = sd.read_zarr(tmp_path / "s1.zarr")
    table, labels = back.tables["superres"], back.labels["s1_superres"]
    bins = ad.read_h5ad(superres)
    np.testing.assert_array_equal(table.X, bins.X)
    np.testing.assert_array_equal(table.layers["sd"], bins.layers["sd"])
    assert table.uns["clearspot"]["predicted"]
    # the label under a bin's centre is that of its row
    into = get_transformation(labels, "global").to_affine_matrix(("x", "y"), ("x", "y"))
    place = (np.linalg.inv(into) @ np.column_stack([bins.obsm["spatial"], np.ones(bins.n_obs)]).T)[:2]
    column, row = np.floor(place).astype(int)
    np.testing.assert_array_equal(labels.to_numpy()[row, column], table.obs["bin"])
    assert (labels.to_numpy()[0] == 0).all()
    assert set(sd.get_element_instances(labels)) - {0} == set(table.obs["bin"])
