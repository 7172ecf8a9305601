"""An AnnData that cannot be written is made so, or refused, before the work is done."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot.errors import BadInputError
from clearspot.io.storable import make_keys_storable, require_folder, require_writable


def section() -> ad.AnnData:
    return ad.AnnData(np.ones((3, 2)))


def test_nothing_is_said_where_nothing_was_changed():
    assert make_keys_storable(section()) == []


@pytest.mark.filterwarnings("error:Forward slashes")
def test_every_key_that_cannot_be_stored_gets_a_name_of_its_own(tmp_path):
    adata = section()
    adata.obs["a/b"], adata.obs["a_b"] = 1, 2
    adata.obs["_index"] = 3
    adata.var["x/y"] = 4
    adata.uns["m/n"] = {"deep/er": 5, 7: "seven", "": "empty"}
    adata.uns["table"] = pd.DataFrame({"c/d": [1]})
    adata.obsm["p/q"] = pd.DataFrame(np.ones((3, 1)), columns=["CD3/CD28"], index=adata.obs_names)
    adata.layers["l/m"] = np.ones((3, 2))
    message = make_keys_storable(adata)[0]
    assert message.level == "handled"
    assert "obs['a/b'] -> 'a_b_1'" in message.text
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    assert again.obs[["a_b_1", "a_b", "index_"]].iloc[0].tolist() == [1, 2, 3]
    assert again.uns["m_n"] == {"deep_er": 5, "7": "seven", "unnamed": "empty"}
    assert list(again.obsm["p_q"].columns) == ["CD3_CD28"]
    assert list(again.uns["table"].columns) == ["c_d"]
    assert [name for name in again.layers if name is not None] == ["l_m"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda adata: adata.uns.__setitem__("thing", object()),
        lambda adata: adata.uns.__setitem__("pair", {"in": (1, 2)}),
        lambda adata: adata.obs.__setitem__("mixed", [1, "x", None]),
    ],
)
def test_entry_that_cannot_be_written_is_named(tmp_path, spoil):
    adata = section()
    require_writable(adata, tmp_path, "s1")
    spoil(adata)
    with pytest.raises(BadInputError, match="an entry that cannot") as refused:
        require_writable(adata, tmp_path, "s1")
    assert any(name in refused.value.problems[0].found for name in ("thing", "pair", "mixed"))
    assert list(tmp_path.iterdir()) == []


def test_the_check_changes_nothing(tmp_path):
    adata = section()
    adata.obs["words"] = ["a", "b", "a"]
    require_writable(adata, tmp_path / "new", "s1")
    assert not isinstance(adata.obs["words"].dtype, pd.CategoricalDtype)
    assert list((tmp_path / "new").iterdir()) == []


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInputError, match="without write access"):
        require_folder(tmp_path / "file" / "sub", "s1")
