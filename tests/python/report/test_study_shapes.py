"""Maps of a study: cells by their outlines, bins without gaps, sections on one scale."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_fill_holes

from clearspot import keys
from clearspot.report import canvas_kinds
from clearspot.report.canvas_kinds import DiskCanvas, RasterCanvas
from clearspot.report.cell_canvas import CellCanvas
from clearspot.report.fine_raster import NO_SPOT, PixelGrid
from clearspot.report.metrics import read_studies
from clearspot.report.store import decode
from clearspot.report.study import write_study_report
from clearspot.report.study_layout import StudySection, lay_out
from clearspot.report.study_view import StudyView
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.browser import VISIBLE_DRAWN, Browser
from tests.helpers.page_reader import Page
from tests.helpers.studies import made_section, measured_as, write_sections

SIDE, FAILED = 10, 44
"""Of a section; the spot that fails quality control, in its midst."""


@dataclass(frozen=True)
class Made:
    """A study and the files of its sections."""

    folder: Path
    files: list[Path]

    @property
    def h5ad(self) -> Path:
        return self.folder / "demo.h5ad"

    def view(self, files: list[Path] | None = None) -> StudyView:
        (records,) = read_studies([self.folder / "demo.study.json"])
        return StudyView.of(records, self.h5ad, self.files if files is None else files)

    def page(self, out: Path) -> Page:
        write_study_report(self.h5ad, self.folder / "demo.study.json", out, self.files)
        return Page(out.read_text(encoding="utf-8"))


def study_of(folder: Path, *sections: ad.AnnData) -> Made:
    for section in sections:
        section.obs[keys.QC_PASS] = np.arange(section.n_obs) != FAILED
    files = write_sections(folder / "sections", *sections)
    result = integrate_study(files, "demo", StudyParams(n_domains=3, integration="none"))
    write_study(result, "demo", folder)
    result.record.write(folder / "demo.study.json")
    return Made(folder, files)


def section(sample: str, unit: str, um_per_px: float, turn: float = 0.0) -> ad.AnnData:
    made = made_section(sample, seed=len(sample), side=SIDE, n_genes=60, batch="one")
    return measured_as(made, unit, um_per_px, turn)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two sections of cells, in images of different scale."""
    folder = tmp_path_factory.mktemp("cells")
    return study_of(folder, section("a", "cells", 0.5), section("b", "cells", 0.25))


@pytest.fixture(scope="module")
def bins(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two sections of bins, one of them turned."""
    folder = tmp_path_factory.mktemp("bins")
    return study_of(folder, section("a", "bins", 0.5), section("b", "bins", 0.25, turn=0.05))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A section each of bins, cells and spots."""
    folder = tmp_path_factory.mktemp("mixed")
    return study_of(folder, *(section(unit, unit, 0.5) for unit in ("bins", "cells", "spots")))


def rows_of(made: Made, sample: str) -> np.ndarray:
    return np.flatnonzero((ad.read_h5ad(made.h5ad).obs[keys.SAMPLE_ID] == sample).to_numpy())


def pixel_at(grid: PixelGrid, xy: np.ndarray) -> np.ndarray:
    """Spot of the pixel at each place."""
    column, row = np.round((xy - [grid.x, grid.y]) / grid.side).astype(int).T
    return grid.spot[row, column]


def seen_in(page: Page) -> PixelGrid:
    """Pixels of the map of every spot: 1 where one is drawn."""
    (trace,) = page.data["charts"]["map-every"]["data"]
    png = base64.b64decode(trace["source"].removeprefix("data:image/png;base64,"))
    alpha = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    return PixelGrid((alpha > 0).astype(np.int64), trace["x0"], trace["y0"], trace["dx"])


def test_each_cell_of_each_section_has_its_own_outline(cells: Made) -> None:
    view = cells.view()
    assert isinstance(view.canvas, CellCanvas)
    grid, xy = view.canvas.grid, view.canvas.xy
    assert len(xy) == 2 * (SIDE**2 - 1)
    for inside in ([0, 0], [3, 0], [0, -3]):
        np.testing.assert_array_equal(pixel_at(grid, xy + inside), np.arange(len(xy)))
    assert (pixel_at(grid, xy[xy[:, 1] > xy[:, 1].min()] - [0, 5]) == NO_SPOT).all()
    area = (grid.spot != NO_SPOT).sum() * grid.side**2
    assert area == pytest.approx(len(xy) * 2 * 4.0**2, rel=0.05)


def test_cells_that_failed_quality_control_are_not_drawn(cells: Made) -> None:
    view = cells.view()
    assert isinstance(view.canvas, CellCanvas)
    for sample in "ab":
        own = view.canvas.xy[rows_of(cells, sample)]
        place = own[0] + 10.0 * np.array([FAILED % SIDE, FAILED // SIDE])
        assert pixel_at(view.canvas.grid, place[None]) == NO_SPOT


def test_sections_are_on_one_scale_in_micrometres(cells: Made) -> None:
    canvas = cells.view().canvas
    assert canvas.um_per_px == 1.0
    for sample in "ab":
        extent = np.ptp(canvas.xy[rows_of(cells, sample)], axis=0)
        np.testing.assert_allclose(extent, 10.0 * (SIDE - 1))


def test_the_page_has_the_outlines_the_names_and_a_scale_bar(cells: Made, tmp_path: Path) -> None:
    page, canvas = cells.page(tmp_path / "page.html"), cells.view().canvas
    assert isinstance(canvas, CellCanvas)
    drawn = np.nan_to_num(decode(page.data["store"]["cell_of_pixel"]), nan=NO_SPOT)
    np.testing.assert_array_equal(drawn, canvas.grid.spot.ravel())
    charts = page.data["charts"]
    for chart in ("map-domain_study", "map-probability", "gene-measured"):
        assert {trace["type"] for trace in charts[chart]["data"]} == {"heatmap"}
        words = [label["text"] for label in charts[chart]["layout"]["annotations"]]
        assert words == ["50 µm", "a", "b"]
        (bar,) = charts[chart]["layout"]["shapes"]
        lowest = max(label["y"] for label in charts[chart]["layout"]["annotations"][1:])
        assert bar["y0"] > lowest
    assert "map-every" not in charts
    assert "Each cell is drawn by its outline, in pixels of" in page.text
    assert "Posterior probability of each cell's domain" in page.text
    assert "Median counts per cell" in page.text


def test_without_the_files_of_the_sections_cells_are_disks(cells: Made) -> None:
    view = cells.view(files=[])
    assert isinstance(view.canvas, DiskCanvas)
    assert view.word == "spot"


def test_cells_of_a_section_whose_file_is_missing_are_still_drawn(cells: Made) -> None:
    canvas = cells.view(files=cells.files[:1]).canvas
    assert isinstance(canvas, CellCanvas)
    np.testing.assert_array_equal(pixel_at(canvas.grid, canvas.xy), np.arange(len(canvas.xy)))


def test_beside_cells_bins_are_squares_and_spots_are_circles_of_their_size(mixed: Made) -> None:
    view = mixed.view()
    canvas = view.canvas
    assert isinstance(canvas, CellCanvas)
    assert view.word == "spot"
    np.testing.assert_array_equal(pixel_at(canvas.grid, canvas.xy), np.arange(len(canvas.xy)))
    expected = {"bins": 10.0**2, "cells": 2 * 4.0**2, "spots": np.pi / 4 * (10 / 1.5) ** 2}
    for sample, area in expected.items():
        drawn = np.isin(canvas.grid.spot, rows_of(mixed, sample)).sum() * canvas.grid.side**2
        assert drawn == pytest.approx((SIDE**2 - 1) * area, rel=0.06)
    rows = rows_of(mixed, "bins")
    low, high = canvas.xy[rows].min(axis=0), canvas.xy[rows].max(axis=0)
    between = np.random.default_rng(0).uniform(low, high, (2000, 2))
    failed = low + 10.0 * np.array([FAILED % SIDE, FAILED // SIDE])
    between = between[np.abs(between - failed).max(axis=1) > 6]
    assert (pixel_at(canvas.grid, between) != NO_SPOT).all()


def test_many_bins_are_also_on_a_map_with_a_pixel_each_and_no_holes(
    bins: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 60)
    page, canvas = bins.page(tmp_path / "page.html"), bins.view().canvas
    grid = seen_in(page)
    assert grid.side == pytest.approx(10.0)
    assert pixel_at(grid, canvas.xy).all()
    # but the two bins that failed
    holes = binary_fill_holes(grid.spot) & (grid.spot == 0)
    assert holes.sum() == 2
    assert abs(int(grid.spot.sum()) - len(canvas.xy)) <= 4
    layout = page.data["charts"]["map-every"]["layout"]
    assert [label["text"] for label in layout["annotations"]] == ["50 µm", "a", "b"]
    assert "Every bin: shared domains" in page.text
    assert "One pixel per bin, in the colours of the map of squares" in page.text
    assert "198 bins are too many to draw individually" in page.text


def test_many_cells_are_also_on_a_map_of_outlines(cells: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 60)
    page, canvas = cells.page(tmp_path / "page.html"), cells.view().canvas
    assert isinstance(canvas, RasterCanvas)
    grid = seen_in(page)
    assert pixel_at(grid, canvas.xy).all()
    assert not pixel_at(grid, canvas.xy[canvas.xy[:, 1] > canvas.xy[:, 1].min()] - [0, 5]).any()
    assert "Each cell by its outline, in the colours of the map of squares" in page.text


def test_many_spots_are_circles_with_gaps_on_the_map_of_every_spot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 60)
    made = study_of(tmp_path / "study", section("a", "spots", 0.5), section("b", "spots", 0.5))
    grid, canvas = seen_in(made.page(tmp_path / "page.html")), made.view().canvas
    assert pixel_at(grid, canvas.xy).all()
    inner = canvas.xy[(canvas.xy[:, 1] > 0) & (canvas.xy[:, 0] > 0)]
    assert not pixel_at(grid, inner - 5).any()


def test_bins_of_two_sizes_are_drawn_equally_large() -> None:
    """Their scale is then that of each section, and is not stated in micrometres."""
    lattice = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    sections = [
        StudySection(name, np.arange(81) + 81 * number, lattice * um / 0.5, "bins", 0.5, None)
        for number, (name, um) in enumerate({"a": 8, "b": 16}.items())
    ]
    layout = lay_out(sections, all_shapes=True)
    assert layout.um_per_unit is None
    assert layout.spot_diameter == 1.0
    assert layout.shapes is None
    for own in (layout.xy[:81], layout.xy[81:]):
        np.testing.assert_allclose(np.ptp(own, axis=0), 8.0)


def test_the_size_of_a_bin_is_found_where_most_neighbours_failed() -> None:
    lattice = np.stack(np.meshgrid(np.arange(60.0), np.arange(60.0)), axis=-1).reshape(-1, 2)
    kept = np.random.default_rng(0).random(len(lattice)) < 0.12
    found = StudySection("a", np.arange(kept.sum()), lattice[kept] * 7.3, "bins", None, None)
    assert found.spot_px == pytest.approx(7.3)


def test_the_browser_draws_the_domain_of_every_cell(browser: Browser, cells: Made, tmp_path: Path) -> None:
    out = tmp_path / "demo_report.html"
    cells.page(out)
    canvas = cells.view().canvas
    assert isinstance(canvas, CellCanvas)
    browser.resize(1280, 4000)
    browser.open(out, "#domains")
    browser.until(VISIBLE_DRAWN)
    there = canvas.grid.spot != NO_SPOT
    labels = ad.read_h5ad(cells.h5ad).obs[keys.DOMAIN_STUDY].astype(str).to_numpy()
    names = sorted(set(labels))
    for number, name in enumerate(names):
        z = browser.run(f"document.querySelector('[data-chart=map-domain_study]').data[{number}].z")
        z = np.array(z, dtype=float)
        np.testing.assert_array_equal(z[there] == 1, (labels == name)[canvas.grid.spot[there]])
        assert np.isnan(z[~there]).all()
    assert browser.complaints == []
    assert browser.requests == [out.resolve().as_uri()]
