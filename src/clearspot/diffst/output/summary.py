"""What the record of super-resolution says."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.estimate.evidence import Evidence
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.prediction import Prediction
from clearspot.diffst.generate.uncertainty import FEWEST_DRAWS
from clearspot.diffst.params import DiffstParams
from clearspot.learning.memory import peak_memory_bytes
from clearspot.record import StepRecord
from clearspot.version import versions

TRAIN_STEP = "superres_train"
STEP = "superres"
_CURVE_POINTS = 200

_SECONDS: Final = {"mean": "seconds_mean", "diffusion": "seconds_diffusion", "scoring": "seconds_scoring"}
"""Part of training -> metric of its wall time."""

_FINAL_LOSS: Final = {"mean": "loss_mean_final", "diffusion": "loss_diffusion_final"}
"""Stage of training -> metric of its final loss."""

_HELD_OUT: Final = {
    "n_spots": "heldout_n_spots",
    "amplitude": "heldout_amplitude",
    "amplitude_of_spread": "heldout_amplitude_of_spread",
    "crps_mean": "heldout_crps_mean",
    "crps_mean_poisson": "heldout_crps_mean_poisson",
    "crps_mean_gaussian": "heldout_crps_mean_gaussian",
    "crps_spread": "heldout_crps_spread",
    "crps_diffusion": "heldout_crps_diffusion",
    "correlation_mean": "heldout_correlation_mean",
    "correlation_diffusion": "heldout_correlation_diffusion",
    "coverage_mean": "heldout_coverage_mean",
    "coverage_spread": "heldout_coverage_spread",
    "coverage_diffusion": "heldout_coverage_diffusion",
    "diffusion_wins": "heldout_diffusion_wins",
    "spread_is_of_draws": "heldout_spread_is_of_draws",
}
"""Field of the verdict -> metric."""


def training_record(sample: str, section: SpotSection, fitted: Fitted, params: DiffstParams) -> StepRecord:
    """Record of training: loss curves, verdict, seconds."""
    record = StepRecord(sample, TRAIN_STEP, params=params.as_dict(), messages=list(section.messages))
    record.metrics = {
        "n_spots": len(section.rows),
        "n_genes": len(section.genes),
        "n_programs": fitted.programs.number,
        "n_parameters": sum(parameter.numel() for parameter in fitted.model.parameters()),
        "checkpoint_sha256": fitted.checkpoint_sha256,
        "peak_memory_bytes": peak_memory_bytes(),
        **{_SECONDS[part]: seconds for part, seconds in fitted.seconds.items()},
        **{_FINAL_LOSS[stage]: float(np.mean(losses[-20:])) for stage, losses in fitted.losses.items() if losses},
    }
    if fitted.references:
        record.metrics["n_references"] = len(fitted.references)
        record.note("info", f"Training started from a model trained on {', '.join(fitted.references)}.")
    for name, losses in fitted.losses.items():
        record.tables[f"training_{name}"] = loss_curve(losses)
    _tell_verdict(record, fitted)
    return record


def sampling_record(
    adata: ad.AnnData,
    prediction: Prediction,
    evidence: NDArray[np.uint8],
    params: DiffstParams,
    seconds: float,
) -> StepRecord:
    """Record of sampling: geometry, what the values are, verdict, seconds."""
    section, fitted = prediction.section, prediction.fitted
    record = StepRecord(section.sample, STEP, params=params.as_dict(), messages=list(section.messages))
    on_tissue = int((evidence != Evidence.OFF_TISSUE).sum())
    record.metrics = {
        "bin_um": section.grid.bin_um,
        "spot_pitch_um": section.pitch_um,
        "spot_diameter_um": section.diameter_um,
        "n_spots": len(section.rows),
        "n_spots_left_out": adata.n_obs - len(section.rows),
        "n_genes": len(section.genes),
        "n_programs": prediction.programs.number,
        "n_rows": section.grid.n_rows,
        "n_cols": section.grid.n_cols,
        "n_bins_on_tissue": on_tissue,
        "n_bins_measured": int((evidence == Evidence.MEASURED).sum()),
        "share_measured": float((evidence == Evidence.MEASURED).sum() / max(on_tissue, 1)),
        "samples": len(prediction.programs_of_draws),
        "amplitude": prediction.amplitude if prediction.spread_is_of_draws else None,
        "mean_is": "diffusion" if prediction.mean_is_of_draws else "meannet",
        "gene_head_weight": prediction.weight_of_head,
        "n_genes_of_head": 0 if prediction.detail is None else prediction.detail.n_genes,
        "image_used": bool(prediction.view.histology.valid.any()),
        "image_coverage": float(prediction.view.histology.valid.mean()),
        "seconds_total": seconds,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    if not prediction.draws:
        record.note(
            "info", "No diffusion: mean and spread come from MeanNet, with the dispersion measured on held-out spots."
        )
    elif fitted.verdict is None:
        record.note(
            "warning", "There are too few held-out spots to evaluate the diffusion, so the mean comes from MeanNet."
        )
    if prediction.weight_of_head == 0:
        why = "hidden spots of this sample are not predicted better with it"
        if not record.metrics["image_used"]:
            why = "it needs an image"
        record.note("info", f"The gene head is not used, because {why}.")
    drawn = len(prediction.programs_of_draws)
    if 0 < drawn < FEWEST_DRAWS:
        spread = "the standard deviation" if drawn > 1 else "nothing"
        record.note(
            "info",
            f"Quantiles need at least {FEWEST_DRAWS} samples, but only {drawn} were drawn. Quantiles are empty; "
            f"{spread} describes the uncertainty.",
        )
    _tell_verdict(record, fitted)
    return record


def about(prediction: Prediction, params: DiffstParams, record: StepRecord) -> dict[str, Any]:
    """Entries of ``uns['clearspot']`` of the super-resolved file."""
    storable = {
        name: np.array(value, dtype=np.str_) if isinstance(value, tuple) else value
        for name, value in params.as_dict().items()
        if value is not None
    }
    note: dict[str, Any] = {
        keys.VERSIONS: versions(["torch", "diffusers", "anndata"]),
        "superres": {"params": storable, "seed": params.seed, "mean_is": record.metrics["mean_is"]},
    }
    if prediction.fitted.checkpoint_sha256 is not None:
        note["superres"]["checkpoint_sha256"] = prediction.fitted.checkpoint_sha256
    return note


def _tell_verdict(record: StepRecord, fitted: Fitted) -> None:
    verdict = fitted.verdict
    if verdict is None:
        return
    record.metrics |= {_HELD_OUT[name]: value for name, value in verdict.as_dict().items()}
    record.metrics["heldout_coverage"] = verdict.coverage
    if not verdict.diffusion_wins:
        spread = "the diffusion, centred on it" if verdict.spread_is_of_draws else "MeanNet"
        record.note(
            "info",
            f"On {verdict.n_spots} held-out spots, the diffusion was not better than MeanNet "
            f"(CRPS {verdict.crps_diffusion:.3f} against {verdict.crps_mean:.3f}, "
            f"correlation {verdict.correlation_diffusion:.3f} against {verdict.correlation_mean:.3f}). "
            f"The mean comes from MeanNet, spread and quantiles from {spread} (their CRPS: {verdict.crps_spread:.3f}).",
        )


def loss_curve(losses: list[float]) -> dict[str, list[Any]]:
    """Loss curve as means over at most 200 stretches."""
    if not losses:
        return {"step": [], "loss": []}
    parts = np.array_split(np.asarray(losses), min(_CURVE_POINTS, len(losses)))
    return {
        "step": np.cumsum([len(part) for part in parts]).tolist(),
        "loss": [float(part.mean()) for part in parts],
    }
