"""What a run on the built-in sample leaves behind."""

import json
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from clearspot import __version__, keys
from tests.helpers.engine import Run

pytestmark = pytest.mark.long

SAMPLES = ("phantom_1", "phantom_2")
SAID = {"good": "USABLE", "look": "LOOK FIRST", "bad": "DO NOT USE"}
"""Verdict in the table -> in the terminal, in the words of the page."""


def test_succeeds_and_names_the_reports_last(first_run: Run) -> None:
    assert first_run.exit_code == 0, first_run.log
    last = [line.strip() for line in first_run.log.strip().splitlines()[-4:]]
    assert last[0].endswith("Reports:")
    pages = [Path(line.rpartition("-> ")[2]) for line in last[1:]]
    assert [page.name for page in pages] == ["phantom_1_report.html", "phantom_2_report.html", "multiqc_report.html"]
    assert all(page.is_file() for page in pages)


def test_each_sample_has_a_line_with_its_verdict_and_why(first_run: Run) -> None:
    table = pd.read_csv(first_run.outdir / "qc_summary.csv").set_index("sample")
    for sample in SAMPLES:
        verdict, reason = table.loc[sample, ["verdict", "verdict_reason"]]
        said = rf"{sample} +{SAID[verdict]} +{re.escape(reason.removesuffix('.'))} +-> "
        assert re.search(said, first_run.log), first_run.log


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
    assert "torch:" in (first_run.outdir / "pipeline_info" / "software_versions.yml").read_text()


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


@pytest.fixture(scope="module")
def crate(first_run: Run) -> dict[str, dict[str, Any]]:
    """Entities of the run's RO-Crate by their names."""
    content = json.loads((first_run.outdir / "ro-crate-metadata.json").read_text())
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    names = [entity["@id"] for entity in content["@graph"]]
    assert len(set(names)) == len(names)
    return dict(zip(names, content["@graph"], strict=True))


def test_crate_has_what_ro_crate_1_1_asks_for(crate: dict[str, dict[str, Any]]) -> None:
    descriptor, root = crate["ro-crate-metadata.json"], crate["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert root["@type"] == "Dataset"
    assert all(root[name] for name in ("name", "description", "license"))
    datetime.fromisoformat(root["datePublished"])


def test_crate_has_what_a_process_run_crate_asks_for(crate: dict[str, dict[str, Any]]) -> None:
    root = crate["./"]
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    action = crate[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    assert crate[action["instrument"]["@id"]]["softwareVersion"] == __version__
    assert datetime.fromisoformat(action["startTime"]) <= datetime.fromisoformat(action["endTime"])
    assert len(action["object"]) == 2
    assert {"@id": "phantom_1/phantom_1.h5ad"} in action["result"]


def test_crate_is_flat_and_every_reference_in_it_is_met(crate: dict[str, dict[str, Any]]) -> None:
    for entity in crate.values():
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    assert set(item) == {"@id"}
                    assert item["@id"] in crate or item["@id"] == "https://w3id.org/ro/crate/1.1"


def test_crate_names_every_result_and_nothing_that_is_not_there(
    crate: dict[str, dict[str, Any]], first_run: Run
) -> None:
    named = [part["@id"] for part in crate["./"]["hasPart"]]
    assert sorted(named) == sorted(
        name for name in crate if crate[name]["@type"] == "File" or (name.endswith("/") and name != "./")
    )
    assert all((first_run.outdir / name).is_dir() == name.endswith("/") for name in named)
    assert all((first_run.outdir / name).exists() for name in named)
    kept = {str(path.relative_to(first_run.outdir)) for path in first_run.outdir.rglob("*") if path.is_file()}
    covered = {
        name for name in kept if any(name == part or (part.endswith("/") and name.startswith(part)) for part in named)
    }
    unnamed = {name for name in kept - covered if not name.startswith("pipeline_info/")}
    assert unnamed == {"ro-crate-metadata.json"}
