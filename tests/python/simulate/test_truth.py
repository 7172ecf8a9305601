import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from PIL import Image
from scipy import sparse
from scipy.spatial import cKDTree

from clearspot.simulate.genes import make_panel
from clearspot.simulate.tissue import DOMAINS
from clearspot.simulate.truth import expected_expression


@pytest.fixture(scope="module")
def spots(v1):
    return ad.read_h5ad(v1.truth / "truth_spots.h5ad")


@pytest.fixture(scope="module")
def bins(v1):
    return ad.read_h5ad(v1.truth / "truth_bins_008um.h5ad")


def test_counts_scatter_around_the_mean_as_the_dispersion_says(v1, spots):
    raw = sc.read_10x_h5(v1.outs / "raw_feature_bc_matrix.h5")[spots.obs_names, spots.var_names]
    mean = spots.layers["mean"].toarray()
    variance = mean + mean**2 / spots.var["dispersion"].to_numpy()
    abundant = mean > 3  # where drop-out is rare
    score = ((raw.X.toarray() - mean) ** 2 / variance)[abundant]
    assert abs(score.mean() - 1) < 0.15
    assert abs(raw.X.sum() / mean.sum() - 1) < 0.03


def test_bins_under_a_spot_add_up_to_its_truth(spots, bins):
    um = spots.uns["um_per_px"]
    inside = np.flatnonzero(spots.obs["in_tissue"])
    gene = ["DES", "EPCAM"]
    fine = expected_expression(bins, gene)
    near = cKDTree(bins.obsm["spatial"] * um).query_ball_point(spots.obsm["spatial"][inside] * um, 27.5)
    summed = np.array([fine[members].mean(axis=0) for members in near]) * np.pi * 27.5**2 / 64
    truth = spots[inside, gene].X.toarray()
    assert np.corrcoef(summed[:, 0], truth[:, 0])[0, 1] > 0.98
    assert abs(summed.sum() / truth.sum() - 1) < 0.03


def test_bins_and_cells_hold_the_same_rna(v1, bins):
    cells = ad.read_h5ad(v1.truth / "truth_cells.h5ad")
    np.testing.assert_allclose(expected_expression(bins).sum(axis=0), expected_expression(cells).sum(axis=0), rtol=1e-3)


def test_spot_domains_agree_with_their_shares(spots):
    shares = spots.obsm["domains"]
    assert list(shares.columns) == list(DOMAINS)
    inside = spots.obs["in_tissue"].to_numpy()
    assert (shares.sum(axis=1)[inside] > 0.5).all()
    assert (spots.obs["domain"][inside] == shares[inside].idxmax(axis=1)).all()
    assert spots.obs["domain"][~inside].isna().all()


def test_domain_picture_and_readme(v1, phantom):
    picture = Image.open(v1.truth / "domains.png")
    assert picture.size == phantom.tissue.shape[::-1]
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) == len(np.unique(phantom.tissue.domain))
    assert "expected_expression" in (v1.truth / "README").read_text()


def test_hd_truth_lies_on_the_bins_of_the_matrix(hd):
    truth = ad.read_h5ad(hd.truth / "truth_bins_008um.h5ad")
    positions = pd.read_parquet(hd.outs / "binned_outputs/square_008um/spatial/tissue_positions.parquet")
    assert list(truth.obs_names) == list(positions["barcode"])
    np.testing.assert_allclose(truth.obsm["spatial"][:, 0], positions["pxl_col_in_fullres"])
    counts = sc.read_10x_h5(hd.outs / "binned_outputs/square_008um/raw_feature_bc_matrix.h5")[truth.obs_names]
    expected = expected_expression(truth).sum(axis=1)
    assert np.corrcoef(expected, np.asarray(counts.X.sum(axis=1)).ravel())[0, 1] > 0.7


def test_some_genes_of_a_low_rank_table():
    panel = make_panel(np.random.default_rng(0), 50)
    table = ad.AnnData(
        obs=pd.DataFrame(index=["a", "b"]),
        var=panel.var,
        obsm={"programs": sparse.csr_matrix(np.eye(2, len(panel.loadings), dtype=np.float32))},
        varm={"loadings": panel.loadings.T},
    )
    names = list(panel.var.index[[4, 1]])
    np.testing.assert_allclose(expected_expression(table, names), panel.loadings[:2][:, [4, 1]], rtol=1e-6)
    assert expected_expression(table).shape == (2, 50)
