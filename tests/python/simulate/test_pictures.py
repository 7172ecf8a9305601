import numpy as np
import pytest
import tifffile

from clearspot.simulate import pictures
from clearspot.simulate.pictures import canvas, shrink, write_pyramid


@pytest.fixture
def picture():
    ramp = np.linspace(0, 255, 2200)
    return np.stack(np.broadcast_arrays(ramp[None, :], ramp[:1800, None], np.full((1, 1), 90.0)), axis=2).astype(
        np.uint8
    )


def test_pyramid_is_tiled_and_has_levels(picture, tmp_path):
    write_pyramid(picture, tmp_path / "image.tif", 0.5)
    with tifffile.TiffFile(tmp_path / "image.tif") as tiff:
        page = tiff.pages[0]
        assert page.is_tiled
        assert page.shape == (1800, 2200, 3)
        assert [level.shape[:2] for level in tiff.series[0].levels] == [(1800, 2200), (900, 1100), (450, 550)]
        assert page.tags["XResolution"].value[0] / page.tags["XResolution"].value[1] == 20_000
        assert np.abs(page.asarray().astype(int) - picture.astype(int)).mean() < 3


def test_shrink_averages_and_gives_the_scale(picture):
    small, scale = shrink(picture, 600)
    assert small.size == (600, 491)
    assert np.isclose(scale, 600 / 2200)
    assert np.abs(np.asarray(small)[:, :, 0].mean() - picture[:, :, 0].mean()) < 2


def test_shrink_never_enlarges(picture):
    small, scale = shrink(picture[:100, :200], 600)
    assert small.size == (200, 100)
    assert scale == 1


def test_large_canvases_live_on_disk_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "_IN_MEMORY_PIXELS", 10)
    with canvas((20, 30), tmp_path) as room:
        assert isinstance(room, np.memmap)
        room[:] = 7
    assert list(tmp_path.iterdir()) == []
