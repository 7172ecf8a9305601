"""Which genes a page offers first, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.display.format import domain_name
from clearspot.report.view import SampleView

_GAINED: Final = 12
_MARKERS: Final = 10
_SPATIAL: Final = 24
_VARIABLE: Final = 12

Groups = list[tuple[str, list[str]]]


def modelled_genes(view: SampleView) -> list[str]:
    """Genes that have denoised values, most variable first."""
    if view.data is None:
        return []
    var = view.data.var
    known = var.loc[read_flag(var, keys.MODELLED, table="var")] if keys.MODELLED in var else var
    if keys.HVG_RANK in known:
        known = known.sort_values(keys.HVG_RANK, kind="stable", na_position="last")
    return known.index.astype(str).tolist()


def gene_groups(view: SampleView) -> Groups:
    """Genes worth looking at first, each once, under headings.

    Genes of interest; genes whose held-out counts denoising predicts better than all else, with the largest gain first;
    markers of the domains; the most spatially variable; the most variable. All are modelled but some of the markers,
    which are sought among all genes.
    """
    if view.data is None:
        return []
    var, records = view.data.var, view.records
    modelled = modelled_genes(view)
    wanted = var.index[read_flag(var, keys.GENE_OF_INTEREST, table="var")] if keys.GENE_OF_INTEREST in var else []
    moran = records.table("domains", "moran")
    ranked = sorted(
        (-value, gene)
        for gene, value in zip(moran.get("gene", []), moran.get("measured", []), strict=True)
        if value is not None
    )
    named: list[tuple[str, list[str], int]] = [
        ("Genes of interest", list(wanted), len(modelled)),
        (
            "Largest gain from denoising (held-out counts)",
            records.table("dusted", "heldout_gained").get("gene", []),
            _GAINED,
        ),
    ]
    by_domain = genes_by_domain(records.table("domains", "markers"))
    named += [(f"Markers of {domain_name(name)}", genes, _MARKERS) for name, genes in by_domain.items()]
    named += [
        ("Most spatially variable (measured Moran's I)", [gene for _, gene in ranked], _SPATIAL),
        ("Most variable", modelled, _VARIABLE),
    ]
    known, marking = set(modelled), {gene for genes in by_domain.values() for gene in genes} & set(var.index)
    return each_once(named, known | marking)


def genes_by_domain(markers: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Genes of a table of markers, by domain."""
    by_domain: dict[str, list[str]] = {}
    for domain, gene in zip(markers.get("domain", []), markers.get("gene", []), strict=True):
        by_domain.setdefault(domain, []).append(gene)
    return by_domain


def each_once(named: Iterable[tuple[str, Iterable[str], int]], known: Set[str]) -> Groups:
    """Groups in which no gene stands twice.

    Parameters
    ----------
    named
        Heading, genes, and how many of them at most.
    known
        Genes that can be offered.
    """
    taken: set[str] = set()
    groups: Groups = []
    for heading, genes, most in named:
        chosen = [gene for gene in genes if gene in known and gene not in taken][:most]
        taken.update(chosen)
        if chosen:
            groups.append((heading, chosen))
    return groups
