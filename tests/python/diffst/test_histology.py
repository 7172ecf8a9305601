"""Colours of the image at regular points of every bin."""

import numpy as np
import pytest

from clearspot.diffst.data.embedding import Embedding
from clearspot.diffst.data.view import cut_histology
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import embed, no_image, points_per_bin
from clearspot.diffst.image.image_samples import GridImage
from clearspot.errors import BadInputError

GRID = FineGrid(8.0, 16, 24, (-16.0, 0.0), 1.0)


@pytest.fixture(scope="module")
def picture():
    """One micrometre a pixel; the grid's first two columns of bins lie beyond it."""
    return np.random.default_rng(0).integers(0, 256, (16 * 8, 22 * 8, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def histology(picture):
    return embed(GridImage(picture, (1.0, 1.0), GRID), GRID)


def means(pixels, side):
    """Mean colour of squares of pixels, by plain slices."""
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    squares = [
        [pixels[r * side : (r + 1) * side, c * side : (c + 1) * side].reshape(-1, 3) for c in range(columns)]
        for r in range(rows)
    ]
    return np.array([[square.mean(axis=0) for square in row] for row in squares]).transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("bin_um", "points"), [(1.0, 2), (2.0, 2), (8.0, 4), (10.0, 8), (16.0, 8), (20.0, 16), (25.0, 16), (50.0, 16)]
)
def test_points_are_one_to_two_micrometres_apart(bin_um, points):
    assert points_per_bin(bin_um) == points
    if 4 <= bin_um <= 33:
        assert 1.0 <= bin_um / points <= 2.2


def test_a_point_is_the_mean_of_the_image_around_it(histology, picture):
    assert histology.pixels_per_bin == 4
    assert histology.pixels.shape == (3, 16 * 4, 24 * 4)
    assert histology.pixels.dtype == np.uint8
    np.testing.assert_allclose(histology.pixels[:, :, 8:], means(picture, 2), atol=0.5)


def test_points_without_an_image_are_white(histology):
    assert (histology.pixels[:, :, :8] == 255).all()
    assert not histology.valid[:, :2].any()


def test_a_section_without_an_image_has_no_points():
    without = no_image((16, 24))
    assert without.pixels.shape == (3, 0, 0)
    assert without.pixels_per_bin == 0
    assert cut_histology(without, (slice(0, 8), slice(8, 24))).pixels.shape == (3, 0, 0)
    assert without.coarsened(2, (8, 16)).pixels.shape == (3, 0, 0)


def test_a_window_has_its_own_points(histology):
    part = cut_histology(histology, (slice(8, 16), slice(8, 24)))
    assert part.pixels_per_bin == 4
    np.testing.assert_array_equal(part.pixels, histology.pixels[:, 32:64, 32:96])


def test_wider_bins_keep_as_many_points_of_mean_colour(histology):
    coarse = histology.coarsened(3, (8, 8))
    assert coarse.pixels_per_bin == 4
    assert coarse.pixels.shape == (3, 32, 32)
    whole = means(histology.pixels[:, :63].transpose(1, 2, 0), 3)
    np.testing.assert_allclose(coarse.pixels[:, :21], whole, atol=0.51)
    padded = histology.pixels[:, 63:].astype(float).reshape(3, 32, 3).sum(axis=2) / 9 + 255 * 2 / 3
    np.testing.assert_allclose(coarse.pixels[:, 21], padded, atol=0.51)
    assert (coarse.pixels[:, 22:] == 255).all()


def test_a_file_gives_all_back(histology, tmp_path):
    Embedding(histology, GRID, 1.0).write(tmp_path / "s.histology.npz")
    back = Embedding.read(tmp_path / "s.histology.npz")
    assert back.grid == GRID
    for name in histology.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(back.histology, name), getattr(histology, name))


@pytest.mark.parametrize("changed", [{"format": None, "pixels": None}, {"format": np.asarray(9)}])
def test_a_file_of_another_version_is_refused(histology, tmp_path, changed):
    path = tmp_path / "s.histology.npz"
    Embedding(histology, GRID, 1.0).write(path)
    with np.load(path) as content:
        arrays = {name: content[name] for name in content.files} | changed
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(BadInputError, match=r"from another version(.|\n)*histology_embed"):
        Embedding.read(path)


def test_the_glass_around_a_section_changes_nothing_about_its_tissue():
    rng = np.random.default_rng(1)
    tissue = rng.integers(60, 200, (16 * 8, 16 * 8, 3)).astype(np.uint8)
    glass = np.full((16 * 8, 48 * 8, 3), 245, np.uint8)
    tight, wide = FineGrid(8.0, 16, 16, (0.0, 0.0), 1.0), FineGrid(8.0, 16, 64, (0.0, 0.0), 1.0)
    alone = embed(GridImage(tissue, (1.0, 1.0), tight), tight)
    surrounded = embed(GridImage(np.hstack([tissue, glass]), (1.0, 1.0), wide), wide)
    # edges and textures see the border to the glass, and so their spread; colours do not
    np.testing.assert_allclose(surrounded.fine[:, :, :15], alone.fine[:, :, :15], atol=0.6)
    np.testing.assert_allclose(surrounded.fine[:3, :, :15], alone.fine[:3, :, :15], atol=0.02)
    np.testing.assert_allclose(surrounded.cell[:3, 1:-1, 1:30], alone.cell[:3, 1:-1, 1:30], atol=0.02)
