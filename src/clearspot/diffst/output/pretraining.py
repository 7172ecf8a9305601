"""From references to a model file that sections start from, and its record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from clearspot.caller import option
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import SpotGeometry
from clearspot.diffst.output.summary import loss_curve
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import save_checkpoint
from clearspot.diffst.training.model_card import model_card
from clearspot.diffst.training.pretrain import Pretrained, check_joins, pretrain
from clearspot.errors import BadInputError, Problem
from clearspot.io.storable import require_folder
from clearspot.keys import COHORT
from clearspot.learning.device import resolve_device
from clearspot.learning.memory import gpu_memory_errors, peak_memory_bytes
from clearspot.record import StepRecord
from clearspot.threads import cpu_threads

PRETRAIN_STEP: Final = "superres_pretrain"


def pretrain_on(
    references: Mapping[str, Reference],
    path: Path | str,
    *,
    params: DiffstParams,
    spots: SpotGeometry | None = None,
    skip_bad_references: bool = False,
    progress: bool = True,
) -> StepRecord:
    """Train Diff-ST on references once, for any number of sections.

    Parameters
    ----------
    references
        By name, each with its histology, on bins of one size; one without an image has expression alone.
    path
        Model file. It can be read without running code, and holds a model card: what it learned from, and its scores on
        blocks that were held out.
    params
        Settings.
    spots
        Which spots the model is for; None: Visium's.
    skip_bad_references
        Leave out references that do not go with the others, with a warning in the record.
    progress
        Show progress on the standard error.

    Returns
    -------
    Record of the step.

    Raises
    ------
    BadInputError
        If a reference cannot be used, or the file cannot be written.
    DeviceNotAvailableError
        If the requested GPU is unavailable.
    """
    path, spots = Path(path), spots or SpotGeometry()
    record = StepRecord(COHORT, PRETRAIN_STEP, params=params.as_dict())
    require_folder(path.parent, COHORT)
    device = resolve_device(params.device)
    used: dict[str, Reference] = {}
    for name, one in sorted(references.items()):
        try:
            check_joins(name, {**used, name: one}, spots, params)
        except BadInputError as error:
            if not skip_bad_references:
                raise
            why = "; ".join(f"{problem.found}, expected {problem.expected}" for problem in error.problems)
            record.note("warning", f"The reference {name} was skipped: {why}.")
        else:
            used[name] = one
    if not used:
        expected, mend = "at least one usable reference", "Provide other references, or none."
        raise BadInputError(Problem(COHORT, path.name, "no reference", expected, mend))
    with cpu_threads(params.threads), gpu_memory_errors(f"a smaller {option('batch')} or {option('crop')}"):
        trained = pretrain(used, params, device, spots=spots, progress=progress)
    card = model_card(used, trained.programs.genes, spots, trained.scores)
    digest = save_checkpoint(
        path,
        model=trained.model,
        programs=trained.programs,
        params=trained.params,
        fingerprint={"references": {name: float(one.counts.sum(dtype=np.float64)) for name, one in used.items()}},
        results={"verdict": None, "losses": trained.losses, "seconds": trained.seconds},
        card=card,
    )
    _describe(record, trained, used, digest)
    return record


def _describe(record: StepRecord, trained: Pretrained, used: Mapping[str, Reference], digest: str) -> None:
    record.metrics = {
        "n_references": len(used),
        "n_references_with_image": sum(one.histology is not None for one in used.values()),
        "n_genes": len(trained.programs.genes),
        "n_programs": trained.programs.number,
        "n_parameters": sum(parameter.numel() for parameter in trained.model.parameters()),
        "checkpoint_sha256": digest,
        "peak_memory_bytes": peak_memory_bytes(),
        "seconds_mean": trained.seconds["mean"],
        "seconds_gene_head": trained.seconds.get("gene_head"),
    }
    scores = list(trained.scores.values())
    if scores:
        record.metrics["pearson_model"] = float(np.median([one["pearson_model"] for one in scores]))
        record.metrics["pearson_plain"] = float(np.median([one["pearson_plain"] for one in scores]))
    if of_head := [one["pearson_gene_head"] for one in scores if "pearson_gene_head" in one]:
        record.metrics["pearson_gene_head"] = float(np.median(of_head))
    names = sorted(used)
    record.tables["references"] = {
        "reference": names,
        "bins_on_tissue": [int(used[name].tissue.sum()) for name in names],
        "genes": [len(used[name].genes) for name in names],
        "image": [used[name].histology is not None for name in names],
        "pearson_model": [trained.scores.get(name, {}).get("pearson_model") for name in names],
        "pearson_gene_head": [trained.scores.get(name, {}).get("pearson_gene_head") for name in names],
        "pearson_plain": [trained.scores.get(name, {}).get("pearson_plain") for name in names],
    }
    for name, losses in trained.losses.items():
        record.tables[f"training_{name}"] = loss_curve(losses)
    if not any(one.histology is not None for one in used.values()):
        record.note("warning", "No reference has an image, so the model was trained without histology.")
