"""Blurred, burnt and pale tiles are told apart from sharp ones."""

import numpy as np
import pytest
from skimage.filters import gaussian

from clearspot.checks.picture_tiles import judge_tiles

SIDE = 400
XY = np.stack(np.meshgrid(np.arange(5, SIDE, 10.0), np.arange(5, SIDE, 10.0)), axis=-1).reshape(-1, 2)


def picture():
    """Tissue with fine structure on the whole image, a strip of glass on the right."""
    rng = np.random.default_rng(0)
    grain = gaussian(rng.normal(size=(SIDE, SIDE)), 1.0)
    image = np.stack([170 + 300 * grain, 110 + 300 * grain, 160 + 300 * grain], axis=-1)
    image[:, 360:] = 240
    return np.clip(image, 0, 255).astype(np.uint8)


def judge(image):
    return judge_tiles(image, 1.0, XY[XY[:, 0] < 360], 5.0, None)


def test_a_sharp_picture_is_good():
    found = judge(picture())
    assert (found.percent_blurred, found.percent_overexposed, found.percent_pale) == (0, 0, 0)
    assert found.n_tiles == 90
    assert found.tissue_share > 0.8


def test_the_blurred_half_is_found_where_it_lies():
    image = picture()
    image[:, :200] = 255 * gaussian(image, 4, channel_axis=2)[:, :200]
    found = judge(image)
    assert 44 < found.percent_blurred < 57
    assert max(x for x, state in zip(found.table["x"], found.table["state"], strict=True) if state == "blurred") <= 200


@pytest.mark.parametrize(
    ("value", "figure"),
    [(255, "percent_overexposed"), (0, "percent_underexposed"), (237, "percent_pale")],
)
def test_exposure_and_stain(value, figure):
    image = picture()
    image[:80, :360] = value
    assert getattr(judge(image), figure) == pytest.approx(20)
    assert judge(image).percent_usable == pytest.approx(80)


def test_a_dark_ground_is_not_judged_by_its_stain():
    found = judge((picture() * 0.2).astype(np.uint8))
    assert (found.percent_pale, found.tissue_share, found.percent_overexposed) == (None, None, None)
    assert found.percent_blurred == 0


def test_a_blank_picture_is_not_judged():
    assert judge(np.full((SIDE, SIDE, 3), 255, np.uint8)) is None


def test_spots_beside_the_picture_are_not_judged():
    assert judge_tiles(picture(), 1.0, XY + 5000, 5.0, None) is None
