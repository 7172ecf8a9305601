"""Charts on the page of a sample: what they draw, and that plotly takes them."""

import numpy as np
import plotly.graph_objects as go
import pytest
from made_sample import Made
from page_reader import arrays_of, packed_of, page_of, with_arrays

from clearspot import keys
from clearspot.report import canvas_kinds, violins
from clearspot.report.gene_pack import unpack


def test_every_chart_is_one_that_plotly_accepts(made: Made) -> None:
    data = page_of(made).data
    gene = data["genes"]["names"][0]
    assert len(data["charts"]) >= 15
    for chart in data["charts"].values():
        figure = with_arrays(chart, arrays_of(data), gene)
        go.Figure(data=figure["data"], layout=figure["layout"])


def test_charts_of_a_raster_are_ones_that_plotly_accepts(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 50)
    page = page_of(made)
    gene = page.data["genes"]["names"][0]
    kinds = set()
    for chart in page.data["charts"].values():
        figure = with_arrays(chart, arrays_of(page.data), gene)
        kinds |= {trace.type for trace in go.Figure(data=figure["data"], layout=figure["layout"]).data}
    assert "heatmap" in kinds
    assert "too many to draw one by one" in page.text


def test_every_chart_has_its_place_and_every_place_its_chart(made: Made) -> None:
    page = page_of(made)
    places = [attrs["data-chart"] for tag, attrs in page.tags if "data-chart" in attrs]
    assert sorted(places) == sorted(page.data["charts"])
    assert len(set(places)) == len(places)


def test_no_chart_is_empty(made: Made) -> None:
    data = page_of(made).data
    for name, chart in data["charts"].items():
        assert chart["data"], name


def test_maps_draw_the_values_of_the_file(made: Made) -> None:
    packed = packed_of(page_of(made).data)
    assert sorted(packed.names) == sorted(made.adata.var_names)
    for gene in ("Gene7", "Gene23"):
        measured, denoised = unpack(packed, gene)
        np.testing.assert_array_equal(measured, made.adata[:, gene].layers[keys.COUNTS].toarray().ravel())
        np.testing.assert_allclose(denoised, made.adata[:, gene].layers[keys.DENOISED].ravel(), rtol=0.01)


def test_violins_show_kept_and_removed_spots_and_the_limit(made: Made) -> None:
    page = page_of(made)
    chart = page.data["charts"]["violin-total_counts"]
    kept, removed = (with_arrays(trace["y"], page.data["store"], "") for trace in chart["data"])
    passes = made.adata.obs[keys.QC_PASS].to_numpy(bool)
    totals = made.adata.obs["total_counts"].to_numpy()
    assert (kept, removed) == (totals[passes].tolist(), totals[~passes].tolist())
    assert [trace["name"] for trace in chart["data"]] == ["kept (132)", "removed (12)"]
    assert chart["layout"]["shapes"][0]["y0"] == pytest.approx(np.log1p(50))
    assert "Dotted line: the filter keeps at least 50." in page.text


def test_a_limit_far_from_the_values_does_not_flatten_the_violins(made: Made) -> None:
    made.records["qc"].tables["filters"]["threshold"][1] = 90.0
    page = page_of(made)
    assert "shapes" not in page.data["charts"]["violin-pct_counts_mt"]["layout"]
    assert "The filter keeps at most 90, which is beyond this axis." in page.text


def test_violins_of_many_spots_are_of_a_part_of_them(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 50)
    monkeypatch.setattr(violins, "MOST_SPOTS", 50)
    page = page_of(made)
    chart = page.data["charts"]["violin-total_counts"]
    shown = [len(with_arrays(trace["y"], page.data["store"], "")) for trace in chart["data"]]
    assert sum(shown) == 48
    assert "Shapes are of one spot in 3." in page.text
