"""Correlations of single genes of the kidney, by structure, and with one bin of slack in the registration.

python benchmarks/superres/pairs.py kidney-16um --crop 48 --details details.csv
python benchmarks/superres/details.py details.csv
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import click
import numpy as np
import pandas as pd
from cases import Case

from clearspot.metrics.maps import gene_pearson

STRUCTURES = {
    "glomerulus": "NPHS2 PODXL CLIC5 PLA2R1 PTGDS",
    "proximal tubule": "ALDOB SLC34A1 GATM PAH BHMT PRODH2 GPX3 MME SLC13A3",
    "thick ascending limb": "UMOD SLC12A1",
    "distal tubule": "SLC12A3 CALB1",
    "collecting duct": "AQP2 FXYD4 SLC4A1 RHCG SLC26A7 SLC4A9",
    "smooth muscle": "TAGLN MYL9 TPM2 CSRP1 RGS5",
    "stroma": "COL3A1 DCN MGP BGN C7",
}
"""Marker genes among the 100, from textbooks of kidney cell types."""

MAPS = {"plain": "plain estimate", "written without the diffusion": "Diff-ST"}
_OF = {gene: name for name, genes in STRUCTURES.items() for gene in genes.split()}
OTHER = "other genes"


def details(case: Case, maps: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row a gene and map: correlation on tissue, and the same where the map may be moved by a bin.

    The move is one for all genes, that with the highest median.

    Parameters
    ----------
    case
        With a truth.
    maps
        By the names of ``pairs.py``, ``(n_bins, n_genes)``.
    """
    tables = []
    for name, title in MAPS.items():
        moved = {step: _correlations(case, maps[name], step) for step in product((-1, 0, 1), repeat=2)}
        best = max(moved.values(), key=lambda found: float(np.nanmedian(found)))
        genes = case.adata.var_names
        tables.append(
            pd.DataFrame(
                {
                    "case": case.name,
                    "map": title,
                    "gene": genes,
                    "structure": [_OF.get(gene, OTHER) for gene in genes],
                    "pearson": moved[0, 0].round(4),
                    "pearson_slack": best.round(4),
                }
            )
        )
    return pd.concat(tables)


def _correlations(case: Case, flat: np.ndarray, step: tuple[int, int]) -> np.ndarray:
    """Of the map moved by so many rows and columns; what enters at the border is left out."""
    if case.truth is None or case.tissue is None:
        raise ValueError(f"{case.name} has no truth")
    moved = np.roll(flat.reshape(*case.grid.shape, -1), step, axis=(0, 1)).reshape(flat.shape)
    inside = case.tissue & np.roll(case.tissue, step, axis=(0, 1))
    inside[[0, -1]] = inside[:, [0, -1]] = False
    return gene_pearson(case.truth[inside.ravel()], moved[inside.ravel()])


@click.command()
@click.argument("table", type=click.Path(path_type=Path, exists=True))
def main(table: Path) -> None:
    """Print medians over the genes of each structure."""
    rows = pd.read_csv(table)
    for case, part in rows.groupby("case", sort=False):
        scores = part.pivot(index=["structure", "gene"], columns="map", values=["pearson", "pearson_slack"])
        found = scores.groupby("structure").median()
        found.loc["all genes"] = scores.median()
        found.insert(0, "genes", scores.groupby("structure").size().reindex(found.index, fill_value=len(scores)))
        better = (scores["pearson", "Diff-ST"] > scores["pearson", "plain estimate"]).sum()
        click.echo(f"{case}: Diff-ST has the higher correlation for {better} of {len(scores)} genes")
        click.echo(found.round(3).to_string())


if __name__ == "__main__":
    main()
