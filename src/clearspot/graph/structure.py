"""Whether the counts have a pattern over the graph: written into the graph step's record, and flagged in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clearspot import keys
from clearspot.checks.spatial_structure import SHUFFLES, SpatialStructure, spatial_structure
from clearspot.record import StepRecord

if TYPE_CHECKING:
    import anndata as ad


def add_structure(adata: ad.AnnData, record: StepRecord) -> None:
    """Test the counts for a pattern over the graph, and say what was found.

    Sets ``uns['clearspot']['has_spatial_structure']``, the metrics of the check and the table ``structure``. Where it
    cannot be tested none of them is set, and a message says why.

    Parameters
    ----------
    adata
        One section with its graph, and ``layers['counts']``.
    record
        Of the step ``graph``.
    """
    if keys.COUNTS not in adata.layers:
        record.note(
            "info", f"There is no layers['{keys.COUNTS}'], so the counts were not tested for a spatial pattern."
        )
        return
    found = spatial_structure(adata)
    if isinstance(found, str):
        record.note("info", found)
        return
    adata.uns.setdefault(keys.UNS, {})[keys.HAS_SPATIAL_STRUCTURE] = found.found
    record.metrics |= {
        "n_genes_structure_tested": len(found.genes),
        "percent_genes_spatial": found.percent_spatial,
        "morans_i_median": found.median,
        "morans_i_shuffled": found.shuffled,
        "has_spatial_structure": found.found,
    }
    order = found.morans_i.argsort()[::-1]
    record.tables["structure"] = {
        "gene": [found.genes[row] for row in order],
        "morans_i": found.morans_i[order].tolist(),
        "q": found.q_value[order].tolist(),
    }
    record.tables["structure_shuffled"] = {
        "median_morans_i": found.shuffled_medians.tolist(),
        "percent_genes_spatial": found.shuffled_percents.tolist(),
    }
    if not found.found:
        record.note("info", _none(found))


def _none(found: SpatialStructure) -> str:
    return (
        f"The counts have no spatial pattern: {found.percent_spatial:.1f} % of {len(found.genes)} genes are spatially "
        f"variable (q < 0.05), with a median Moran's I of {found.median:.3f} ({found.shuffled:.3f} in {SHUFFLES} "
        f"shuffles of the positions). Counts and positions may be from different slides. Do not interpret denoised "
        f"maps, domains and super-resolution of this sample."
    )
