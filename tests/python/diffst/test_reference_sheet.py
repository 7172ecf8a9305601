"""A model from a sheet of references, by the command line."""

import json

import pytest
from click.testing import CliRunner

from clearspot.cli import main
from clearspot.diffst.output.reference_sheet import read_reference_sheet
from clearspot.diffst.training.checkpoint import load_checkpoint
from clearspot.errors import BadInputError


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A small Visium HD phantom with its image."""
    folder = tmp_path_factory.mktemp("hd")
    words = ["simulate", str(folder), "--chemistry", "hd", "--width-um", "512", "--genes", "60"]
    assert CliRunner().invoke(main, words).exit_code == 0
    return folder / "phantom_1"


def sheet(folder, *rows, columns="sample,spaceranger_dir,image"):
    path = folder / "references.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    return path


def test_a_sheet_becomes_a_model_with_its_card(phantom, tmp_path):
    rows = [f"a,{phantom / 'outs'},{phantom / 'image.tif'}", f"b,{phantom / 'outs'},"]
    output = tmp_path / "models" / "lab.pt"
    words = ["diffst", "pretrain", str(sheet(tmp_path, *rows)), "-o", str(output), "--preset", "test", "--threads", "1"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    card = load_checkpoint(output)["card"]
    assert [(one["name"], one["stain"] is not None) for one in card["references"]] == [("a", True), ("b", False)]
    assert card["bin_um"] == 16.0
    record = json.loads((tmp_path / "models" / "lab.superres_pretrain.json").read_text())
    assert record["metrics"]["n_references_with_image"] == 1
    assert sorted(path.name for path in output.parent.iterdir()) == ["lab.pt", "lab.superres_pretrain.json"]


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (["a,x"], "sample,folder", "no column 'spaceranger_dir'"),
        (["a,{here}", "a,{here}"], "sample,spaceranger_dir", "a duplicated name"),
        (["a,{here}/none"], "sample,spaceranger_dir", "no such file"),
        (["a,{here},none.tif"], "sample,spaceranger_dir,image", "image none.tif: no such file"),
        (["a,{here},-2"], "sample,spaceranger_dir,microns_per_pixel", "microns_per_pixel -2"),
        (["a,{here},query"], "sample,spaceranger_dir,role", "no references"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_told(tmp_path, rows, columns, words):
    path = sheet(tmp_path, *(row.format(here=tmp_path) for row in rows), columns=columns)
    with pytest.raises(BadInputError, match=words):
        read_reference_sheet(path)


def test_a_refused_reference_leaves_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    output = tmp_path / "models" / "m.pt"
    words = ["diffst", "pretrain", str(sheet(tmp_path, f"a,{tmp_path / 'empty'},")), "-o", str(output)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 65
    assert list(output.parent.iterdir()) == []
