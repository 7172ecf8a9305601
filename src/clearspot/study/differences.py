"""Genes that differ between conditions within a shared domain: counts summed by donor, in DESeq2's model."""

from __future__ import annotations

from typing import Final

import anndata as ad
import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.extras import extra
from clearspot.record import Message
from clearspot.study.comparison import FEWEST_DONORS, UNIT, Comparison

FEWEST_COUNTS: Final = 10
"""Counts of a gene over all donors below which it is not tested."""

ROUNDS: Final = 3
"""Most fits of the model, each with size factors from the genes that the one before did not find."""

SEEMS_TO_DIFFER: Final = 0.1
"""Adjusted p-value below which a gene is left out of the size factors."""

FEWEST_CONTROLS: Final = 20
"""Genes counted in all units that the size factors need."""

COLUMNS: Final = (
    "domain", "condition", "reference", "gene", "mean_counts", "log2_fold_change", "standard_error", "p_value",
    "p_adjusted",
)  # fmt: skip


def compare_genes(adata: ad.AnnData, comparison: Comparison, min_spots: int) -> tuple[pd.DataFrame, list[Message]]:
    """Test every gene in every domain.

    Parameters
    ----------
    adata
        With ``layers['counts']``, ``obs['sample_id']`` and ``obs['domain_study']``.
    comparison
        What is compared; its units (a donor in a condition) are the observations.
    min_spots
        Spots of a domain that a unit needs to take part.

    Returns
    -------
    Table with a row per domain, condition and gene, the smallest p-values first, adjusted over all rows (Benjamini and
    Hochberg); and messages about domains that were not tested.
    """
    from scipy.stats import false_discovery_control

    sums, n_spots = _sums(adata, comparison)
    tables, messages = [], []
    for domain in adata.obs[keys.DOMAIN_STUDY].cat.categories:
        chosen = n_spots.index[(n_spots["domain"] == domain) & (n_spots["n"] >= min_spots)]
        units = n_spots.loc[chosen].join(_of_units(comparison), on=UNIT)
        units, why = _fit_to_compare(units, comparison)
        if why:
            text = f"Domain {domain} was not compared between conditions, because {why}."
            messages.append(Message("info", text))
            continue
        tables.append(_tested(sums.loc[units.index], units, comparison).assign(domain=domain))
    if not tables:
        return pd.DataFrame({name: [] for name in COLUMNS}), messages
    table = pd.concat(tables, ignore_index=True)
    known = table["p_value"].notna()
    table["p_adjusted"] = np.nan
    if known.any():
        table.loc[known, "p_adjusted"] = false_discovery_control(table.loc[known, "p_value"])
    table = table.sort_values(["p_value", "domain", "gene"], kind="stable", ignore_index=True)
    return table[list(COLUMNS)], messages


def _sums(adata: ad.AnnData, comparison: Comparison) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts by unit and domain, and what each row is of."""
    import scanpy as sc

    unit = adata.obs[keys.SAMPLE_ID].astype(str).map(comparison.units[UNIT])
    rows = unit.notna().to_numpy()
    part = ad.AnnData(
        adata.layers[keys.COUNTS][rows],
        obs=pd.DataFrame(
            {UNIT: unit[rows].astype("category"), "domain": adata.obs.loc[rows, keys.DOMAIN_STUDY].astype("category")}
        ),
        var=pd.DataFrame(index=adata.var_names),
    )
    found = sc.get.aggregate(part, by=[UNIT, "domain"], func="sum")
    sizes = part.obs.groupby([UNIT, "domain"], observed=True).size()
    about = found.obs[[UNIT, "domain"]].astype(str)
    about["n"] = [int(sizes[unit, domain]) for unit, domain in zip(about[UNIT], about["domain"], strict=True)]
    values = np.rint(np.asarray(found.layers["sum"])).astype(np.int64)
    return pd.DataFrame(values, index=found.obs_names, columns=found.var_names), about


def _of_units(comparison: Comparison) -> pd.DataFrame:
    columns = [UNIT, keys.DONOR, keys.CONDITION, keys.BATCH]
    by_unit = comparison.units[columns].groupby(UNIT)
    table = by_unit.first()
    # donors whose sections are of several batches say nothing about a single one
    table["one_batch"] = by_unit[keys.BATCH].nunique() == 1
    return table


def _fit_to_compare(units: pd.DataFrame, comparison: Comparison) -> tuple[pd.DataFrame, str]:
    """Units that take part, and what is missing."""
    if comparison.paired:
        complete = units.groupby(keys.DONOR)[keys.CONDITION].transform("nunique") == 1 + len(comparison.others)
        units = units[complete]
    donors = units.groupby(keys.CONDITION)[keys.DONOR].nunique()
    for name in (comparison.reference, *comparison.others):
        if donors.get(name, 0) < FEWEST_DONORS:
            return units, f"it has enough spots in {donors.get(name, 0)} donors of {name} (at least {FEWEST_DONORS})"
    return units, ""


def _tested(sums: pd.DataFrame, units: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Fit DESeq2's model and test every gene, with size factors from genes that do not seem to differ.

    The median of ratios is off where genes change in one direction only, and unchanged genes then seem to change in the
    other. So genes that were found are left out of it and the model is fitted again (Sun et al. 2013, BMC
    Bioinformatics 14:219, DEGES), until the same genes are found.
    """
    counts = sums.loc[:, (sums.sum(axis=0) >= FEWEST_COUNTS) & ((sums > 0).sum(axis=0) >= 2)]
    control = counts.columns
    for _ in range(ROUNDS):
        table = _results(counts, units, comparison, None if len(control) == counts.shape[1] else control)
        steady = counts.columns[~counts.columns.isin(_seem_to_differ(table))]
        if steady.equals(control) or not _has_median(counts[steady]):
            break
        control = steady
    return table


def _has_median(counts: pd.DataFrame) -> bool:
    """Whether enough genes are counted in all units for a median of their ratios."""
    return int((counts > 0).all(axis=0).sum()) >= FEWEST_CONTROLS


def _seem_to_differ(table: pd.DataFrame) -> pd.Series:
    from scipy.stats import false_discovery_control

    tested = table[table["p_value"].notna()]
    if tested.empty:
        return tested["gene"]
    return tested.loc[false_discovery_control(tested["p_value"]) < SEEMS_TO_DIFFER, "gene"]


def _results(
    counts: pd.DataFrame, units: pd.DataFrame, comparison: Comparison, control: pd.Index | None
) -> pd.DataFrame:
    with extra("study"):
        from pydeseq2.dds import DeseqDataSet
        from pydeseq2.default_inference import DefaultInference
        from pydeseq2.ds import DeseqStats

    inference = DefaultInference(n_cpus=1)
    fitted = DeseqDataSet(
        counts=counts,
        metadata=units[[keys.DONOR, keys.CONDITION, keys.BATCH]].astype(str),
        design=_formula(units, comparison),
        control_genes=control,
        quiet=True,
        inference=inference,
    )
    fitted.deseq2()
    tables = []
    for other in comparison.others:
        contrast = [keys.CONDITION, other, comparison.reference]
        stats = DeseqStats(fitted, contrast=contrast, quiet=True, inference=inference)
        stats.summary()
        found = stats.results_df
        tables.append(
            pd.DataFrame(
                {
                    "condition": other,
                    "reference": comparison.reference,
                    "gene": found.index.astype(str),
                    "mean_counts": found["baseMean"].to_numpy(),
                    "log2_fold_change": found["log2FoldChange"].to_numpy(),
                    "standard_error": found["lfcSE"].to_numpy(),
                    "p_value": found["pvalue"].to_numpy(),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _formula(units: pd.DataFrame, comparison: Comparison) -> str:
    """Design of the test: donors where paired, batches where they leave enough to tell the conditions apart."""
    if comparison.paired:
        return f"~ {keys.DONOR} + {keys.CONDITION}"
    batches = pd.get_dummies(units[keys.BATCH]).to_numpy(dtype=float)
    conditions = pd.get_dummies(units[keys.CONDITION]).to_numpy(dtype=float)
    rank = int(np.linalg.matrix_rank(np.hstack([batches, conditions])))
    told_apart = rank == batches.shape[1] + conditions.shape[1] - 1
    if batches.shape[1] > 1 and told_apart and len(units) > rank and units["one_batch"].all():
        return f"~ {keys.BATCH} + {keys.CONDITION}"
    return f"~ {keys.CONDITION}"
