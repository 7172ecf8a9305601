"""Rows of the list of bad inputs about images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from clearspot.io.preflight.picture import SYMMETRIES, UPRIGHT
from clearspot.io.preflight.scales import CAMERA_UM_PER_PX
from clearspot.io.scale import CAPTURE_DIAMETER_UM, PIXELS_PER_BIN
from tests.helpers.outs_factory import MadeOuts, make_picture, write_h5


@pytest.fixture
def full(outs, tmp_path: Path) -> tuple[MadeOuts, Path]:
    """Outs and their full-resolution image."""
    return outs(full_image=True), tmp_path / "full.tif"


def _change(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    Image.fromarray(np.ascontiguousarray(change(np.asarray(Image.open(path))))).save(path)


def _scaled(made: MadeOuts, path: Path, factor: float) -> Path:
    picture = Image.fromarray(make_picture(made.positions, *made.image_size))
    picture.resize((round(picture.width * factor), round(picture.height * factor))).save(path)
    return path


@pytest.mark.parametrize("key", ["hires", "lowres"])
def test_row_25_reduced_image_given_as_full_is_an_error_that_names_it(outs, refusal, key: str):
    made = outs()
    problem = refusal(made.root, image=made.spatial / f"tissue_{key}_image.png")
    assert f"it seems to be the {key} image" in problem.found
    assert "--allow_lowres_image" in problem.mend


def test_row_25_cytassist_image_given_as_full_is_an_error_that_names_it(outs, refusal, tmp_path: Path):
    made = outs(chemistry="v2")
    Image.new("RGB", (3000, 3000), "white").save(tmp_path / "camera.png")
    problem = refusal(made.root, image=tmp_path / "camera.png")
    assert "it seems to be the CytAssist image" in problem.found
    assert "--allow_lowres_image" not in problem.mend


def test_row_25_cytassist_image_is_known_by_the_one_beside_the_counts(outs, refusal, tmp_path: Path):
    made = outs(chemistry="v2")
    Image.new("RGB", (700, 900), "white").save(made.spatial / "cytassist_image.tiff")
    Image.new("RGB", (700, 900), "white").save(tmp_path / "camera.png")
    assert "the CytAssist image" in refusal(made.root, image=tmp_path / "camera.png").found


@pytest.mark.parametrize(("factor", "level"), [(0.5, 1), (0.25, 2)])
def test_row_25_pyramid_level_given_as_full_is_an_error_that_names_it(outs, refusal, tmp_path: Path, factor, level):
    made = outs()
    problem = refusal(made.root, image=_scaled(made, tmp_path / "level.png", factor))
    assert f"level {level} of an image pyramid" in problem.found


def test_row_25_image_of_another_sample_is_an_error(outs, refusal, tmp_path: Path):
    made = outs()
    Image.new("RGB", (500, 1234), "white").save(tmp_path / "other.png")
    assert "not from this sample" in refusal(made.root, image=tmp_path / "other.png").found


def test_row_25_turned_image_is_an_error_where_its_size_shows_it(full, refusal):
    made, path = full
    tifffile.imwrite(path, np.rot90(tifffile.imread(path)))
    assert "rotated by 90 degrees" in refusal(made.root, image=path).found


def test_row_25_image_of_positions_on_the_cytassist_picture_is_an_error(outs, refusal, tmp_path: Path):
    made = outs(chemistry="v2", microns_per_pixel=4.6, full_image=True)
    problem = refusal(made.root, image=tmp_path / "full.tif")
    assert "the CytAssist image (4.6 µm per pixel)" in problem.found


@pytest.mark.parametrize("factor", [0.5, 0.3])
def test_row_25_smaller_image_is_taken_on_purpose(outs, passed, tmp_path: Path, factor: float):
    made = outs(chemistry="v2")
    image = _scaled(made, tmp_path / "small.png", factor)
    record = passed(made.root, image=image, allow_lowres_image=True)
    assert record.metrics["image_scale"] == pytest.approx(factor, rel=0.01)
    assert any("used as requested" in message.text for message in record.messages)
    assert record.metrics["superres_possible"] is True


def test_row_25_too_small_an_image_taken_on_purpose_rules_out_superresolution(outs, passed, tmp_path: Path):
    made = outs(microns_per_pixel=2.0)
    record = passed(made.root, image=_scaled(made, tmp_path / "tiny.png", 1 / 15), allow_lowres_image=True)
    assert record.metrics["microns_per_pixel"] / record.metrics["image_scale"] > CAPTURE_DIAMETER_UM / PIXELS_PER_BIN
    assert "too coarse" in record.metrics["superres_reason"]


def test_row_25_hires_image_taken_on_purpose_will_do_for_superresolution(outs, passed):
    made = outs()
    record = passed(made.root, image=made.spatial / "tissue_hires_image.png", allow_lowres_image=True)
    assert record.metrics["microns_per_pixel"] / record.metrics["image_scale"] > CAMERA_UM_PER_PX
    assert record.metrics["superres_possible"] is True


def test_row_25_without_reduced_images_the_spots_tell(outs, refusal, tmp_path: Path):
    made = outs(images=())
    problem = refusal(made.root, image=_scaled(made, tmp_path / "small.png", 0.2))
    assert "it seems to be the hires image" in problem.found


def test_row_25_without_reduced_images_the_right_image_passes(outs, passed, tmp_path: Path):
    made = outs(images=(), full_image=True)
    assert passed(made.root, image=tmp_path / "full.tif").metrics["image_scale"] == 1


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(lambda path, rgb: tifffile.imwrite(path, rgb, tile=(256, 256), bigtiff=True), "", id="BigTIFF"),
        pytest.param(
            lambda path, rgb: tifffile.imwrite(
                path, np.moveaxis(rgb, 2, 0), photometric="rgb", planarconfig="separate"
            ),
            "axes SYX",
            id="planes",
        ),
        pytest.param(
            lambda path, rgb: tifffile.imwrite(path, rgb.astype(np.uint16) * 257, photometric="rgb"),
            "uint16 pixels",
            id="16 bit",
        ),
        pytest.param(
            lambda path, rgb: tifffile.imwrite(
                path, np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), photometric="rgb", extrasamples=[2]
            ),
            "4 channels",
            id="RGBA",
        ),
        pytest.param(
            lambda path, rgb: tifffile.imwrite(path, np.moveaxis(rgb, 2, 0), metadata={"axes": "CYX"}, ome=True),
            "axes CYX",
            id="OME-TIFF, channels first",
        ),
    ],
)
def test_row_26_every_kind_of_tiff_is_handled(full, passed, write, said: str):
    made, path = full
    write(path, tifffile.imread(path))
    record = passed(made.root, image=path)
    assert record.metrics["superres_possible"] is True
    assert said in "".join(message.text for message in record.messages if message.level == "handled")


def test_row_26_image_beyond_what_pillow_opens_is_handled_by_its_header(outs, passed, tmp_path: Path):
    made = outs(chemistry="v2")
    width, height = 14_000, 20_000
    for key, factor in (("hires", 0.02), ("lowres", 0.01)):
        size = (round(width * factor), round(height * factor))
        Image.new("RGB", size, "white").save(made.spatial / f"tissue_{key}_image.png")
    factors = made.scalefactors | {"tissue_hires_scalef": 0.02, "tissue_lowres_scalef": 0.01}
    (made.spatial / "scalefactors_json.json").write_text(json.dumps(factors))
    # a sparse file of one strip: its pixels are promised by the header only
    tifffile.imwrite(tmp_path / "huge.tif", shape=(height, width, 3), dtype=np.uint8, photometric="rgb")
    record = passed(made.root, image=tmp_path / "huge.tif")
    said = "".join(message.text for message in record.messages)
    assert "280 megapixels, read in parts" in said
    assert "only its size was checked" in said


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda rgb: 255 - rgb, "fluorescence", id="dark background"),
        pytest.param(lambda rgb: np.repeat(rgb.mean(2, keepdims=True), 3, 2).astype(np.uint8), "in colour", id="grey"),
        pytest.param(lambda rgb: np.full_like(rgb, 255), "blank", id="blank"),
    ],
)
def test_row_27_image_without_stain_rules_out_superresolution_only(full, passed, change, reason: str):
    made, path = full
    tifffile.imwrite(path, change(tifffile.imread(path)), photometric="rgb")
    record = passed(made.root, image=path)
    assert record.metrics["superres_possible"] is False
    assert reason in record.metrics["superres_reason"]
    assert any("Super-resolution is not possible" in message.text for message in record.messages)


def test_row_27_fluorescence_channels_rule_out_superresolution_only(full, passed):
    made, path = full
    grey = 255 - tifffile.imread(path)[:, :, 0]
    tifffile.imwrite(path, np.stack([grey] * 5), photometric="minisblack")
    assert "fluorescence" in passed(made.root, image=path).metrics["superres_reason"]


def _turns(*, square: bool) -> list[str]:
    ways = [name for name in SYMMETRIES if name != UPRIGHT]
    return ways if square else [name for name in ways if SYMMETRIES[name](np.zeros((2, 3))).shape == (2, 3)]


@pytest.mark.parametrize("way", _turns(square=False))
def test_row_29_turned_or_mirrored_images_are_a_warning(lopsided, passed, way: str):
    made = lopsided()
    for path in made.spatial.glob("*.png"):
        _change(path, lambda image: np.stack([SYMMETRIES[way](plane) for plane in np.moveaxis(image, 2, 0)], axis=2))
    record = passed(made.root)
    warnings = [message.text for message in record.messages if "rotated or mirrored" in message.text]
    assert len(warnings) == 2
    # each of these ways undoes itself
    assert all(way in text for text in warnings)
    assert set(record.tables["orientation"]) == {"image", "way", "auc", "rho"}


def test_row_29_mirrored_full_image_is_a_warning(lopsided, warned, tmp_path: Path):
    made = lopsided()
    picture = make_picture(made.positions, *made.image_size)
    tifffile.imwrite(tmp_path / "full.tif", picture[:, ::-1], photometric="rgb")
    text = warned(made.root, image=tmp_path / "full.tif")
    assert "full.tif matches the spots better mirrored left to right" in text
    assert "tissue_hires_image.png fits" not in text


def test_row_29_exchanged_axes_of_one_image_are_a_warning_about_that_image(lopsided, warned):
    made = lopsided()
    _change(made.spatial / "tissue_lowres_image.png", lambda image: np.asarray(_transposed(image)))
    assert "tissue_lowres_image.png matches the spots better with x and y swapped" in warned(made.root)


def _transposed(image: np.ndarray) -> Image.Image:
    # transposed but not turned out of shape, so that only the pixels tell
    height, width = image.shape[:2]
    return Image.fromarray(np.ascontiguousarray(image.transpose(1, 0, 2))).crop((0, 0, width, height))


def test_row_29_images_the_right_way_round_give_no_warning(lopsided, warned):
    assert warned(lopsided().root) == ""


def test_row_29_counts_tell_where_all_spots_are_in_tissue(lopsided, warned, edit_positions):
    made = lopsided()
    stained = made.in_tissue
    edit_positions(made, made.positions.assign(in_tissue=1))
    counts = np.where(stained[:, None], 20, 1) + made.counts
    write_h5(made.root / "filtered_feature_bc_matrix.h5", counts, made.positions.index, made.features)
    assert "matches the spots better" not in warned(made.root)
    for path in made.spatial.glob("*.png"):
        _change(path, np.fliplr)
    assert "UMIs with stain" in warned(made.root)


@pytest.mark.parametrize(("version", "warns"), [("spaceranger-3.1.1", True), ("spaceranger-3.1.2", False)])
def test_row_29_hd_before_3_1_2_is_a_warning(outs, warned, version: str, warns: bool):
    made = outs(chemistry="hd")
    with h5py.File(made.data_dir / "filtered_feature_bc_matrix.h5", "a") as h5:
        h5.attrs["software_version"] = version
    assert ("shifted by 16 µm relative to the counts" in warned(made.root)) is warns


def test_blank_hires_image_is_a_warning(outs, warned):
    made = outs()
    _change(made.spatial / "tissue_hires_image.png", lambda image: np.full_like(image, 255))
    assert "tissue_hires_image.png is blank" in warned(made.root)
