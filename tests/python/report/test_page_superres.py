"""Super-resolution on the page of a sample."""

import anndata as ad
import numpy as np
import pytest
from made_sample import Made, add_superres
from page_reader import page_of

from clearspot import keys


def test_super_resolution_says_that_it_was_not_run(made: Made) -> None:
    assert "Super-resolution was not run" in page_of(made).text


def test_measured_and_super_resolved_share_their_colours_by_density(made: Made) -> None:
    superres = add_superres(made)
    data = page_of(made, superres).data
    picker = data["pickers"]["superres-gene"]
    gene = next(iter(picker["axes"]))
    assert {"superres-measured", "superres-mean", "superres-sd"} == set(picker["charts"])
    assert f"superres-mean:{gene}" not in picker["axes"]
    bins_of_a_spot = np.pi * 30**2 / 50**2
    (trace,) = data["charts"]["superres-mean"]["data"]
    assert trace["z"]["times"] == pytest.approx(bins_of_a_spot)
    assert "times" not in trace["customdata"]
    predicted = ad.read_h5ad(superres)[:, gene].layers[keys.SUPERRES_MEAN].ravel() * bins_of_a_spot
    measured = made.adata[:, gene].layers[keys.COUNTS].toarray().ravel()
    high = max(np.quantile(predicted, 0.995), np.quantile(measured, 0.995))
    assert picker["axes"][gene]["cmax"] == pytest.approx(np.log1p(high), rel=1e-4)


def test_super_resolution_is_marked_on_each_of_its_maps_and_stands_beside_the_tissue(made: Made) -> None:
    page = page_of(made, add_superres(made))
    assert page.text.count("Predicted, not measured.") == 3
    assert page.data["charts"]["superres-tissue"]["layout"]["images"]
    assert "Agreement with 7 spots that training never saw" in page.text


@pytest.mark.parametrize(
    ("projection", "words"), [(False, "need not add up to exactly"), (True, "Bins under a spot add up to what it")]
)
def test_super_resolution_says_whether_bins_add_up_to_the_counts(made: Made, projection: bool, words: str) -> None:
    path = add_superres(made)
    made.records["superres"].params["projection"] = projection
    page = page_of(made, path)
    assert words in page.text
