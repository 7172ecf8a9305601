"""Rows of the list of bad inputs about barcodes, tissue, genes and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearspot.io.ingest import ingest_outs
from clearspot.io.preflight import spots
from tests.helpers.outs_factory import MadeOuts, write_h5


def _write_matrix(made: MadeOuts, counts: np.ndarray | None = None, **options) -> None:
    """Write the filtered matrix again; ``barcodes`` and ``features`` may be others."""
    rows = made.in_tissue
    barcodes: Sequence[str] = options.pop("barcodes", made.positions.index[rows])
    features: pd.DataFrame = options.pop("features", made.features)
    values = made.counts[rows] if counts is None else counts
    write_h5(made.data_dir / "filtered_feature_bc_matrix.h5", values, barcodes, features, **options)


def test_row_13_barcode_without_position_is_an_error(outs, refusal):
    made = outs()
    barcodes = list(made.positions.index[made.in_tissue])
    barcodes[0] = "TTTTTTTTTTTTTTTT-1"
    _write_matrix(made, barcodes=barcodes)
    problem = refusal(made.root)
    assert "no position for 1 of the matrix's 100 barcodes, for example TTTTTTTTTTTTTTTT-1" in problem.found


def test_row_13_positions_without_counts_are_normal(outs, warned):
    made = outs()
    _write_matrix(made, made.counts[made.in_tissue][:50], barcodes=made.positions.index[made.in_tissue][:50])
    assert warned(made.root) == ""


@pytest.mark.parametrize(
    "rename",
    [
        pytest.param(lambda barcode: barcode.replace("-1", "-2"), id="aggregated"),
        pytest.param(lambda barcode: f"S1_{barcode}", id="prefix"),
        pytest.param(lambda barcode: barcode.removesuffix("-1"), id="no suffix"),
    ],
)
def test_row_14_other_suffixes_and_prefixes_are_handled(outs, handled, rename):
    made = outs()
    _write_matrix(made, barcodes=[rename(barcode) for barcode in made.positions.index[made.in_tissue]])
    assert "without their suffix and prefix" in handled(made.root)
    assert ingest_outs(made.root, "S1")[0].n_obs == 100


def test_row_15_duplicate_barcode_in_the_matrix_is_an_error(outs, refusal):
    made = outs()
    barcodes = list(made.positions.index[made.in_tissue])
    barcodes[1] = barcodes[0]
    _write_matrix(made, barcodes=barcodes)
    problem = refusal(made.root)
    assert problem.file == "filtered_feature_bc_matrix.h5"
    assert barcodes[0] in problem.found


def test_row_15_duplicate_barcode_among_the_positions_is_an_error(outs, refusal, edit_positions):
    made = outs()
    edit_positions(made, pd.concat([made.positions, made.positions.iloc[:1]]))
    problem = refusal(made.root)
    assert problem.file == "spatial/tissue_positions_list.csv"
    assert made.positions.index[0] in problem.found


def test_row_16_several_libraries_are_an_error_that_names_them(outs, refusal):
    problem = refusal(outs(library_ids=("brain_1", "brain_2")).root)
    assert "brain_1, brain_2" in problem.found


def test_row_18_no_spot_in_tissue_is_an_error(outs, refusal, edit_positions):
    made = outs()
    edit_positions(made, made.positions.assign(in_tissue=0))
    problem = refusal(made.root)
    assert problem.file == "spatial/tissue_positions_list.csv"
    assert "in tissue" in problem.found


def test_row_18_all_spots_in_tissue_are_handled(outs, handled, edit_positions):
    made = outs()
    edit_positions(made, made.positions.assign(in_tissue=1))
    assert "All positions are in tissue" in handled(made.root)
    _, record = ingest_outs(made.root, "S1")
    assert record.metrics.get("fraction_umi_outside_tissue") is None


def test_row_18_matrix_of_other_spots_than_those_in_tissue_is_an_error(outs, refusal):
    made = outs()
    outside = ~made.in_tissue
    _write_matrix(made, made.counts[outside], barcodes=made.positions.index[outside])
    assert "no barcode with a position in tissue" in refusal(made.root).found


def test_row_19_spots_without_counts_are_handled(outs, passed):
    made = outs()
    counts = made.counts[made.in_tissue].copy()
    counts[:7] = 0
    _write_matrix(made, counts)
    record = passed(made.root)
    assert record.metrics["n_spots_without_counts"] == 7
    assert "Spots in tissue without counts: 7." in "".join(message.text for message in record.messages)
    assert ingest_outs(made.root, "S1")[0].n_obs == 93


def test_row_19_no_counts_at_all_are_an_error(outs, refusal):
    made = outs()
    _write_matrix(made, np.zeros_like(made.counts[made.in_tissue]))
    assert refusal(made.root).found == "no counts in tissue"


def test_row_20_duplicate_symbols_are_handled(outs, handled):
    made = outs()
    features = made.features.copy()
    features.loc[[3, 4], "name"] = features.loc[0, "name"]
    _write_matrix(made, features=features)
    assert "2 duplicated gene symbols" in handled(made.root)
    adata, _ = ingest_outs(made.root, "S1")
    assert adata.var_names.is_unique
    assert list(adata.var["gene_ids"]) == list(features["id"])


def test_row_21_antibodies_are_handled(outs, passed):
    made = outs(antibodies=3)
    record = passed(made.root)
    assert record.metrics["n_antibodies"] == 3
    assert any("3 antibodies were moved to obsm['protein']" in message.text for message in record.messages)
    assert ingest_outs(made.root, "S1")[0].obsm["protein"].shape == (100, 3)


def test_row_21_antibodies_alone_are_an_error(outs, refusal):
    made = outs()
    _write_matrix(made, features=made.features.assign(feature_type="Antibody Capture"))
    assert "Gene Expression" in refusal(made.root).expected


def test_row_22_two_genomes_are_handled(outs, passed):
    record = passed(outs(genomes=("GRCh38", "mm10")).root)
    assert record.metrics["genomes"] == "GRCh38, mm10"
    assert any("several genomes" in message.text for message in record.messages)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(lambda counts: np.log1p(counts), "not whole numbers", id="normalised"),
        pytest.param(lambda counts: -counts, "negative", id="negative"),
        pytest.param(lambda counts: np.where(counts > 0, np.nan, 0), "not finite", id="NaN"),
    ],
)
def test_row_23_no_counts_in_the_matrix_is_an_error(outs, refusal, change, found: str):
    made = outs()
    _write_matrix(made, change(made.counts[made.in_tissue]), data_dtype=np.float64)
    problem = refusal(made.root)
    assert problem.file == "filtered_feature_bc_matrix.h5"
    assert found in problem.found
    assert "raw UMI counts" in problem.expected


def test_row_24_no_mitochondrial_genes_is_handled(outs, passed):
    record = passed(outs().root)
    assert record.metrics["has_mt_genes"] is False
    assert any("is a mitochondrial gene, so their share" in message.text for message in record.messages)


def test_row_24_mitochondrial_genes_are_found_by_symbol(outs, passed):
    made = outs()
    features = made.features.copy()
    features.loc[:1, "name"] = ["mt-Co1", "Rps2"]
    _write_matrix(made, features=features)
    record = passed(made.root)
    assert record.metrics["has_mt_genes"] is True
    assert not any("mitochondrial" in message.text for message in record.messages)


def test_raw_matrix_alone_counts_only_tissue(outs, passed):
    made = outs(filtered=False, raw=True)
    record = passed(made.root)
    assert record.metrics["n_spots"] == 100
    assert record.metrics["umis_in_tissue"] == made.counts[made.in_tissue].sum()


def test_problems_of_both_files_are_told(outs, refused, edit_positions):
    made = outs(library_ids=("a", "b"))
    made = replace(made, positions=made.positions.assign(in_tissue=0))
    edit_positions(made, made.positions)
    assert {problem.file for problem in refused(made.root)} == {
        "filtered_feature_bc_matrix.h5",
        "spatial/tissue_positions_list.csv",
    }


def test_more_bins_than_the_steps_can_take_are_refused_before_they_are_read(outs, refusal, monkeypatch):
    made = outs(chemistry="hd", bins=(2, 8, 16))
    monkeypatch.setattr(spots, "MOST_BINS", 99)
    monkeypatch.setattr("clearspot.io.preflight.check.read_matrix", None)
    problem = refusal(made.root, bin_size_um=2)
    assert problem.found == "100 bins of 2 µm"
    assert problem.expected == "at most 99 bins"
    assert problem.mend == "set bin_size_um to 8 or 16"
    problem = refusal(made.root, bin_size_um=16)
    assert "--custom-bin-size" in problem.mend


def test_bins_of_2_um_are_checked_where_there_are_few(outs, passed):
    assert passed(outs(chemistry="hd", bins=(2, 8)).root, bin_size_um=2).metrics["n_spots"] == 100
