import pandas as pd

from clearspot.domains.loupe import write_loupe_tables
from tests.helpers.sections import section


def test_loupe_gets_a_barcode_and_a_category_for_each_table(tmp_path):
    adata = section(rows=2, cols=2)
    adata.obs["domain_gmm"] = pd.Categorical(["1", "2", None, "1"])
    adata.obs["qc_reason"] = ["", "", "qc_min_counts;qc_mito_threshold", ""]
    domains, quality = write_loupe_tables(adata, "s", tmp_path / "loupe")
    assert domains.read_text().splitlines() == ["Barcode,domain_gmm", "SPOT0-1,1", "SPOT1-1,2", "SPOT3-1,1"]
    assert quality.read_text().splitlines()[1:4] == [
        "SPOT0-1,pass",
        "SPOT1-1,pass",
        "SPOT2-1,qc_min_counts + qc_mito_threshold",
    ]
    assert sorted(path.name for path in (tmp_path / "loupe").iterdir()) == ["s_domains.csv", "s_qc.csv"]


def test_loupe_gets_the_regions_of_an_artefact_where_there_are_any(tmp_path):
    adata = section(rows=2, cols=2)
    adata.obs["domain_gmm"] = "1"
    adata.obs["qc_reason"] = ""
    adata.obs["artefact_region"] = pd.Categorical(["", "region 1", "", "region 1"])
    adata.obs["artefact_kind"] = pd.Categorical(["", "low counts", "", "low counts"])
    paths = write_loupe_tables(adata, "s", tmp_path / "loupe")
    assert paths[-1].name == "s_regions.csv"
    assert paths[-1].read_text().splitlines() == [
        "Barcode,artefact_region,artefact_kind",
        "SPOT1-1,region 1,low counts",
        "SPOT3-1,region 1,low counts",
    ]
    adata.obs["artefact_region"] = ""
    assert len(write_loupe_tables(adata, "s", tmp_path / "none")) == 2
