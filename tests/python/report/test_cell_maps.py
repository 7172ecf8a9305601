"""Maps of segmented cells: each cell by its outline, in the page and in the browser."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearspot import keys
from clearspot.io.outlines import Outlines
from clearspot.report import canvas_kinds, cell_canvas
from clearspot.report.canvas_kinds import DiskCanvas, RasterCanvas, make_canvas
from clearspot.report.cell_canvas import CellCanvas
from clearspot.report.data import CellOutlines, SampleData
from clearspot.report.fine_raster import NO_SPOT, PixelGrid, grid_of_cells
from clearspot.report.sample import write_sample_report
from clearspot.report.store import Store, decode
from tests.helpers.browser import VISIBLE_DRAWN, Browser
from tests.helpers.made_sample import Made, as_cells
from tests.helpers.page_reader import page_of, with_arrays

REACH = 9.0


@pytest.fixture
def cells(made: Made) -> Made:
    as_cells(made, REACH)
    made.write()
    return made


def canvas_of(cells: Made) -> CellCanvas:
    data = SampleData(cells.h5ad)
    names = data.obs.index.tolist()
    canvas = make_canvas(
        Store(), data.xy, names, spot_diameter=12.0, um_per_px=5.0, word="cell", outlines=data.outlines("cells")
    )
    assert isinstance(canvas, CellCanvas)
    return canvas


def pixel_at(grid: PixelGrid, xy: np.ndarray) -> np.ndarray:
    """Spot of the pixel at each place."""
    column, row = np.round((xy - [grid.x, grid.y]) / grid.side).astype(int).T
    return grid.spot[row, column]


def test_a_pixel_shows_the_cell_whose_outline_holds_it(cells: Made) -> None:
    grid, xy = canvas_of(cells).grid, cells.adata.obsm[keys.SPATIAL]
    for inside in ([0, 0], [0.7 * REACH, 0], [0, -0.7 * REACH]):
        np.testing.assert_array_equal(pixel_at(grid, xy + inside), np.arange(len(xy)))


def test_pixels_outside_all_outlines_are_empty_although_a_centroid_is_near(cells: Made) -> None:
    grid, xy = canvas_of(cells).grid, cells.adata.obsm[keys.SPATIAL]
    inner = xy[(xy < xy.max(axis=0)).all(axis=1)]
    assert (pixel_at(grid, inner + 0.7 * REACH) == NO_SPOT).all()
    area = (grid.spot != NO_SPOT).sum() * grid.side**2
    assert area == pytest.approx(len(xy) * 2 * REACH**2, rel=0.05)


def test_a_cell_smaller_than_a_pixel_or_without_an_outline_keeps_one_pixel() -> None:
    large = np.array([[0.0, 0], [20, 0], [20, 20], [0, 20], [0, 0]])
    small = np.array([[30.1, 30.1], [30.2, 30.1], [30.2, 30.2], [30.1, 30.1]])
    polygons = Outlines(np.array([1, 2, 3]), np.array([0, 5, 10, 14]), np.concatenate([large, large + 40, small]))
    xy = np.array([[10.0, 10], [50, 50], [30.15, 30.15], [50, 10]])
    grid = grid_of_cells(xy, CellOutlines(np.array([0, 1, 2]), polygons))
    assert pixel_at(grid, xy).tolist() == [0, 1, 2, 3]
    assert (grid.spot == 2).sum() == (grid.spot == 3).sum() == 1


def test_a_map_has_a_limited_number_of_pixels(cells: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_canvas, "MOST_PIXELS", 2_000)
    assert 1_500 < canvas_of(cells).grid.spot.size < 2_200


def test_spots_and_bins_are_drawn_as_before(made: Made) -> None:
    data = SampleData(made.h5ad) if made.write() else None
    assert data is not None
    assert data.outlines("cells") is None
    canvas = make_canvas(Store(), data.xy, data.obs.index.tolist(), spot_diameter=12.0, um_per_px=5.0)
    assert isinstance(canvas, DiskCanvas)
    assert "cell_of_pixel" not in canvas.store.arrays


def test_the_page_holds_one_value_a_cell_and_the_grid_once(cells: Made) -> None:
    page = page_of(cells)
    store = page.data["store"]
    np.testing.assert_array_equal(decode(store["obs:total_counts"]), cells.adata.obs["total_counts"])
    assert len(page.data["genes"]["order"]) == cells.adata.n_obs
    assert "spots:total_counts" not in store
    grid = canvas_of(cells).grid
    assert "deflated" in store["cell_of_pixel"]
    np.testing.assert_array_equal(np.nan_to_num(decode(store["cell_of_pixel"]), nan=NO_SPOT), grid.spot.ravel())
    (trace,) = page.data["charts"]["map-total_counts"]["data"]
    z = np.array(with_arrays(trace["z"], store, ""))
    assert z.shape == grid.spot.shape
    expected = np.log1p(cells.adata.obs["total_counts"].to_numpy())
    assert trace["z"]["as"] == "log1p"
    np.testing.assert_allclose(np.log1p(z[grid.spot >= 0]), expected[grid.spot[grid.spot >= 0]])
    assert np.isnan(z[grid.spot < 0]).all()


def test_the_page_says_how_cells_are_drawn(cells: Made) -> None:
    text = page_of(cells).text
    assert "Each cell is drawn by its outline, in pixels of" in text
    assert "too many to draw" not in text
    assert "Shapes are based on" not in text


def test_too_many_cells_are_squares_and_one_map_of_outlines(cells: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 60)
    page = page_of(cells)
    assert "144 cells are too many to draw individually" in page.text
    assert "Each cell by its outline, in the colours of the map of squares" in page.text
    (trace,) = page.data["charts"]["map-every"]["data"]
    png = base64.b64decode(trace["source"].removeprefix("data:image/png;base64,"))
    alpha = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    xy = cells.adata[cells.adata.obs[keys.QC_PASS].to_numpy()].obsm[keys.SPATIAL]
    seen = PixelGrid((alpha > 0).astype(np.int64), trace["x0"], trace["y0"], trace["dx"])
    assert pixel_at(seen, xy).all()
    inner = xy[(xy < xy.max(axis=0)).all(axis=1)]
    assert not pixel_at(seen, inner + 0.7 * REACH).any()


def test_a_class_of_cells_has_a_colour_of_its_own_and_its_number_in_the_legend(cells: Made) -> None:
    canvas = canvas_of(cells)
    labels = pd.Series(np.where(np.arange(144) < 24, "a", "b"), dtype=object)
    labels.iloc[-1] = None
    chart = canvas.classes("map", labels, {"a": "#000000", "b": "#ffffff"}, "", "")
    assert [trace["name"] for trace in chart.spec["data"]] == ["a (24)", "b (119)"]
    assert not isinstance(canvas, RasterCanvas)


GRID = (
    "(() => {{ const plot = document.querySelector('[data-chart={0}]'), trace = plot.data[{1}];"
    " return {{ z: trace.z, text: trace.text, custom: trace.customdata || null }}; }})()"
)


def drawn(browser: Browser, chart: str, trace: int = 0) -> dict:
    browser.until(f"!!document.querySelector('[data-chart={chart}]').dataset.drawn")
    return browser.run(GRID.format(chart, trace))


def test_the_browser_looks_up_the_value_of_every_pixel(browser: Browser, cells: Made, tmp_path: Path) -> None:
    out = tmp_path / "cells_report.html"
    write_sample_report(cells.h5ad, cells.write(), out)
    grid, adata = canvas_of(cells).grid, cells.adata
    there = grid.spot >= 0
    browser.resize(1280, 5000)
    browser.open(out, "#qc")
    found = drawn(browser, "map-total_counts")
    z = np.array(found["z"], dtype=float)
    np.testing.assert_allclose(z[there], np.log1p(adata.obs["total_counts"].to_numpy())[grid.spot[there]])
    assert np.isnan(z[~there]).all()
    assert (np.array(found["text"], dtype=object)[there] == adata.obs_names.to_numpy()[grid.spot[there]]).all()
    np.testing.assert_allclose(
        np.array(found["custom"], dtype=float)[there], adata.obs["total_counts"].to_numpy()[grid.spot[there]]
    )

    browser.open(out, "#denoising")
    z = np.array(drawn(browser, "gene-measured")["z"], dtype=float)
    counts = adata[:, "Gene7"].layers[keys.COUNTS].toarray().ravel()
    np.testing.assert_allclose(z[there], np.log1p(counts)[grid.spot[there]])
    z = np.array(drawn(browser, "gene-denoised")["z"], dtype=float)
    passes = adata.obs[keys.QC_PASS].to_numpy()[grid.spot[there]]
    np.testing.assert_array_equal(np.isfinite(z[there]), passes)

    browser.open(out, "#domains")
    labels = adata.obs[keys.DOMAIN_GMM].cat.codes.to_numpy()[grid.spot[there]]
    for number in range(2):
        z = np.array(drawn(browser, "map-domain_gmm", number)["z"], dtype=float)
        np.testing.assert_array_equal(z[there] == 1, labels == number)
        assert np.isnan(z[~there]).all()


@pytest.mark.parametrize("dark", [False, True])
def test_no_tab_of_cells_complains_or_asks_for_anything(
    browser: Browser, cells: Made, tmp_path: Path, dark: bool
) -> None:
    out = tmp_path / "cells_report.html"
    write_sample_report(cells.h5ad, cells.write(), out)
    browser.resize(1280, 4000, dark=dark)
    browser.open(out)
    for tab in ("overview", "qc", "denoising", "domains"):
        browser.run(f"document.querySelector('#tab-{tab}').click()")
        browser.until(VISIBLE_DRAWN)
    assert browser.complaints == []
    assert browser.requests == [out.resolve().as_uri()]
