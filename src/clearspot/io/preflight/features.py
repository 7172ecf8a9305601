"""What the matrix counts: libraries, genes, antibodies, genomes (rows 16, 20 to 22 and 24)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from clearspot import keys
from clearspot.io.collecting import collecting
from clearspot.io.consistency import require_genes, require_one_library
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.feature_table import SYMBOLS
from clearspot.io.features import split_features
from clearspot.qc.genes import GENE_SETS, TITLES, gene_set_masks
from clearspot.record import StepRecord

_HAS_GENES: Final = {"mt": "has_mt_genes", "ribo": "has_ribo_genes", "hb": "has_hb_genes"}
"""Gene set -> metric that says whether the matrix has such genes."""


def check_features(record: StepRecord, matrix: FeatureMatrix, file: Path) -> None:
    """Record what is counted, and what is wrong or odd about it.

    Parameters
    ----------
    record
        Gets metrics, messages and problems.
    matrix, file
        The matrix to analyse, and where it came from.
    """
    with collecting(record):
        record.metrics["library_id"] = require_one_library(matrix, file, record.sample)
    with collecting(record):
        require_genes(matrix, file, record.sample)
    types = matrix.features[keys.FEATURE_TYPES]
    genes = matrix.features[types == keys.GENE_EXPRESSION]
    genomes = [genome for genome in genes[keys.GENOME].unique() if genome]
    record.metrics |= {
        "n_barcodes": matrix.counts.shape[0],
        "n_features": matrix.counts.shape[1],
        "n_entries": matrix.counts.nnz,
        "n_genes": len(genes),
        "n_antibodies": int((types == keys.ANTIBODY_CAPTURE).sum()),
        "n_repeated_symbols": int(genes[SYMBOLS].duplicated().sum()),
        "genomes": ", ".join(genomes) or None,
        "chemistry": matrix.chemistry,
        "software_version": matrix.software_version,
    }
    # only the names are looked at: no part of the matrix is copied
    names_only = replace(matrix, counts=matrix.counts[:0], barcodes=matrix.barcodes[:0])
    record.messages += split_features(names_only).messages
    masks = gene_set_masks(genes[SYMBOLS].tolist(), genomes)
    record.metrics |= {_HAS_GENES[name]: bool(masks[name].any()) for name in GENE_SETS}
    for name in ("mt", "ribo"):
        if len(genes) and not masks[name].any():
            record.note(
                "handled",
                f"None of the {len(genes)} genes is a {TITLES[name]} gene, so their share is not measured or filtered.",
            )
