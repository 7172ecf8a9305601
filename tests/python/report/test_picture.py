import base64
import io

import numpy as np
from PIL import Image

from clearspot import keys
from clearspot.report.data import SampleData
from clearspot.report.picture import LONGEST_SIDE, Picture, tissue_picture
from tests.helpers.made_sample import Made


def picture_of(made: Made, images: dict[str, np.ndarray], factors: dict[str, float]) -> tuple[Picture | None, str]:
    made.adata.uns[keys.UNS_SPATIAL] = {"library": {"images": images, "scalefactors": factors, "metadata": {}}}
    made.write()
    return tissue_picture(SampleData(made.h5ad))


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.address.split(",", 1)[1]))))


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, channels), dtype=np.uint8)


def test_size_is_in_full_resolution_pixels(made: Made) -> None:
    picture, _ = picture_of(made, {"lowres": noise(40, 60)}, {"tissue_lowres_scalef": 0.5})
    assert picture is not None
    assert (picture.width, picture.height) == (120.0, 80.0)


def test_hires_is_taken_before_lowres_and_made_smaller(made: Made) -> None:
    images = {"hires": noise(1000, 2 * LONGEST_SIDE), "lowres": noise(10, 20)}
    picture, said = picture_of(made, images, {"tissue_hires_scalef": 1.0, "tissue_lowres_scalef": 0.01})
    assert picture is not None
    assert "hires" in said
    assert pixels(picture).shape[1] == LONGEST_SIDE


def test_transparent_pixels_are_white_paper(made: Made) -> None:
    image = noise(40, 40, 4)
    image[..., 3] = np.where(np.arange(40) < 20, 0, 255)
    picture, _ = picture_of(made, {"lowres": image}, {"tissue_lowres_scalef": 1.0})
    assert picture is not None
    assert pixels(picture)[:, :10].min() > 240


def test_images_of_fractions_are_not_black(made: Made) -> None:
    picture, _ = picture_of(made, {"lowres": noise(40, 40) / 255.0}, {"tissue_lowres_scalef": 1.0})
    assert picture is not None
    assert pixels(picture).mean() > 100


def test_a_blank_image_is_said_not_shown(made: Made) -> None:
    picture, said = picture_of(made, {"lowres": np.zeros((9, 9, 4), np.uint8)}, {"tissue_lowres_scalef": 1.0})
    assert picture is None
    assert "blank" in said


def test_an_image_without_its_scale_is_said_not_shown(made: Made) -> None:
    picture, said = picture_of(made, {"lowres": noise(9, 9)}, {"spot_diameter_fullres": 5.0})
    assert picture is None
    assert "scale factor" in said
