"""The sample as an analyst sees it: structure where it belongs, none where it does not."""

import anndata as ad
import numpy as np
import pytest
import scanpy as sc
import squidpy as sq


@pytest.fixture(scope="module")
def moran(v1):
    adata = sq.read.visium(v1.outs)
    adata.var = adata.var.join(ad.read_h5ad(v1.truth / "truth_spots.h5ad").var[["role", "program"]])
    sq.gr.spatial_neighbors_knn(adata, n_neighs=6)
    sc.pp.normalize_total(adata)
    sc.pp.log1p(adata)
    sq.gr.spatial_autocorr(adata, mode="moran", n_perms=None, show_progress_bar=False)
    return adata.uns["moranI"]["I"], adata.var


def test_markers_are_spatial(moran):
    score, var = moran
    for program in ("muscle", "epithelium", "submucosa", "myocyte", "enterocyte"):
        assert score[var.index[var["program"] == program]].median() > 0.35, program


def test_noise_and_random_programs_are_not(moran):
    score, var = moran
    flat = var.index[var["role"].isin(["noise", "housekeeping"])]
    assert abs(score[flat].median()) < 0.06
    assert abs(score[var.index[var["program"] == "stress"]].median()) < 0.12


def test_abundances_are_skewed_and_depth_varies(v1):
    adata = sq.read.visium(v1.outs)
    by_gene = np.sort(np.asarray(adata.X.sum(axis=0)).ravel())
    assert by_gene[-len(by_gene) // 10 :].sum() > 0.25 * by_gene.sum()
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    assert 0.25 < np.log(depth).std() < 1.2


def test_programs_are_coexpressed(v1):
    adata = sq.read.visium(v1.outs)
    sc.pp.normalize_total(adata)
    sc.pp.log1p(adata)
    within = np.corrcoef(adata[:, ["DES", "MYH11"]].X.toarray().T)[0, 1]
    across = np.corrcoef(adata[:, ["DES", "EPCAM"]].X.toarray().T)[0, 1]
    assert within > 0.6
    assert across < 0
