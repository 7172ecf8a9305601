import numpy as np

from benchmarks.superres.pansharpening import image_detail
from clearspot.diffst.estimate.spread import spread


def test_detail_follows_the_image_below_the_distance_of_the_spots(spot_operator, spot_grid):
    rng = np.random.default_rng(0)
    pattern = (rng.random(spot_grid.shape) < 0.4).astype(np.float32)
    truth = 1 + 8 * pattern
    counts = rng.poisson(spot_operator @ truth.ravel())[:, None]
    features = np.stack([pattern - pattern.mean(), rng.standard_normal(spot_grid.shape)])

    detail = image_detail(counts, spot_operator, spot_grid, features, 50.0)

    flat = spread(counts, spot_operator, spot_grid, 50.0)
    sharp = flat * detail
    assert detail.shape == (1, *spot_grid.shape)
    assert np.corrcoef(sharp.ravel(), truth.ravel())[0, 1] > 0.7
    assert np.corrcoef(flat.ravel(), truth.ravel())[0, 1] < 0.5


def test_an_image_that_tells_nothing_adds_nothing(spot_operator, spot_grid):
    values = np.random.default_rng(0).gamma(2, 10, (spot_operator.shape[0], 3))

    detail = image_detail(values, spot_operator, spot_grid, np.zeros((4, *spot_grid.shape)), 50.0)

    np.testing.assert_allclose(detail, 1, rtol=1e-4)
