import anndata as ad
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from clearspot.checks.counts_and_picture import SYMMETRIES, counts_and_picture, share_on_tissue
from clearspot.checks.surrogates import surrogate_fields
from clearspot.checks.tissue_mask import StainedPicture, stained_picture

UM_PER_PX = 10.0
WIDTH, HEIGHT = 360, 300  # pixels
PITCH = 100.0


def field(seed: int, smooth: float = 12.0) -> np.ndarray:
    """A smooth field between 0 and 1, with a few features of some 300 um."""
    made = gaussian_filter(np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH)), smooth)
    return (made - made.min()) / np.ptp(made)


def picture(seed: int = 0, margin: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """An H&E-like picture (uint8) on glass, and how dark its tissue is."""
    dark = field(seed)
    rgb = np.full((HEIGHT, WIDTH, 3), 240.0)
    inside = np.zeros((HEIGHT, WIDTH), dtype=bool)
    inside[margin : HEIGHT - margin, margin : WIDTH - margin] = True
    density = 0.15 + 0.5 * dark[inside]
    rgb[inside] *= 10 ** -(density[:, None] * np.array([0.55, 1.0, 0.45]))
    return rgb.astype(np.uint8), np.where(inside, dark, 0.0)


def lattice(margin_um: float = 650.0) -> np.ndarray:
    x = np.arange(margin_um, WIDTH * UM_PER_PX - margin_um + 1, PITCH)
    y = np.arange(margin_um, HEIGHT * UM_PER_PX - margin_um + 1, PITCH)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def counts_of(values: np.ndarray, xy: np.ndarray, seed: int = 0, slope: float = 2.0) -> np.ndarray:
    """Counts that follow a field at the spots, with the noise of counting and of capture."""
    rng = np.random.default_rng(seed)
    column, row = (xy / UM_PER_PX).astype(int).T
    rate = 500 * np.exp(slope * values[row, column] + 0.3 * rng.standard_normal(len(xy)))
    return rng.poisson(rate).astype(float)


@pytest.fixture(scope="module")
def stained() -> StainedPicture:
    found = stained_picture(picture()[0], UM_PER_PX)
    assert isinstance(found, StainedPicture)
    return found


@pytest.fixture(scope="module")
def good() -> tuple[np.ndarray, np.ndarray]:
    xy = lattice()
    return xy, counts_of(picture()[1], xy)


def test_the_mask_is_the_tissue(stained):
    truth = np.zeros((HEIGHT, WIDTH), dtype=bool)
    truth[60:-60, 60:-60] = True
    assert (stained.tissue == truth).mean() > 0.98


def test_tissue_that_fills_the_frame_is_not_cut_in_two():
    found = stained_picture(picture(margin=0)[0], UM_PER_PX)
    assert found.tissue.mean() > 0.97


def test_ink_fiducials_and_a_black_frame_are_no_tissue():
    rgb = picture()[0].copy()
    rgb[:, :20] = (12, 10, 11)
    rgb[30:45, 100:300:20] = (90, 92, 91)
    tissue = stained_picture(rgb, UM_PER_PX).tissue
    assert not tissue[:, :18].any()
    assert not tissue[28:47, 90:310].any()


@pytest.mark.parametrize(
    "pixels",
    [
        np.random.default_rng(0).integers(0, 255, (90, 80), dtype=np.uint8),
        np.repeat(np.random.default_rng(0).integers(0, 255, (90, 80, 1), dtype=np.uint8), 3, axis=2),
        np.full((90, 80, 3), 241, dtype=np.uint8),
    ],
)
def test_a_picture_without_colours_is_not_used_and_the_reason_is_given(pixels):
    assert "not in colour" in stained_picture(pixels, UM_PER_PX)


def test_counts_that_lie_on_their_picture(stained, good):
    found = counts_and_picture(stained, *good, PITCH)
    assert found.percent_on_tissue == 100
    assert found.correlation > 0.5
    assert found.p < 0.02
    assert found.shift_um <= 50
    assert found.symmetry == "as it is"
    assert found.symmetry_p > 0.5
    here = [one.fit for one in found.scan if one.dx_um == one.dy_um == 0]
    assert here[0] > 0.3


@pytest.mark.parametrize("shift", [(200.0, 0.0), (-150.0, 250.0), (400.0, -300.0)])
def test_moved_spots_are_found_with_the_way_back(stained, good, shift):
    xy, counts = good
    found = counts_and_picture(stained, xy + shift, counts, PITCH)
    assert found.shift_p < 0.02
    assert found.shift_um == pytest.approx(np.hypot(*shift), abs=75)
    assert (found.shift_dx_um, found.shift_dy_um) == pytest.approx((-shift[0], -shift[1]), abs=75)


@pytest.mark.parametrize("name", [name for name in SYMMETRIES if name != "as it is"])
def test_turned_and_mirrored_spots_are_named_by_what_mends_them(name):
    """Of a square section, so that every symmetry leaves the spots on tissue."""
    rgb, dark = picture(seed=2)
    rgb, dark = rgb[:, 30:330], dark[:, 30:330]
    stained = stained_picture(rgb, UM_PER_PX)
    grid = np.arange(650.0, 2351.0, PITCH)
    xy = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    counts = counts_of(dark, xy)
    wrong = (xy - 1500.0) @ np.linalg.inv(np.array(SYMMETRIES[name])).T + 1500.0
    found = counts_and_picture(stained, wrong, counts, PITCH)
    assert found.symmetry == name
    assert found.symmetry_p < 0.02


def test_smooth_counts_that_have_nothing_to_do_with_the_picture_accuse_nobody(stained):
    """Of twenty smooth fields, about one is beyond p = 0.05 by chance, in either test."""
    xy = lattice()
    found = [counts_and_picture(stained, xy, counts_of(field(100 + seed), xy), PITCH, seed) for seed in range(20)]
    for p_value in ("p", "shift_p", "symmetry_p"):
        values = np.array([getattr(one, p_value) for one in found])
        assert (values <= 0.05).sum() <= 4
        assert (values <= 0.005).sum() <= 1


def test_shuffled_counts_accuse_nobody(stained, good):
    xy, counts = good
    found = counts_and_picture(stained, xy, np.random.default_rng(0).permutation(counts), PITCH)
    assert abs(found.correlation) < 0.2
    assert found.p > 0.05
    assert found.shift_p > 0.05


def test_spots_off_the_tissue_and_off_the_picture_are_counted(stained, good):
    xy, _ = good
    assert share_on_tissue(stained, xy) == 1
    assert share_on_tissue(stained, xy + np.array([WIDTH * UM_PER_PX, 0])) == 0
    half = xy.copy()
    half[::2] = (10.0, 10.0)
    assert share_on_tissue(stained, half) == pytest.approx(0.5, abs=0.01)


def test_few_spots_and_equal_counts_are_not_compared(stained, good):
    xy, counts = good
    assert "too few" in counts_and_picture(stained, xy[:20], counts[:20], PITCH)
    assert "same counts" in counts_and_picture(stained, xy, np.ones(len(xy)), PITCH)


def test_surrogates_are_as_smooth_as_the_field_and_in_another_place():
    xy = lattice()
    column, row = (xy / UM_PER_PX).astype(int).T
    values = field(3)[row, column]
    drawn = surrogate_fields(xy, values, PITCH, 40)
    assert np.allclose(np.sort(drawn, axis=0), np.sort(values)[:, None])
    next_to = np.abs(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) - PITCH) < 1

    def smoothness(one):
        z = one - one.mean()
        return (z[:, None] * z[None])[next_to].mean() / z.var()

    assert np.mean([smoothness(one) for one in drawn.T]) == pytest.approx(smoothness(values), abs=0.08)
    assert abs(np.mean([np.corrcoef(values, one)[0, 1] for one in drawn.T])) < 0.15


@pytest.mark.parametrize("section", ["her2st/C2", "mob/MOB1"])
def test_a_real_section_lies_on_its_picture_and_is_found_out_when_moved(shared_data, section):
    adata = ad.read_h5ad(shared_data / f"{section}.h5ad")
    adata = adata[adata.obs["in_tissue"].to_numpy(dtype=bool)]
    um = float(adata.uns["um_per_px"])
    with Image.open(shared_data / f"{section}.jpg") as image:
        width = image.width
        image.draft("RGB", (1200, 1200))
        pixels = np.asarray(image.convert("RGB"))
    stained = stained_picture(pixels, um * width / pixels.shape[1])
    xy, counts = np.asarray(adata.obsm["spatial"]) * um, np.asarray(adata.X.sum(axis=1)).ravel()
    good = counts_and_picture(stained, xy, counts, 150.0)
    assert good.p < 0.02
    assert good.percent_on_tissue > 85
    assert good.shift_p > 0.1
    assert good.symmetry_p > 0.1
    moved = counts_and_picture(stained, xy + np.array([160.0, 120.0]), counts, 150.0)
    assert moved.shift_p < 0.05
    assert moved.shift_um == pytest.approx(200, abs=75)
