"""Several sections in one AnnData are told apart: refused by name, or each denoised as in a file of its own."""

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from clearspot import dusted, keys
from clearspot.errors import BadInputError

SETTINGS = {"hidden": 8, "latent": 4, "epochs": 4, "threads": 1, "progress": False}


@pytest.fixture
def pair(section_factory):
    """Two sections in the same pixel frame, the second one three times as deep, their spots in turn."""
    alone = {"left/1": section_factory(seed=1), "right": section_factory(seed=2, depth=3.0)}
    both = ad.concat(alone, label="library_id", index_unique="-", merge="same")
    order = np.argsort(np.tile(np.arange(alone["right"].n_obs), 2), kind="stable")
    return alone, both[order].copy()


@pytest.fixture
def result(pair):
    return dusted.denoise(pair[1], sample="s1", library_key="library_id", **SETTINGS)


def test_sections_are_refused_with_their_names(pair):
    with pytest.raises(BadInputError, match=r"2 sections in obs\['library_id'\]: left/1, right"):
        dusted.denoise(pair[1], **SETTINGS)
    assert keys.DENOISED not in pair[1].layers


def test_each_gets_what_it_gets_in_a_file_of_its_own(pair, result):
    alone, both = pair
    for name, section in alone.items():
        del section.obsp[keys.CONNECTIVITIES]
        dusted.denoise(section, **SETTINGS)
        part = both[both.obs["library_id"] == name]
        np.testing.assert_array_equal(part.layers[keys.DENOISED], section.layers[keys.DENOISED])
        np.testing.assert_array_equal(part.obsm[keys.LATENT], section.obsm[keys.LATENT])


def test_no_edge_joins_two_sections(pair, result):
    _, both = pair
    graph = sp.coo_matrix(both.obsp[keys.CONNECTIVITIES])
    library = both.obs["library_id"].astype(str).to_numpy()
    assert graph.nnz
    assert (library[graph.row] == library[graph.col]).all()


@pytest.mark.parametrize("crossing", [False, True])
def test_a_graph_is_kept_unless_it_joins_sections(pair, crossing):
    _, both = pair
    library = both.obs["library_id"].astype(str).to_numpy()
    ends = (0, 1) if crossing else tuple(np.flatnonzero(library == "right")[:2])
    graph = sp.lil_matrix((both.n_obs, both.n_obs))
    graph[ends] = graph[ends[::-1]] = 1
    both.obsp[keys.CONNECTIVITIES] = graph.tocsr()
    messages = [m.text for m in dusted.denoise(both, library_key="library_id", **SETTINGS).record.messages]
    assert (both.obsp[keys.CONNECTIVITIES].nnz == 2) != crossing
    assert any("had 1 edges between sections" in text for text in messages) == crossing


def test_record_and_tables_tell_the_sections_apart(result, pair, tmp_path):
    table = result.record.tables["sections"]
    assert table["section"] == list(result.sections) == ["left/1", "right"]
    assert result.record.metrics["n_spots"] == sum(table["n_spots"]) == len(result.barcodes)
    assert result.embedding.receiver.max() == len(result.barcodes) - 1
    result.write_tables(str(tmp_path))
    assert (tmp_path / "s1.left_1.dusted_loss.csv").exists()
    assert (tmp_path / "s1.right.dusted_loss.csv").exists()


def test_result_survives_a_file(result, pair, tmp_path):
    pair[1].write_h5ad(tmp_path / "both.h5ad")
    notes = ad.read_h5ad(tmp_path / "both.h5ad").uns[keys.UNS]["dusted"]
    assert notes["library_key"] == "library_id"
    assert set(notes["sections"]) == {"left_1", "right"}


def test_every_section_keeps_a_model_of_its_own(pair, tmp_path):
    dusted.denoise(pair[1], library_key="library_id", checkpoint=str(tmp_path / "m" / "s.pt"), **SETTINGS)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["s.left_1.pt", "s.right.pt"]


def test_a_faulty_section_is_named(pair):
    both = pair[1]
    both.obs[keys.QC_PASS] = both.obs["library_id"] == "right"
    with pytest.raises(BadInputError) as refused:
        dusted.denoise(both, sample="s1", library_key="library_id", **SETTINGS)
    assert "left/1" in str(refused.value) or "left_1" in str(refused.value)


def test_key_of_a_single_section_is_the_same_as_none(section_factory):
    first, second = section_factory(), section_factory()
    first.obs["slide"] = "only"
    dusted.denoise(first, library_key="slide", **SETTINGS)
    dusted.denoise(second, **SETTINGS)
    np.testing.assert_array_equal(first.layers[keys.DENOISED], second.layers[keys.DENOISED])


def test_two_observations_at_one_place_are_counted(adata):
    adata.obsm[keys.SPATIAL][3] = adata.obsm[keys.SPATIAL][2]
    with pytest.raises(BadInputError, match="1 of 54 observations share the position of another one"):
        dusted.denoise(adata, **SETTINGS)
