"""Positions are read from every form, told apart by content, or refused by line."""

import gzip

import numpy as np
import pandas as pd
import pytest

from clearspot.errors import BadInputError
from clearspot.io.positions import read_agreeing_positions, read_positions
from tests.helpers.outs_factory import gzip_file, make_positions, write_positions

TABLE = make_positions(4, 5, bin_um=None, microns_per_pixel=0.5)
NAMES = ["tissue_positions.csv", "tissue_positions_list.csv", "x_tissue_positions.txt"]


def assert_is_the_table(found, table=TABLE):
    # pandas 3 has a type of its own for text
    pd.testing.assert_frame_equal(found, table.astype({"in_tissue": bool}), check_index_type=False)


def refused(path, *words):
    with pytest.raises(BadInputError) as caught:
        read_positions(path, "s")
    text = str(caught.value)
    assert all(word in text for word in words), text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("gzipped", [True, False])
def test_csv_whatever_its_name(tmp_path, name, header, gzipped):
    path = tmp_path / name
    write_positions(path, TABLE, header=header)
    assert_is_the_table(read_positions(gzip_file(path) if gzipped else path, "s"))


def test_parquet(tmp_path):
    write_positions(tmp_path / "tissue_positions.parquet", TABLE, header=True)
    assert_is_the_table(read_positions(tmp_path / "tissue_positions.parquet", "s"))


def test_parquet_under_the_name_of_a_csv(tmp_path):
    write_positions(tmp_path / "x.parquet", TABLE, header=True)
    (tmp_path / "x.parquet").rename(tmp_path / "tissue_positions.csv")
    assert_is_the_table(read_positions(tmp_path / "tissue_positions.csv", "s"))


def test_parquet_with_barcodes_as_index(tmp_path):
    TABLE.to_parquet(tmp_path / "x.parquet")
    assert_is_the_table(read_positions(tmp_path / "x.parquet", "s"))


def test_csv_with_byte_order_mark_and_crlf(tmp_path):
    path = tmp_path / "tissue_positions.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TABLE.to_csv(lineterminator="\r\n").encode())
    assert_is_the_table(read_positions(path, "s"))


def test_headerless_csv_with_byte_order_mark(tmp_path):
    path = tmp_path / "tissue_positions_list.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TABLE.to_csv(header=False).encode())
    assert_is_the_table(read_positions(path, "s"))


def test_tab_separated(tmp_path):
    TABLE.to_csv(tmp_path / "tissue_positions.tsv", sep="\t")
    assert_is_the_table(read_positions(tmp_path / "tissue_positions.tsv", "s"))


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separated_by_semicolons_as_spreadsheets_do(tmp_path, decimal, header):
    TABLE.to_csv(tmp_path / "tissue_positions.csv", sep=";", decimal=decimal, header=header)
    assert_is_the_table(read_positions(tmp_path / "tissue_positions.csv", "s"))


@pytest.mark.parametrize(
    "change",
    [
        {"in_tissue": bool},
        {"in_tissue": "uint8", "array_row": "int64", "array_col": "float64"},
        {"in_tissue": "Int32", "array_row": "Int64"},
        {"array_row": str, "pxl_row_in_fullres": str},
    ],
)
def test_parquet_of_other_number_types(tmp_path, change):
    table = TABLE.astype(change).reset_index().astype({"barcode": "category"}).assign(cluster=1, note="a")
    table.to_parquet(tmp_path / "x.parquet", index=False)
    assert_is_the_table(read_positions(tmp_path / "x.parquet", "s"))


def test_header_without_a_name_for_the_barcodes(tmp_path):
    TABLE.to_csv(tmp_path / "tissue_positions.csv", index_label="")
    assert_is_the_table(read_positions(tmp_path / "tissue_positions.csv", "s"))


def test_negative_pixels_are_positions(tmp_path):
    table = TABLE.assign(pxl_col_in_fullres=TABLE["pxl_col_in_fullres"] - 1000)
    write_positions(tmp_path / "p.csv", table, header=True)
    assert read_positions(tmp_path / "p.csv", "s")["pxl_col_in_fullres"].min() < 0


def test_numeric_barcodes_stay_text(tmp_path):
    (tmp_path / "p.csv").write_text("001,1,0,0,10,20\n002,0,0,2,10,30\n")
    assert list(read_positions(tmp_path / "p.csv", "s").index) == ["001", "002"]


@pytest.mark.parametrize("value", ["", "NA", "abc", "nan", "inf"])
@pytest.mark.parametrize(("header", "line"), [(True, "line 4"), (False, "line 3")])
def test_text_and_missing_values_are_named_by_line(tmp_path, value, header, line):
    table = TABLE.astype(object)
    table.iloc[2, 4] = value
    write_positions(tmp_path / "tissue_positions.csv", table, header=header)
    refused(tmp_path / "tissue_positions.csv", "text or missing values in 1 lines", line, TABLE.index[2])


def test_missing_column(tmp_path):
    write_positions(tmp_path / "p.csv", TABLE.drop(columns="array_col"), header=True)
    refused(tmp_path / "p.csv", "missing columns: array_col")


def test_headerless_file_with_other_columns(tmp_path):
    write_positions(tmp_path / "p.csv", TABLE.drop(columns="array_col"), header=False)
    refused(tmp_path / "p.csv", "5 columns instead of 6")


@pytest.mark.parametrize("values", [{"in_tissue": 2}, {"array_row": 0.5}])
def test_values_that_cannot_be(tmp_path, values):
    write_positions(tmp_path / "p.csv", TABLE.assign(**values), header=True)
    refused(tmp_path / "p.csv", "in_tissue values other than 0 and 1, or array indices that are not whole numbers")


def test_header_alone(tmp_path):
    write_positions(tmp_path / "p.csv", TABLE.iloc[:0], header=True)
    refused(tmp_path / "p.csv", "no positions")


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_parquet(tmp_path, part):
    path = tmp_path / "tissue_positions.parquet"
    write_positions(path, TABLE, header=True)
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    refused(path, "cannot be read")


def test_truncated_gzip(tmp_path):
    path = tmp_path / "tissue_positions.csv.gz"
    path.write_bytes(gzip.compress(TABLE.to_csv().encode())[:-20])
    refused(path, "truncated")


def test_binary_under_the_name_of_a_csv(tmp_path):
    (tmp_path / "p.csv").write_bytes(np.random.default_rng(0).bytes(1000))
    refused(tmp_path / "p.csv", "cannot be read")


def test_empty_file(tmp_path):
    (tmp_path / "p.csv").touch()
    refused(tmp_path / "p.csv", "an empty file")


def test_two_files_that_agree_in_another_order_and_rounding(tmp_path):
    write_positions(tmp_path / "a.csv", TABLE, header=True)
    write_positions(tmp_path / "b.csv", TABLE.round()[::-1].astype(int), header=False)
    assert_is_the_table(read_agreeing_positions([tmp_path / "a.csv", tmp_path / "b.csv"], "s"))


@pytest.mark.parametrize(
    "other",
    [TABLE.assign(pxl_row_in_fullres=TABLE["pxl_col_in_fullres"]), TABLE.assign(in_tissue=1), TABLE.iloc[:-1]],
    ids=["swapped pixels", "other tissue", "fewer spots"],
)
def test_two_files_that_disagree_are_refused(tmp_path, other):
    write_positions(tmp_path / "a.csv", TABLE, header=True)
    write_positions(tmp_path / "b.csv", other, header=True)
    with pytest.raises(BadInputError, match=r"positions that differ from a\.csv"):
        read_agreeing_positions([tmp_path / "a.csv", tmp_path / "b.csv"], "s")


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "rows", "in_tissue"),
    [
        ("outs/mouse_cytassist/spatial/tissue_positions.csv", 4992, 2898),
        ("outs/vendor_grid_human/spatial/tissue_positions_list.csv", 2500, 2172),
        ("outs/toy_scanpy_v1/spatial/tissue_positions_list.csv", 4992, 4235),
        ("outs/toy_squidpy_v1_short/spatial/tissue_positions_list.csv", 100, 100),
        ("outs/toy_seurat_v1/spatial/tissue_positions_list.csv", 4992, 2695),
        ("outs/toy_seurat_hd/binned_outputs/square_016um/spatial/tissue_positions.parquet", 1248, 655),
        ("outs/toy_visiumio_hd002/binned_outputs/square_002um/spatial/tissue_positions.parquet", 10, 10),
        ("outs/toy_visiumio_v1_raw/section2/outs/spatial/tissue_positions_list.csv", 49, 22),
        ("outs/toy_sfe_v2/sample01/outs/spatial/tissue_positions.csv", 12, 12),
        ("outs/toy_voltron_v1/spatial/tissue_positions_list.csv", 100, 100),
        ("spatial_only/spatialshiny_cytassist_11mm/spatial/tissue_positions.csv", 14336, 6965),
        ("spatial_only/biodata_cytassist/spatial/tissue_positions.csv", 4992, 2310),
        ("spatial_only/gradients_v1/spatial/tissue_positions_list.csv", 4992, 1937),
    ],
)
def test_real_positions(shared_data, path, rows, in_tissue):
    positions = read_positions(shared_data / path, "s")
    assert (len(positions), int(positions["in_tissue"].sum())) == (rows, in_tissue)
    assert positions.index.is_unique
