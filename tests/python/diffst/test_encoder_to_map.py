"""A foundation model from the references' sheet to a section's map: the same for all of them, or refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from clearspot import keys
from clearspot.cli import main
from clearspot.diffst.data.reference_file import prepare_reference, read_reference
from clearspot.diffst.output.api import superresolve
from clearspot.diffst.output.pretraining import pretrain_on
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import load_checkpoint
from clearspot.errors import BadInputError
from tests.helpers.diffst_sections import make_section
from tests.helpers.encoder_folders import KINDS, write_folder

PARAMS = DiffstParams.preset("test", genes="all", threads=1, n_programs=3, holdout=0.1)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    pytest.importorskip("timm", reason="timm is not installed: clearspot[timm]")
    folder = tmp_path_factory.mktemp("encoder") / "uni"
    write_folder(folder, KINDS["uni"])
    return folder


@pytest.fixture(scope="module")
def hd(tmp_path_factory) -> Path:
    """A small Visium HD phantom with its image."""
    folder = tmp_path_factory.mktemp("hd")
    words = ["simulate", str(folder), "--chemistry", "hd", "--width-um", "512", "--genes", "60"]
    assert CliRunner().invoke(main, words).exit_code == 0
    return folder / "phantom_1"


@pytest.fixture(scope="module")
def model(hd, encoder, tmp_path_factory) -> Path:
    """A model of the sheet with that encoder."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "references.csv").write_text(f"sample,spaceranger_dir,image\na,{hd / 'outs'},{hd / 'image.tif'}\n")
    words = ["diffst", "pretrain", str(folder / "references.csv"), "-o", str(folder / "lab.pt"), "--preset", "test"]
    result = CliRunner().invoke(main, [*words, "--threads", "1", "--image-encoder", str(encoder)])
    assert result.exit_code == 0, result.output
    return folder / "lab.pt"


def prepared(hd, folder, name, encoder=None):
    record = prepare_reference(
        hd / "outs", folder, name, bin_um=16.0, image=hd / "image.tif", image_encoder=encoder, threads=1
    )
    return record, read_reference(folder / keys.reference_name(name), 16.0)


def test_a_model_says_which_encoder_it_learned_with(model, encoder, hd, tmp_path):
    card = load_checkpoint(model)["card"]
    name = card["references"][0]["image_encoder"]
    record, reference = prepared(hd, tmp_path, "b", encoder)
    assert record.metrics["image_encoder"] == reference.histology.encoder == name
    assert name.startswith("vit_large_patch16_224 ")


def renamed(section, model):
    """The section with names of genes known to the model."""
    genes = load_checkpoint(model)["genes"]
    section.var_names = genes[: section.n_vars]
    return section


def test_a_section_with_the_same_encoder_starts_from_the_model(model, encoder, tmp_path):
    section, image = make_section()
    params = replace(PARAMS, image_encoder=str(encoder))
    result = superresolve(
        renamed(section, model), image, out=tmp_path, sample="s1", params=params, start_from=model, progress=False
    )
    assert result.path.is_file()
    sizes = load_checkpoint(tmp_path / keys.diffst_checkpoint_name("s1"))["sizes"]
    assert sizes["image_encoder"].startswith("vit_large_patch16_224 ")


def test_a_section_without_the_encoder_is_refused_and_told_why(model, tmp_path):
    section, image = make_section()
    with pytest.raises(BadInputError, match="the features of the section have no image encoder: set image_encoder"):
        superresolve(
            renamed(section, model), image, out=tmp_path, sample="s1", params=PARAMS, start_from=model, progress=False
        )
    assert not (tmp_path / keys.superres_name("s1")).exists()


def test_references_with_and_without_an_encoder_do_not_go_together(hd, encoder, tmp_path):
    references = {name: prepared(hd, tmp_path, name, given)[1] for name, given in (("a", encoder), ("b", None))}
    with pytest.raises(
        BadInputError, match=r"no image encoder\nexpected as in the other .*the image encoder vit_large"
    ):
        pretrain_on(references, tmp_path / "m.pt", params=PARAMS, progress=False)
    assert not (tmp_path / "m.pt").exists()


def test_a_broken_encoder_leaves_nothing_of_a_reference(hd, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="no such file"):
        prepared(hd, tmp_path, "a", tmp_path / "empty")
    assert not list(tmp_path.glob("a.*"))
