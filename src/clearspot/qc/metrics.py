"""Metrics of every spot and gene, as scanpy computes them."""

from __future__ import annotations

import anndata as ad
import numpy as np

from clearspot import keys
from clearspot.contract.safe_keys import safe_key
from clearspot.qc.genes import GENE_SETS, gene_set_masks


def add_qc_metrics(adata: ad.AnnData) -> list[str]:
    """Add scanpy's quality control metrics to ``obs`` and ``var``, in place.

    A gene set without a single count in the sample was not measured (FFPE probe sets leave out mitochondrial and
    ribosomal genes, and some matrices list genes that no probe covers): it gets no columns, because a percentage of 0
    would read as a measurement.

    Returns
    -------
    The gene sets that were measured, of ``mt``, ``ribo`` and ``hb``.
    """
    import scanpy as sc

    genomes = adata.var[keys.GENOME].astype(str).tolist() if keys.GENOME in adata.var else None
    counts_of_gene = np.asarray(adata.layers[keys.COUNTS].sum(axis=0)).ravel()
    measured = []
    for name, mask in gene_set_masks(adata.var_names.tolist(), genomes).items():
        if counts_of_gene[mask].sum() > 0:
            adata.var[name] = mask
            measured.append(name)
    sc.pp.calculate_qc_metrics(adata, layer=keys.COUNTS, qc_vars=measured, percent_top=None, log1p=False, inplace=True)
    return measured


def add_genome_metrics(adata: ad.AnnData) -> list[str]:
    """Add counts, genes and percentages of each genome to ``obs`` where there are several, in place.

    Adds ``total_counts_<genome>``, ``n_genes_by_counts_<genome>``, ``pct_counts_<genome>`` and, where mitochondrial
    genes were measured, ``pct_counts_mt_<genome>`` (of that genome's own counts).

    Returns
    -------
    The genomes, sorted; empty where there is only one.
    """
    if keys.GENOME not in adata.var:
        return []
    genome_of_gene = adata.var[keys.GENOME].astype(str).to_numpy()
    genomes = sorted(set(genome_of_gene))
    if len(genomes) < 2:
        return []
    for genome in genomes:
        suffix = column_suffix(genome)
        of_genome = genome_of_gene == genome
        block = adata.layers[keys.COUNTS][:, of_genome]
        total = np.asarray(block.sum(axis=1)).ravel()
        adata.obs[keys.of_genome(keys.TOTAL_COUNTS, suffix)] = total
        adata.obs[keys.of_genome(keys.N_GENES, suffix)] = block.getnnz(axis=1)
        adata.obs[keys.percent_of(suffix)] = _percent(total, adata.obs[keys.TOTAL_COUNTS].to_numpy())
        if "mt" in adata.var:
            mito = np.asarray(block[:, adata.var["mt"].to_numpy()[of_genome]].sum(axis=1)).ravel()
            adata.obs[keys.of_genome(keys.percent_of("mt"), suffix)] = _percent(mito, total)
    return genomes


def column_suffix(genome: str) -> str:
    """A genome's name as part of a column's name."""
    return safe_key(genome)


def missing_gene_sets(measured: list[str]) -> list[str]:
    """Gene sets that the sample does not measure."""
    return [name for name in GENE_SETS if name not in measured]


def _percent(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, 100.0 * part / whole, np.nan)
