import pandas as pd
from sections import section

from clearspot.domains.loupe import write_loupe_tables


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
