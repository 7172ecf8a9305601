"""Genes that the user asks for by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

import anndata as ad
import numpy as np

from clearspot import keys

_HINTS: Final = 20
"""Absent names for which the nearest symbols are looked up: it compares with every gene, and a longer list of absent
genes means another species or another kind of name, not misprints."""


def flag_genes_of_interest(adata: ad.AnnData, names: Sequence[str]) -> dict[str, list[str]]:
    """Set ``var['gene_of_interest']`` in place.

    Parameters
    ----------
    adata
        Annotated matrix; names are looked up among the symbols, then among the gene ids, case ignored.
    names
        Symbols or gene ids.

    Returns
    -------
    Names that the sample lacks, each of the first 20 with the nearest symbols it has.
    """
    symbols = [str(name).casefold() for name in adata.var_names]
    ids = [str(name).casefold() for name in adata.var[keys.GENE_IDS]] if keys.GENE_IDS in adata.var else []
    rows: dict[str, int] = {name: row for row, name in reversed(list(enumerate(ids)))}
    rows |= {name: row for row, name in reversed(list(enumerate(symbols)))}
    flagged = np.zeros(adata.n_vars, dtype=bool)
    absent: dict[str, list[str]] = {}
    for name in names:
        row = rows.get(name.casefold())
        if row is None:
            near = get_close_matches(name.casefold(), symbols, n=3) if len(absent) < _HINTS else []
            absent[name] = [str(adata.var_names[rows[match]]) for match in near]
        else:
            flagged[row] = True
    adata.var[keys.GENE_OF_INTEREST] = flagged
    return absent


def read_gene_list(text: str) -> tuple[str, ...]:
    """Gene names of a text or CSV file: its first column; empty lines and what follows a ``#`` are left out."""
    lines = (line.split("#", 1)[0].split() for line in text.lstrip("\ufeff").replace(",", " ").splitlines())
    return tuple(dict.fromkeys(words[0] for words in lines if words))
