"""Comparisons of conditions on planted differences: p-values under the null, false discoveries, power.

``python -m benchmarks.study.differences`` writes ``benchmarks/study/differences.csv``. One domain, 500 genes with a
spread of 0.3 between donors (standard deviation of the natural logarithm), 30 spots a donor. Planted are 10 % of the
genes, half of them up (balanced), or 20 %, all up (one-sided).
"""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import click
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.stats import kstest

from clearspot import keys
from clearspot.study import differences
from clearspot.study.comparison import Comparison, plan_comparison
from clearspot.study.composition import compare_composition
from clearspot.study.design import Design

RESULTS = Path(__file__).with_name("differences.csv")
N_GENES, N_SPOTS, DONOR_SD = 500, 30, 0.3
PLANTED = {"nothing": (0.0, 0.0), "balanced": (0.1, 0.5), "one-sided": (0.2, 1.0)}
"""Share of the genes that change, and share of these that rise."""

EFFECTS = (0.0, 1.0, 1.5, 2.0)
"""log2 fold changes; 0 where nothing is planted."""

LEVEL = 0.05


def plan(n_donors: int) -> Comparison:
    """Two conditions with as many donors each."""
    donors = [f"d{number}" for number in range(2 * n_donors)]
    conditions = np.repeat(["a", "b"], n_donors)
    made = plan_comparison(
        Design(pd.DataFrame({"batch": "x", "donor": donors, "condition": conditions}, index=donors, dtype=object))
    )
    assert isinstance(made, Comparison)
    return made


def study(comparison: Comparison, share: float, up: float, lfc: float, seed: int) -> tuple[ad.AnnData, np.ndarray]:
    """Sections of one domain, and the direction in which each gene changes."""
    rng = np.random.default_rng(seed)
    base = rng.gamma(2.0, 1.0, N_GENES)
    direction = np.zeros(N_GENES)
    chosen = rng.choice(N_GENES, round(share * N_GENES), replace=False)
    direction[chosen] = np.where(np.arange(len(chosen)) < up * len(chosen), 1, -1)
    blocks = []
    for condition in comparison.units[keys.CONDITION]:
        rate = base * np.exp(rng.normal(0, DONOR_SD, N_GENES)) * rng.lognormal(0, 0.2)
        rate = rate * 2.0 ** (lfc * direction * (condition == "b"))
        blocks.append(rng.poisson(rate, size=(N_SPOTS, N_GENES)))
    counts = csr_matrix(np.vstack(blocks).astype(np.float32))
    obs = pd.DataFrame(
        {keys.SAMPLE_ID: np.repeat(comparison.units.index.to_numpy(str), N_SPOTS)},
        index=[f"x{number}" for number in range(counts.shape[0])],
    )
    obs[keys.DOMAIN_STUDY] = pd.Categorical(["1"] * len(obs))
    var = pd.DataFrame(index=[f"gene_{number}" for number in range(N_GENES)])
    return ad.AnnData(obs=obs, var=var, layers={keys.COUNTS: counts}), direction


def genes_row(n_donors: int, planted: str, lfc: float, repeats: int) -> dict[str, float]:
    """Figures over repeats of one case."""
    comparison, (share, up) = plan(n_donors), PLANTED[planted]
    null_p, power, found, rate = [], [], [], []
    for seed in range(repeats):
        adata, direction = study(comparison, share, up, lfc, seed)
        table, _ = differences.compare_genes(adata, comparison, 10)
        table = table.set_index("gene").reindex(adata.var_names)
        called = (table["p_adjusted"] < LEVEL).to_numpy()
        null_p.append(table["p_value"].to_numpy()[direction == 0])
        if (direction != 0).any():
            power.append(called[direction != 0].mean())
        false = int(called[direction == 0].sum())
        found.append(int(called.sum()))
        rate.append(false / max(found[-1], 1))
    p_values = np.concatenate(null_p)
    p_values = p_values[np.isfinite(p_values)]
    return {
        "p_below_0.05": float((p_values < LEVEL).mean()),
        "ks": float(kstest(p_values, "uniform").statistic),
        "found": float(np.mean(found)),
        "false_discovery_rate": float(np.mean(rate)),
        "power": float(np.mean(power)) if power else np.nan,
    }


def composition_row(n_donors: int, odds: float, repeats: int) -> dict[str, float]:
    """The same for the shares of five domains, of which one changes by an odds ratio."""
    comparison = plan(n_donors)
    null_p, found = [], []
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        counts = []
        for condition in comparison.units[keys.CONDITION]:
            weight = np.exp(rng.normal(0, 0.3, 5))
            weight[0] *= odds if condition == "b" else 1.0
            counts.append(rng.multinomial(500, weight / weight.sum()))
        table = pd.DataFrame(
            compare_composition(pd.DataFrame(counts, index=comparison.units.index, columns=list("12345")), comparison)
        ).set_index("domain")
        found.append(table.loc["1", "p_adjusted"] < LEVEL)
        null_p.append(table["p_value"].to_numpy() if odds == 1 else [])
    p_values = np.concatenate(null_p)
    return {
        "p_below_0.05": float((p_values < LEVEL).mean()) if len(p_values) else np.nan,
        "ks": float(kstest(p_values, "uniform").statistic) if len(p_values) else np.nan,
        "power": float(np.mean(found)) if odds != 1 else np.nan,
    }


@click.command()
@click.option("--repeats", type=int, default=10)
@click.option("--donors", "donors", type=int, multiple=True, default=(2, 4, 8))
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
def main(repeats: int, donors: tuple[int, ...], results: Path) -> None:
    """Run all cases, with size factors by the median of ratios and by repeated fits."""
    rows = []
    refits = differences.ROUNDS
    for n_donors in donors:
        for odds in (1.0, 2.0, 4.0):
            about = {"what": "composition", "donors": n_donors, "planted": f"odds ratio {odds:g}", "effect": odds}
            about["repeats"] = 100 * repeats
            rows.append(about | composition_row(n_donors, odds, 100 * repeats))
        for planted in PLANTED:
            for lfc in EFFECTS:
                if (planted == "nothing") != (lfc == 0):
                    continue
                for rounds in (1, refits):
                    differences.ROUNDS = rounds  # type: ignore[misc]
                    about = {"what": "genes", "donors": n_donors, "planted": planted, "effect": lfc, "rounds": rounds}
                    about["repeats"] = repeats
                    rows.append(about | genes_row(n_donors, planted, lfc, repeats))
                    click.echo(str(rows[-1]))
                    pd.DataFrame(rows).to_csv(results, index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
