"""MEX files as STARsolo, R, pandas and spreadsheet programs leave them: read right, or refused in words."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearspot.errors import BadInputError
from clearspot.io.features import split_features
from clearspot.io.matrix import read_barcode_totals, read_matrix
from clearspot.io.single_spaces import SingleSpaces
from tests.helpers.small_matrix import BARCODES, COUNTS, FEATURES

IDS, NAMES = list(FEATURES["id"]), list(FEATURES["name"])


def lines(*columns):
    return "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True))


GOOD = lines(IDS, NAMES, ["Gene Expression"] * 4)


def put(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(gzip.compress(text.encode(encoding)))


def entries(folder):
    """The header's size line and the entries of the sound matrix."""
    text = gzip.decompress((folder / "matrix.mtx.gz").read_bytes()).decode()
    return [line.split() for line in text.splitlines() if not line.startswith("%")]


def said(matrix):
    return " | ".join(message.text for message in split_features(matrix).messages)


def assert_is_the_matrix(folder):
    matrix = read_matrix(folder, "s")
    np.testing.assert_array_equal(matrix.counts.toarray(), COUNTS)
    np.testing.assert_array_equal(read_barcode_totals(folder, "s").totals, COUNTS.sum(1))
    assert list(matrix.barcodes) == BARCODES
    assert list(matrix.features["gene_ids"]) == IDS
    assert list(matrix.features["gene_symbols"]) == NAMES
    assert set(matrix.features["feature_types"]) == {"Gene Expression"}
    return matrix


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("Gene Expression", "Gene\tExpression"),
        GOOD.replace("Gene Expression", "gene_expression"),
        GOOD.replace("Gene Expression", "GeneExpression"),
        GOOD.replace("Gene Expression", ""),
        lines(IDS, NAMES),
        lines(NAMES, IDS, ["Gene Expression"] * 4),
        "gene_id\tgene_name\tfeature_type\n" + GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n\n",
        "".join('"' + line.replace("\t", '"\t"') + '"\n' for line in GOOD.splitlines()),
    ],
    ids=[
        "tab",
        "underscore",
        "one word",
        "empty",
        "none",
        "swapped",
        "header",
        "BOM",
        "CRLF",
        "blank lines",
        "quoted",
    ],
)
def test_list_of_features(mex, text):
    put(mex, "features.tsv.gz", text)
    assert_is_the_matrix(mex)


def test_what_was_set_right_is_said(mex):
    put(mex, "features.tsv.gz", lines(NAMES, IDS, ["Gene"] * 4))
    text = said(read_matrix(mex, "s"))
    assert "swapped" in text
    assert "type 'Gene' were read as 'Gene Expression'" in text


def test_antibodies_beside_a_split_type(mex):
    types = ["Gene\tExpression"] * 3 + ["Antibody\tCapture"]
    put(mex, "features.tsv.gz", lines(IDS, NAMES, types))
    assert split_features(read_matrix(mex, "s")).proteins.shape == (3, 1)


@pytest.mark.parametrize("names", [NAMES, ["GENE0", *IDS[1:]], IDS])
def test_ids_and_symbols_in_their_places_stay(mex, names):
    put(mex, "features.tsv.gz", lines(IDS, names))
    assert list(read_matrix(mex, "s").features["gene_symbols"]) == names


@pytest.mark.parametrize("name", ['5"-NT', '"AB', 'HSP90"', "a'b", "#gene", "nan", "None", "1-Mar", "Ä", " "])
def test_any_text_may_be_a_symbol(mex, name):
    put(mex, "features.tsv.gz", lines(IDS, [*NAMES[:3], name]))
    assert list(read_matrix(mex, "s").features["gene_symbols"]) == [*NAMES[:3], name]


def test_gene_without_symbol_is_named_by_its_id(mex):
    put(mex, "features.tsv.gz", lines(IDS, ["NA", "", "NA", "NA"]))
    matrix = read_matrix(mex, "s")
    assert list(matrix.features["gene_symbols"]) == IDS
    assert "4 features have no symbol" in said(matrix)


def test_one_column_is_warned_of(mex):
    put(mex, "features.tsv.gz", lines(NAMES))
    matrix = read_matrix(mex, "s")
    assert list(matrix.features["gene_symbols"]) == list(matrix.features["gene_ids"]) == NAMES
    assert "has only one column" in said(matrix)


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        (GOOD.replace("\t", ","), "utf-8", "separated by commas"),
        (GOOD.replace("\t", ";"), "utf-8", "separated by semicolons"),
        (GOOD.replace("\t", " "), "utf-8", "separated by spaces"),
        (GOOD, "utf-16-le", "zero bytes"),
        (GOOD, "utf-16", "zero bytes"),
        (GOOD.replace("GENE0", "Ä"), "latin-1", "cannot be read"),
        (GOOD[: GOOD.index("\n") + 1], "utf-8", "but 1 features"),
    ],
)
def test_list_of_features_that_is_refused(mex, text, encoding, words):
    put(mex, "features.tsv.gz", text, encoding)
    with pytest.raises(BadInputError, match=words):
        read_matrix(mex, "s")


@pytest.mark.parametrize(
    "text",
    ["x\n" + "\n".join(BARCODES), "\ufeff" + "\r\n".join(BARCODES), "".join(f'"{one}"\n' for one in BARCODES)],
)
def test_list_of_barcodes(mex, text):
    put(mex, "barcodes.tsv.gz", text)
    assert_is_the_matrix(mex)


MATRICES = {
    "tabs": ("integer", lambda row: "\t".join(row)),
    "aligned": ("integer", lambda row: " ".join(f"{word:>7}" for word in row)),
    "spaces behind": ("integer", lambda row: " ".join(row) + "  "),
    "R's numbers": ("real", lambda row: f"{float(row[0]):.3e} {row[1]:>4} {float(row[2]):.2e}"),
    "CRLF": ("integer", lambda row: " ".join(row) + "\r"),
    "decimals": ("real", lambda row: f"{row[0]} {row[1]} {row[2]}.000"),
    "blank lines": ("integer", lambda row: " ".join(row) + "\n"),
}


@pytest.mark.parametrize("variant", MATRICES)
@pytest.mark.parametrize("start", ["%%MatrixMarket matrix coordinate {}", "%%matrixmarket MATRIX Coordinate {}"])
def test_entries(mex, variant, start):
    field, written = MATRICES[variant]
    size, *rows = entries(mex)
    text = [f"{start.format(field)} general", "% remark", "", " ".join(size), *map(written, rows)]
    put(mex, "matrix.mtx.gz", "\n".join(text) + "\n")
    assert_is_the_matrix(mex)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.text(" \t", min_size=1, max_size=5), min_size=8), size=st.integers(1, 40))
def test_single_spaces_whatever_the_blocks(gaps, size, tmp_path):
    text = "".join(f"{gap}{i}{gap}{i * 11}{gap}\n" for i, gap in enumerate(gaps))
    (tmp_path / "a").write_text(text)
    with (tmp_path / "a").open("rb") as file:
        blocks = []
        stream = SingleSpaces(file)
        while block := stream.read(size):
            assert len(block) <= size
            blocks.append(block)
    assert b"".join(blocks).decode() == "".join(f"{i} {i * 11}\n" for i in range(len(gaps)))


@pytest.mark.parametrize(
    ("text", "words", "mend"),
    [
        ("%%MatrixMarket matrix array integer general\n4 3\n" + "1\n" * 12, "matrix array", "writeMM"),
        ("%%MatrixMarket matrix coordinate pattern general\n4 3 1\n1 1\n", "pattern general", "whole numbers"),
        ("%%MatrixMarket matrix coordinate integer general\n3 4 1\n1 1 1\n", "it is transposed", "features as rows"),
        ("%%MatrixMarket matrix coordinate real general\n4 3 1\n1.5 1 1\n", "outside the matrix", "copy"),
    ],
)
def test_matrix_that_is_refused(mex, text, words, mend):
    put(mex, "matrix.mtx.gz", text)
    with pytest.raises(BadInputError) as caught:
        read_matrix(mex, "s")
    (problem,) = caught.value.problems
    assert words in problem.found
    assert mend in problem.mend
    assert problem.file == "filtered_feature_bc_matrix/matrix.mtx.gz"
