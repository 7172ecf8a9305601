import json

import numpy as np
import pandas as pd
import pytest
import squidpy as sq

from clearspot.simulate.slide_metrics import spatial_enrichment

HD_COLUMNS = {
    "Number of Squares Under Tissue 2 µm",
    "Mean UMIs Under Tissue per Bin 8 µm",
    "UMIs per sq mm of Tissue",
    "Total Genes Detected Under Tissue 16 µm",
    "Fraction Reads in Squares Under Tissue",
}


def test_v1_metrics_fit_the_matrix(v1):
    metrics = pd.read_csv(v1.outs / "metrics_summary.csv").iloc[0]
    adata = sq.read.visium(v1.outs)
    assert metrics["Sample ID"] == "one"
    assert metrics["Number of Spots Under Tissue"] == adata.n_obs
    assert metrics["Median UMI Counts per Spot"] == np.median(np.asarray(adata.X.sum(axis=1)))
    assert metrics["Total Genes Detected"] == (np.asarray(adata.X.sum(axis=0)) > 0).sum()
    assert 0.3 < metrics["Fraction Reads in Spots Under Tissue"] < 1


def test_v2_metrics_count_probes_and_no_antibodies(v2):
    metrics = pd.read_csv(v2.outs / "metrics_summary.csv").iloc[0]
    adata = sq.read.visium(v2.outs)
    assert metrics["Median UMI Counts per Spot"] == np.median(np.asarray(adata.X.sum(axis=1)))
    assert metrics["Number of Genes"] == adata.n_vars
    assert "Reads Mapped Confidently to the Filtered Probe Set" in metrics.index
    assert "Reads Mapped to Genome" not in metrics.index


def test_hd_metrics_have_the_bins(hd):
    metrics = pd.read_csv(hd.outs / "metrics_summary.csv").iloc[0]
    assert set(metrics.index) >= HD_COLUMNS
    positions = pd.read_parquet(hd.outs / "binned_outputs/square_008um/spatial/tissue_positions.parquet")
    assert metrics["Number of Bins Under Tissue 8 µm"] == positions["in_tissue"].sum()


def test_enrichment_is_morans_i(v2, phantom):
    from clearspot.simulate.arrays import visium_array
    from clearspot.simulate.capture import default_assay
    from clearspot.simulate.measure import measure

    level = measure(phantom, "v2", phantom.panel, default_assay("v2", 160), np.random.SeedSequence(0)).levels[0]
    array = visium_array("v2", phantom.width_um, phantom.height_um)
    array = array.take(np.argsort(array.barcodes))
    table = spatial_enrichment(level.raw, array, level.raw_in_tissue).set_index("Feature Name")
    inside = level.raw_in_tissue
    counts = level.raw.counts[np.flatnonzero(inside)].toarray().astype(float)
    values = np.log1p(counts / counts.sum(axis=1, keepdims=True) * np.median(counts.sum(axis=1)))
    place = np.column_stack([array.x_um, array.y_um])[inside]
    touch = np.abs(np.linalg.norm(place[:, None] - place[None], axis=2) - 100) < 1
    gene = table.index[0]
    z = values[:, level.raw.features.index.get_loc(gene)]
    z = z - z.mean()
    expected = len(z) / touch.sum() * (z @ touch @ z) / (z @ z)
    assert table.loc[gene, "I"] == pytest.approx(expected, rel=1e-6)
    assert table["I"].is_monotonic_decreasing
    assert table.loc[gene, "Adjusted p value"] < 1e-6


@pytest.mark.real
def test_columns_are_those_of_real_files(v1, v2, shared_data):
    real = pd.read_csv(shared_data / "spatial_only/gradients_v1/metrics_summary.csv")
    assert set(pd.read_csv(v1.outs / "metrics_summary.csv").columns) >= set(real.columns)
    real = pd.read_csv(shared_data / "outs/mouse_cytassist/spatial/spatial_enrichment.csv", nrows=2)
    ours = pd.read_csv(v2.outs / "spatial/spatial_enrichment.csv", nrows=2)
    assert list(ours.columns) == list(real.columns)


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "real"),
    [
        ("v1", "outs/toy_seurat_v1/spatial"),
        ("hd", "outs/toy_seurat_hd/binned_outputs/square_008um/spatial"),
    ],
)
def test_scale_factors_have_the_keys_of_real_ones(kind, real, request, shared_data):
    sample = request.getfixturevalue(kind)
    folder = sample.outs / ("spatial" if kind == "v1" else "binned_outputs/square_008um/spatial")
    ours = json.loads((folder / "scalefactors_json.json").read_text())
    theirs = json.loads((shared_data / real / "scalefactors_json.json").read_text())
    # The CytAssist image is not simulated, nor is the factor of its registration.
    assert set(ours) == set(theirs) - {"regist_target_img_scalef"}
