"""Pixels of an image where the grid wants them: along its axes, mirrored, turned."""

import numpy as np
import pytest
import tifffile

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.image_samples import GridImage

GRID = FineGrid(8.0, 16, 24, (10.0, 6.0), 0.5)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (90, 130, 3)).astype(np.uint8)


def read(image, points=4, bins_per_strip=5):
    """All strips as one picture, and where it is covered."""
    strips = list(image.strips(points, bins_per_strip))
    assert [first for first, *_ in strips] == list(range(0, GRID.n_rows, bins_per_strip))
    return np.concatenate([pixels for _, pixels, _ in strips]), np.concatenate([inside for *_, inside in strips])


def test_points_lie_where_the_grid_says(picture):
    pixels, inside = read(GridImage(picture, (1.0, 1.0), GRID))
    assert pixels.shape == (16 * 4, 24 * 4, 3)
    np.testing.assert_array_equal(pixels, picture[6 : 6 + 64, 10 : 10 + 96])
    assert inside.all()


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.5, 0.52), (2.0, 2.0)])
def test_the_identity_reads_what_no_map_reads(picture, scale):
    plain = GridImage(picture, scale, GRID)
    mapped = GridImage(picture, scale, GRID, np.eye(3))
    for one, other in zip(read(plain), read(mapped), strict=True):
        np.testing.assert_array_equal(one, other)
    assert mapped.um_per_px == pytest.approx(1 / (0.5 * np.sqrt(scale[0] * scale[1])))


@pytest.mark.parametrize(
    ("turn", "to_image"),
    [
        pytest.param(lambda x: x[:, ::-1], [[-1, 0, 130], [0, 1, 0], [0, 0, 1]], id="mirrored"),
        pytest.param(lambda x: np.rot90(x), [[0, 1, 0], [-1, 0, 130], [0, 0, 1]], id="a quarter turn"),
        pytest.param(lambda x: x.transpose(1, 0, 2), [[0, 1, 0], [1, 0, 0], [0, 0, 1]], id="transposed"),
        pytest.param(lambda x: x.repeat(2, 0).repeat(2, 1), [[2, 0, 0], [0, 2, 0], [0, 0, 1]], id="twice as fine"),
    ],
)
def test_an_image_that_lies_otherwise_reads_as_if_it_lay_straight(picture, turn, to_image):
    """`to_image` leads from the pixels of the picture to those of the picture laid otherwise."""
    expected, covered = read(GridImage(picture, (1.0, 1.0), GRID))
    found, inside = read(GridImage(turn(picture), (1.0, 1.0), GRID, np.array(to_image, dtype=float)))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(inside, covered)


def test_what_lies_beyond_the_image_is_told(picture):
    to_image = np.array([[1.0, 0, -20], [0, 1, 0], [0, 0, 1]])
    _, inside = read(GridImage(picture, (1.0, 1.0), GRID, to_image))
    np.testing.assert_array_equal(inside, np.broadcast_to(np.arange(96) >= 10, inside.shape))


def test_a_file_is_read_at_the_size_that_its_map_says(tmp_path):
    """An image of 0.25 um a pixel, turned, is reduced to about 1 um."""
    straight = np.zeros((90, 130, 3), np.uint8)
    straight[30:60, 40:90] = 200
    turned = np.rot90(straight).repeat(8, 0).repeat(8, 1)
    tifffile.imwrite(tmp_path / "he.tif", turned, photometric="rgb")
    to_image = np.diag([8.0, 8, 1]) @ np.array([[0, 1, 0], [-1, 0, 130], [0, 0, 1]])

    image = GridImage.open(tmp_path / "he.tif", GRID, "s", to_image=to_image)

    assert image.um_per_px == pytest.approx(1.0, rel=0.02)
    found, _ = read(image)
    np.testing.assert_array_equal(found, straight[6 : 6 + 64, 10 : 10 + 96])
