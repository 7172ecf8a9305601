"""What the page makes of the checks: structure of the counts, counts and picture."""

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.helpers.made_sample import add_picture, add_structure, add_superres
from tests.helpers.page_reader import Page, page_of

NO_FINDING = "No spatial structure was found in the counts. Do not interpret these maps."


def test_maps_of_counts_without_a_pattern_say_so_in_every_part_that_has_maps(made):
    superres = add_superres(made)
    add_structure(made, found=False)
    assert page_of(made, superres).text.count(NO_FINDING) == 3


@pytest.mark.parametrize("tested", [True, False])
def test_maps_of_other_counts_do_not(made, tested):
    if tested:
        add_structure(made, found=True)
    page = page_of(made)
    assert NO_FINDING not in page.text
    assert ("structure" in page.data["charts"]) is tested


@pytest.mark.parametrize(("usable", "said"), [(62.0, True), (95.0, False)])
def test_fine_maps_say_where_the_picture_has_nothing_to_add(made, usable, said):
    superres = add_superres(made)
    made.records["qc"].metrics["percent_tiles_usable"] = usable
    assert (f"sharp, well exposed and stained in {usable:.0f} % of the tissue" in page_of(made, superres).text) is said


def test_the_scan_over_the_picture_is_drawn_with_its_figures(made):
    add_picture(made)
    page: Page = page_of(made)
    chart = page.data["charts"]["picture-scan"]
    assert chart["data"][0]["x"] == [-300.0, 0.0, 300.0]
    assert chart["data"][0]["marker"]["color"] == pytest.approx([50.6, 19.5, 10.0])
    assert "63.6 %" in page.text
    assert "500" in page.text
    assert "turned by 180 degrees" in page.text


def test_without_a_comparison_the_page_says_why_and_draws_no_scan(made):
    made.records["qc"].note(
        "info", "There is no tissue image with a scale factor, so counts were not compared with it."
    )
    page = page_of(made)
    assert "picture-scan" not in page.data["charts"]
    assert "counts were not compared with it" in page.text


def test_space_rangers_pictures_of_its_registration_are_shown(made):
    buffer = BytesIO()
    Image.fromarray(np.full((30, 40, 3), 200, dtype=np.uint8)).save(buffer, "JPEG")
    jpeg = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
    made.adata.uns["clearspot"]["registration_pictures"] = {"aligned_fiducials": jpeg}
    page = page_of(made)
    assert "aligned_fiducials" in page.data["charts"]
    assert "detected_tissue" not in page.data["charts"]
    assert "data:image/jpeg;base64," + base64.b64encode(bytes(jpeg)).decode() in page.data["store"].values()


def test_checks_of_the_slide_are_drawn_without_webgl(made):
    qc = made.records["qc"]
    qc.metrics |= {"row_stripes_percent": 2.0, "column_stripes_percent": 3.0, "percent_counts_outside_tissue": 4.0}
    qc.tables |= {
        "stripes": {"axis": ["row", "row", "column"], "number": [0, 1, 0], "factor": [1.0, 1.1, 0.9]},
        "bleeding": {"distance_um": [50.0, 150.0], "mean_counts": [9.0, 2.0], "fitted_counts": [9.1, 1.9]},
        "outside_tissue": {"x": [1.0, 2.0], "y": [1.0, 2.0], "counts": [3.0, 5.0]},
        "picture_tiles": {"x": [1.0, 2.0], "y": [1.0, 2.0], "state": ["good", "blurred"]},
    }
    charts = page_of(made).data["charts"]
    assert {"stripes", "bleeding", "outside-map", "picture-tiles"} <= set(charts)
    kinds = {trace["type"] for chart in charts.values() for trace in chart["data"]}
    assert not [kind for kind in kinds if kind.endswith("gl")]
