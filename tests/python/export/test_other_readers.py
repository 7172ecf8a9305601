"""The sample's file in other hands: R, and CELLxGENE's schema."""

import json
import shutil
import subprocess
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix, issparse

from clearspot.export.cellxgene import OBS_TERMS, to_cellxgene
from clearspot.io.atomic import write_h5ad


@pytest.fixture
def sample() -> ad.AnnData:
    """Six spots and five genes; two genes share an id, and one has none."""
    counts = csr_matrix(np.random.default_rng(0).poisson(1.0, (6, 5)).astype(np.int32))
    obs = pd.DataFrame(
        {
            "in_tissue": True,
            "array_row": range(6),
            "array_col": range(6),
            "qc_pass": [True] * 5 + [False],
            "domain_gmm": pd.Categorical(["1", "2", "1", "2", "1", None], categories=["1", "2", "3"]),
        },
        index=[f"SPOT{number}-1" for number in range(6)],
    )
    ids = ["ENSG01", "ENSG02", "ENSG03", "ENSG03", "custom"]
    adata = ad.AnnData(counts.astype(np.float32), obs=obs, var=pd.DataFrame({"gene_ids": ids}, index=list("ABCDE")))
    adata.layers["counts"] = counts
    adata.obsm["spatial"] = np.arange(12, dtype=float).reshape(6, 2)
    return adata


@pytest.fixture
def terms() -> dict[str, str]:
    return dict.fromkeys(OBS_TERMS, "unknown")


def has_rhdf5() -> bool:
    if shutil.which("Rscript") is None:
        return False
    wanted = "quit(status = !all(sapply(c('rhdf5', 'Matrix', 'jsonlite'), requireNamespace, quietly = TRUE)))"
    return subprocess.run(["Rscript", "-e", wanted], capture_output=True, check=False).returncode == 0


def test_r_reads_counts_positions_and_labels(sample: ad.AnnData, tmp_path: Path) -> None:
    if not has_rhdf5():
        pytest.skip("R with rhdf5, Matrix and jsonlite is not on this machine")
    write_h5ad(sample, tmp_path / "s.h5ad")
    script = Path(__file__).parent / "read_h5ad.R"
    done = subprocess.run(
        ["Rscript", str(script), str(tmp_path / "s.h5ad")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert (read["spots"], read["genes"]) == (sample.obs_names.tolist(), sample.var_names.tolist())
    counts = sample.layers["counts"].toarray()
    assert (read["spot_totals"], read["gene_totals"]) == (counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist())
    assert read["spatial"] == sample.obsm["spatial"].tolist()
    assert read["domain"] == ["1", "2", "1", "2", "1", None]
    assert read["pass"] == [True] * 5 + [False]


def test_cellxgene_gets_ids_counts_and_the_owners_terms(sample: ad.AnnData, terms: dict[str, str]) -> None:
    donors = pd.Series({name: f"donor{number % 2}" for number, name in enumerate(reversed(sample.obs_names))})
    arranged = to_cellxgene(sample, terms | {"donor_id": donors}, organism="NCBITaxon:9606", title="T")
    assert arranged.var_names.tolist() == ["ENSG01", "ENSG02"]
    assert issparse(arranged.raw.X)
    assert arranged.raw.X.dtype == np.float32
    np.testing.assert_array_equal(arranged.raw.X.toarray(), sample.layers["counts"][:, :2].toarray())
    assert arranged.obs["donor_id"].tolist() == ["donor1", "donor0"] * 3
    assert set(OBS_TERMS) <= set(arranged.obs.columns)
    assert not {"array_row", "array_col", "in_tissue"} & set(arranged.obs.columns)
    assert arranged.obs["domain_gmm"].cat.categories.tolist() == ["1", "2"]
    assert arranged.uns["organism_ontology_term_id"] == "NCBITaxon:9606"
    assert not arranged.uns["spatial"]["is_single"]
    assert not arranged.obs["is_primary_data"].any()
    assert sample.obs["domain_gmm"].cat.categories.tolist() == ["1", "2", "3"]


def test_a_term_that_is_not_stated_is_named(sample: ad.AnnData, terms: dict[str, str]) -> None:
    del terms["donor_id"]
    with pytest.raises(ValueError, match="donor_id"):
        to_cellxgene(sample, terms, organism="NCBITaxon:9606", title="T")
