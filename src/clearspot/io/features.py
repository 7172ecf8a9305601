"""Genes and antibodies of a feature matrix, as the data contract wants them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.contract.safe_keys import safe_keys
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.feature_table import SYMBOLS
from clearspot.record import Message


@dataclass(frozen=True)
class SplitFeatures:
    """The features by their use.

    Parameters
    ----------
    genes
        int32 CSR, spots x genes.
    var
        ``gene_ids``, ``feature_types``, ``genome``, indexed by unique symbols.
    proteins
        int32, spots x antibodies, or None if there are none. The columns are safe keys of the antibodies' names.
    protein_names
        The names as written, in the order of those columns.
    messages
        What was renamed or left out.
    """

    genes: csr_matrix
    var: pd.DataFrame
    proteins: pd.DataFrame | None
    protein_names: tuple[str, ...]
    messages: tuple[Message, ...]


def split_features(matrix: FeatureMatrix) -> SplitFeatures:
    """Take genes and antibodies apart and give each gene a unique symbol (its first keeps the plain one)."""
    messages = list(matrix.messages)
    features = matrix.features
    types = features[keys.FEATURE_TYPES]
    is_gene = (types == keys.GENE_EXPRESSION).to_numpy()
    is_antibody = (types == keys.ANTIBODY_CAPTURE).to_numpy()
    left_out = ~(is_gene | is_antibody)
    if left_out.any():
        kinds = ", ".join(sorted(types[left_out].unique()))
        messages.append(Message("handled", f"{left_out.sum()} features of type {kinds} were excluded."))
    proteins, protein_names = None, tuple(features.loc[is_antibody, SYMBOLS])
    if is_antibody.any():
        messages.append(Message("handled", f"{is_antibody.sum()} antibodies were moved to obsm['{keys.PROTEIN}']."))
        proteins = pd.DataFrame(
            matrix.counts[:, np.flatnonzero(is_antibody)].toarray(),
            index=matrix.barcodes,
            columns=safe_keys(protein_names),
        )
        if changed := sum(key != name for key, name in zip(proteins.columns, protein_names, strict=True)):
            kept = f"uns['{keys.UNS}']['{keys.PROTEIN_NAMES}'] has the original names"
            messages.append(
                Message("handled", f"{changed} antibody names are not valid column names and were changed: {kept}.")
            )
    # slicing columns copies the matrix: only where there is something to leave out
    genes = matrix.counts if is_gene.all() else matrix.counts[:, np.flatnonzero(is_gene)]
    var = features.loc[is_gene, [keys.GENE_IDS, keys.FEATURE_TYPES, keys.GENOME]]
    symbols = features.loc[is_gene, SYMBOLS]
    names = _unique(symbols)
    repeats = int((names != symbols).sum())
    if repeats:
        messages.append(Message("handled", f"{repeats} duplicated gene symbols were numbered."))
    if not var[keys.GENE_IDS].is_unique:
        messages.append(Message("warning", "Some gene ids occur more than once."))
    if var[keys.GENOME].nunique() > 1:
        messages.append(
            Message("handled", f"The genes belong to several genomes: {', '.join(var[keys.GENOME].unique())}.")
        )
    var = var.set_index(names)
    return SplitFeatures(
        genes,
        var.astype({keys.FEATURE_TYPES: "category", keys.GENOME: "category"}),
        proteins,
        protein_names,
        tuple(messages),
    )


def _unique(symbols: pd.Series) -> pd.Index:
    """Number the repeats of a symbol from 1; AnnData's slower way where a numbered one is a symbol already."""
    plain = symbols.to_numpy(dtype=object)
    number = symbols.groupby(symbols, sort=False).cumcount().to_numpy()
    numbered = plain.copy()
    for repeat in np.flatnonzero(number):
        numbered[repeat] = f"{plain[repeat]}-{number[repeat]}"
    names = pd.Index(numbered, dtype=object)
    if names.is_unique:
        return names
    from anndata.utils import make_index_unique

    return make_index_unique(pd.Index(plain, dtype=object))
