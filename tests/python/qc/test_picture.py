"""Counts held against the picture as part of quality control; the measures themselves: tests/python/checks."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from clearspot.checks.tissue_mask import stained_picture
from clearspot.qc.picture import _coarser, compare_with_picture
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord, check_metrics
from tests.helpers.sections import from_counts, square

METRICS = {
    "percent_spots_on_tissue_image", "picture_correlation", "picture_fit", "picture_fit_moved", "picture_fit_turned",
    "picture_p", "picture_shift_um", "picture_shift_p", "picture_best_symmetry", "picture_symmetry_p",
}  # fmt: skip


def pictured(pitch: float = 200.0, side: int = 18):
    """Spots (0.5 um a pixel) whose counts follow a picture of 10 um a pixel."""
    size = round((side + 8) * pitch / 20)
    dark = gaussian_filter(np.random.default_rng(0).standard_normal((size, size)), 12)
    dark = (dark - dark.min()) / np.ptp(dark)
    xy = square(side, side, pitch) + 4 * pitch
    column, row = (xy / 20).astype(int).T
    rate = np.exp(2.0 * dark[row, column])[:, None] * np.ones((1, 60))
    adata = from_counts(np.random.default_rng(1).poisson(3 * rate), xy)
    density = 0.15 + 0.5 * dark
    density[: size // 10] = density[-(size // 10) :] = 0
    rgb = 240 * 10 ** -(density[:, :, None] * np.array([0.55, 1.0, 0.45]))
    library = {"images": {"hires": rgb.astype(np.uint8)}, "scalefactors": {"tissue_hires_scalef": 0.05}, "metadata": {}}
    adata.uns["spatial"] = {"library": library}
    return adata


def compared(adata) -> StepRecord:
    adata.obs["total_counts"] = np.asarray(adata.layers["counts"].sum(axis=1)).ravel()
    record = StepRecord("s", "qc")
    compare_with_picture(adata, record)
    return record


def test_quality_control_records_how_counts_and_picture_fit():
    record = run_qc(pictured(), "s")
    assert set(record.metrics) >= METRICS
    check_metrics("qc", record.metrics)
    assert record.metrics["percent_spots_on_tissue_image"] == 100
    assert record.metrics["picture_p"] <= 0.02
    assert record.metrics["picture_shift_um"] <= 50
    assert record.metrics["picture_best_symmetry"] == "as it is"
    scan = record.tables["picture_scan"]
    assert max(scan["fit"]) == pytest.approx(record.metrics["picture_fit_moved"])
    assert len(record.tables["picture_symmetries"]["fit"]) <= 8


def test_moved_spots_are_found_through_the_scale_factors():
    adata = pictured()
    adata.obsm["spatial"] = adata.obsm["spatial"] + np.array([400.0, 0.0])  # 200 um
    record = compared(adata)
    assert record.metrics["picture_shift_p"] <= 0.02
    assert record.metrics["picture_shift_um"] == pytest.approx(200, abs=75)


def test_small_bins_are_summed_in_squares():
    adata = pictured(pitch=32.0, side=90)  # bins of 16 um
    record = compared(adata)
    assert record.metrics["picture_fit"] > 0.3


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda adata: adata.uns.pop("spatial"), "no tissue image"),
        (lambda adata: adata.uns["spatial"]["library"]["scalefactors"].clear(), "no tissue image"),
        (lambda adata: adata.uns["clearspot"].pop("microns_per_pixel"), "pixel size"),
        (lambda adata: adata.uns["spatial"]["library"]["images"].update(hires=np.full((99, 99), 9)), "not in colour"),
    ],
)
def test_what_cannot_be_compared_leaves_one_message_and_no_metric(spoil, word):
    adata = pictured()
    spoil(adata)
    record = compared(adata)
    assert not METRICS & set(record.metrics)
    assert [word in message.text for message in record.messages] == [True]


def test_a_picture_finer_than_needed_is_averaged_first(monkeypatch):
    adata = pictured()
    library = adata.uns["spatial"]["library"]
    coarse = library["images"]["hires"]
    as_it_is = compared(adata).metrics
    library["images"]["hires"] = np.kron(coarse, np.ones((8, 8, 1), dtype=np.uint8))  # 1.25 um a pixel
    library["scalefactors"]["tissue_hires_scalef"] *= 8
    monkeypatch.setattr("clearspot.qc.picture._FINEST_UM", 10.0)
    seen = []
    monkeypatch.setattr(
        "clearspot.qc.picture.stained_picture", lambda *given: seen.append(given) or stained_picture(*given)
    )
    assert compared(adata).metrics == as_it_is
    ((pixels, um_per_px),) = seen
    np.testing.assert_array_equal(pixels, coarse)
    assert um_per_px == pytest.approx(10.0)


def test_the_last_incomplete_pixels_are_left_out():
    pixels = np.full((1037, 23, 3), 200, dtype=np.uint8)
    smaller, factor = _coarser(pixels, 2.0)
    assert (smaller.shape, smaller.dtype, factor) == ((518, 11, 3), np.uint8, 2)
    assert (smaller == 200).all()
