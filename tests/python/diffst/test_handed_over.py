"""What users hand to super-resolution: odd counts, flags, sections, lists, paths and keys."""

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from clearspot import keys
from clearspot.diffst.data.embedding import embed_histology
from clearspot.diffst.data.section import read_section
from clearspot.diffst.output import api
from clearspot.diffst.params import DiffstParams
from clearspot.errors import BadInputError
from tests.helpers.diffst_sections import make_section

PARAMS = DiffstParams.preset("test", genes="all")


@pytest.fixture
def adata():
    return make_section()[0]


def expression_in_x(adata):
    adata.X = np.log1p(adata.layers.pop(keys.COUNTS).toarray())


def missing_in_x(adata):
    adata.X = adata.layers.pop(keys.COUNTS).toarray().astype(float)
    adata.X[3, 4] = np.nan


def negative_counts(adata):
    adata.layers[keys.COUNTS] = -adata.layers[keys.COUNTS]


def flag_with_gaps(adata):
    adata.obs[keys.QC_PASS] = [np.nan, *[1.0] * (adata.n_obs - 1)]


def two_sections(adata):
    adata.obs[keys.LIBRARY_ID] = ["left", "right"] * (adata.n_obs // 2)


def two_pictures(adata):
    adata.uns[keys.UNS_SPATIAL] = {"left": {}, "right": {}}


def one_place(adata):
    adata.obsm[keys.SPATIAL][7] = adata.obsm[keys.SPATIAL][8]


def lost_spot(adata):
    adata.obsm[keys.SPATIAL][7, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (expression_in_x, "not whole"),
        (missing_in_x, "1 of .* in X that are missing or infinite"),
        (negative_counts, "negative"),
        (flag_with_gaps, "1 missing values among 100 rows"),
        (two_sections, "left, right"),
        (two_pictures, "left, right"),
        (one_place, "1 of 100 observations share the position of another one"),
        (lost_spot, "1 of 100 spots"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(adata, spoil, found):
    spoil(adata)
    with pytest.raises(BadInputError, match=found):
        read_section(adata, "s1", PARAMS)


@pytest.mark.parametrize("stored", ["text", "number"])
def test_failed_spots_are_left_out_however_the_flag_is_stored(adata, stored):
    flag = np.arange(adata.n_obs) != 5
    adata.obs[keys.QC_PASS] = flag.astype(str) if stored == "text" else flag.astype(float)
    assert 5 not in read_section(adata, "s1", PARAMS).rows


@pytest.mark.parametrize("genes", ["hvg", "all", ["gene1", "GENE2", "gone1"]])
def test_absent_names_are_told_whichever_genes_are_chosen(adata, genes):
    params = DiffstParams.preset("test", genes=genes, always_genes=["gene3", "gone2"])
    section = read_section(adata, "s1", params)
    warnings = [message.text for message in section.messages if message.level == "warning"]
    assert "1 of 2 genes of interest are not in the sample: gone2" in warnings[-1]
    assert "gene3" in section.genes
    if isinstance(genes, list):
        assert section.genes == ("gene1", "gene2", "gene3")
        assert "1 of 3 genes to super-resolve are not in the sample: gone1" in warnings[0]


def test_gene_of_interest_without_counts_is_told(adata):
    messages = read_section(adata, "s1", DiffstParams.preset("test", always_genes=["gene13"])).messages
    assert "1 genes of interest have no counts in this section and are not super-resolved." in [
        one.text for one in messages
    ]


def test_list_of_which_nothing_is_there_is_refused(adata):
    with pytest.raises(BadInputError, match="list of genes to super-resolve"):
        read_section(adata, "s1", DiffstParams.preset("test", genes=["Zzz9", "Xyz9"]))


def test_backed_anndata_is_read(adata, tmp_path):
    adata.X = adata.layers.pop(keys.COUNTS).astype(np.float32)
    adata.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    np.testing.assert_array_equal(
        read_section(backed, "s1", PARAMS).counts.toarray(), read_section(adata, "s1", PARAMS).counts.toarray()
    )


def test_image_may_be_a_path_as_text(adata, tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        embed_histology(adata, str(tmp_path / "absent.tif"), "s1", PARAMS)


@pytest.mark.parametrize("as_text", [True, False])
def test_folder_that_cannot_be_written_is_found_out_before_training(adata, tmp_path, as_text, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(api, "fit", lambda *_, **__: pytest.fail("it trained"))
    out = tmp_path / "file" / "out"
    with pytest.raises(BadInputError, match="without write access"):
        api.superresolve(adata, out=str(out) if as_text else out, params=PARAMS, progress=False)


def test_entry_that_the_result_cannot_hold_is_found_out_before_training(adata, tmp_path, monkeypatch):
    adata.uns[keys.UNS_SPATIAL] = {"lib": {"metadata": {"when": object()}}}
    monkeypatch.setattr(api, "fit", lambda *_, **__: pytest.fail("it trained"))
    with pytest.raises(BadInputError, match="cannot be stored"):
        api.superresolve(adata, out=tmp_path, params=PARAMS, progress=False)


def test_keys_with_slashes_and_paths_as_text_lead_to_a_result(adata, tmp_path):
    adata.var["a/b"] = 1
    adata.uns[keys.UNS_SPATIAL] = {"lib/1": {"scalefactors": {"x": 1.0}}}
    checkpoint = str(tmp_path / "m.pt")
    api.train(adata, None, checkpoint, sample="s1", params=PARAMS, progress=False)
    result = api.superresolve(
        adata, out=str(tmp_path / "o"), sample="s1", checkpoint=checkpoint, params=PARAMS, progress=False
    )
    written = ad.read_h5ad(result.path)
    assert "a_b" in written.var
    assert list(written.uns[keys.UNS_SPATIAL]) == ["lib_1"]
    assert "a/b" in adata.var
    assert sp.issparse(adata.layers[keys.COUNTS])
