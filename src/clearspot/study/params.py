"""Settings of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearspot.contract.settings import Settings, setting

Integration = Literal["dusted_harmony", "dusted", "harmony", "pca_harmony", "none"]


@dataclass(frozen=True)
class StudyParams(Settings):
    """How the sections of a study are integrated and compared."""

    integration: Integration = setting(
        "dusted_harmony",
        "Latent that the sections share: one DUSTED model of all sections with factors for each batch, corrected by "
        "Harmony (dusted_harmony), the same without Harmony (dusted), principal components corrected by Harmony and "
        "averaged over neighbours (harmony), the same without the average (pca_harmony), or averaged components "
        "without correction (none).",
    )
    n_top_genes: int = setting(3000, "Number of highly variable genes, ranked over all sections.", ge=10)
    n_components: int = setting(30, "Number of principal components (harmony, pca_harmony and none).", ge=2)
    n_domains: int | None = setting(None, "Number of shared domains.", none="chosen from the data by BIC", ge=2, le=100)
    max_domains: int = setting(15, "Maximum number of shared domains considered.", ge=2, le=100)
    n_markers: int = setting(10, "Number of marker genes listed per shared domain.", ge=1)
    reference_condition: str | None = setting(
        None, "Condition that the others are compared with.", none="the first in alphabetical order"
    )
    min_spots: int = setting(
        10, "Minimum number of spots of a domain that a donor needs to take part in its comparison.", ge=1
    )
    seed: int = setting(0, "Random seed.", ge=0)
