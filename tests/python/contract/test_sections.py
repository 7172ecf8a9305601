"""Several sections in one AnnData, and several observations at one place."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot.contract.sections import merge_duplicates, require_one_section, require_positions, section_labels
from clearspot.errors import BadInputError


def two(column: str | None = "library_id", pictures: tuple[str, ...] = ()) -> ad.AnnData:
    adata = ad.AnnData(np.arange(8.0).reshape(4, 2))
    if column:
        adata.obs[column] = pd.Categorical(["b", "a", "b", "a"], categories=["a", "b", "unused"])
    adata.obsm["spatial"] = np.array([[0.0, 0], [0, 0], [1, 0], [1, 0]])
    adata.uns["spatial"] = {name: {} for name in pictures}
    return adata


@pytest.mark.parametrize("check", [section_labels, lambda adata: require_one_section(adata, "s", "This")])
@pytest.mark.parametrize(
    ("adata", "where"),
    [
        (two("library_id"), r"obs\['library_id'\]: b, a"),
        (two("sample_id"), r"obs\['sample_id'\]: b, a"),
        (two(None, ("a", "b")), r"uns\['spatial'\]: a, b"),
    ],
)
def test_several_sections_are_refused_by_name(adata, where, check):
    with pytest.raises(BadInputError, match=where):
        check(adata)


@pytest.mark.parametrize("adata", [two(None), two(None, ("a",)), two("library_id", ("a", "b"))[[0, 2]]])
def test_one_section_is_one_whatever_pictures_it_kept(adata):
    assert section_labels(adata, sample="s").names == ("s",)
    require_one_section(adata, "s", "This")


def test_the_key_tells_sections_apart_in_the_order_of_the_file():
    sections = section_labels(two("slide"), "slide")
    assert sections.names == ("b", "a")
    assert sections.codes.tolist() == [0, 1, 0, 1]


def test_absent_key_and_missing_values_are_named():
    with pytest.raises(BadInputError, match="library_id"):
        section_labels(two(), "slide")
    adata = two()
    adata.obs.loc["1", "library_id"] = np.nan
    with pytest.raises(BadInputError, match="1 of 4 observations have no value"):
        section_labels(adata, "library_id")


def test_observations_at_one_place_are_counted_within_a_section():
    adata = two()
    with pytest.raises(
        BadInputError, match=r"2 of 4 observations share the position of another one \(for example 0, 1\)"
    ):
        require_positions(adata, "s")
    codes = section_labels(adata, "library_id").codes
    assert require_positions(adata, "s", codes=codes).shape == (4, 2)
    assert require_positions(adata, "s", rows=np.array([0, 2])).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_positions_that_are_no_numbers_are_counted(value):
    adata = two()
    adata.obsm["spatial"][3, 1] = value
    with pytest.raises(BadInputError, match="1 of 4 spots"):
        require_positions(adata, "s")


def test_absent_positions_are_named():
    with pytest.raises(BadInputError, match="no obsm"):
        require_positions(ad.AnnData(np.ones((2, 2))), "s")


def test_merged_observations_add_up_and_keep_the_first_ones_rest():
    adata = two(None)
    merged = merge_duplicates(adata)
    assert merged.obs_names.tolist() == ["0", "2"]
    np.testing.assert_array_equal(merged.layers["counts"].toarray(), [[2, 4], [10, 12]])
    assert merged.obsm["spatial"].tolist() == [[0, 0], [1, 0]]
    assert adata.n_obs == 4


def test_merging_stays_within_a_section():
    adata = two()
    merged = merge_duplicates(adata, "library_id")
    assert merged.n_obs == 4
    with pytest.raises(BadInputError, match="2 sections"):
        merge_duplicates(adata)
