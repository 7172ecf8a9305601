"""The chart of the segmentation: which place it shows, with which outlines, on which part of the image."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from clearspot import keys
from clearspot.report.section_segmentation import densest_window
from clearspot.report.store import decode
from tests.helpers.made_sample import Made, as_cells
from tests.helpers.page_reader import Page, page_of

WIDTH = 80.0
"""Of the window in pixels of 5 µm."""


@pytest.fixture
def cells(made: Made) -> Made:
    as_cells(made)
    return made


def rings_of(page: Page, name: str) -> list[np.ndarray]:
    """Outlines that the chart draws."""
    xy = np.stack([decode(page.data["store"][f"{name}:{axis}"]) for axis in "xy"], axis=1)
    gaps = np.flatnonzero(np.isnan(xy).any(axis=1))
    return [part[np.isfinite(part).all(axis=1)] for part in np.split(xy, gaps + 1)[:-1]]


def window_of(page: Page) -> tuple[np.ndarray, np.ndarray]:
    layout = page.data["charts"]["segmentation"]["layout"]
    (x0, x1), (y1, y0) = layout["xaxis"]["range"], layout["yaxis"]["range"]
    return np.array([x0, y0]), np.array([x1, y1])


def test_the_window_holds_the_outlines_in_it_and_no_others(cells: Made) -> None:
    page = page_of(cells)
    low, high = window_of(page)
    np.testing.assert_allclose(high - low, WIDTH)
    xy = cells.adata.obsm[keys.SPATIAL]
    for name, reach, there in (("cells", 9.0, len(xy)), ("nuclei", 3.6, len(xy) - 1)):
        expected = xy[:there][((xy[:there] + reach >= low) & (xy[:there] - reach <= high)).all(axis=1)]
        found = np.array([ring[:-1].mean(axis=0) for ring in rings_of(page, name)])
        assert 0 < len(expected) < there
        np.testing.assert_allclose(np.sort(found, axis=0), np.sort(expected, axis=0), atol=0.01)
    names = [trace["name"] for trace in page.data["charts"]["segmentation"]["data"]]
    assert names == [f"{name} ({len(rings_of(page, name))})" for name in ("cells", "nuclei")]


def test_the_window_is_where_most_cells_are() -> None:
    sparse = np.stack(np.meshgrid(np.arange(0, 1000, 50.0), np.arange(0, 1000, 50.0)), axis=-1).reshape(-1, 2)
    dense = np.random.default_rng(0).uniform(620, 680, (300, 2))
    low = densest_window(np.concatenate([sparse, dense]), 100.0)
    inside = ((dense >= low) & (dense <= low + 100)).all(axis=1)
    assert inside.mean() > 0.9


def test_a_section_smaller_than_the_window_is_in_its_middle() -> None:
    xy = np.array([[10.0, 20], [30, 20], [30, 60]])
    np.testing.assert_allclose(densest_window(xy, 100.0), [-30, -10])


def test_the_image_is_cut_where_the_window_is(made: Made) -> None:
    made.adata.obsm[keys.SPATIAL] += [0, 60]
    as_cells(made)
    image = np.zeros((160, 160, 3), np.uint8)
    image[..., 0] = np.arange(160)
    image[..., 1] = np.arange(160)[:, None]
    library = made.adata.uns[keys.UNS_SPATIAL]["library"]
    library["images"]["hires"] = image
    library["scalefactors"]["tissue_hires_scalef"] = 0.5
    page = page_of(made)
    low, high = window_of(page)
    (placed,) = page.data["charts"]["segmentation"]["layout"]["images"]
    address = page.data["store"][placed["source"]["ref"]]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",", 1)[1]))).convert("RGB"))
    assert placed["x"] <= low[0] < placed["x"] + 2
    assert placed["x"] + placed["sizex"] >= min(high[0], 320)
    assert pixels.shape[:2] == (placed["sizey"] / 2, placed["sizex"] / 2)
    assert abs(int(pixels[0, 0, 0]) - placed["x"] / 2) < 8
    assert abs(int(pixels[0, 0, 1]) - placed["y"] / 2) < 8
    assert "The image has 10.0 µm per pixel" in page.text


def test_the_caption_says_where_the_window_is(cells: Made) -> None:
    page = page_of(cells)
    low, _ = window_of(page)
    left, top = low * 5 / 1000
    assert f"{left:.1f} mm from the left and {top:.1f} mm from the top" in page.text
    assert "The square of 400 µm with the most cells" in page.text


def test_without_nuclei_cells_are_drawn_alone(cells: Made) -> None:
    del cells.adata.uns[keys.UNS][keys.OUTLINES]["nuclei"]
    (trace,) = page_of(cells).data["charts"]["segmentation"]["data"]
    assert trace["name"].startswith("cells")


def test_without_an_image_there_is_no_chart(cells: Made) -> None:
    cells.adata.uns[keys.UNS_SPATIAL]["library"]["images"] = {}
    assert "segmentation" not in page_of(cells).data["charts"]


def test_spots_have_no_chart(made: Made) -> None:
    assert "segmentation" not in page_of(made).data["charts"]
