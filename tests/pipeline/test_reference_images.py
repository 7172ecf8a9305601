"""References that come with their image: staged, checked before any costly work, learned from in pairs, once a run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from click.testing import CliRunner

from clearspot import keys
from clearspot.cli import main as clearspot_command
from tests.helpers.engine import Run, run_pipeline

HE_UM, MORPHOLOGY_UM = 0.5, 0.2125


@pytest.fixture(scope="module")
def sheet(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample beside references: a Visium HD phantom, a made-up Xenium folder, and two that are faulty."""
    folder = tmp_path_factory.mktemp("references with images")
    hd = ["simulate", str(folder / "hd"), "--chemistry", "hd", "--width-um", "512", "--genes", "120"]
    assert CliRunner().invoke(clearspot_command, hd).exit_code == 0
    rng = np.random.default_rng(0)
    table = {f"{axis}_location": rng.uniform(0, 600, 20_000) for axis in "xy"}
    table |= {"feature_name": rng.choice(["A", "B", "C"], 20_000), "qv": 40.0}
    (folder / "xenium").mkdir()
    pd.DataFrame(table).to_parquet(folder / "xenium" / "transcripts.parquet")
    pixels = rng.integers(80, 240, (1200, 1200, 3)).astype(np.uint8)
    tifffile.imwrite(folder / "he image.tif", pixels, photometric="rgb")
    ratio = HE_UM / MORPHOLOGY_UM
    turned = ratio * np.array([[0, 1, 0], [-1, 0, 1200], [0, 0, 1 / ratio]])
    np.savetxt(folder / "he_alignment.csv", turned, delimiter=",")
    path = folder / "samplesheet.csv"
    path.write_text(
        "sample,spaceranger_dir,image,image_alignment,role\n"
        f"phantom_1,{phantoms}/phantom_1/outs,{phantoms}/phantom_1/image.tif,,\n"
        "hd,hd/phantom_1/outs,hd/phantom_1/image.tif,,reference\n"
        "xenium,xenium,he image.tif,he_alignment.csv,reference\n"
        "plain,xenium,,,reference\n"
        "no_alignment,xenium,he image.tif,no_such_folder/alignment.csv,reference\n"
        "hd_aligned,hd/phantom_1/outs,hd/phantom_1/image.tif,he_alignment.csv,reference\n"
    )
    return path


def task_folder(run: Run, step: str, sample: str) -> Path:
    (folder,) = run.trace.query("step == @step and tag == @sample")["workdir"]
    return Path(folder)


@pytest.fixture(scope="module")
def checked(sheet: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The check alone, which prepares the references."""
    arguments = ("--validate_only", "--skip_superres", "false", "--on_bad_sample", "skip")
    return run_pipeline(tmp_path_factory.mktemp("checked"), "-profile", "test", "--input", str(sheet), *arguments)


def test_references_are_prepared_with_their_images(checked: Run) -> None:
    assert checked.exit_code == 0, checked.log
    for name, kind in (("hd", "Visium HD"), ("xenium", "Xenium")):
        folder = task_folder(checked, "REFERENCE_PREPARE", name)
        assert (folder / f"{name}.reference.h5ad").is_file()
        assert (folder / f"{name}.reference.histology.npz").is_file()
        metrics = json.loads((folder / f"{name}.reference.json").read_text())["metrics"]
        assert metrics["reference_kind"] == kind
        assert metrics["image_coverage"] > 0.9
        assert metrics["bin_um"] == 16
    plain = task_folder(checked, "REFERENCE_PREPARE", "plain")
    assert (plain / "plain.reference.h5ad").is_file()
    assert not list(plain.glob("*.npz"))


def test_only_what_is_read_is_staged(checked: Run) -> None:
    folder = task_folder(checked, "REFERENCE_PREPARE", "xenium")
    staged = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink()}
    staged = {place for place in staged if not place.startswith(("outs/", "."))}
    assert staged == {
        *("manifest.json", "staged/1/transcripts.parquet", "image/he image.tif", "alignment/he_alignment.csv"),
    }


@pytest.mark.parametrize(
    ("sample", "file", "found"),
    [
        ("no_alignment", "alignment.csv", "does not exist"),
        ("hd_aligned", "he_alignment.csv", "not a Xenium folder"),
    ],
)
def test_faulty_alignments_are_told_with_the_reason(checked: Run, sample: str, file: str, found: str) -> None:
    assert f"Sample {sample} is refused (reference)" in checked.log
    record = json.loads((task_folder(checked, "REFERENCE_PREPARE", sample) / f"{sample}.reference.json").read_text())
    (problem,) = record["problems"]
    assert problem["file"] == file
    assert found in problem["found"]


def test_each_reference_is_learned_from_with_the_features_of_its_image(
    sheet: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stub = ("-stub-run", "--skip_superres", "false", "--skip_multiqc", "--skip_spatialdata")
    run = run_pipeline(tmp_path_factory.mktemp("stub"), "-profile", "test", "--input", str(sheet), *stub)
    assert run.exit_code == 0, run.log
    (learned,) = run.trace.query("step == 'DIFFUSION_PRETRAIN'")["workdir"]
    staged = {path.name for path in (Path(learned) / "references").iterdir()}
    # a stub finds no fault with what it is given; an image that is not there is none
    names = ("hd", "xenium", "plain", "no_alignment", "hd_aligned")
    expected = {f"{name}.reference.h5ad" for name in names}
    assert staged == expected | {f"{name}.reference.histology.npz" for name in names if name != "plain"}
    started = task_folder(run, "DIFFUSION_TRAIN", "phantom_1") / "start" / keys.PRETRAINED_NAME
    assert started.resolve() == Path(learned) / keys.PRETRAINED_NAME
    assert (run.outdir / "references" / keys.PRETRAINED_NAME).is_file()
    assert (run.outdir / "pipeline_info" / keys.record_name(keys.COHORT, "superres_pretrain")).is_file()


def test_nothing_is_learned_where_only_inputs_are_checked(checked: Run) -> None:
    assert "DIFFUSION_PRETRAIN" not in set(checked.trace["step"])


def test_a_given_model_stands_in_place_of_references(sheet: Path, tmp_path: Path) -> None:
    model = tmp_path / "model of the lab.pt"
    model.write_bytes(b"a model")
    stub = ("-stub-run", "--skip_superres", "false", "--skip_multiqc", "--skip_spatialdata")
    run = run_pipeline(tmp_path, "-profile", "test", "--input", str(sheet), *stub, "--diffst_pretrained", str(model))
    assert run.exit_code == 0, run.log
    named = "the references in the samplesheet are not used for training (hd, hd_aligned, no_alignment, plain, xenium)"
    assert run.log.count(named) == 1
    assert not {"REFERENCE_PREPARE", "DIFFUSION_PRETRAIN"} & set(run.trace["step"])
    (started,) = (task_folder(run, "DIFFUSION_TRAIN", "phantom_1") / "start").iterdir()
    assert started.read_bytes() == b"a model"


def test_references_and_samples_get_the_same_image_encoder(sheet: Path, tmp_path: Path) -> None:
    encoder = tmp_path / "a model's folder"
    encoder.mkdir()
    for name in (keys.ENCODER_CONFIG, keys.ENCODER_WEIGHTS, "pytorch_model.bin"):
        (encoder / name).write_text(name)
    stub = ("-stub-run", "--skip_superres", "false", "--skip_multiqc", "--skip_spatialdata")
    run = run_pipeline(tmp_path, "-profile", "test", "--input", str(sheet), *stub, "--image_encoder", f"{encoder}/")
    assert run.exit_code == 0, run.log
    tasks = (("HISTOLOGY_EMBED", "phantom_1"), ("REFERENCE_PREPARE", "hd"), ("REFERENCE_PREPARE", "xenium"))
    for step, sample in tasks:
        staged = {path.name: path.resolve() for path in (task_folder(run, step, sample) / "image_encoder").iterdir()}
        assert staged == {name: encoder / name for name in (keys.ENCODER_CONFIG, keys.ENCODER_WEIGHTS)}
