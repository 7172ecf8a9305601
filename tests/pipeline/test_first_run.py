"""What a run on the built-in sample leaves behind."""

import json
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd

from clearspot import keys

from .engine import Run

SAMPLES = ("phantom_1", "phantom_2")


def test_succeeds_and_names_the_reports_last(first_run: Run) -> None:
    assert first_run.exit_code == 0, first_run.log
    last = [line.strip() for line in first_run.log.strip().splitlines()[-4:]]
    assert last[0].endswith("Reports:")
    assert [Path(line).name for line in last[1:]] == [
        "phantom_1_report.html",
        "phantom_2_report.html",
        "multiqc_report.html",
    ]
    assert all(Path(line).is_file() for line in last[1:])


def test_publishes_the_files_of_the_contract(first_run: Run) -> None:
    for sample in SAMPLES:
        folder = first_run.outdir / sample
        assert (folder / f"{sample}.h5ad").is_file()
        assert (folder / f"{sample}_report.html").is_file()
        assert (folder / "metrics.json").is_file()
        assert zipfile.is_zipfile(folder / f"{sample}.zarr.zip")
        assert {path.name for path in (folder / "models").iterdir()} >= {
            f"{sample}.dusted.pt",
            f"{sample}.dusted_loss.csv",
            f"{sample}.dusted_attention.npz",
            f"{sample}.dusted_gene_attention.csv",
        }
        assert list((folder / "loupe").glob("*.csv"))
    assert (first_run.outdir / "qc_summary.csv").is_file()
    assert (first_run.outdir / "pipeline_info" / "samplesheet.valid.json").is_file()
    (parameters,) = (first_run.outdir / "pipeline_info").glob("params_*.json")
    assert json.loads(parameters.read_text())["n_hvgs"] == 300
    assert "torch-geometric" in (first_run.outdir / "pipeline_info" / "software_versions.yml").read_text()


def test_counts_are_kept_to_the_last_umi(first_run: Run, phantoms: Path) -> None:
    for sample in SAMPLES:
        adata = ad.read_h5ad(first_run.outdir / sample / f"{sample}.h5ad")
        with h5py.File(phantoms / sample / "outs" / "filtered_feature_bc_matrix.h5") as file:
            total = int(file["matrix/data"][:].sum())
        assert int(adata.layers[keys.COUNTS].sum()) == total
        assert np.issubdtype(adata.layers[keys.COUNTS].dtype, np.integer)


def test_graph_latent_and_denoised_values(first_run: Run) -> None:
    for sample in SAMPLES:
        adata = ad.read_h5ad(first_run.outdir / sample / f"{sample}.h5ad")
        passing = adata.obs[keys.QC_PASS].to_numpy(bool)
        connectivities = adata.obsp[keys.CONNECTIVITIES]
        assert (connectivities != connectivities.T).nnz == 0
        assert np.median(connectivities[passing].getnnz(axis=1)) == 6
        assert np.isfinite(adata.obsm[keys.LATENT][passing]).all()
        modelled = adata.var[keys.MODELLED].to_numpy(bool)
        denoised = np.asarray(adata.layers[keys.DENOISED])
        assert modelled.sum() >= 200
        assert np.isfinite(denoised[np.ix_(passing, modelled)]).all()
        assert (denoised[np.ix_(passing, modelled)] > 0).all()
        assert np.isnan(denoised[:, ~modelled]).all()


def test_domains_are_found(first_run: Run) -> None:
    for sample in SAMPLES:
        adata = ad.read_h5ad(first_run.outdir / sample / f"{sample}.h5ad")
        passing = adata.obs[keys.QC_PASS].to_numpy(bool)
        for key in (keys.DOMAIN_GMM, keys.DOMAIN_LEIDEN):
            assert adata.obs.loc[passing, key].notna().all()
            assert adata.obs.loc[passing, key].nunique() >= 2


def test_samples_do_not_mix(first_run: Run) -> None:
    for sample in SAMPLES:
        adata = ad.read_h5ad(first_run.outdir / sample / f"{sample}.h5ad", backed="r")
        assert set(adata.obs[keys.SAMPLE_ID]) == {sample}
        metrics = json.loads((first_run.outdir / sample / "metrics.json").read_text())
        assert sample in json.dumps(metrics)


def test_summary_has_a_row_a_sample(first_run: Run) -> None:
    table = pd.read_csv(first_run.outdir / "qc_summary.csv")
    assert sorted(table["sample"]) == list(SAMPLES)
