"""A section that joins a finished study."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot.cli import main
from clearspot.dusted.params import DustedParams
from clearspot.errors import BadInputError
from clearspot.metrics.agreement import label_agreement
from clearspot.study.add import add_section, assign_domains
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.studies import made_section, write_sections

pytest.importorskip("harmonypy")


def section(number: int, batch: int, sample: str | None = None) -> ad.AnnData:
    return made_section(
        sample or f"s{number}", seed=number, effect_of=batch, batch_effect=0.7, donor_noise=0.05, batch=f"b{batch}"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of four sections in two batches."""
    folder = tmp_path_factory.mktemp("study")
    files = write_sections(folder / "sections", *(section(number, number % 2) for number in range(4)))
    checkpoint = folder / "demo.dusted.pt"
    dusted = DustedParams(epochs=10, threads=1)
    params = StudyParams(n_domains=3, integration="dusted_harmony")
    result = integrate_study(files, "demo", params, dusted, checkpoint=checkpoint)
    write_study(result, "demo", folder)
    return folder


@pytest.fixture(scope="module")
def study(folder: Path) -> ad.AnnData:
    return ad.read_h5ad(folder / "demo.h5ad")


def test_a_section_of_the_study_gets_the_latent_that_it_has(folder: Path, study: ad.AnnData) -> None:
    again = write_sections(folder / "again", section(1, 1, "again"))[0]
    added = add_section(study, folder / "demo.dusted.pt", again, threads=1)
    assert not added.messages
    new, old = (added.adata[added.adata.obs["sample_id"] == name] for name in ("again", "s1"))
    np.testing.assert_allclose(new.obsm["X_study_model"], old.obsm["X_study_model"], rtol=1e-3, atol=1e-4)
    # Harmony's correction is taken from the nearest spots
    left = np.linalg.norm(new.obsm["X_study"] - old.obsm["X_study"], axis=1)
    assert np.median(left) < 0.1 * np.linalg.norm(old.obsm["X_study"].std(axis=0))
    assert (new.obs["domain_study"].astype(str).to_numpy() == old.obs["domain_study"].astype(str).to_numpy()).all()


def test_a_section_of_a_known_batch_gets_the_tissues_domains(folder: Path, study: ad.AnnData) -> None:
    held_out = section(8, 1)
    added = add_section(study, folder / "demo.dusted.pt", write_sections(folder / "known", held_out)[0], threads=1)
    of_new = added.adata.obs[added.adata.obs["sample_id"] == "s8"]
    assert label_agreement(held_out.obs["tissue"], of_new["domain_study"])["ari"] > 0.95
    assert of_new["domain_study_probability"].median() > 0.9


def test_factors_of_a_new_batch_are_estimated(folder: Path, study: ad.AnnData) -> None:
    held_out = section(9, 7)
    path = write_sections(folder / "new", held_out)[0]
    added = add_section(study, folder / "demo.dusted.pt", path, threads=1)
    assert any("b7 is not in the study" in message.text for message in added.messages)
    whole = pd.concat([section(number, number % 2).obs["tissue"].astype(str) for number in range(4)])
    truth = np.concatenate([whole, held_out.obs["tissue"].astype(str)])
    # the domains of the new section are those of the others, not only as many
    assert label_agreement(truth, added.adata.obs["domain_study"])["ari"] > 0.9


def test_without_harmony_the_latent_is_that_of_the_model(folder: Path, study: ad.AnnData) -> None:
    plain = study.copy()
    plain.obsm["X_study"] = plain.obsm.pop("X_study_model")
    added = add_section(
        plain, folder / "demo.dusted.pt", write_sections(folder / "y", section(1, 1, "y"))[0], threads=1
    )
    new, old = (added.adata[added.adata.obs["sample_id"] == name] for name in ("y", "s1"))
    np.testing.assert_allclose(new.obsm["X_study"], old.obsm["X_study"], rtol=1e-3, atol=1e-4)


def test_the_study_itself_does_not_change(folder: Path, study: ad.AnnData) -> None:
    added = add_section(study, folder / "demo.dusted.pt", write_sections(folder / "x", section(8, 1))[0], threads=1)
    old = added.adata[: study.n_obs]
    pd.testing.assert_frame_equal(old.obs, study.obs, check_categorical=False)
    np.testing.assert_array_equal(old.obsm["X_study"], study.obsm["X_study"])
    assert added.adata.n_obs == study.n_obs + 144
    assert added.adata.obsp["spatial_connectivities"][: study.n_obs, study.n_obs :].nnz == 0
    assert list(added.adata.obs["domain_study"].cat.categories) == list(study.obs["domain_study"].cat.categories)


def test_a_section_that_is_there_already_is_refused(folder: Path, study: ad.AnnData) -> None:
    with pytest.raises(BadInputError, match="a section s1"):
        add_section(study, folder / "demo.dusted.pt", folder / "sections" / "s1.h5ad")


def test_other_genes_are_refused(folder: Path, study: ad.AnnData) -> None:
    other = section(8, 1)
    other.var_names = [f"x_{name}" for name in other.var_names]
    with pytest.raises(BadInputError, match="0 of the"):
        add_section(study, folder / "demo.dusted.pt", write_sections(folder / "other", other)[0])


def test_a_study_without_a_model_is_refused(folder: Path, study: ad.AnnData) -> None:
    without = study.copy()
    del without.varm["batch_factors"]
    with pytest.raises(BadInputError, match="a study without a model"):
        add_section(without, folder / "demo.dusted.pt", folder / "sections" / "s1.h5ad")


def test_assigned_domains_follow_the_gaussians() -> None:
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0.0], [5.0, 0.0]])
    domain = np.repeat(["1", "2"], 200)
    latent = np.repeat(middles, 200, axis=0) + rng.normal(size=(400, 2))
    found, probability = assign_domains(latent, domain, np.array([[0.1, 0.2], [4.9, 0.0], [2.5, 0.0]]))
    assert found[:2].tolist() == ["1", "2"]
    assert (probability[:2] > 0.99).all()
    assert 0.5 <= probability[2] < 0.9


def test_the_command_writes_the_files_of_the_study(folder: Path, tmp_path: Path) -> None:
    path = write_sections(tmp_path / "in", section(8, 1))[0]
    command = ["study", "add", str(folder / "demo.h5ad"), str(path), "--model", str(folder / "demo.dusted.pt")]
    done = CliRunner().invoke(main, [*command, "--outdir", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    written = ad.read_h5ad(tmp_path / "out" / "demo.h5ad")
    assert written.n_obs == 5 * 144
    composition = pd.read_csv(tmp_path / "out" / "demo_composition.csv")
    assert composition.groupby("section")["n_spots"].sum().to_dict() == {f"s{n}": 144 for n in (0, 1, 2, 3, 8)}
    assert len(pd.read_csv(tmp_path / "out" / "loupe" / "s8_domain_study.csv")) == 144
    sections = pd.read_csv(tmp_path / "out" / "demo_sections.csv")
    assert sections.set_index("section").loc["s8", "batch"] == "b1"


def test_the_command_refuses_with_words(folder: Path, tmp_path: Path) -> None:
    command = ["study", "add", str(folder / "demo.h5ad"), str(folder / "sections" / "s1.h5ad")]
    done = CliRunner().invoke(
        main, [*command, "--model", str(folder / "demo.dusted.pt"), "--outdir", str(tmp_path / "out")]
    )
    assert done.exit_code == 65
    assert "a section that is not in the study" in done.output
    assert not (tmp_path / "out").exists()
