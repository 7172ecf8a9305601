"""Quality control of one sample."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import anndata as ad
import numpy as np

from clearspot import keys
from clearspot.caller import by_caller, option
from clearspot.contract.counts import read_counts, require_in_memory
from clearspot.contract.gene_lists import GENES_OF_INTEREST, GeneLookup
from clearspot.contract.places import place_of
from clearspot.contract.sections import require_one_section, require_positions
from clearspot.errors import BadInputError, Problem
from clearspot.qc.edges import add_edge_curve
from clearspot.qc.filters import Filter, flag_genes, flag_spots, spot_filters
from clearspot.qc.genes import TITLES
from clearspot.qc.hvg import hvg_candidates, select_hvgs
from clearspot.qc.interest import flag_genes_of_interest
from clearspot.qc.metrics import add_genome_metrics, add_qc_metrics, column_suffix, missing_gene_sets
from clearspot.qc.normalise import normalise
from clearspot.qc.outliers import flag_local_outliers
from clearspot.qc.params import QCParams
from clearspot.qc.picture import compare_with_picture
from clearspot.qc.slide_checks import add_slide_checks
from clearspot.qc.stripes import add_lattice_checks
from clearspot.qc.tables import genomes_table, histogram, measured_columns, quantiles
from clearspot.record import StepRecord

_MEDIAN_PERCENT: Final = {"mt": "median_percent_mt", "ribo": "median_percent_ribo", "hb": "median_percent_hb"}
"""Gene set -> metric of its median share."""

_SKIP: Final = " (--on_bad_sample skip)"

_MANY = 0.3
"""Share of spots removed above which the reader is warned."""


def run_qc(adata: ad.AnnData, sample: str, params: QCParams | None = None) -> StepRecord:
    """Measure, flag, normalise and choose genes, in place; nothing is dropped and the counts stay untouched.

    Sets ``X`` (log1p of counts over size factor: what is common to all genes of a bin, as a stripe is, cancels), and
    where stripes are to be taken out ``layers['destriped']``. ``obs``: scanpy's metrics, ``qc_pass``, ``qc_reason``,
    ``size_factor``, ``local_outlier``, ``edge_distance``, ``artefact_region``, ``artefact_kind``; ``var``: scanpy's
    metrics, ``qc_pass``, ``highly_variable``, ``highly_variable_rank``, ``gene_of_interest``.

    Parameters
    ----------
    adata
        One section as ingest leaves it: ``layers['counts']`` (taken from ``X`` where it is absent) and
        ``obsm['spatial']``.
    sample
        Sample name.
    params
        Thresholds.

    Returns
    -------
    Record of the step ``qc``.

    Raises
    ------
    BadInputError
        Too few spots or genes are left for the denoiser; counts or positions are unusable; the sample has none of the
        genes of interest; or there are several sections.
    """
    params = params or QCParams()
    record = StepRecord(sample, "qc", params=asdict(params))
    require_in_memory(adata, sample)
    require_one_section(adata, sample, "Quality control")
    require_positions(adata, sample)
    adata.layers[keys.COUNTS] = read_counts(adata, sample)
    measured = add_qc_metrics(adata)
    filters = spot_filters(adata, params)
    # What a threshold left to us became belongs in the record.
    record.params |= {one.parameter.removeprefix("qc_"): one.threshold for one in filters}
    record.tables["filters"] = flag_spots(adata, filters)
    _need_spots(adata, sample, filters, params)
    genes_failed = flag_genes(adata, params.min_spots)
    candidates = hvg_candidates(adata, params)
    _need_genes(adata, sample, candidates, params)

    _note_gene_sets(record, missing_gene_sets(measured))
    _note_genomes(record, adata)
    _note_surroundings(record, adata)
    compare_with_picture(adata, record)
    add_slide_checks(record, adata)
    add_lattice_checks(record, adata, destripe=params.destripe)
    interest = flag_genes_of_interest(adata, params.genes_of_interest, sample)
    method = select_hvgs(adata, candidates, params.n_hvgs)
    median = normalise(adata)  # last: until here there is one matrix less in memory
    _note_genes(record, adata, interest, method, int(candidates.sum()), params)

    passing = adata.obs[keys.QC_PASS].to_numpy()
    record.metrics |= {
        "n_spots": adata.n_obs,
        "n_spots_pass": int(passing.sum()),
        "percent_spots_pass": 100.0 * float(passing.mean()),
        "n_genes": adata.n_vars,
        "n_genes_pass": adata.n_vars - genes_failed,
        "n_genes_fail": genes_failed,
        "n_hvgs": int(adata.var[keys.HIGHLY_VARIABLE].sum()),
        "hvg_method": method,
        "total_counts": int(adata.obs[keys.TOTAL_COUNTS].sum()),
        "median_counts": float(np.median(adata.obs[keys.TOTAL_COUNTS])),
        "median_counts_pass": median,
        "median_genes": float(np.median(adata.obs[keys.N_GENES])),
        "median_genes_pass": float(np.median(adata.obs[keys.N_GENES][passing])),
    }
    if keys.CELL_AREA in adata.obs:
        record.metrics["median_cell_area_um2"] = float(adata.obs[keys.CELL_AREA].median())
    if keys.HAS_NUCLEUS in adata.obs:
        record.metrics["percent_cells_without_nucleus"] = 100.0 * float((~adata.obs[keys.HAS_NUCLEUS]).mean())
    for name in measured:
        record.metrics[_MEDIAN_PERCENT[name]] = float(np.nanmedian(adata.obs[keys.percent_of(name)]))
    record.tables["quantiles"] = quantiles(adata)
    for column in measured_columns(adata):
        record.tables[f"histogram_{column}"] = histogram(adata, column)
    adata.uns.setdefault(keys.UNS, {})["qc"] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in record.params.items()
        if value is not None
    }
    return record


def _need_spots(adata: ad.AnnData, sample: str, filters: list[Filter], params: QCParams) -> None:
    left = int(adata.obs[keys.QC_PASS].sum())
    if left >= max(params.min_spots_left, 1):
        return
    measured = [one for one in filters if one.measured(adata)]
    worst = max(measured, key=lambda one: int(one.fails(adata).sum()))
    typical = float(np.nanmedian(adata.obs[worst.column].to_numpy(dtype=float))) if adata.n_obs else float("nan")
    removed = int(worst.fails(adata).sum())
    name = worst.parameter.removeprefix("qc_")
    shown, given = by_caller(name, name, worst.parameter), option(name, worst.parameter)
    fewest, place = by_caller("min_spots_left", "min_spots_left", "qc_min_spots_left"), place_of(adata)
    raise BadInputError(
        Problem(
            sample,
            "counts matrix",
            f"{left} of {adata.n_obs} {place}s pass quality control; {shown} ({worst.threshold:g}) alone "
            f"removes {removed}: the median {place} has {worst.column} = {typical:g}",
            f"at least {params.min_spots_left} {place}s ({fewest})",
            f"set {given} to {typical:g} or {'lower' if worst.lower else 'higher'} to keep such {place}s; otherwise "
            f"leave the sample out{by_caller('', '', _SKIP)}",
        )
    )


def _need_genes(adata: ad.AnnData, sample: str, candidates: np.ndarray, params: QCParams) -> None:
    if candidates.sum() >= max(params.min_genes_left, 1):
        return
    passing = adata.obs[keys.QC_PASS].to_numpy()
    totals = np.asarray(adata.layers[keys.COUNTS][passing].sum(axis=0)).ravel()
    seen = totals[totals > 0]
    typical = float(np.median(seen)) if seen.size else 0.0
    raise BadInputError(
        Problem(
            sample,
            "counts matrix",
            f"{int(candidates.sum())} of {adata.n_vars} genes have more than {params.hvg_min_counts} counts in "
            f"{int(passing.sum())} passing {place_of(adata)}s; the median detected gene has {typical:g}",
            f"at least {params.min_genes_left} genes to model",
            f"lower {option('hvg_min_counts')} (or {option('min_spots', 'qc_min_spots')}), or leave the sample out"
            f"{by_caller('', '', _SKIP)}",
        )
    )


def _note_gene_sets(record: StepRecord, missing: list[str]) -> None:
    for name in missing:
        record.note(
            "handled",
            f"No {TITLES[name]} gene has counts (FFPE probe sets exclude them). Their share is missing, not 0, and "
            f"its filter was skipped.",
        )


def _note_genomes(record: StepRecord, adata: ad.AnnData) -> None:
    genomes = add_genome_metrics(adata)
    if genomes:
        table = genomes_table(adata, genomes, [column_suffix(genome) for genome in genomes])
        record.tables["genomes"] = table
        shares = ", ".join(
            f"{genome} {share:.1f} %" for genome, share in zip(genomes, table["percent_of_counts"], strict=True)
        )
        record.note("handled", f"Counts come from {len(genomes)} genomes ({shares}); each has its own metrics.")


def _note_surroundings(record: StepRecord, adata: ad.AnnData) -> None:
    """Spots removed, local outliers and the edge effect; the last two are shown, never dropped."""
    removed = 1 - float(adata.obs[keys.QC_PASS].mean())
    if removed > _MANY:
        places = f"{100 * removed:.0f} % of the {place_of(adata)}s"
        record.note("warning", f"Quality control removes {places}. Check the filters.")
    outliers = flag_local_outliers(adata)
    if outliers is not None:
        record.metrics["n_local_outliers"] = outliers.pop("any")
        record.tables["local_outliers"] = {"metric": list(outliers), "n_spots": list(outliers.values())}
    curve = add_edge_curve(adata)
    if curve is not None:
        record.tables["edge"], record.metrics["edge_to_interior_counts"] = curve


def _note_genes(
    record: StepRecord,
    adata: ad.AnnData,
    interest: GeneLookup,
    method: str,
    n_candidates: int,
    params: QCParams,
) -> None:
    if absent := interest.warning(GENES_OF_INTEREST):
        record.note("warning", absent)
    if params.genes_of_interest:
        record.metrics["n_genes_of_interest"] = int(adata.var[keys.GENE_OF_INTEREST].sum())
    if n_candidates < params.n_hvgs:
        record.note(
            "info",
            f"Only {n_candidates} genes have more than {params.hvg_min_counts} counts, so all of them are modelled "
            f"({params.n_hvgs} highly variable genes were requested).",
        )
    if method != "seurat_v3":
        record.note(
            "handled",
            f"The loess fit of seurat_v3 failed because of too few values. Genes were ranked by {method} instead.",
        )
