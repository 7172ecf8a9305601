import numpy as np
import pytest

from clearspot.simulate.cells import TYPE_NAMES
from clearspot.simulate.genes import PROGRAMS, make_panel


@pytest.fixture(scope="module")
def panel():
    return make_panel(np.random.default_rng(0), 600)


def test_loadings_are_shares(panel):
    assert panel.loadings.shape == (len(PROGRAMS), 600)
    assert (panel.loadings >= 0).all()
    np.testing.assert_allclose(panel.loadings.sum(axis=1), 1)


def test_names_and_ids_are_unique(panel):
    assert panel.var.index.is_unique
    assert panel.var["gene_ids"].is_unique
    assert panel.var["gene_ids"].str.fullmatch(r"ENSG\d{11}").all()
    assert panel.var.loc["EPCAM", "gene_ids"] == "ENSG00000119888"


@pytest.mark.parametrize("n_genes", [len(PROGRAMS), 60, 300])
def test_every_program_has_a_marker_at_any_size(n_genes):
    panel = make_panel(np.random.default_rng(0), n_genes)
    assert len(panel.var) == n_genes
    assert set(PROGRAMS) <= set(panel.var["program"])


def test_too_few_genes_are_refused():
    with pytest.raises(ValueError, match="at least"):
        make_panel(np.random.default_rng(0), len(PROGRAMS) - 1)


def test_markers_stand_out_in_their_type(panel):
    types = panel.loadings[: len(TYPE_NAMES)]
    gene = panel.var.index.get_loc("MUC2")
    own = TYPE_NAMES.index("goblet")
    assert types[own, gene] > 10 * np.delete(types[:, gene], own).max()


def test_noise_genes_are_the_same_share_of_every_nucleated_type(panel):
    noise = (panel.var["role"] == "noise").to_numpy()
    types = np.delete(panel.loadings[: len(TYPE_NAMES)], TYPE_NAMES.index("erythrocyte"), axis=0)
    np.testing.assert_allclose(types[:, noise], np.broadcast_to(types[0, noise], types[:, noise].shape))


def test_abundances_span_orders_of_magnitude(panel):
    share = panel.loadings[: len(TYPE_NAMES)].mean(axis=0)
    share = share[share > 0]
    assert 0.8 < np.log(share).std() < 2.5
