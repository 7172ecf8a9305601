"""Genes and antibodies are taken apart, and every gene gets a symbol of its own."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.feature_table import feature_table
from clearspot.io.features import split_features
from tests.helpers.outs_factory import make_features


def matrix(features, counts=None):
    counts = np.arange(2 * len(features)).reshape(2, -1) if counts is None else counts
    columns = (features[name].to_numpy(dtype=object) for name in ("id", "name", "feature_type", "genome"))
    table, messages = feature_table(*columns)
    return FeatureMatrix(csr_matrix(counts, dtype=np.int32), pd.Index(["A", "B"]), table, messages=messages)


def texts(split):
    return " | ".join(message.text for message in split.messages)


def test_genes_alone_are_passed_on_without_a_copy():
    whole = matrix(make_features(4))
    split = split_features(whole)
    assert split.genes is whole.counts
    assert (split.proteins, split.messages) == (None, ())
    assert list(split.var.index) == ["GENE0", "GENE1", "GENE2", "GENE3"]
    assert list(split.var.columns) == ["gene_ids", "feature_types", "genome"]


def test_antibodies_go_aside():
    split = split_features(matrix(make_features(3, antibodies=2)))
    np.testing.assert_array_equal(split.genes.toarray(), [[0, 1, 2], [5, 6, 7]])
    np.testing.assert_array_equal(split.proteins.to_numpy(), [[3, 4], [8, 9]])
    assert list(split.proteins.columns) == ["CD0.1", "CD1.1"]
    assert list(split.proteins.index) == ["A", "B"]
    assert split.proteins.to_numpy().dtype == np.int32
    assert "2 antibodies" in texts(split)


def test_antibodies_with_names_that_no_column_can_have():
    names = ["HLA-A/B/C", "_index", "CD3", "cd3", "CD3", "HLA-A_B_C", "anti IgG"]
    features = make_features(2, antibodies=7)
    features.loc[2:, "name"] = names
    split = split_features(matrix(features))
    assert split.protein_names == tuple(names)
    assert list(split.proteins.columns) == ["HLA-A_B_C", "index", "CD3", "cd3-1", "CD3-2", "HLA-A_B_C-1", "anti_IgG"]
    np.testing.assert_array_equal(split.proteins.loc["A"], np.arange(2, 9))
    assert "6 antibody names are not valid column names and were changed" in texts(split)


def test_other_feature_types_are_left_out_and_named():
    features = make_features(3, antibodies=1).replace("Antibody Capture", "CRISPR Guide Capture")
    split = split_features(matrix(features))
    assert (split.genes.shape, split.proteins) == ((2, 3), None)
    assert "1 features of type CRISPR Guide Capture were excluded" in texts(split)


def test_repeated_symbols_become_unique_and_ids_stay():
    features = make_features(4).assign(name=["TBCE", "X", "TBCE", "TBCE"])
    split = split_features(matrix(features))
    assert list(split.var.index) == ["TBCE", "X", "TBCE-1", "TBCE-2"]
    assert list(split.var["gene_ids"]) == list(features["id"])
    assert "2 duplicated gene symbols" in texts(split)


def test_symbol_that_looks_numbered_already():
    split = split_features(matrix(make_features(3).assign(name=["A", "A", "A-1"])))
    assert split.var.index.is_unique
    assert list(split.var.index[[0, 2]]) == ["A", "A-1"]


def test_gene_without_symbol_is_called_by_its_id():
    features = make_features(2).assign(name=["", "X"])
    assert list(split_features(matrix(features)).var.index) == [features["id"].iloc[0], "X"]


def test_two_genomes_are_kept_and_named():
    split = split_features(matrix(make_features(4, genomes=("GRCh38", "mm10"))))
    assert list(split.var["genome"]) == ["GRCh38", "GRCh38", "mm10", "mm10"]
    assert "several genomes: GRCh38, mm10" in texts(split)


def test_repeated_ids_are_warned_of():
    split = split_features(matrix(make_features(2).assign(id="ENSG1")))
    assert [message.level for message in split.messages] == ["warning"]
