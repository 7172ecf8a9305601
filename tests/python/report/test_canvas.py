import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from plotly.colors import sample_colorscale

from clearspot.report import canvas_kinds
from clearspot.report.canvas_kinds import DiskCanvas, RasterCanvas, make_canvas
from clearspot.report.map_parts import colour_axis, scale_bar
from clearspot.report.store import Store, decode

SIDE = 20
XY = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2) * 10.0
NAMES = [f"s{number}" for number in range(len(XY))]


@pytest.fixture
def raster(monkeypatch: pytest.MonkeyPatch) -> RasterCanvas:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 100)
    canvas = make_canvas(Store(), XY, NAMES, spot_diameter=10.0, um_per_px=2.0)
    assert isinstance(canvas, RasterCanvas)
    return canvas


def test_few_spots_are_drawn_one_by_one() -> None:
    canvas = make_canvas(Store(), XY, NAMES, spot_diameter=10.0, um_per_px=None)
    assert isinstance(canvas, DiskCanvas)
    assert canvas.said == ""
    np.testing.assert_allclose(decode(canvas.store.arrays["x"]), XY[:, 0])


def test_many_spots_are_drawn_as_means_and_that_is_said(raster: RasterCanvas) -> None:
    values = XY[:, 0]
    raster.keep("values", values)
    cells = decode(raster.store.arrays["values"])
    expected = [values[raster.cell == cell].mean() for cell in np.unique(raster.cell)]
    np.testing.assert_allclose(cells[np.unique(raster.cell)], expected, atol=np.ptp(values) / 65534)
    assert "400 spots are too many" in raster.said
    assert "µm wide" in raster.said


def test_a_cell_without_a_value_stays_empty(raster: RasterCanvas) -> None:
    values = np.where(raster.cell == raster.cell[0], np.nan, 1.0)
    raster.keep("values", values)
    assert np.isnan(decode(raster.store.arrays["values"])[raster.cell[0]])


def test_a_cell_shows_its_most_frequent_class(raster: RasterCanvas) -> None:
    here = np.flatnonzero(raster.cell == raster.cell[0])
    labels = np.full(len(XY), "a", dtype=object)
    labels[here[: len(here) // 2 + 1]] = "b"
    raster.classes("map", pd.Series(labels), {"a": "#000", "b": "#fff"}, "", "")
    assert decode(raster.store.arrays["map"])[raster.cell[0]] == 1


@pytest.mark.parametrize("limit", [100, 10_000])
def test_spots_without_a_label_are_not_drawn(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", limit)
    canvas = make_canvas(Store(), XY, NAMES, spot_diameter=10.0, um_per_px=None)
    labels = pd.Series(pd.Categorical.from_codes(np.where(XY[:, 0] < 50, 0, -1), categories=["a"]))
    chart = canvas.classes("map", labels, {"a": "#000"}, "", "")
    assert [trace["name"] for trace in chart.spec["data"]] == ["a (100)"]


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    bar = scale_bar((0.0, 1000.0), (0.0, 1000.0), um_per_px=2.0)
    line = bar["shapes"][0]
    assert bar["annotations"][0]["text"] == "500 µm"
    assert (line["x1"] - line["x0"]) * 2.0 == pytest.approx(500)


def test_without_a_scale_there_is_no_scale_bar() -> None:
    assert scale_bar((0.0, 1.0), (0.0, 1.0), None) == {}


def test_ticks_of_a_logarithmic_axis_are_values() -> None:
    axis = colour_axis(0, 30, "counts", logarithmic=True)
    assert axis["colorbar"]["ticktext"] == ["0", "1", "3", "10", "30"]
    np.testing.assert_allclose(np.expm1(axis["colorbar"]["tickvals"]), [0, 1, 3, 10, 30], atol=1e-12)
    assert axis["cmax"] == pytest.approx(np.log1p(30))


def _pixels(trace: dict) -> np.ndarray:
    data = base64.b64decode(trace["source"].removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def test_every_spot_of_a_large_section_is_a_pixel_of_its_class(raster: RasterCanvas) -> None:
    labels = pd.Series(np.where(XY[:, 0] < 50, "a", np.where(XY[:, 1] < 100, "b", None)))
    chart = raster.every_spot("map", labels, {"a": "#ff0000", "b": "#0000ff"}, "", "")
    (trace,) = chart.spec["data"]
    pixels = _pixels(trace)
    assert pixels.shape == (SIDE, SIDE, 4)
    assert (trace["x0"], trace["y0"], trace["dx"]) == (0.0, 0.0, 10.0)
    column, row = (XY / 10).astype(int).T
    found = pixels[row, column]
    assert (found[labels == "a"] == (255, 0, 0, 255)).all()
    assert (found[labels == "b"] == (0, 0, 255, 255)).all()
    assert (found[labels.isna(), 3] == 0).all()


def test_every_number_of_a_large_section_is_a_pixel_of_its_colour(raster: RasterCanvas) -> None:
    values = np.where(XY[:, 0] < 50, 0.0, np.where(XY[:, 1] < 100, 1000.0, np.nan))
    values[values == 0] = np.arange((values == 0).sum()) % 2 * 31
    axis = colour_axis(0, 1000, "counts", logarithmic=True)
    chart = raster.every_number("map", values, "", "", axis, logarithmic=True)
    trace, bar = chart.spec["data"]
    assert chart.spec["layout"]["coloraxis"] is axis
    assert bar["marker"]["coloraxis"] == "coloraxis"
    column, row = (XY / 10).astype(int).T
    found = _pixels(trace)[row, column].astype(int)
    viridis = sample_colorscale("Viridis", [0, 0.5, 1], colortype="tuple")
    for value, colour in zip((0, 31, 1000), viridis, strict=True):
        assert np.abs(found[values == value][:, :3] - 255 * np.array(colour)).max() <= 6
    assert (found[np.isnan(values), 3] == 0).all()


def test_a_turned_lattice_has_no_holes_and_no_pixels_outside(raster: RasterCanvas) -> None:
    turn = np.array([[np.cos(0.03), -np.sin(0.03)], [np.sin(0.03), np.cos(0.03)]])
    corner = (XY[:, 0] < 100) & (XY[:, 1] < 100)
    canvas = RasterCanvas(Store(), XY[~corner] @ turn, spot_diameter=10.0, um_per_px=None, word="bin")
    chart = canvas.every_spot("map", pd.Series(["a"] * int((~corner).sum())), {"a": "#ff0000"}, "", "")
    pixels = _pixels(chart.spec["data"][0])
    seen = pixels[..., 3] > 0
    assert abs(int(seen.sum()) - int((~corner).sum())) < 20
    assert seen[12:18, 2:18].all()
    assert not seen[:8, :8].any()


def test_a_pixel_of_several_bins_is_not_called_one_per_bin() -> None:
    xy = np.array([[0.0, 0], [1, 0], [0, 1999], [1999, 1999]])
    canvas = RasterCanvas(Store(), xy, side=100.0, spot_diameter=1.0, um_per_px=8.0, word="bin")
    assert canvas.said_finely.startswith("Pixels of 11.3 µm, each of the nearest bin")


@pytest.mark.parametrize(("um_per_px", "wide"), [(2.0, "µm wide"), (None, "spot diameters wide")])
def test_lengths_are_in_micrometres_where_the_scale_is_known(um_per_px: float | None, wide: str) -> None:
    canvas = RasterCanvas(
        Store(), XY, side=20.0, spot_diameter=10.0, um_per_px=um_per_px, word="bin", length="spot diameters"
    )
    assert f"Each square of the maps is {20 * (um_per_px or 1):.0f} {wide}" in canvas.said


@pytest.mark.parametrize("limit", [100, 10_000])
def test_values_that_come_in_blocks_are_drawn_as_those_that_come_at_once(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", limit)
    canvas = make_canvas(Store(), XY, NAMES, spot_diameter=10.0, um_per_px=None)
    values = np.random.default_rng(0).normal(size=(len(XY), 3)).astype(np.float32)
    values[::7, 1] = np.nan
    order = np.random.default_rng(1).permutation(len(XY))[30:]
    found = canvas.gathered(((rows, values[rows]) for rows in np.array_split(order, 4)), 3)
    missing = np.setdiff1d(np.arange(len(XY)), order)
    values[missing] = np.nan
    expected = np.stack([canvas.drawn(values[:, column]) for column in range(3)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
