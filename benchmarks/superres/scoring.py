"""Scores of a prediction: medians over genes of the measures of ``measures``."""

from __future__ import annotations

import measures
import numpy as np
from cases import Case, Prediction

from clearspot.diffst.estimate.evidence import Evidence, evidence
from clearspot.diffst.estimate.projection import conservation_error
from clearspot.diffst.generate.uncertainty import (
    RunningSummary,
    count_interval,
    coverage,
    crps_from_samples,
    crps_gaussian,
)
from clearspot.metrics import maps

COUNT_DRAWS = 32
_COUNTING = 0.25
"""Variance of the square root of a Poisson count."""


def score(case: Case, prediction: Prediction) -> list[dict[str, object]]:
    """One row a region: tissue, measured and gap bins where there is a truth, and hidden spots where there are any."""
    rows = []
    if case.truth is not None:
        codes = evidence(case.operator, case.grid, case.tissue)
        regions = {
            "tissue": case.tissue,
            "measured": case.tissue & (codes == Evidence.MEASURED),
            "gap": case.tissue & (codes == Evidence.GAP),
        }
        rows += [{"region": name} | _bins(case, prediction, mask, name) for name, mask in regions.items()]
    if case.hidden_operator is not None:
        rows.append({"region": "hidden spots"} | _spots(case, prediction))
    error = conservation_error(prediction.mean, case.counts, case.operator)
    return [row | {"conservation_error": error} for row in rows]


def ceiling(case: Case) -> float | None:
    """Largest median correlation that a perfect prediction could have, where the truth is drawn."""
    rng = np.random.default_rng(0)
    if case.truth is not None and case.truth_is_counts:
        return _median(measures.thinning_ceiling(case.truth[case.tissue.ravel()], rng))
    if case.hidden_counts is not None:
        return _median(measures.thinning_ceiling(case.hidden_counts, rng, repeats=20))
    return None


def _bins(case: Case, prediction: Prediction, mask: np.ndarray, region: str) -> dict[str, object]:
    inside = mask.ravel()
    truth, mean = case.truth[inside], prediction.mean[inside]
    scale = np.sqrt(case.density).std(axis=0)
    row = _plain(truth, mean, scale)
    samples = prediction.samples
    drawn = mean[None] if samples is None else samples[:, inside]
    row["crps"] = _crps(truth, drawn, scale, counts=case.truth_is_counts)
    if prediction.error is not None:
        # what a spot's error without its counting noise is on the scale of a bin, where counts are scored with theirs
        area = float(np.median(case.operator.sum(axis=1)))
        of_bins = np.maximum(prediction.error**2 - _COUNTING, 0.1 * _COUNTING) / area
        row |= _gaussian(truth, mean, np.sqrt(of_bins + _COUNTING * case.truth_is_counts), scale)
    if samples is not None:
        lower, upper = _interval(samples[:, inside], case.truth_is_counts)
        row["coverage90"] = coverage(truth, lower, upper)
    if region == "tissue":
        shape = (*case.grid.shape, -1)
        reach = np.sqrt(case.density).max(axis=0)
        similarity = measures.ssim(case.truth.reshape(shape), prediction.mean.reshape(shape), reach, mask)
        compared = measures.minmax_scores(truth, mean)
        row |= {
            "ssim": _median(similarity),
            "moran_error": _median(np.abs(measures.morans_error(truth, mean, mask))),
            "gene_gene_error": measures.gene_gene_error(truth, mean),
            "minmax_rmse": _median(compared["rmse"]),
        }
    return row


def _spots(case: Case, prediction: Prediction) -> dict[str, object]:
    """Hidden spots: counts, so predicted counts are drawn from the predicted rates."""
    operator, truth = case.hidden_operator, case.hidden_counts.astype(np.float64)
    mean = operator @ prediction.mean
    scale = np.sqrt(case.counts.toarray()).std(axis=0)
    samples = prediction.samples
    rates = mean[None] if samples is None else np.stack([operator @ sample for sample in samples])
    spread = np.zeros_like(mean) if samples is None else rates.std(axis=0, ddof=1)
    row = _plain(truth, mean, scale) | {
        "crps": _crps(truth, rates, scale, counts=True),
        "coverage90": coverage(truth, *count_interval(mean, spread)),
        "gene_gene_error": measures.gene_gene_error(truth, mean),
    }
    if prediction.error is not None:
        row |= _gaussian(truth, mean, prediction.error, scale)
    return row


def _gaussian(truth: np.ndarray, mean: np.ndarray, error: np.ndarray, scale: np.ndarray) -> dict[str, object]:
    """Gaussian error of each gene on the square-root scale."""
    scores = crps_gaussian(np.sqrt(truth), np.sqrt(mean), error).mean(axis=0)
    scores = np.divide(scores, scale, out=np.full(len(scale), np.nan), where=scale > 0)
    reach = 1.645 * error
    lower, upper = np.maximum(np.sqrt(mean) - reach, 0) ** 2, (np.sqrt(mean) + reach) ** 2
    return {"crps": _median(scores), "coverage90": coverage(truth, lower, upper)}


def _plain(truth: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> dict[str, object]:
    return {
        "pearson": _median(maps.gene_pearson(truth, mean)),
        "deviance": _median(maps.poisson_deviance(truth, mean)),
        "sqrt_rmse": _median(measures.sqrt_rmse(truth, mean, scale)),
    }


def _crps(truth: np.ndarray, rates: np.ndarray, scale: np.ndarray, *, counts: bool) -> float:
    """On the square-root scale, in units of the visible spots' standard deviation; counts are drawn from the rates."""
    rng = np.random.default_rng(0)
    scores = np.full(len(scale), np.nan)
    for gene in np.flatnonzero(scale > 0):
        draws = rates[:, :, gene]
        if counts:
            # several counts of one rate are not independent draws, which the unbiased score wants
            draws = rng.poisson(np.repeat(draws, COUNT_DRAWS if len(rates) == 1 else 1, axis=0))
        scores[gene] = crps_from_samples(np.sqrt(truth[:, gene]), np.sqrt(draws)).mean() / scale[gene]
    return _median(scores)


def _interval(samples: np.ndarray, counts: bool) -> tuple[np.ndarray, np.ndarray]:
    if counts:
        return count_interval(samples.mean(axis=0), samples.std(axis=0, ddof=1))
    running = RunningSummary(samples.shape[1:])
    for sample in samples:
        running.add(sample)
    return running.quantile(0.05), running.quantile(0.95)


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")
