"""One parser and one lookup of gene lists."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot.contract.gene_lists import find_genes, gene_names, look_up_genes, parse_gene_list, read_gene_list
from clearspot.errors import BadInputError

THREE = ("CD3E", "CD4", "CD8A")


@pytest.mark.parametrize(
    "text",
    [
        "CD3E\nCD4\nCD8A",
        "CD3E\r\nCD4\r\n\r\nCD8A\r\n",
        "\ufeffCD3E\nCD4\nCD8A\n",
        "CD3E, CD4 CD8A",
        "CD3E,CD4,CD8A",
        "CD3E;CD4;CD8A",
        "CD3E\tCD4\tCD8A\n",
        "CD3E, CD4,\nCD8A",
        "# T cells\nCD3E  # pan\nCD4\nCD8A\nCD3E",
        '"CD3E"\n\'CD4\'\n"CD8A"',
        "gene\nCD3E\nCD4\nCD8A",
        "Gene Symbol\nCD3E\nCD4\nCD8A",
        "gene symbol\nCD3E, CD4\nCD8A",
        "gene,CD3E,CD4,CD8A",
        "gene\nCD3E, CD4, CD8A",
        "CD3E CD4\nCD8A",
    ],
)
def test_every_name_of_a_list_counts(text):
    assert parse_gene_list(text) == THREE


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "rows",
    [
        [["gene", "score"], ["CD3E", "1.2"], ["CD4", "3"], ["CD8A", "0"]],
        [["", "gene", "score"], ["0", "CD3E", "1.2"], ["1", "CD4", "3"], ["2", "CD8A", "0"]],
        [
            ["gene_id", "Gene name"],
            ["ENSG00000198851", "CD3E"],
            ["ENSG00000010610", "CD4"],
            ["ENSG00000153563", "CD8A"],
        ],
        [['"gene"', '"p"'], ['"1"', '"CD3E"', "0.1"], ['"2"', '"CD4"', "0.1"], ['"3"', '"CD8A"', "0.1"]],
        [["cell type", "marker"], ["T cell", "CD3E"], ["T cell", "CD4"], ["T cell", "CD8A"]],
        [["CD3E", "T cells"], ["CD4", "helper"], ["CD8A", "killer"]],
        [["CD3E", "7"], ["CD4", "high"], ["CD8A", "1e-5"]],
        [["CD3E", "ENSG00000198851"], ["CD4", "ENSG00000010610"], ["CD8A", "ENSG00000153563"]],
    ],
)
def test_one_column_of_a_table_counts(rows, separator):
    assert parse_gene_list("\n".join(separator.join(row) for row in rows)) == THREE


def test_blank_separated_table_with_a_header():
    assert parse_gene_list("gene celltype\nCD3E T\nCD4 T\nCD8A T\n") == THREE


def test_features_file_of_space_ranger_gives_its_ids():
    text = "ENSG00000198851\tCD3E\tGene Expression\nENSG00000010610\tCD4\tGene Expression\n"
    assert parse_gene_list(text) == ("ENSG00000198851", "ENSG00000010610")


def test_labels_that_repeat_make_a_table_of_a_file_without_header():
    assert parse_gene_list("CD3E,T\nCD4,T\nMS4A1,B\nCD79A,B\n") == ("CD3E", "CD4", "MS4A1", "CD79A")


def test_rows_of_genes_are_no_table_and_lose_none():
    assert parse_gene_list("CD3E,CD4\nCD8A,PTPRC\n") == ("CD3E", "CD4", "CD8A", "PTPRC")


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "gene\n", " , ;\t\n"])
def test_text_without_names(text):
    assert parse_gene_list(text) == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_of_a_file(tmp_path, encoding):
    path = tmp_path / "genes.txt"
    path.write_bytes("CD3E # \u00e9\nCD4\nCD8A\n".encode(encoding))
    assert read_gene_list(str(path)) == THREE


@pytest.mark.parametrize(
    "content",
    [b"", b"\n# nothing\n", b"\x89HDF\r\n\x1a\n\0\0", b"PK\x03\x04xl/workbook.xml", b"\x1f\x8b\x08CD3E"],
    ids=["empty", "comment", "hdf5", "xlsx", "gzip"],
)
def test_file_without_names_or_text_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "panel.txt"
    path.write_bytes(content)
    with pytest.raises(BadInputError) as refused:
        read_gene_list(path)
    assert refused.value.problems[0].file == "panel.txt"


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(BadInputError, match="cannot be read"):
        read_gene_list(tmp_path / name)


@pytest.mark.parametrize(
    "value", [["CD3E", "CD4", "CD8A"], THREE, np.array(THREE), pd.Index(THREE), "CD3E, CD4 CD8A", [*THREE, "CD4 "]]
)
def test_settings_take_any_collection_of_names(value):
    assert gene_names(value) == THREE


@pytest.fixture
def adata() -> ad.AnnData:
    var = pd.DataFrame(
        {
            "gene_ids": [
                "ENSG00000081237",
                "ENSG00000198851.10",
                "ENSG00000010610",
                "ENSG00000153563",
                "ENSG00000111111",
            ]
        },
        index=["PTPRC", "CD3E", "Cd4", "CD4", "TWIN"],
    )
    return ad.AnnData(np.ones((2, 5)), var=var)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("PTPRC", [0]),
        ("ptprc", [0]),
        ("ENSG00000081237", [0]),
        ("ensg00000081237", [0]),
        ("ENSG00000081237.19", [0]),
        ("ENSG00000198851", [1]),
        ("ENSG00000198851.2", [1]),
        ("Cd4", [2]),
        ("CD4", [3]),
    ],
)
def test_name_is_found_as_symbol_or_id(adata, name, columns):
    lookup = look_up_genes(adata, [name])
    assert lookup.columns.tolist() == columns
    assert not lookup.absent


def test_name_that_fits_several_genes_but_for_its_case_is_absent_and_names_them(adata):
    assert look_up_genes(adata, ["cd4"]).absent == {"cd4": ("Cd4", "CD4")}


def test_symbol_wins_over_an_id_of_the_same_name(adata):
    adata.var_names = ["PTPRC", "CD3E", "Cd4", "CD4", "ENSG00000081237"]
    assert look_up_genes(adata, ["ENSG00000081237"]).columns.tolist() == [4]


def test_repeated_symbols_are_all_found_and_columns_come_once(adata):
    adata.var_names = ["A", "B", "A", "C", "D"]
    assert look_up_genes(adata, ["A", "ENSG00000081237", "B"]).columns.tolist() == [0, 1, 2]


def test_symbols_of_a_section_indexed_by_ids(adata):
    var = adata.var.reset_index(names="feature_name").set_index("gene_ids")
    assert look_up_genes(var, ["PTPRC", "CD4"]).columns.tolist() == [0, 3]


def test_absent_names_come_with_the_nearest_symbols(adata):
    lookup = look_up_genes(adata, ["PTPRD", "CD3E", "NOTHING"])
    assert lookup.absent == {"PTPRD": ("PTPRC",), "NOTHING": ()}
    assert lookup.warning("genes of interest") == (
        "2 of 3 genes of interest are not in the sample: PTPRD (nearest: PTPRC), NOTHING."
    )
    assert lookup.mask(5).tolist() == [False, True, False, False, False]


def test_long_list_of_absent_names_is_cut_short(adata):
    words = look_up_genes(adata, [f"X{number}" for number in range(25)]).warning("genes")
    assert words.endswith("X9 and 15 more.")


def test_all_found_needs_no_words(adata):
    assert look_up_genes(adata, ["PTPRC"]).warning("genes") is None
    assert look_up_genes(adata, []).warning("genes") is None


def test_list_of_which_nothing_is_there_is_refused(adata):
    with pytest.raises(BadInputError) as refused:
        find_genes(adata, ["Zzz3", "Qqq1"], "s1", "genes of interest")
    problem = refused.value.problems[0]
    assert (problem.sample, problem.file) == ("s1", "list of genes of interest")
    assert "Zzz3, Qqq1" in problem.found
    assert "PTPRC" in problem.expected
