"""The sections of a study as one AnnData: passing spots, shared genes, a graph without edges between sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.contract.flags import read_flag
from clearspot.errors import BadInputError, Problem
from clearspot.io.section_file import read_section
from clearspot.qc.passing import passing_genes, passing_spots
from clearspot.record import Message
from clearspot.study.design import COLUMNS, Design

FEWEST_SECTIONS: Final = 2
SMALLEST_SHARE: Final = 0.5
"""Share of the smallest section's genes that all sections must have."""

_KEPT: Final = (
    keys.SAMPLE_ID, keys.LIBRARY_ID, keys.ARRAY_ROW, keys.ARRAY_COL, keys.TOTAL_COUNTS, keys.DOMAIN_GMM,
    keys.DOMAIN_LEIDEN, *COLUMNS,
)  # fmt: skip


def gather_sections(
    files: Sequence[Path], study: str, n_expected: int | None = None
) -> tuple[ad.AnnData, Design, list[Message]]:
    """Read the sections of a study.

    Parameters
    ----------
    files
        One ``.h5ad`` a section, after quality control and the graph.
    study
        Name of the study, for messages.
    n_expected
        Sections that the samplesheet has of it.

    Returns
    -------
    Spots that passed quality control, with ``layers['counts']`` of the shared genes, ``obs['barcode']``,
    ``obsm['spatial']`` and the graph, named ``<sample>_<barcode>``; the design; messages.

    Raises
    ------
    BadInputError
        If fewer than two sections are left, or their genes have too little in common.
    """
    if len(files) < FEWEST_SECTIONS:
        of = "" if n_expected is None else f" of {n_expected}"
        raise _bad(
            study,
            f"{len(files)}{of} sections",
            f"at least {FEWEST_SECTIONS} sections that went through denoising",
            "see why the others were refused, or leave the column study empty",
        )
    parts = sorted((section_part(read_section(Path(path))) for path in files), key=lambda part: part.uns["sample"])
    messages = []
    if n_expected is not None and len(parts) < n_expected:
        text = f"{n_expected - len(parts)} of {n_expected} sections were refused or failed, and are not in the study."
        messages.append(Message("warning", text))
    genes, note = _shared_genes(parts, study)
    messages += note
    ranks = pd.DataFrame({part.uns["sample"]: part.var[keys.HVG_RANK].reindex(genes) for part in parts})
    design = Design(
        pd.DataFrame(
            {name: [part.uns[name] for part in parts] for name in COLUMNS},
            index=[part.uns["sample"] for part in parts],
            dtype=object,
        )
    )
    scales = {part.uns["sample"]: {"scalefactors": part.uns["scalefactors"]} for part in parts}
    shared = [part[:, genes] for part in parts]
    joined = ad.concat(shared, join="inner", merge="first", pairwise=True, index_unique=None)
    of_interest = _of_interest(shared, genes)
    joined.var = joined.var[[name for name in (keys.GENE_IDS, keys.GENE_PASS) if name in joined.var]]
    joined.var[keys.GENE_OF_INTEREST] = of_interest
    joined.uns[keys.UNS_SPATIAL] = scales
    joined.uns["ranks"] = ranks
    return joined, design, messages


def choose_variable_genes(adata: ad.AnnData, n_top: int) -> None:
    """Set ``var['highly_variable']`` and their rank: variable in the most sections, the best median rank first."""
    ranks = adata.uns.pop("ranks")
    table = pd.DataFrame({"sections": ranks.notna().sum(axis=1), "rank": ranks.median(axis=1)})
    order = table[table["sections"] > 0].sort_values(["sections", "rank"], ascending=[False, True], kind="stable")
    chosen = order.index[:n_top]
    adata.var[keys.HIGHLY_VARIABLE] = adata.var_names.isin(chosen)
    adata.var[keys.HVG_RANK] = pd.Series(np.arange(len(chosen), dtype=float), chosen).reindex(adata.var_names)


def section_part(adata: ad.AnnData) -> ad.AnnData:
    """What a study needs of one section."""
    sample = str(adata.obs[keys.SAMPLE_ID].iloc[0])
    rows = np.flatnonzero(passing_spots(adata, sample))
    obs = adata.obs.iloc[rows][[name for name in _KEPT if name in adata.obs]].copy()
    obs[keys.BARCODE] = obs.index.astype(str)
    obs.index = [f"{sample}_{barcode}" for barcode in obs.index]
    kept = (keys.GENE_IDS, keys.HVG_RANK, keys.GENE_OF_INTEREST)
    var = adata.var[[name for name in kept if name in adata.var]].copy()
    var[keys.GENE_PASS] = passing_genes(adata, sample)
    if keys.HVG_RANK not in var:
        var[keys.HVG_RANK] = np.nan
    part = ad.AnnData(obs=obs, var=var, layers={keys.COUNTS: csr_matrix(read_counts(adata, sample)[rows])})
    part.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL])[rows]
    part.obsp[keys.CONNECTIVITIES] = csr_matrix(adata.obsp[keys.CONNECTIVITIES])[rows][:, rows]
    part.uns["sample"] = sample
    for name in COLUMNS:
        part.uns[name] = str(adata.obs[name].iloc[0]) if name in adata.obs else None
    pictures = list(adata.uns.get(keys.UNS_SPATIAL, {}).values())
    factors = dict(pictures[0].get("scalefactors", {})) if pictures else {}
    part.uns["scalefactors"] = {name: float(np.asarray(value)) for name, value in factors.items()}
    return part


def _of_interest(parts: list[ad.AnnData], genes: pd.Index) -> NDArray[np.bool_]:
    """Mask of the genes that the user named for any section."""
    found = np.zeros(len(genes), dtype=bool)
    for part in parts:
        if keys.GENE_OF_INTEREST in part.var:
            found |= read_flag(part.var, keys.GENE_OF_INTEREST, part.uns["sample"], "var")
    return found


def _shared_genes(parts: list[ad.AnnData], study: str) -> tuple[pd.Index, list[Message]]:
    genes = parts[0].var_names
    for part in parts[1:]:
        genes = genes[genes.isin(part.var_names)]
    smallest, largest = min(part.n_vars for part in parts), max(part.n_vars for part in parts)
    if len(genes) < SMALLEST_SHARE * smallest:
        raise _bad(
            study,
            f"{len(genes)} genes in all sections, of {smallest} or more in each",
            "sections measured with the same genes",
            "put sections of other species, probe sets or gene names into a study of their own",
        )
    messages = []
    if len(genes) < largest:
        text = f"{len(genes):,} genes are in all sections and were used, of up to {largest:,} in one section."
        messages.append(Message("handled", text))
    return genes, messages


def _bad(study: str, found: str, expected: str, mend: str) -> BadInputError:
    return BadInputError(Problem(study, "study", found, expected, mend))
