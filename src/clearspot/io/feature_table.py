"""The table of a matrix's features, with what converters are known to leave wrong set right."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.record import Message

SYMBOLS: Final = "gene_symbols"

_TYPES: Final = {
    "": keys.GENE_EXPRESSION,
    "gene": keys.GENE_EXPRESSION,
    "geneexpression": keys.GENE_EXPRESSION,
    "antibody": keys.ANTIBODY_CAPTURE,
    "antibodycapture": keys.ANTIBODY_CAPTURE,
}
"""Feature types without case and punctuation. ``Gene<TAB>Expression`` leaves the first word alone in its column."""

_STABLE_ID: Final = r"^(?:[A-Za-z0-9.-]+_+)?(?:ENS[A-Z]*G\d{6}|FBgn\d{7}|WBGene\d{8})"
_NO_SYMBOL: Final = ("NA", "N/A", "<NA>", "NaN", "nan", "None", "NULL", "null", "-", ".")
"""What R and pandas write for a missing symbol. Only where it repeats: `nan` is a gene of Drosophila."""


def feature_table(
    ids: NDArray[np.object_],
    symbols: NDArray[np.object_] | None,
    types: NDArray[np.object_] | None,
    genomes: NDArray[np.object_] | None,
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Make the table of features; what a file does not state gets the value that old files imply.

    Returns
    -------
    DataFrame, tuple of Message
        ``gene_ids``, ``gene_symbols``, ``feature_types`` and ``genome``; and what was set right.
    """
    messages: list[Message] = []
    if symbols is not None and _are_exchanged(ids, symbols):
        ids, symbols = symbols, ids
        messages.append(
            Message("handled", "Gene ids and symbols were swapped in the feature list; this was corrected.")
        )
    table = pd.DataFrame(
        {
            keys.GENE_IDS: ids,
            SYMBOLS: ids if symbols is None else _named(ids, symbols, messages),
            keys.FEATURE_TYPES: keys.GENE_EXPRESSION if types is None else _canonical_types(types, messages),
            keys.GENOME: "" if genomes is None else genomes,
        },
    )
    return table, tuple(messages)


def _are_exchanged(ids: NDArray[np.object_], symbols: NDArray[np.object_]) -> bool:
    """Whether most symbols look like an annotation's stable ids, and hardly any id does."""
    if len(ids) == 0:
        return False
    stable, plain = (pd.Series(names, dtype=object).str.match(_STABLE_ID).mean() for names in (symbols, ids))
    return bool(stable > 0.5 and plain < 0.1)


def _named(ids: NDArray[np.object_], symbols: NDArray[np.object_], messages: list[Message]) -> NDArray[np.object_]:
    """Symbols, with the id where a gene has none."""
    series = pd.Series(symbols, dtype=object)
    missing = (series == "") | (series.isin(_NO_SYMBOL) & series.duplicated(keep=False))
    if missing.any():
        messages.append(Message("handled", f"{missing.sum()} features have no symbol and are named by their id."))
    return np.where(missing, ids, symbols)


def _canonical_types(types: NDArray[np.object_], messages: list[Message]) -> NDArray[np.object_]:
    series = pd.Series(types, dtype=object)
    renamed = {}
    for written in series.unique():
        known = _TYPES.get(re.sub(r"[^a-z]", "", str(written).lower()))
        if known is not None and known != written:
            renamed[written] = known
            messages.append(Message("handled", f"Features of type '{written}' were read as '{known}'."))
    return series.replace(renamed).to_numpy(dtype=object) if renamed else types
