"""What a pretrained model learned from, and whether a section is near enough to that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import SpotGeometry
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.image.histology import Histology
from clearspot.diffst.image.same_features import require_same_features
from clearspot.diffst.image.stain import stain_of
from clearspot.diffst.training.checkpoint import load_checkpoint
from clearspot.learning.checkpoint_file import CheckpointError, refused_checkpoints

_TOLERANCE: Final = 0.1
"""By how much bins and pitch may differ, as a share."""


def model_card(
    references: Mapping[str, Reference],
    genes: Sequence[str],
    spots: SpotGeometry,
    scores: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """What a model learned from, in plain values.

    Parameters
    ----------
    references
        By name.
    genes
        That the model knows.
    spots
        That it is to be used for.
    scores
        Of each reference's held-out block, by name of the score.

    Returns
    -------
    ``bin_um``, ``pitch_um``, ``diameter_um``, ``n_genes`` and ``references``: for each its name, bins on tissue, genes,
    counts a bin, side of the measured bins (0 for points and cells), micrometres a pixel of the image, the name of the
    image encoder, the slide's mean optical density in red, green and blue, and with ``held_out`` its scores.
    """
    first = next(iter(references.values()))
    return {
        "bin_um": first.grid.bin_um,
        "pitch_um": spots.pitch_um,
        "diameter_um": spots.diameter_um,
        "n_genes": len(genes),
        "references": [
            {
                "name": name,
                "bins_on_tissue": int(one.tissue.sum()),
                "genes": len(one.genes),
                "counts_per_bin": round(float(one.counts[one.tissue.ravel()].sum()) / max(int(one.tissue.sum()), 1), 3),
                "measured_um": one.measured_um,
                "image_um_per_px": one.image_um_per_px,
                "image_encoder": None if one.histology is None else one.histology.encoder or None,
                "stain": None if one.histology is None else np.round(stain_of(one.histology.pixels), 3).tolist(),
                "held_out": {key: round(float(value), 4) for key, value in scores.get(name, {}).items()},
            }
            for name, one in sorted(references.items())
        ],
    }


def bins_of(path: Path, sample: str) -> float | None:
    """Side of the bins that a model learned from, in micrometres; None: of a single section.

    Raises
    ------
    BadInputError
        If the file is no model of Diff-ST.
    """
    with refused_checkpoints(sample, path):
        stated = load_checkpoint(path)["card"].get("bin_um")
    return float(stated) if stated else None


def check_fits(card: Mapping[str, Any], content: Mapping[str, Any], section: SpotSection, histology: Histology) -> None:
    """Refuse a model for a section that is unlike what it learned from.

    Parameters
    ----------
    card
        See :func:`model_card`; empty for a model of a single section.
    content
        The checkpoint.
    section, histology
        What the model is to start from.

    Raises
    ------
    CheckpointError
        If bins, spots, genes or image features do not fit.
    """
    sizes = content["sizes"]
    known = len(set(content["genes"]) & set(section.genes))
    programs = len(content["loadings"])
    has_image = bool(histology.valid.any())
    for what, here, there in (
        ("bins of {:.3g} µm", section.grid.bin_um, card.get("bin_um")),
        ("spots {:.3g} µm apart", section.pitch_um, card.get("pitch_um")),
    ):
        if there and abs(here / there - 1) > _TOLERANCE:
            raise CheckpointError(
                f"the model was trained with {what.format(there)}, but the section has {what.format(here)}"
            )
    if known < programs:
        raise CheckpointError(f"the model has {known} of the section's genes, fewer than its {programs} programs")
    if has_image:
        require_same_features(histology, sizes["image_channels"], sizes["image_encoder"])
    if has_image and sizes["pixels_per_bin"] and histology.pixels_per_bin != sizes["pixels_per_bin"]:
        found = f"{sizes['pixels_per_bin']} pixels per bin, but the section has {histology.pixels_per_bin}"
        raise CheckpointError(f"the model was trained with {found}")
