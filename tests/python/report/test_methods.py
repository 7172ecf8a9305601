"""The text for a methods section is held against the settings that ran."""

import html
import re
from dataclasses import asdict
from typing import Any

import pytest

from clearspot.diffst.params import DiffstParams
from clearspot.domains.params import DomainParams
from clearspot.dusted.params import DustedParams
from clearspot.graph.params import GraphParams
from clearspot.qc.params import QCParams
from clearspot.record import StepRecord
from clearspot.report.methods import methods_html
from clearspot.report.metrics import SampleRecords
from clearspot.report.words import denoised_values


def text(*records: StepRecord, more: tuple[StepRecord, ...] = ()) -> str:
    samples = [SampleRecords("s", {record.step: record for record in records})]
    if more:
        samples.append(SampleRecords("t", {record.step: record for record in more}))
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", methods_html(samples))))


def dusted(**settings: Any) -> StepRecord:
    return StepRecord("s", "dusted", params=DustedParams(**settings).as_dict())


def qc(method: str = "seurat_v3", **settings: Any) -> StepRecord:
    params = asdict(QCParams(**{"min_counts": 50, "min_genes": 25} | settings))
    return StepRecord("s", "qc", params=params, metrics={"hvg_method": method})


def domains(clustered: str = "dusted", **settings: Any) -> StepRecord:
    metrics = {"domain_embedding": clustered}
    return StepRecord("s", "domains", params=asdict(DomainParams(**settings)), metrics=metrics)


def superres(
    image: bool = True, mean_is: str = "meannet", gene_head_weight: float | None = None, **settings: Any
) -> StepRecord:
    metrics = {"image_used": image, "mean_is": mean_is, "bin_um": 20.0, "gene_head_weight": gene_head_weight}
    return StepRecord("s", "superres", params=DiffstParams(**settings).as_dict(), metrics=metrics)


POSTERIOR = "posterior means of the expression rates, given the spot's own count"


def test_by_default_denoised_values_are_posterior_means():
    said = text(dusted())
    assert f"Denoised values are {POSTERIOR}; they replace no measured value." in said
    assert "under a negative binomial likelihood, started from the section's main directions" in said
    assert "10 % of the counts were held out" in said


def test_the_papers_preset_gives_means():
    paper = DustedParams.preset("paper")
    said = text(StepRecord("s", "dusted", params=paper.as_dict()))
    assert "Denoised values are means of the fitted distribution, before dropout" in said
    assert "zero-inflated negative binomial" in said
    assert not re.search("posterior|main directions|held out|input lacked", said)


def test_of_samples_that_differ_no_more_is_said_than_they_share():
    said = text(dusted(), more=(dusted(posterior=False),))
    assert "posterior" not in said
    assert "means of the fitted" not in said
    assert "Denoised values are estimates of the expression rates" in said


@pytest.mark.parametrize(
    ("record", "there", "absent"),
    [
        (dusted(gene_attention=False), "graph attention network, fitted", "gene channel attention"),
        (dusted(holdout=0.0), "DUSTED", "held out"),
        (dusted(blind=0.0), "DUSTED", "input lacked"),
        (qc(), "Seurat v3 (Stuart", "Lause"),
        (qc("pearson_residuals"), "by Pearson residuals (Lause", "variance-stabilising"),
        (qc("seurat_v3 with span 0.5"), "Seurat v3", "Pearson"),
        (qc(mito_threshold=15.0), "more than 15 % mitochondrial", "haemoglobin"),
        (qc(mito_threshold=100.0), "fewer than 50 counts", "mitochondrial"),
        (qc(ribo_threshold=3.0, hb_threshold=10.0), "less than 3 % ribosomal protein counts, with more than 10 %", "?"),
        (qc(n_hvgs=500, hvg_min_counts=20), "Up to 500 highly variable genes with more than 20 counts", "3000"),
        (StepRecord("s", "graph", params=asdict(GraphParams(method="radius"))), "nearer than a radius", "Delaunay"),
        (StepRecord("s", "graph", params=asdict(GraphParams(method="delaunay"))), "Delaunay", "radius"),
        (domains(), "Gaussian mixture model, their number by the Bayesian information criterion", "Leiden"),
        (domains(n_domains=7), "a Gaussian mixture model with 7 domains", "criterion"),
        (
            domains(method="leiden", resolution=0.8),
            "Leiden algorithm (Traag et al., 2019) at a resolution of 0.8",
            "Ga",
        ),
        (domains(), "found on the denoiser's latent representation by a Gaussian", "principal"),
        (domains("pca"), "components of the counts of single spots, whose domains explained more of the held-out", "?"),
        (domains("pca", embedding="pca"), "principal components of the counts of single spots by a Gaussian", "latent"),
        (domains(refine=True), "given the domain of most of its neighbours", "Leiden"),
        (domains(moran_n_genes=0), "Wilcoxon", "Moran"),
        (domains(moran_n_perms=50), "p-values from 50 permutations", "100 permutations"),
        (domains(moran_n_perms=0), "Moran", "p-values"),
        (superres(), "expression and histology and a diffusion model of its residual; the mean is the network's", "?"),
        (superres(mean_is="diffusion"), "mean and spread are those of the diffusion's draws", "the mean is the"),
        (superres(image=False), "a network of expression alone, without the image", "histology"),
        (superres(diffusion=False), "; the mean is the network's. These", "diffusion"),
        (superres(input="denoised"), "in bins of 20 µm from the denoised values", "?"),
        (superres(gene_head_weight=0.5), "combined by a weighted geometric mean", "?"),
        (superres(gene_head_weight=0.0), "a diffusion model of its residual", "geometric mean"),
        (superres(projection=True), "maps that add up to what the spots measured", "?"),
    ],
)
def test_what_is_said_follows_the_settings(record: StepRecord, there: str, absent: str):
    said = text(record)
    said = said.split("References")[0]
    assert there in said
    assert absent not in said


def test_samples_may_have_domains_of_different_embeddings():
    said = text(domains(), more=(domains("pca"),))
    assert "latent representation or, in samples where their domains explained more of the held-out counts" in said


def test_places_are_bins_on_visium_hd():
    hd = StepRecord("s", "ingest", metrics={"bin_size_um": 8})
    assert "bins with fewer than 50 counts" in text(hd, qc())
    assert "spots and bins with fewer than" in text(qc(), more=(hd, qc()))


def test_cells_are_not_called_spots():
    cells = StepRecord("s", "ingest", metrics={"unit": "cells"})
    said = text(cells, qc(), dusted(), domains("pca", refine=True)).split("References")[0]
    assert "given the cell's own count" in said
    assert not re.search(r"\bspots?\b", said)
    both = text(cells, dusted(), more=(StepRecord("s", "ingest", metrics={"bin_size_um": 8}), dusted()))
    assert "given the location's own count" in both


def test_a_reference_stands_where_its_method_ran():
    assert "Traag VA" not in text(domains())
    assert "Traag VA" in text(domains(method="leiden"))
    assert "Lause J" in text(qc("pearson_residuals"))


@pytest.mark.parametrize(
    ("params", "words"),
    [({}, "estimates"), ({"posterior": True}, "posterior"), ({"posterior": False, "likelihood": "nb"}, "means")],
)
def test_words_for_denoised_values(params: dict[str, Any], words: str):
    assert words in denoised_values(params, "spot")
