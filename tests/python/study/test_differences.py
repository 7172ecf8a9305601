"""Genes between conditions, from counts summed by donor and domain."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import kstest

from clearspot.study.comparison import Comparison, plan_comparison
from clearspot.study.design import Design
from clearspot.study.differences import compare_genes

pytest.importorskip("pydeseq2")

N_SPOTS, N_GENES = 30, 300


def study(
    n_donors: int, *, changed: dict[int, float] | None = None, seed: int = 0, donor_sd: float = 0.3
) -> tuple[ad.AnnData, Comparison]:
    """One domain of 30 spots a section; genes vary between donors, and some between conditions."""
    rng = np.random.default_rng(seed)
    condition = np.repeat(["a", "b"], n_donors)
    base = rng.gamma(2.0, 1.0, N_GENES)
    blocks = []
    for name in condition:
        rate = base * np.exp(rng.normal(0, donor_sd, N_GENES))
        for gene, times in (changed or {}).items():
            rate[gene] *= times if name == "b" else 1.0
        blocks.append(rng.poisson(rate, size=(N_SPOTS, N_GENES)))
    samples = [f"s{number}" for number in range(len(condition))]
    counts = csr_matrix(np.vstack(blocks).astype(np.float32))
    obs = pd.DataFrame({"sample_id": np.repeat(samples, N_SPOTS)}, index=[f"x{n}" for n in range(counts.shape[0])])
    obs["domain_study"] = pd.Categorical(["1"] * len(obs))
    var = pd.DataFrame(index=[f"gene_{number}" for number in range(N_GENES)])
    adata = ad.AnnData(obs=obs, var=var, layers={"counts": counts})
    donors = [f"d{number}" for number in range(len(samples))]
    table = pd.DataFrame({"batch": None, "donor": donors, "condition": condition}, index=samples, dtype=object)
    plan = plan_comparison(Design(table))
    assert isinstance(plan, Comparison)
    return adata, plan


def test_p_values_are_uniform_where_only_donors_differ() -> None:
    adata, plan = study(4)
    table, messages = compare_genes(adata, plan, 10)
    assert not messages
    assert len(table) == N_GENES
    p_values = table["p_value"].dropna()
    assert kstest(p_values, "uniform").pvalue > 0.01
    assert (p_values < 0.05).mean() < 0.10
    assert (table["p_adjusted"] < 0.05).sum() <= 1


def test_planted_changes_are_found_the_larger_the_surer() -> None:
    groups = {1.5: range(0, 20), 2.5: range(20, 40), 4.0: range(40, 60)}
    # up and down by turns, so that the sizes of the donors' sums stay comparable
    planted = {gene: times if gene % 2 else 1 / times for times, genes in groups.items() for gene in genes}
    adata, plan = study(4, changed=planted, seed=1)
    table, _ = compare_genes(adata, plan, 10)
    found = set(table.loc[table["p_adjusted"] < 0.05, "gene"])
    power = [len(found & {f"gene_{gene}" for gene in genes}) / 20 for genes in groups.values()]
    assert power[0] < power[1] <= power[2]
    assert power[2] > 0.9
    false = [gene for gene in found if int(gene.split("_")[1]) >= 60]
    assert len(false) <= 0.1 * len(found) + 1
    change = table.set_index("gene").loc[[f"gene_{gene}" for gene in range(41, 60, 2)], "log2_fold_change"]
    assert change.mean() == pytest.approx(2.0, abs=0.3)


def test_changes_in_one_direction_do_not_make_other_genes_seem_to_change() -> None:
    # the median of ratios of all genes would lie among those that rise: 20 % of the genes found were then false
    adata, plan = study(4, changed=dict.fromkeys(range(60), 4.0), seed=2)
    table, _ = compare_genes(adata, plan, 10)
    found = [int(gene.split("_")[1]) for gene in table.loc[table["p_adjusted"] < 0.05, "gene"]]
    assert sum(gene < 60 for gene in found) > 50
    assert sum(gene >= 60 for gene in found) <= 0.1 * len(found)
    unchanged = table[table["gene"].str.split("_").str[1].astype(int) >= 60]
    assert unchanged["log2_fold_change"].median() == pytest.approx(0, abs=0.1)


def test_spots_do_not_count_as_donors() -> None:
    adata, plan = study(2)
    table, _ = compare_genes(adata, plan, 10)
    assert (table["p_adjusted"] < 0.05).mean() < 0.02


def test_a_domain_with_too_few_spots_in_a_condition_is_left_out_with_words() -> None:
    adata, plan = study(2)
    few = (adata.obs["sample_id"] == "s3") & (np.arange(adata.n_obs) % N_SPOTS > 4)
    table, (message,) = compare_genes(adata[~few.to_numpy()].copy(), plan, 10)
    assert table.empty
    assert "enough spots in 1 donors of b" in message.text
