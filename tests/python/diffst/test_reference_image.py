"""A reference with its image: Xenium whose H&E image was turned, files side by side, what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from click.testing import CliRunner

from clearspot import keys
from clearspot.cli import main as clearspot_command
from clearspot.diffst.data.embedding import Embedding
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference import XENIUM_UM_PER_PX, read_xenium
from clearspot.diffst.data.reference_file import prepare_reference, read_reference, write_reference
from clearspot.diffst.data.reference_view import SpotGeometry, padded_reference, pseudo_spots, reference_views
from clearspot.errors import BadInputError

SIDE_UM = 800.0
HE_UM = 0.5
GENES = [f"gene{number}" for number in range(12)]


def dense_places():
    """Most of the molecules lie in an L in the upper left, which no turn or mirror maps on itself."""
    return [((40, 40), (280, 700)), ((280, 40), (440, 240))]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A Xenium folder, its H&E image turned by 90 degrees at 0.5 um a pixel, and the alignment of the two."""
    folder = tmp_path_factory.mktemp("xenium")
    rng = np.random.default_rng(0)
    xy = [rng.uniform(0, SIDE_UM, (6000, 2))]
    for low, high in dense_places():
        xy.append(rng.uniform(low, high, (round(np.prod(np.subtract(high, low)) / 15), 2)))
    xy = np.concatenate(xy)
    table = {"x_location": xy[:, 0], "y_location": xy[:, 1], "feature_name": rng.choice(GENES, len(xy)), "qv": 40.0}
    (folder / "outs").mkdir()
    pd.DataFrame(table).to_parquet(folder / "outs" / "transcripts.parquet")

    side = round(SIDE_UM / HE_UM)
    straight = np.full((side, side, 3), 235, np.uint8)
    for low, high in dense_places():
        (left, top), (right, bottom) = (np.round(np.array(corner) / HE_UM).astype(int) for corner in (low, high))
        straight[top:bottom, left:right] = (120, 60, 130)
    # a quarter turn: the image's column is the tissue's row from below
    tifffile.imwrite(folder / "he.tif", np.rot90(straight, -1), photometric="rgb", tile=(256, 256))
    ratio = HE_UM / XENIUM_UM_PER_PX
    to_morphology = ratio * np.array([[0, 1, 0], [-1, 0, side], [0, 0, 1 / ratio]])
    np.savetxt(folder / "he_alignment.csv", to_morphology, delimiter=",")
    return folder


def darkness(reference):
    """Mean darkness of each bin's points."""
    points = reference.histology.pixels_per_bin
    dark = 255 - reference.histology.pixels.mean(axis=0)
    rows, columns = reference.grid.shape
    return dark.reshape(rows, points, columns, points).mean(axis=(1, 3))


def agreement(reference):
    """Correlation of a bin's counts with its darkness, where there is tissue and image."""
    there = reference.tissue & reference.histology.valid
    totals = reference.counts.sum(axis=1).reshape(reference.grid.shape)
    return np.corrcoef(totals[there], darkness(reference)[there])[0, 1]


def test_a_turned_image_lies_on_its_molecules(made, tmp_path):
    record = prepare_reference(
        made / "outs", tmp_path, "x", bin_um=16.0, image=made / "he.tif", image_alignment=made / "he_alignment.csv"
    )

    reference = read_reference(tmp_path / keys.reference_name("x"), 16.0)
    assert agreement(reference) > 0.9
    assert record.metrics["um_per_px"] == pytest.approx(1.0, rel=0.02)
    assert record.metrics["image_coverage"] == pytest.approx(1.0, abs=0.03)
    assert record.metrics["has_image"] is True
    assert record.messages == []


def test_the_alignment_read_the_other_way_does_not_fit(made):
    reference = read_xenium(made / "outs", "x", 16.0)
    matrix = np.loadtxt(made / "he_alignment.csv", delimiter=",")
    right = reference.with_image(made / "he.tif", matrix)
    mirrored = reference.with_image(made / "he.tif", matrix @ [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert agreement(right) > agreement(mirrored) + 0.3


def test_without_an_alignment_the_image_is_taken_to_be_aligned_with_a_warning(made, tmp_path):
    (width,) = {round(SIDE_UM / XENIUM_UM_PER_PX)}
    tifffile.imwrite(tmp_path / "aligned.tif", np.full((width, width, 3), 90, np.uint8), photometric="rgb")
    record = prepare_reference(made / "outs", tmp_path, "x", bin_um=16.0, image=tmp_path / "aligned.tif")
    assert [message.level for message in record.messages] == ["warning"]
    assert "no image alignment" in record.messages[0].text
    reference = read_reference(tmp_path / keys.reference_name("x"), 16.0)
    assert reference.to_image is None
    inside = reference.histology.pixels[:, reference.tissue.repeat(8, 0).repeat(8, 1)]
    assert np.median(inside) == 90


def test_files_side_by_side_give_all_back(made, tmp_path):
    reference = read_xenium(made / "outs", "x", 16.0).with_image(made / "he.tif", made / "he_alignment.csv")
    path = tmp_path / keys.reference_name("x")
    write_reference(reference, path)

    back = read_reference(path, 16.0)

    assert back.grid == reference.grid
    np.testing.assert_array_equal(back.to_image, reference.to_image)
    np.testing.assert_array_equal(back.histology.pixels, reference.histology.pixels)
    np.testing.assert_array_equal(back.histology.fine, reference.histology.fine)
    assert back.image_um_per_px == reference.image_um_per_px

    write_reference(replace(reference, histology=None), path)
    assert read_reference(path, 16.0).histology is None


def test_features_of_another_run_are_refused(made, tmp_path):
    reference = read_xenium(made / "outs", "x", 16.0).with_image(made / "he.tif", made / "he_alignment.csv")
    path = tmp_path / keys.reference_name("x")
    write_reference(reference, path)
    moved = replace(reference.grid, origin_px=(0.0, 0.0))
    Embedding(reference.histology, moved, 1.0).write(tmp_path / keys.reference_histology_name("x"))
    with pytest.raises(BadInputError, match="for bins that differ"):
        read_reference(path, 16.0)


def test_all_that_is_wrong_is_told_at_once_and_no_file_is_left(made, tmp_path):
    (tmp_path / "broken.tif").write_bytes(b"II*\0 and no more")
    (tmp_path / "broken.csv").write_text("1,0,0\n0,1,0\n")
    (tmp_path / "outs").mkdir()
    (tmp_path / "outs" / "transcripts.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(BadInputError) as caught:
        prepare_reference(
            tmp_path / "outs", tmp_path, "x", bin_um=16.0,
            image=tmp_path / "broken.tif", image_alignment=tmp_path / "broken.csv",
        )  # fmt: skip
    assert [problem.file for problem in caught.value.problems] == ["broken.tif", "broken.csv", "transcripts.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.csv", "broken.tif", "outs"]


@pytest.mark.parametrize("given", [{"image": "none.tif"}, {"image": "he.tif", "image_alignment": "none.csv"}])
def test_an_absent_file_is_named(made, tmp_path, given):
    with pytest.raises(BadInputError, match=r"none\.(tif|csv)(.|\n)*no such file"):
        prepare_reference(
            made / "outs", tmp_path, "x", bin_um=16.0, **{key: made / name for key, name in given.items()}
        )


def test_an_alignment_needs_an_image_and_a_xenium_folder(made, tmp_path):
    alignment = made / "he_alignment.csv"
    with pytest.raises(BadInputError, match="without an image"):
        prepare_reference(made / "outs", tmp_path, "x", bin_um=16.0, image_alignment=alignment)
    arguments = ["simulate", str(tmp_path), "--chemistry", "hd", "--no-image", "--width-um", "512", "--genes", "200"]
    assert CliRunner().invoke(clearspot_command, arguments).exit_code == 0
    with pytest.raises(BadInputError, match="not a Xenium folder"):
        prepare_reference(
            tmp_path / "phantom_1" / "outs", tmp_path, "hd", bin_um=16.0,
            image=made / "he.tif", image_alignment=alignment,
        )  # fmt: skip
    assert not list(tmp_path.glob("*.reference.*"))


@pytest.fixture(scope="module")
def hd(tmp_path_factory):
    """A simulated Visium HD section whose image lies straight."""
    folder = tmp_path_factory.mktemp("hd")
    arguments = ["simulate", str(folder), "--chemistry", "hd", "--width-um", "1024", "--genes", "120"]
    assert CliRunner().invoke(clearspot_command, arguments).exit_code == 0
    return folder / "phantom_1"


@pytest.mark.parametrize("packed", [False, True])
def test_a_visium_hd_section_has_its_image(hd, tmp_path, packed):
    outs = Path(shutil.make_archive(str(tmp_path / "outs"), "tar", hd, "outs")) if packed else hd / "outs"
    record = prepare_reference(outs, tmp_path, "hd", bin_um=16.0, image=hd / "image.tif")
    assert record.metrics["image_coverage"] == 1.0
    assert [message for message in record.messages if "rotated or mirrored" in message.text] == []
    made = {path.name for path in tmp_path.iterdir()} - {"outs.tar"}
    assert made == {"hd.reference.h5ad", "hd.reference.histology.npz"}


def test_an_image_that_is_turned_against_its_counts_is_told(hd, tmp_path):
    """What the check says of a sample to be analysed holds for a reference."""
    straight = tifffile.imread(hd / "image.tif")
    tifffile.imwrite(tmp_path / "mirrored.tif", straight[:, ::-1], photometric="rgb", tile=(256, 256))
    record = prepare_reference(hd / "outs", tmp_path, "hd", bin_um=16.0, image=tmp_path / "mirrored.tif")
    full = record.metrics["um_per_px"]
    assert any("mirrored.tif matches the spots better mirrored" in message.text for message in record.messages)

    tifffile.imwrite(tmp_path / "small.tif", straight[::2, ::2], photometric="rgb", tile=(256, 256))
    with pytest.raises(BadInputError, match=r"small\.tif"):
        prepare_reference(hd / "outs", tmp_path, "small", bin_um=16.0, image=tmp_path / "small.tif")
    record = prepare_reference(
        hd / "outs", tmp_path, "small", bin_um=16.0, image=tmp_path / "small.tif", allow_lowres_image=True
    )
    assert record.metrics["um_per_px"] == pytest.approx(2 * full)
    assert record.metrics["image_coverage"] == 1.0


def test_an_image_that_lies_elsewhere_is_refused(made):
    matrix = np.loadtxt(made / "he_alignment.csv", delimiter=",")
    matrix[0, 2] += 3000
    with pytest.raises(BadInputError, match=r"covers .*% of the tissue"):
        read_xenium(made / "outs", "x", 16.0).with_image(made / "he.tif", matrix)


def test_an_image_coarser_than_half_a_bin_is_refused(made):
    coarse = np.full((80, 80, 3), 200, np.uint8)
    to_morphology = np.diag([10 / XENIUM_UM_PER_PX, 10 / XENIUM_UM_PER_PX, 1])
    with pytest.raises(BadInputError, match="image with 10 µm per pixel"):
        read_xenium(made / "outs", "x", 16.0).with_image(coarse, to_morphology)


def test_training_sees_the_image_of_a_reference(made):
    reference = read_xenium(made / "outs", "x", 20.0).with_image(made / "he.tif", made / "he_alignment.csv")
    genes = tuple(reference.genes.astype(str))
    reference = padded_reference(reference, genes)
    programs = Programs(genes, np.full((2, len(genes)), 1 / len(genes), np.float32))
    spots = [pseudo_spots("x", reference, SpotGeometry(), 0, 0)]
    (seen,) = reference_views(
        "x", reference, spots, pitch_um=100.0, programs=programs, n_features=reference.histology.n_features
    )

    assert seen.histology is reference.histology
    truth = seen.fine_counts.toarray().sum(axis=1).reshape(seen.shape)
    assert np.corrcoef(truth[seen.tissue], darkness(reference)[seen.tissue])[0, 1] > 0.9
