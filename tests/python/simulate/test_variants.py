import numpy as np
import pytest

from clearspot.simulate.genes import PROGRAMS, make_panel
from clearspot.simulate.variants import add_antibodies, add_second_genome, probe_panel


@pytest.fixture(scope="module")
def panel():
    return make_panel(np.random.default_rng(0), 400)


def test_probes_see_no_mitochondrial_and_ribosomal_genes(panel):
    probes = probe_panel(np.random.default_rng(0), panel)
    assert panel.var.index.str.startswith("MT-").sum() == 13
    assert not probes.var.index.str.match(r"MT-|RP[SL]").any()
    assert len(probes.var) == probes.loadings.shape[1] == 400 - 13 - 10


def test_antibodies_follow_their_cell_type(panel):
    both = add_antibodies(panel)
    antibodies = (both.var["feature_types"] == "Antibody Capture").to_numpy()
    assert antibodies.sum() == 9
    column = both.var.index.get_loc("CD3E.1")
    assert both.loadings[:, column].argmax() == PROGRAMS.index("t_cell")
    np.testing.assert_array_equal(both.loadings[:, ~antibodies], panel.loadings)


def test_xenograft_stroma_is_mouse_and_nothing_is_lost(panel):
    both = add_second_genome(panel)
    mouse = (both.var["genome"] == "mm10").to_numpy()
    assert mouse.sum() == (~mouse).sum() == 400
    np.testing.assert_allclose(both.loadings.sum(axis=1), panel.loadings.sum(axis=1))
    assert both.loadings[PROGRAMS.index("fibroblast"), ~mouse].sum() == 0
    assert both.loadings[PROGRAMS.index("enterocyte"), mouse].sum() == 0
    assert both.var.index.is_unique
    assert both.var.loc["mm10___Epcam", "gene_ids"] == "mm10___ENSMUSG00000119888"
