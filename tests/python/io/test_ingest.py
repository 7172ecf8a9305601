"""Ingest keeps the data contract for every chemistry, loses no UMI, and refuses in words."""

import json
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import tifffile
from PIL import Image

from clearspot.errors import BadInputError
from clearspot.io.ingest import ingest_outs
from clearspot.io.layout import find_outs
from clearspot.io.preflight import check_outs
from tests.helpers.outs_factory import make_outs, make_picture, write_h5, write_mex, write_positions


def texts(record, level=None):
    return " | ".join(message.text for message in record.messages if level in (None, message.level))


def assert_contract(adata, made, sample="s", library="lib1"):
    rows = np.flatnonzero(made.in_tissue)
    genes = (made.features["feature_type"] == "Gene Expression").to_numpy()
    places = made.positions.iloc[rows]
    counts = adata.layers["counts"]
    assert adata.X is None
    assert isinstance(counts, sp.csr_matrix)
    assert counts.dtype == np.int32
    assert counts.has_sorted_indices
    np.testing.assert_array_equal(counts.toarray(), made.counts[rows][:, genes])
    assert list(adata.obs_names) == list(places.index)
    assert list(adata.obs.columns) == ["in_tissue", "array_row", "array_col", "sample_id", "library_id"]
    assert adata.obs["in_tissue"].all()
    np.testing.assert_array_equal(adata.obs[["array_row", "array_col"]], places[["array_row", "array_col"]])
    assert set(adata.obs["sample_id"]) == {sample}
    assert set(adata.obs["library_id"]) == {library}
    assert list(adata.var["gene_ids"]) == list(made.features["id"][genes])
    assert adata.var_names.is_unique
    assert adata.obsm["spatial"].dtype == np.float64
    np.testing.assert_array_equal(adata.obsm["spatial"], places[["pxl_col_in_fullres", "pxl_row_in_fullres"]])
    entry = adata.uns["spatial"][library]
    assert entry["scalefactors"] == made.scalefactors
    for image in entry["images"].values():
        assert image.dtype == np.uint8
        assert image.shape[2] == 3


@pytest.mark.parametrize("chemistry", ["v1", "v2", "hd"])
@pytest.mark.parametrize("matrix", ["h5", "mex"])
def test_contract(tmp_path, chemistry, matrix):
    made = make_outs(tmp_path / "outs", chemistry=chemistry, matrix=matrix)
    adata, record = ingest_outs(made.root, "s")
    assert_contract(adata, made, library="lib1" if matrix == "h5" else "s")
    assert set(adata.uns["spatial"][record.metrics["library_id"]]["images"]) == {"hires", "lowres"}
    assert record.metrics["microns_per_pixel"] == pytest.approx(0.73)
    assert record.metrics["slide_type"] == {"v1": "visium_6.5mm", "v2": "cytassist_6.5mm", "hd": "visium_hd"}[chemistry]
    assert (record.step, record.status, texts(record, "warning")) == ("ingest", "ok", "")


def test_record_says_what_was_measured(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True)
    _, record = ingest_outs(made.root, "s")
    inside, outside = made.counts[made.in_tissue], made.counts[~made.in_tissue]
    assert record.metrics == {
        "library_id": "lib1",
        "assay": "visium",
        "unit": "spots",
        "slide_type": "visium_6.5mm",
        "bin_size_um": None,
        "chemistry": "Visium V4 Slide - FFPE v2",
        "software_version": "spaceranger-2.1.0",
        "microns_per_pixel": pytest.approx(0.73),
        "microns_per_pixel_source": "spot pitch",
        "n_positions": 144,
        "n_in_tissue": 100,
        "n_in_tissue_without_counts": 0,
        "n_spots": 100,
        "n_genes": 30,
        "n_genes_detected": int((inside.sum(0) > 0).sum()),
        "n_genomes": 1,
        "total_umi": inside.sum(),
        "median_umi_per_spot": np.median(inside.sum(1)),
        "median_genes_per_spot": np.median((inside > 0).sum(1)),
        "n_positions_outside_tissue": 44,
        "umi_outside_tissue": outside.sum(),
        "fraction_umi_outside_tissue": pytest.approx(outside.sum() / made.counts.sum()),
    }
    assert record.tables["space_ranger"] == {
        "metric": ["Sample ID", "Number of Spots Under Tissue", "Number of Reads", "Sequencing Saturation"],
        "value": ["lib1", 100.0, 1234567.0, 0.8025],
    }


def test_umi_outside_tissue_is_absent_without_a_raw_matrix(tmp_path):
    _, record = ingest_outs(make_outs(tmp_path / "outs").root, "s")
    assert not any("outside" in name for name in record.metrics)
    assert "no raw matrix" in texts(record, "info")


def test_umi_outside_tissue_is_absent_where_all_is_tissue(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True)
    write_positions(made.spatial / "tissue_positions_list.csv", made.positions.assign(in_tissue=1), header=False)
    adata, record = ingest_outs(made.root, "s")
    assert adata.n_obs == 100
    assert not any("outside" in name for name in record.metrics)
    assert "All positions are in tissue" in texts(record, "handled")


def test_raw_matrix_alone_gives_the_spots_in_tissue(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True, filtered=False)
    adata, record = ingest_outs(made.root, "s")
    assert_contract(adata, made)
    assert record.metrics["umi_outside_tissue"] == made.counts[~made.in_tissue].sum()


def test_spots_in_tissue_without_counts_are_dropped_and_counted(tmp_path):
    made = make_outs(tmp_path / "outs")
    rows = np.flatnonzero(made.in_tissue)
    made.counts[rows[[3, 50]]] = 0
    write_h5(made.root / "filtered_feature_bc_matrix.h5", made.counts[rows], made.positions.index[rows], made.features)
    adata, record = ingest_outs(made.root, "s")
    assert list(adata.obs_names) == list(made.positions.index[np.delete(rows, [3, 50])])
    np.testing.assert_array_equal(adata.layers["counts"].toarray(), made.counts[np.delete(rows, [3, 50])])
    assert record.metrics["n_in_tissue_without_counts"] == 2
    assert "Spots in tissue without counts: 2." in texts(record, "handled")


def test_messages_on_bins_do_not_speak_of_spots(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(8,), raw=True, filtered=False)
    matrix = find_outs(made.root, "s").matrix
    made.counts[np.flatnonzero(made.in_tissue)[:2]] = 0
    write_h5(matrix, made.counts, made.positions.index, made.features)
    _, record = ingest_outs(made.root, "s")
    said = texts(record, "handled")
    assert "Bins in tissue without counts: 2." in said
    assert "its bins under tissue were used" in said
    assert "Bins in tissue without counts: 2." in texts(check_outs(made.root, "s"), "handled")
    assert "spots" not in said


def test_antibodies(tmp_path):
    made = make_outs(tmp_path / "outs", antibodies=3)
    adata, record = ingest_outs(made.root, "s")
    assert_contract(adata, made)
    np.testing.assert_array_equal(adata.obsm["protein"], made.counts[made.in_tissue][:, -3:])
    assert list(adata.obsm["protein"].index) == list(adata.obs_names)
    assert record.metrics["n_antibodies"] == 3
    assert record.metrics["total_umi"] == made.counts[made.in_tissue][:, :-3].sum()


def test_two_genomes(tmp_path):
    made = make_outs(tmp_path / "outs", genomes=("GRCh38", "mm10"))
    adata, record = ingest_outs(made.root, "s")
    assert set(adata.var["genome"]) == {"GRCh38", "mm10"}
    assert record.metrics["n_genomes"] == 2


@pytest.mark.parametrize("suffix", ["", "-2"])
def test_barcodes_whose_suffix_differs_from_the_positions(tmp_path, suffix):
    made = make_outs(tmp_path / "outs")
    barcodes = made.positions.index[made.in_tissue].str.replace("-1", suffix)
    write_h5(made.root / "filtered_feature_bc_matrix.h5", made.counts[made.in_tissue], barcodes, made.features)
    adata, record = ingest_outs(made.root, "s")
    assert list(adata.obs_names) == list(barcodes)
    np.testing.assert_array_equal(
        adata.obsm["spatial"], made.positions.loc[made.in_tissue, ["pxl_col_in_fullres", "pxl_row_in_fullres"]]
    )
    assert "without their suffix or prefix" in texts(record, "handled")


def test_matrix_in_another_order_than_the_positions(tmp_path):
    made = make_outs(tmp_path / "outs")
    rows = np.random.default_rng(0).permutation(np.flatnonzero(made.in_tissue))
    write_h5(made.root / "filtered_feature_bc_matrix.h5", made.counts[rows], made.positions.index[rows], made.features)
    adata, _ = ingest_outs(made.root, "s")
    np.testing.assert_array_equal(adata.layers["counts"].toarray(), made.counts[rows])
    np.testing.assert_array_equal(adata.obs["array_col"], made.positions["array_col"].iloc[rows])


def test_archive_leaves_nothing_behind(tmp_path):
    made = make_outs(tmp_path / "run" / "outs")
    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, "run")
    (tmp_path / "to").mkdir()
    adata, _ = ingest_outs(tmp_path / archive, "s")
    assert_contract(adata, made)


def test_forms_that_disagree_are_warned_of(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="both")
    write_mex(made.root / "filtered_feature_bc_matrix", made.counts, made.positions.index, made.features)
    adata, record = ingest_outs(made.root, "s")
    assert_contract(adata, made)
    assert "filtered_feature_bc_matrix.h5 was used" in texts(record, "warning")


def test_broken_metrics_summary_is_left_out_with_a_warning(tmp_path):
    made = make_outs(tmp_path / "outs")
    (made.root / "metrics_summary.csv").write_text("")
    _, record = ingest_outs(made.root, "s")
    assert record.tables == {}
    assert "metrics_summary.csv was ignored" in texts(record, "warning")


def test_library_name_with_a_slash_can_be_written(tmp_path):
    made = make_outs(tmp_path / "outs", library_ids=("run/1",))
    adata, _ = ingest_outs(made.root, "s")
    adata.write_h5ad(tmp_path / "x.h5ad")
    assert list(ad.read_h5ad(tmp_path / "x.h5ad").uns["spatial"]) == ["run_1"]


@pytest.mark.parametrize("options", [{"chemistry": "v1"}, {"chemistry": "hd", "antibodies": 2}, {"images": ()}])
def test_h5ad_round_trip(tmp_path, options):
    adata, _ = ingest_outs(make_outs(tmp_path / "outs", **options).root, "s")
    adata.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad")
    assert back.X is None
    assert (back.layers["counts"] != adata.layers["counts"]).nnz == 0
    assert back.layers["counts"].dtype == np.int32
    # pandas 3 has a type of its own for text
    pd.testing.assert_frame_equal(back.obs, adata.obs, check_index_type=False)
    pd.testing.assert_frame_equal(back.var, adata.var, check_index_type=False)
    np.testing.assert_array_equal(back.obsm["spatial"], adata.obsm["spatial"])
    assert back.uns["clearspot"]["microns_per_pixel"] == adata.uns["clearspot"]["microns_per_pixel"]
    for name, image in adata.uns["spatial"]["lib1"]["images"].items():
        np.testing.assert_array_equal(back.uns["spatial"]["lib1"]["images"][name], image)
    if "protein" in adata.obsm:
        pd.testing.assert_frame_equal(back.obsm["protein"], adata.obsm["protein"], check_index_type=False)


def test_scanpy_and_squidpy_plot_it(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    import scanpy as sc
    import squidpy as sq

    adata, _ = ingest_outs(make_outs(tmp_path / "outs").root, "s")
    adata.write_h5ad(tmp_path / "x.h5ad")
    adata = ad.read_h5ad(tmp_path / "x.h5ad")
    (by_scanpy,) = sc.pl.spatial(adata, color="GENE1", layer="counts", show=False)
    by_squidpy = sq.pl.spatial_scatter(adata, color="GENE1", layer="counts", return_ax=True)
    assert by_scanpy.images
    assert by_squidpy.images


# --- images -------------------------------------------------------------------------------------------------------


def test_full_image_is_noted(tmp_path):
    made = make_outs(tmp_path / "outs", full_image=True)
    adata, record = ingest_outs(made.root, "s", image=tmp_path / "full.tif")
    assert adata.uns["clearspot"]["image"] == {
        "name": "full.tif",
        "width": made.image_size[0],
        "height": made.image_size[1],
        "channels": 3,
        "pixels_per_fullres_pixel": 1.0,
    }
    assert record.params["image"] == "full.tif"


def test_missing_hires_image_is_made_from_the_full_image(tmp_path):
    made = make_outs(tmp_path / "outs", images=("lowres",), full_image=True)
    adata, record = ingest_outs(made.root, "s", image=tmp_path / "full.tif")
    entry = adata.uns["spatial"]["lib1"]
    hires, factor = entry["images"]["hires"], entry["scalefactors"]["tissue_hires_scalef"]
    assert max(hires.shape) <= 2000
    assert hires.shape[0] / factor == pytest.approx(made.image_size[1], abs=2)
    assert "created from full.tif" in texts(record, "handled")


def test_missing_hires_image_without_a_full_image_is_noted(tmp_path):
    made = make_outs(tmp_path / "outs", images=("lowres",))
    adata, record = ingest_outs(made.root, "s")
    assert list(adata.uns["spatial"]["lib1"]["images"]) == ["lowres"]
    assert "the lowres image is shown" in texts(record, "info")
    assert not texts(record, "warning")


def small_image(tmp_path, made):
    picture = Image.fromarray(make_picture(made.positions, *made.image_size)).reduce(4)
    tifffile.imwrite(tmp_path / "small.tif", np.asarray(picture), photometric="rgb")
    return tmp_path / "small.tif"


def test_small_image_is_refused(tmp_path):
    made = make_outs(tmp_path / "outs")
    with pytest.raises(BadInputError, match="allow_lowres_image=True"):
        ingest_outs(made.root, "s", image=small_image(tmp_path, made))


def test_small_image_on_purpose_keeps_its_scale(tmp_path):
    made = make_outs(tmp_path / "outs")
    adata, _ = ingest_outs(made.root, "s", image=small_image(tmp_path, made), allow_lowres_image=True)
    assert adata.uns["clearspot"]["image"]["pixels_per_fullres_pixel"] == pytest.approx(0.25, abs=0.002)


def test_scale_factor_of_an_absent_image_is_not_needed(tmp_path):
    made = make_outs(tmp_path / "outs", images=("lowres",))
    del made.scalefactors["tissue_hires_scalef"]
    (made.spatial / "scalefactors_json.json").write_text(json.dumps(made.scalefactors))
    adata, _ = ingest_outs(made.root, "s")
    assert_contract(adata, made)


# --- real folders -----------------------------------------------------------------------------------------------------

REAL = {
    "mouse_cytassist": (2898, 19465, 3_085_005),
    "vendor_grid_human": (2172, 36601, 1_720_934),
    "toy_scanpy_v1": (100, 100, 932),
    "toy_squidpy_v1_short": (100, 100, 932),
    "toy_seurat_v1": (2689, 100, 132_231),
    "toy_sfe_v2/sample01": (12, 5, 2951),
    "toy_sfe_v2/sample02": (13, 5, 2762),
    "toy_voltron_v1": (100, 32285, 2_593_849),
    "toy_visiumio_v1_raw/section1": (22, 49, 384),
    "toy_seurat_hd": (1366, 100, 65_660),
}


@pytest.mark.real
@pytest.mark.parametrize(("folder", "expected"), REAL.items(), ids=REAL)
def test_real_folder(shared_data, folder, expected):
    adata, record = ingest_outs(shared_data / "outs" / folder, "s")
    umi = int(adata.layers["counts"].sum(dtype=np.int64))
    assert (adata.n_obs, adata.n_vars, umi) == expected
    assert record.metrics["total_umi"] == umi
    assert np.isfinite(adata.obsm["spatial"]).all()
    assert adata.var_names.is_unique


@pytest.mark.real
def test_real_disagreement_of_h5_and_mex(shared_data):
    _, record = ingest_outs(shared_data / "outs/toy_visiumio_v1_raw/section1", "s")
    assert "raw_feature_bc_matrix.h5 was used" in texts(record, "warning")
    assert record.metrics["fraction_umi_outside_tissue"] == pytest.approx(223 / 607)


@pytest.mark.real
def test_real_vendor_metrics_agree_with_the_matrix(shared_data):
    _, record = ingest_outs(shared_data / "outs/vendor_grid_human", "s")
    table = dict(zip(*record.tables["space_ranger"].values(), strict=True))
    assert table["UMIs in Spots"] == record.metrics["total_umi"]
    assert table["Total Genes Detected"] == record.metrics["n_genes_detected"]
    assert table["Median UMI Counts per Spot"] == record.metrics["median_umi_per_spot"]


# --- the script ---------------------------------------------------------------------------------------------------
