"""Quality control, graph and domains on real sections, read by the pipeline's own ingest."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from clearspot.domains.params import DomainParams
from clearspot.domains.run import find_domains
from clearspot.graph.build import build_graph
from clearspot.io.ingest import ingest_outs
from clearspot.metrics.neighbours import neighbour_mean
from clearspot.qc.run import run_qc

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def mouse(shared_data):
    adata, _ = ingest_outs(shared_data / "outs" / "mouse_cytassist", "mouse")
    return adata, run_qc(adata, "mouse"), build_graph(adata, "mouse")


def test_no_spot_and_no_count_of_a_real_section_is_lost(mouse):
    adata, quality, _ = mouse
    assert adata.shape == (2898, 19465)
    assert adata.layers["counts"].sum() == 3_085_005
    assert quality.metrics["n_spots_pass"] > 2500


def test_probe_sets_measure_no_mitochondrial_genes(mouse):
    adata, quality, _ = mouse
    assert "pct_counts_mt" not in adata.obs
    assert (
        quality.tables["filters"]["removed_alone"][quality.tables["filters"]["filter"].index("qc_mito_threshold")]
        is None
    )


def test_a_real_cytassist_slide_is_a_hexagon(mouse):
    _, _, graph = mouse
    assert (graph.metrics["lattice"], graph.metrics["median_degree"]) == ("hexagonal", 6)
    assert graph.metrics["pitch_um"] == pytest.approx(100, rel=0.02)


def test_a_vendors_square_grid_has_eight_neighbours(shared_data):
    adata, _ = ingest_outs(shared_data / "outs" / "vendor_grid_human", "vendor")
    run_qc(adata, "vendor")
    graph = build_graph(adata, "vendor")
    assert (graph.metrics["lattice"], graph.metrics["median_degree"]) == ("square", 8)


def test_domains_of_a_real_section_hang_together(mouse):
    adata = mouse[0].copy()
    rows = np.flatnonzero(adata.obs["qc_pass"])
    variable = np.flatnonzero(adata.var["highly_variable"])
    graph, values = adata.obsp["spatial_connectivities"][rows][:, rows], adata.X[rows][:, variable].toarray()
    mean = neighbour_mean(graph, values)
    axes = PCA(20, random_state=0).fit(mean)
    shuffled = neighbour_mean(graph, values[np.random.default_rng(0).permutation(rows.size)])
    for key, one in (("X_dusted", mean), ("dusted_shuffled", shuffled)):
        adata.obsm[key] = np.full((adata.n_obs, 20), np.nan)
        adata.obsm[key][rows] = axes.transform(one)
    metrics = find_domains(adata, "mouse", DomainParams(n_domains=6, moran_n_genes=20, moran_n_perms=10)).metrics
    assert metrics["n_domain_gmm"] == 6
    # The mean of seven spots makes compact domains of anything: labels strewn anywhere would agree in some 0.2.
    by_chance = metrics["neighbour_agreement_by_chance_domain_gmm"]
    assert 0.3 < by_chance < metrics["neighbour_agreement_domain_gmm"] - 0.1
