"""Space Ranger's metrics keep their names; percentages and thousands become numbers."""

import pytest

from clearspot.errors import BadInputError
from clearspot.io.metrics_summary import read_metrics_summary


def read(tmp_path, text):
    (tmp_path / "metrics_summary.csv").write_text(text, encoding="utf-8")
    return read_metrics_summary(tmp_path / "metrics_summary.csv", "s")


def test_numbers_percentages_thousands_and_text(tmp_path):
    found = read(tmp_path, 'Sample ID,Reads,"Mean, per spot",Saturation,Empty\nx1,"1,234,567",9.5,80.25%,\n')
    assert found == {"Sample ID": "x1", "Reads": 1234567.0, "Mean, per spot": 9.5, "Saturation": 0.8025}


def test_byte_order_mark(tmp_path):
    assert read(tmp_path, "\ufeffReads\n5\n") == {"Reads": 5.0}


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty file"), ("Reads\n", "0 lines"), ("Reads\n1\n2\n", "2 lines"), ("a,b\n1\n2,3,4\n", "read")],
)
def test_refused(tmp_path, text, words):
    with pytest.raises(BadInputError, match=words):
        read(tmp_path, text)


@pytest.mark.real
def test_real_space_ranger(shared_data):
    found = read_metrics_summary(shared_data / "spatial_only" / "gradients_v1" / "metrics_summary.csv", "s")
    assert len(found) == 22
    assert found["Number of Spots Under Tissue"] == 1937
    assert found["Sequencing Saturation"] == pytest.approx(0.872196, abs=1e-6)


@pytest.mark.real
def test_real_vendor(shared_data):
    found = read_metrics_summary(shared_data / "outs" / "vendor_grid_human" / "metrics_summary.csv", "s")
    assert (found["UMIs in Spots"], found["GC Content"]) == (1_720_934, 0.4821)
