"""Gene sets of quality control, by symbol, for human and mouse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Human and mouse symbols differ in case only, so one pattern serves both. S6 kinases (RPS6KA1, ...) are no ribosomal
# proteins, and HBEGF, HBP1, HBS1L are no globins: prefixes alone would count them.
_PATTERNS: Final = {
    "mt": r"MT-.+",
    "ribo": r"RP[SL](?!6K).+",
    "hb": r"HB(?:A[12]?|B|D|E1|G[12]|M|Q1[AB]?|Z|[AB]-\w+)",
}

GENE_SETS: Final = tuple(_PATTERNS)
"""Short names as in scanpy's tutorials: mitochondrial, ribosomal protein, haemoglobin."""

TITLES: Final = {"mt": "mitochondrial", "ribo": "ribosomal protein", "hb": "haemoglobin"}


def gene_set_masks(symbols: Sequence[str], genomes: Sequence[str] | None = None) -> dict[str, NDArray[np.bool_]]:
    """Membership of every gene in each set.

    Parameters
    ----------
    symbols
        G gene symbols; a genome's name before the symbol (``GRCh38_MT-CO1``, ``mm10___mt-Co1``) is ignored.
    genomes
        Genome of each gene.

    Returns
    -------
    ``set -> mask`` of length G.
    """
    names = pd.Series(list(symbols), dtype=str)
    prefixes = sorted({re.escape(str(genome)) for genome in (genomes if genomes is not None else []) if str(genome)})
    prefix = f"(?:(?:{'|'.join(prefixes)})_+)?" if prefixes else ""
    return {
        name: names.str.fullmatch(prefix + pattern, flags=re.IGNORECASE).to_numpy(dtype=bool)
        for name, pattern in _PATTERNS.items()
    }
