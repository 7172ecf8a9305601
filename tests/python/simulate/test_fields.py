import numpy as np

from clearspot.simulate.fields import periodic_texture, smooth_field


def test_smooth_field_is_standardised_and_correlated_over_its_length():
    field = smooth_field(np.random.default_rng(0), (400, 300), 10)
    assert field.shape == (400, 300)
    assert abs(field.mean()) < 1e-4
    assert abs(field.std() - 1) < 1e-3
    near = np.corrcoef(field[:, :-5].ravel(), field[:, 5:].ravel())[0, 1]
    far = np.corrcoef(field[:, :-80].ravel(), field[:, 80:].ravel())[0, 1]
    # Noise filtered with a Gaussian of standard deviation L is correlated as exp(-d^2 / 4 L^2).
    assert abs(near - np.exp(-(5**2) / (4 * 10**2))) < 0.06
    assert abs(far) < 0.25


def test_texture_tiles_without_a_seam():
    texture = periodic_texture(np.random.default_rng(0), 128, 3.0)
    seam = np.abs(texture[:, 0] - texture[:, -1]).mean()
    inside = np.abs(np.diff(texture, axis=1)).mean()
    assert seam < 2 * inside
