import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import spatialdata_io
import squidpy as sq
import tifffile
from PIL import Image

from clearspot.simulate.capture import Assay
from clearspot.simulate.spaceranger import write_outs

pytestmark = pytest.mark.filterwarnings("ignore")


def test_squidpy_reads_v1(v1):
    adata = sq.read.visium(v1.outs)
    assert list(adata.uns["spatial"]) == ["one"]
    assert adata.uns["spatial"]["one"]["metadata"]["chemistry_description"] == "Spatial 3' v1"
    assert (adata.obs["in_tissue"] == 1).all()
    assert 90 < adata.n_obs < 170


def test_v1_positions_have_no_header_and_whole_pixels(v1):
    lines = (v1.outs / "spatial/tissue_positions_list.csv").read_text().splitlines()
    assert len(lines) == 4992
    assert all(field.isdigit() for field in lines[0].split(",")[1:])
    assert not (v1.outs / "spatial/tissue_positions.csv").exists()


def test_v2_positions_have_a_header_and_the_array_is_mirrored(v2):
    positions = pd.read_csv(v2.outs / "spatial/tissue_positions.csv")
    assert list(positions.columns) == [
        *("barcode", "in_tissue", "array_row", "array_col"),
        *("pxl_row_in_fullres", "pxl_col_in_fullres"),
    ]
    assert positions["array_col"].corr(positions["pxl_col_in_fullres"]) < -0.99
    assert positions["array_row"].corr(positions["pxl_row_in_fullres"]) > 0.99


def test_spatialdata_reads_v1_with_its_image(v1):
    read = spatialdata_io.visium(v1.outs, dataset_id="one", fullres_image_file=v1.image)
    assert {"one_full_image", "one_hires_image", "one_lowres_image"} <= set(read.images)
    assert len(read.shapes["one"]) == read.tables["table"].n_obs


def test_spatialdata_reads_hd(hd):
    read = spatialdata_io.visium_hd(
        hd.outs, dataset_id="three", fullres_image_file=hd.image, load_segmentations_only=False
    )
    assert set(read.tables) == {"square_002um", "square_008um", "square_016um"}
    table = read.tables["square_008um"]
    assert table.n_obs == len(read.shapes["three_square_008um"]) > 3000


def test_h5_and_mex_agree_and_filtered_is_the_tissue_of_raw(v1):
    filtered = sc.read_10x_h5(v1.outs / "filtered_feature_bc_matrix.h5")
    mex = sc.read_10x_mtx(v1.outs / "filtered_feature_bc_matrix")
    raw = sc.read_10x_h5(v1.outs / "raw_feature_bc_matrix.h5")
    assert (filtered.X != mex.X).nnz == 0
    assert raw.n_obs == 4992
    assert list(raw.obs_names) == sorted(raw.obs_names)
    assert (raw[filtered.obs_names].X != filtered.X).nnz == 0
    positions = pd.read_csv(v1.outs / "spatial/tissue_positions_list.csv", header=None, index_col=0)
    assert set(positions.index[positions[1] == 1]) == set(filtered.obs_names)
    assert raw.X.sum() > 1.02 * filtered.X.sum()


def test_hd_levels_hold_the_same_counts(hd):
    read = {
        size: sc.read_10x_h5(hd.outs / f"binned_outputs/square_{size:03d}um/raw_feature_bc_matrix.h5")
        for size in (2, 8, 16)
    }
    assert len({int(adata.X.sum()) for adata in read.values()}) == 1
    parent = "s_008um_" + pd.Series(read[2].obs_names).str.extract(r"_(\d{5})_(\d{5})").astype(int).floordiv(4).map(
        "{:05d}".format
    ).agg("_".join, axis=1)
    totals = pd.Series(np.asarray(read[2].X.sum(axis=1)).ravel()).groupby(parent.to_numpy() + "-1").sum()
    expected = pd.Series(np.asarray(read[8].X.sum(axis=1)).ravel(), index=read[8].obs_names)
    np.testing.assert_array_equal(totals.loc[expected.index], expected)


def test_small_pictures_fit_their_scale_factors(v1):
    scales = json.loads((v1.outs / "spatial/scalefactors_json.json").read_text())
    height, width = tifffile.TiffFile(v1.image).pages[0].shape[:2]
    for name in ("hires", "lowres"):
        small = Image.open(v1.outs / f"spatial/tissue_{name}_image.png")
        scale = scales[f"tissue_{name}_scalef"]
        assert abs(small.width - width * scale) <= 1
        assert abs(small.height - height * scale) <= 1
    assert scales["spot_diameter_fullres"] == pytest.approx(65 / 4)


def test_tissue_lies_under_the_spots_in_tissue(v1):
    adata = sq.read.visium(v1.outs)
    space = adata.uns["spatial"]["one"]
    grey = space["images"]["hires"].mean(axis=2)
    scale = space["scalefactors"]["tissue_hires_scalef"]
    col, row = (adata.obsm["spatial"] * scale).astype(int).T
    assert grey[row, col].mean() < np.median(grey) - 30


def test_without_image_the_small_pictures_are_there(v2):
    assert v2.image is None
    assert not (v2.outs.parent / "image.tif").exists()
    hires = Image.open(v2.outs / "spatial/tissue_hires_image.png")
    scale = json.loads((v2.outs / "spatial/scalefactors_json.json").read_text())["tissue_hires_scalef"]
    positions = pd.read_csv(v2.outs / "spatial/tissue_positions.csv")
    assert positions["pxl_row_in_fullres"].max() * scale < hires.height
    assert positions["pxl_col_in_fullres"].max() * scale < hires.width


def test_probes_and_antibodies(v2):
    adata = sc.read_10x_h5(v2.outs / "filtered_feature_bc_matrix.h5", gex_only=False)
    assert (adata.var["feature_types"] == "Antibody Capture").sum() == 9
    assert not adata.var_names.str.startswith("MT-").any()


def test_same_seed_same_bytes_of_counts(small_phantom, tmp_path):
    digests = set()
    for name in ("a", "b"):
        sample = write_outs(small_phantom, tmp_path / name, um_per_px=8.0, image=False, truth_bins=())
        parts = ["raw_feature_bc_matrix/matrix.mtx.gz", "raw_feature_bc_matrix.h5", "spatial/tissue_hires_image.png"]
        digests.add(tuple(hashlib.sha256((sample.outs / part).read_bytes()).hexdigest() for part in parts))
    assert len(digests) == 1


def test_low_quality_sample_has_few_counts_and_much_soup(small_phantom, tmp_path):
    good, bad = (
        write_outs(small_phantom, tmp_path / str(low), um_per_px=8.0, image=False, truth_bins=(), low_quality=low)
        for low in (False, True)
    )
    share = {}
    for sample in (good, bad):
        raw = sc.read_10x_h5(sample.outs / "raw_feature_bc_matrix.h5")
        inside = raw.obs_names.isin(sc.read_10x_h5(sample.outs / "filtered_feature_bc_matrix.h5").obs_names)
        total = np.asarray(raw.X.sum(axis=1)).ravel()
        share[sample] = (np.median(total[inside]), total[~inside].mean() / total[inside].mean())
    assert share[bad][0] < 0.3 * share[good][0]
    assert share[bad][1] > 5 * share[good][1]


def test_second_genome(small_phantom, tmp_path):
    sample = write_outs(small_phantom, tmp_path, um_per_px=8.0, image=False, truth_bins=(), second_genome=True)
    adata = sc.read_10x_h5(sample.outs / "filtered_feature_bc_matrix.h5")
    totals = pd.Series(np.asarray(adata.X.sum(axis=0)).ravel()).groupby(adata.var["genome"].to_numpy()).sum()
    assert (totals[["GRCh38", "mm10"]] > 0.1 * totals.sum()).all()


def test_options_that_contradict_each_other_are_refused(small_phantom, tmp_path):
    with pytest.raises(ValueError, match="low_quality"):
        write_outs(small_phantom, tmp_path / "x", assay=Assay(100), low_quality=True)
    with pytest.raises(ValueError, match="include 8"):
        write_outs(small_phantom, tmp_path / "x", chemistry="hd", bin_sizes=(2, 16))
    assert not (tmp_path / "x").exists()
