"""Any name becomes a key that AnnData, HDF5, Zarr and SpatialData accept."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spatialdata._core.validation import (  # the rules have no public name
    check_all_keys_case_insensitively_unique,
    check_valid_dataframe_column_name,
)

from clearspot.contract.safe_keys import safe_key, safe_keys

NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("aAbß/_.- \tİ\u0301", max_size=6),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=150, max_size=300),
    st.sampled_from(["_index", "__a", ".", "..", "/", "", "HLA-A/B/C", "TGF-β", "a/../b", "A-1", "a"]),
)
many = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.mark.parametrize("name", ["CD3E.1", "HLA-DR.1", "mouse_IgG2a", "µ-3", "GRCh38", "2"])
def test_a_name_that_is_a_key_stays(name):
    assert safe_key(name) == name


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("HLA-A/B/C", "HLA-A_B_C"),
        ("anti human IgG", "anti_human_IgG"),
        ("_index", "index"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("CD8 (clone/1)", "CD8_clone_1"),
        ("TGF-β/α", "TGF-β_α"),
    ],
)
def test_other_names_are_changed(name, key):
    assert safe_key(name) == key


@many
@given(NAMES)
def test_every_name_has_a_key_and_keys_stay(name):
    key = safe_key(name)
    check_valid_dataframe_column_name(key)
    assert len(key.encode()) <= 200
    assert safe_key(key) == key


@many
@given(st.lists(NAMES, max_size=8))
def test_keys_of_several_names_differ_without_regard_to_case(names):
    keys = safe_keys(names)
    assert len(keys) == len(names)
    check_all_keys_case_insensitively_unique(keys)
    for key in keys:
        check_valid_dataframe_column_name(key)


def test_a_repeat_does_not_take_the_key_of_another_name():
    assert safe_keys(["A/B", "A_B", "A_B-1", "a b"]) == ["A_B", "A_B-2", "A_B-1", "a_b-3"]


@pytest.mark.filterwarnings("error:Forward slashes")
@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_columns_of_any_names_survive_h5ad_and_zarr(tmp_path_factory, names):
    keys = safe_keys(names)
    table = pd.DataFrame(np.arange(2 * len(keys)).reshape(2, -1), index=["A", "B"], columns=keys)
    adata = ad.AnnData(obs=table, obsm={"protein": table}, uns={key: {key: 1} for key in keys})
    adata.uns["names"] = np.array([name.replace("\0", "") for name in names], dtype=object)
    folder = tmp_path_factory.mktemp("keys")
    adata.write_h5ad(folder / "a.h5ad")
    adata.write_zarr(folder / "a.zarr")
    for read in (ad.read_h5ad(folder / "a.h5ad"), ad.read_zarr(folder / "a.zarr")):
        pd.testing.assert_frame_equal(read.obsm["protein"], table)
        pd.testing.assert_frame_equal(read.obs, table)
        assert set(read.uns) == {*keys, "names"}
