"""A study from the files of its sections to its own."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot.dusted.params import DustedParams
from clearspot.errors import BadInputError
from clearspot.metrics.agreement import label_agreement
from clearspot.study.files import write_study
from clearspot.study.gather import gather_sections
from clearspot.study.params import Integration, StudyParams
from clearspot.study.run import StudyResult, integrate_study
from tests.helpers.studies import made_section, write_sections

pytest.importorskip("harmonypy")
pytest.importorskip("pydeseq2")

DUSTED = DustedParams(epochs=10, threads=1)


def sections() -> list[ad.AnnData]:
    """Four donors in two batches and two conditions; gene 3 is changed in one tissue."""
    made = []
    for number in range(4):
        one = made_section(
            f"s{number}", seed=number, effect_of=number % 2, batch_effect=0.5, donor_noise=0.05,
            changed={3: 6.0} if number >= 2 else None,
            batch=f"b{number % 2}", donor=f"d{number}", condition="ab"[number // 2],
        )  # fmt: skip
        made.append(one)
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_sections(tmp_path_factory.mktemp("sections"), *sections())


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.concatenate([one.obs["tissue"].astype(str) for one in sections()])


@pytest.fixture(scope="module")
def by_dusted(files: list[Path]) -> StudyResult:
    return integrate_study(files, "demo", StudyParams(n_domains=3), DUSTED)


def test_domains_are_those_of_the_tissue_in_all_sections(by_dusted: StudyResult, truth: np.ndarray) -> None:
    assert label_agreement(truth, by_dusted.adata.obs["domain_study"])["ari"] > 0.95
    assert by_dusted.record.metrics["n_domains_of_one_section"] == 0
    probability = by_dusted.adata.obs["domain_study_probability"]
    assert probability.between(1 / 3, 1).all()
    assert len(by_dusted.adata.uns["domain_study_colors"]) == 3


def test_one_model_mixes_the_batches_and_predicts_held_out_counts(by_dusted: StudyResult) -> None:
    metrics = by_dusted.record.metrics
    assert metrics["batch_corrected"]
    assert metrics["mixing_after"] > metrics["mixing_before"] + 0.2
    assert metrics["heldout_beats_neighbours"]
    assert metrics["n_tiles"] == 4


@pytest.mark.parametrize("integration", ["harmony", "pca_harmony", "none"])
def test_other_integrations_find_the_tissue_too(files: list[Path], truth: np.ndarray, integration: Integration) -> None:
    found = integrate_study(files, "demo", StudyParams(n_domains=3, integration=integration))
    assert label_agreement(truth, found.adata.obs["domain_study"])["ari"] > 0.95
    assert found.record.metrics["batch_corrected"] == (integration != "none")
    assert "epochs" not in found.record.metrics


def test_components_are_averaged_over_neighbours_unless_each_spot_is_to_be_seen(files: list[Path]) -> None:
    """Neighbours differ as much as any two spots do, without the average."""
    differences = {}
    for integration in ("harmony", "pca_harmony"):
        found = integrate_study(files, "demo", StudyParams(n_domains=3, integration=integration)).adata
        for latent in ("X_study", "X_study_uncorrected"):
            values, (one, other) = found.obsm[latent], found.obsp["spatial_connectivities"].nonzero()
            differences[integration, latent] = np.square(values[one] - values[other]).sum() / values.var(axis=0).sum()
    for latent in ("X_study", "X_study_uncorrected"):
        assert differences["pca_harmony", latent] > 1.5 * differences["harmony", latent]


def test_the_planted_gene_differs_between_conditions(by_dusted: StudyResult) -> None:
    assert by_dusted.differences is not None
    best = by_dusted.differences.iloc[0]
    assert best["gene"] == "gene_3"
    assert best["p_adjusted"] < 0.05
    assert best["log2_fold_change"] == pytest.approx(np.log2(6), abs=0.6)
    assert by_dusted.record.metrics["n_genes_changed"] <= 2


def test_the_same_twice(files: list[Path], by_dusted: StudyResult) -> None:
    again = integrate_study(list(reversed(files)), "demo", StudyParams(n_domains=3), DUSTED)
    np.testing.assert_array_equal(again.adata.obsm["X_study"], by_dusted.adata.obsm["X_study"])
    pd.testing.assert_series_equal(again.adata.obs["domain_study"], by_dusted.adata.obs["domain_study"])


def test_confounded_batches_are_left_as_they_are(tmp_path: Path) -> None:
    made = [
        made_section(f"s{n}", seed=n, effect_of=n // 2, batch_effect=0.3, batch=f"b{n // 2}", condition="ab"[n // 2])
        for n in range(4)
    ]
    found = integrate_study(write_sections(tmp_path, *made), "demo", StudyParams(n_domains=3, integration="harmony"))
    assert found.record.metrics["batch_confounded"]
    assert not found.record.metrics["batch_corrected"]
    np.testing.assert_array_equal(found.adata.obsm["X_study"], found.adata.obsm["X_study_uncorrected"])
    texts = [message.text for message in found.record.messages if message.level == "warning"]
    assert any("are confounded" in text for text in texts)
    assert any("The donor of" in text for text in texts)


def test_a_domain_that_one_section_has_is_told(tmp_path: Path) -> None:
    made = [
        made_section("s0", seed=0, widths=(1.0, 1.0, 2.0)),
        made_section("s1", seed=1, widths=(1.0, 1.0, 0.0)),
        made_section("s2", seed=2, widths=(1.0, 1.0, 0.0)),
    ]
    found = integrate_study(write_sections(tmp_path, *made), "demo", StudyParams(n_domains=3, integration="none"))
    assert found.record.metrics["n_domains_of_one_section"] == 1
    assert any("is found in s0 only" in message.text for message in found.record.messages)


def test_files_of_a_study(by_dusted: StudyResult, tmp_path: Path) -> None:
    write_study(by_dusted, "demo", tmp_path)
    by_dusted.record.write(tmp_path / "demo.study.json")
    written = ad.read_h5ad(tmp_path / "demo.h5ad")
    assert not written.layers
    assert written.X is None
    assert {"X_study", "X_study_uncorrected", "spatial"} <= set(written.obsm)
    loupe = pd.read_csv(tmp_path / "loupe" / "s1_domain_study.csv", dtype=str)
    assert list(loupe.columns) == ["Barcode", "domain_study"]
    assert loupe["Barcode"].tolist() == [f"spot_{number}" for number in range(144)]
    composition = pd.read_csv(tmp_path / "demo_composition.csv")
    np.testing.assert_allclose(composition.groupby("section")["fraction"].sum(), 1)
    assert len(pd.read_csv(tmp_path / "demo_differences.csv")) == len(by_dusted.differences)


def test_no_edge_joins_two_sections(files: list[Path]) -> None:
    adata, design, _ = gather_sections(files, "demo")
    edges = adata.obsp["spatial_connectivities"].tocoo()
    sample = adata.obs["sample_id"].astype(str).to_numpy()
    assert edges.nnz > 0
    assert (sample[edges.row] == sample[edges.col]).all()
    assert design.sections == ["s0", "s1", "s2", "s3"]


def test_a_study_that_one_section_is_left_of_says_so(files: list[Path]) -> None:
    with pytest.raises(BadInputError, match="1 of 3 sections"):
        gather_sections(files[:1], "demo", 3)


def test_lost_sections_are_told(files: list[Path]) -> None:
    _, _, (message,) = gather_sections(files, "demo", 6)
    assert "2 of 6 sections were refused or failed" in message.text


def test_sections_without_genes_in_common_are_refused(tmp_path: Path) -> None:
    other = made_section("s1")
    other.var_names = [f"other_{name}" for name in other.var_names]
    with pytest.raises(BadInputError, match="0 genes in all sections"):
        gather_sections(write_sections(tmp_path, made_section("s0"), other), "demo")


def test_the_settings_of_the_paper_are_refused_for_a_joint_model(files: list[Path]) -> None:
    paper = DustedParams.preset("paper", epochs=1, threads=1)
    with pytest.raises(BadInputError) as caught:
        integrate_study(files, "demo", StudyParams(n_domains=3), paper)
    (problem,) = caught.value.problems
    assert "an intercept for each gene" in problem.expected
    assert "harmony" in problem.mend
    assert integrate_study(files, "demo", StudyParams(n_domains=3, integration="harmony"), paper).adata.n_obs
