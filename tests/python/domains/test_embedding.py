import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score, mean_poisson_deviance

from clearspot import keys
from clearspot.domains import run
from clearspot.domains.components import COMPONENTS, own_components
from clearspot.domains.embedding import MARGIN, choose_embedding, explained
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.params import DomainParams
from clearspot.domains.run import find_domains
from clearspot.dusted.thinning import thin_counts
from clearspot.metrics.agreement import neighbour_agreement
from clearspot.record import StepRecord
from tests.helpers.denoised_sections import denoised_section

QUICK = {"moran_n_genes": 0, "n_domains": 2}
HOLDOUT = 0.1


@pytest.fixture
def adata():
    """A section whose training latent is that of the denoiser's stand-in."""
    made = denoised_section()
    made.var[keys.MODELLED] = made.var["highly_variable"]
    made.uns[keys.UNS]["dusted"] = {"params": {"holdout": HOLDOUT, "seed": 3}}
    made.obsm[keys.LATENT_TRAINING] = made.obsm[keys.LATENT].copy()
    return made


def without_structure(adata):
    """The latents of spots in another order: domains of them say nothing of a spot."""
    rows = np.flatnonzero(adata.obs["qc_pass"])
    moved = np.random.default_rng(0).permutation(rows)
    for key in (keys.LATENT, keys.LATENT_TRAINING):
        adata.obsm[key][rows] = adata.obsm[key][moved]


def left_and_right(adata):
    x = adata.obsm["spatial"][:, 0]
    return x < x.mean()


def test_a_latent_that_hides_the_tissue_is_left_for_principal_components(adata):
    without_structure(adata)
    record = find_domains(adata, "s", DomainParams(**QUICK))
    assert record.metrics["domain_embedding"] == "pca"
    assert record.metrics["domain_explained_pca"] > MARGIN * record.metrics["domain_explained_dusted"]
    assert any("principal components" in message.text for message in record.messages)
    has = adata.obs["domain_gmm"].notna()
    assert adjusted_rand_score(left_and_right(adata)[has], adata.obs["domain_gmm"][has]) > 0.8


def test_messages_on_cells_do_not_speak_of_spots(adata, monkeypatch):
    monkeypatch.setattr(run, "_BOTH_UP_TO", 10)
    without_structure(adata)
    adata.uns[keys.UNS][keys.UNIT] = "cells"
    record = find_domains(adata, "s", DomainParams(**QUICK))
    said = " ".join(message.text for message in record.messages)
    assert "principal components of the cells' own counts" in said
    assert "leiden was skipped" in said
    assert "of shuffled cells" in said
    assert "spot" not in said


def test_the_same_latent_is_kept_if_it_is_asked_for(adata):
    without_structure(adata)
    record = find_domains(adata, "s", DomainParams(embedding="dusted", **QUICK))
    assert record.metrics["domain_embedding"] == "dusted"
    assert "domain_explained_pca" not in record.metrics
    has = adata.obs["domain_gmm"].notna()
    assert adjusted_rand_score(left_and_right(adata)[has], adata.obs["domain_gmm"][has]) < 0.2


def test_a_latent_that_shows_the_tissue_is_kept(adata):
    record = find_domains(adata, "s", DomainParams(**QUICK))
    assert record.metrics["domain_embedding"] == "dusted"
    assert record.metrics["domain_explained_dusted"] > 0.01
    assert not any("principal components" in message.text for message in record.messages)


@pytest.mark.parametrize(("settings", "number"), [({"n_domains": 4, "max_domains": 3}, 4), ({"max_domains": 3}, 3)])
def test_embeddings_are_compared_by_as_many_domains_as_are_wanted(adata, monkeypatch, settings, number):
    asked = []

    def watched(latent, n_domains, seed):
        asked.append(n_domains)
        return gmm_domains(latent, n_domains, seed=seed)

    monkeypatch.setattr("clearspot.domains.embedding.gmm_domains", watched)
    rows = np.flatnonzero(adata.obs["qc_pass"])
    choose_embedding(adata, rows, "s", DomainParams(**settings), StepRecord("s", "domains"))
    assert set(asked) == {number}


@pytest.mark.parametrize("missing", ["latent", "holdout", "one spot"])
def test_without_held_out_counts_the_latent_is_used(adata, missing):
    without_structure(adata)
    if missing == "latent":
        del adata.obsm[keys.LATENT_TRAINING]
    elif missing == "holdout":
        adata.uns[keys.UNS]["dusted"]["params"]["holdout"] = 0.0
    else:
        adata.obsm[keys.LATENT_TRAINING][np.flatnonzero(adata.obs["qc_pass"])[0]] = np.nan
    record = StepRecord("s", "domains")
    rows = np.flatnonzero(adata.obs["qc_pass"])
    assert choose_embedding(adata, rows, "s", DomainParams(), record)[0] == "dusted"
    assert "domain_explained_dusted" not in record.metrics


def test_the_agreement_by_chance_of_principal_components_is_that_of_shuffled_labels(adata):
    record = find_domains(adata, "s", DomainParams(embedding="pca", **QUICK))
    metrics = record.metrics
    codes = adata.obs["domain_gmm"].dropna().astype(int).to_numpy() - 1
    rows = np.flatnonzero(adata.obs["qc_pass"])
    graph = adata.obsp[keys.CONNECTIVITIES][rows][:, rows]
    expected = neighbour_agreement(graph, np.random.default_rng(0).permutation(codes))
    assert metrics["neighbour_agreement_by_chance_domain_gmm"] == expected
    assert metrics["neighbour_agreement_domain_gmm"] > expected + 0.1


def test_explained_is_the_share_of_the_poisson_deviance():
    generator = np.random.default_rng(0)
    codes = np.repeat([0, 1], 60)
    rates = np.array([[6.0, 1.0, 2.0], [1.0, 6.0, 2.0]])[codes]
    kept, held_out = thin_counts(sp.csr_matrix(generator.poisson(rates), dtype=np.float32), 0.25, seed=1)
    depth = np.asarray(kept.sum(axis=1)).ravel()
    mean = np.asarray(kept.sum(axis=0)).ravel() / depth.sum()
    domains = np.stack([(kept[codes == c].sum(axis=0).A1 + 1) / (depth[codes == c].sum() + 1 / mean) for c in (0, 1)])[
        codes
    ]
    truth, by_mean, by_domain = held_out.toarray(), depth[:, None] * mean / 3, depth[:, None] * domains / 3
    expected = 1 - mean_poisson_deviance(truth.ravel(), by_domain.ravel()) / mean_poisson_deviance(
        truth.ravel(), by_mean.ravel()
    )
    assert explained(codes, kept, held_out, 0.25) == pytest.approx(expected, rel=1e-5)
    assert expected > 0.2
    assert abs(explained(generator.permutation(codes), kept, held_out, 0.25)) < 0.02


def test_a_spot_or_a_gene_without_training_counts_does_not_spoil_the_share():
    generator = np.random.default_rng(0)
    counts = generator.poisson(np.array([[6.0, 1.0, 2.0], [1.0, 6.0, 2.0]])[np.repeat([0, 1], 60)])
    kept, held_out = thin_counts(sp.csr_matrix(counts, dtype=np.float32), 0.25, seed=1)
    whole = explained(np.repeat([0, 1], 60), kept, held_out, 0.25)
    emptied, unseen = kept.tolil(), held_out.tolil()
    emptied[0], unseen[0, 0] = 0, 3
    emptied[:, 2] = 0
    found = explained(np.repeat([0, 1], 60), emptied.tocsr(), unseen.tocsr(), 0.25)
    assert np.isfinite(found)
    assert found > 0.5 * whole


def test_components_of_a_small_panel_are_as_many_as_there_can_be():
    counts = sp.csr_matrix(np.random.default_rng(0).poisson(3.0, (40, 12)), dtype=np.float32)
    assert own_components(counts, 0).shape == (40, 11)
    wide = sp.csr_matrix(np.random.default_rng(0).poisson(3.0, (80, 60)), dtype=np.float32)
    assert own_components(wide, 0).shape == (80, COMPONENTS)
