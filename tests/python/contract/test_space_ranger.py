"""Every version of Space Ranger states a figure under its own name; each is found under one."""

import pytest

from clearspot.contract.metrics import get_metric
from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER, STATED
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords


def figure(stated, name):
    table = {"metric": list(stated), "value": list(stated.values())}
    record = StepRecord("s", "ingest", tables={"space_ranger": table})
    return SampleRecords("s", {"ingest": record}).metric(SPACE_RANGER, name)


@pytest.mark.parametrize(
    ("written", "name", "value"),
    [
        ("Fraction Reads in Spots Under Tissue", "fraction_reads_in_spots_under_tissue", 0.9),
        ("Fraction Reads in Squares Under Tissue", "fraction_reads_in_spots_under_tissue", 0.9),
        ("Valid UMIs", "valid_umis", 0.99),
        ("Valid UMI Sequences", "valid_umis", 0.99),
        ("Total Genes Detected", "total_genes_detected", 17000.0),
        ("Genes Detected", "total_genes_detected", 17000.0),
        ("Q30 Bases in Probe Read", "q30_bases_in_probe_read", 0.94),
        ("Q30 bases in RNA read", "q30_bases_in_rna_read", 0.94),
        ("Mean Reads Under Tissue per Bin 8 \u03bcm", "mean_reads_under_tissue_per_bin_8_um", 1395.3),
        ("Mean Reads Under Tissue per Bin 8 \u00b5m", "mean_reads_under_tissue_per_bin_8_um", 1395.3),
    ],
)
def test_names_of_all_versions(written, name, value):
    assert figure({"Sample ID": "x", written: value}, name) == value


@pytest.mark.parametrize(
    ("about", "stated", "title"),
    [
        ({}, {"Fraction of Reads in Spots under Tissue": 0.9}, "Fraction of Reads in Spots under Tissue"),
        ({}, {}, "Fraction Reads in Spots Under Tissue"),
        ({"bin_size_um": 8}, {"Fraction Reads in Squares Under Tissue": 0.9}, "Fraction Reads in Squares Under Tissue"),
        ({"unit": "cells"}, {}, "Fraction Reads in Bins Under Tissue"),
    ],
)
def test_a_figure_has_the_title_that_the_summary_gives_it(about, stated, title):
    table = {"metric": list(stated), "value": list(stated.values())}
    record = StepRecord("s", "ingest", metrics=about, tables={"space_ranger": table})
    metric = get_metric(SPACE_RANGER, "fraction_reads_in_spots_under_tissue")
    assert SampleRecords("s", {"ingest": record}).title(metric) == title


def test_a_share_above_one_is_in_per_cent():
    assert figure({"Sequencing Saturation": 87.2}, "sequencing_saturation") == pytest.approx(0.872)
    assert figure({"Mean Reads per Spot": 87.2}, "mean_reads_per_spot") == 87.2


def test_what_is_no_number_was_not_measured():
    stated = {"Reads Mapped Confidently to the Filtered Probe Set": "None"}
    assert figure(stated, "reads_mapped_confidently_to_the_filtered_probe_set") is None
    assert figure({}, "valid_barcodes") is None


@pytest.mark.real
def test_a_real_file_of_version_1(shared_data):
    from clearspot.io.metrics_summary import read_metrics_summary

    stated = read_metrics_summary(shared_data / "spatial_only" / "gradients_v1" / "metrics_summary.csv", "s")
    found = {one.name: figure(stated, one.name) for one in STATED}
    assert found["q30_bases_in_rna_read"] == pytest.approx(0.850, abs=1e-3)
    assert found["mean_reads_per_spot"] == pytest.approx(83430, abs=1)
    assert found["q30_bases_in_probe_read"] is None
