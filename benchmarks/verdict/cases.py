"""The good and the spoilt slides of the benchmark, and which of the verdict's rules is right about each fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from clearspot.simulate.arrays import CHEMISTRIES
from clearspot.simulate.choices import FAULTS, STRENGTHS

GOOD: Final = "good"
ARTEFACT: Final = "real artefact"
_WITHOUT_STRENGTH: Final = ("mirrored", "rotated")

GOOD_SEEDS: Final = range(8)
SPOILT_SEEDS: Final = (100, 101)
"""Even seeds choose limits, odd ones show what they are worth."""

MIXES: Final = (
    ("shifted", "low_counts"), ("dead_region", "blurred"), ("shuffled", "low_sequencing"), ("bleeding", "dried"),
)  # fmt: skip

REAL: Final = (
    "outs/mouse_cytassist", "outs/vendor_grid_human", "dlpfc/151510", "dlpfc/151673", "mob/MOB1", "mob/MOB2",
    "mob/MOB3", *(f"her2st/{name}" for name in ("A1", "B1", "C1", "C2", "C3", "C4", "C5", "C6", "D1", "F1", "G2")),
    "hd_kidney/kidney", "xenium_pair/visium",
)  # fmt: skip
"""Real sections without a known fault, under ``../shared/data``."""

REAL_SHUFFLED: Final = ("outs/mouse_cytassist", "dlpfc/151673", "mob/MOB1", "her2st/F1")
REAL_ARTEFACT: Final = "artefact/Br8325_ant"

_PLACE: Final = frozenset({"spots_on_tissue_image", "picture_shift"})
_SYMMETRY: Final = frozenset({"spots_on_tissue_image", "picture_symmetry", "picture_shift"})
_STRUCTURE: Final = frozenset({"spatial_structure", "percent_genes_spatial", "neighbour_likeness"})
_REGIONS: Final = frozenset({"percent_spots_in_regions"})
_BLEEDING: Final = frozenset(
    {
        "bleed_share",
        "far_to_tissue_counts",
        "percent_counts_outside",
        "fraction_reads_in_spots",
    }
)
_SEQUENCING: Final = frozenset(
    {
        *("valid_barcodes", "valid_umis", "q30_rna_read", "q30_probe_read", "q30_barcode", "q30_umi"),
        *("mapped_transcriptome", "mapped_probe_set", "mean_reads_spot", "mean_reads_spot_panel", "mean_reads_bin"),
        *("sequencing_saturation", "fraction_reads_in_spots"),
    }
)
_COUNTS: Final = frozenset(
    {"percent_spots_pass", "median_counts_spot", "median_counts_bin", "median_genes_spot", "percent_genes_seen"}
)

RIGHT: Final[dict[str, frozenset[str]]] = {
    "shifted": _PLACE,
    "mirrored": _SYMMETRY,
    "rotated": _SYMMETRY,
    "shuffled": _STRUCTURE,
    "dead_region": _REGIONS,
    "torn": _REGIONS,
    "dried": _REGIONS,
    "bleeding": _BLEEDING,
    "low_sequencing": _SEQUENCING,
    "low_counts": _COUNTS,
    "blurred": frozenset({"percent_tiles_blurred"}),
    "overexposed": frozenset({"percent_tiles_overexposed"}),
    "pale": frozenset({"percent_tiles_pale"}),
    ARTEFACT: _REGIONS,
}
"""Fault -> rules that see it."""

_TOO_FEW: Final = ("quality control", "genes have more than")

REFUSAL: Final[dict[str, tuple[str, ...]]] = {
    "low_counts": _TOO_FEW, "low_sequencing": _TOO_FEW, "mirrored": ("pixel",), "rotated": ("pixel",),
    "shifted": ("outside",),
}  # fmt: skip
"""Fault -> words of a refusal that is right about it."""

INFERRED: Final = (
    frozenset({"percent_tiles_underexposed"})
    | _SYMMETRY
    | _STRUCTURE
    | _REGIONS
    | RIGHT["blurred"]
    | RIGHT["overexposed"]
    | RIGHT["pale"]
)
"""Rules that infer a fault, so that they can be wrong; the others state a figure against a limit."""


@dataclass(frozen=True)
class Case:
    """One slide.

    Parameters
    ----------
    name
        Unique.
    faults
        What is wrong: kinds of :data:`RIGHT`; empty: nothing.
    strength
        Of all of them; empty where there is none.
    chemistry
        Of a phantom; empty: a real section.
    seed
        Of the phantom, or of the shuffling.
    source
        Real section, under ``../shared/data``.
    """

    name: str
    faults: tuple[str, ...] = ()
    strength: str = ""
    chemistry: str = ""
    seed: int = 0
    source: str = ""

    @property
    def kind(self) -> str:
        """Row of the table."""
        return " + ".join(self.faults) or GOOD

    @property
    def half(self) -> str:
        """``choose`` or ``show``."""
        return "choose" if self.seed % 2 == 0 else "show"

    def as_dict(self) -> dict[str, Any]:
        """All fields, for a line of the results."""
        return asdict(self)


def all_cases() -> Iterator[Case]:
    """Every slide of the benchmark."""
    for chemistry in CHEMISTRIES:
        for seed in GOOD_SEEDS:
            yield Case(f"good-{chemistry}-{seed}", (), "", chemistry, seed)
    for number, source in enumerate(REAL):
        yield Case(f"good-{source}", seed=number, source=source)
    yield Case(REAL_ARTEFACT, (ARTEFACT,), seed=1, source=REAL_ARTEFACT)
    for number, source in enumerate(REAL_SHUFFLED):
        for strength in STRENGTHS:
            yield Case(f"shuffled-{strength}-{source}", ("shuffled",), strength, seed=number, source=source)
    mixes = [(mix, "middle") for mix in MIXES]
    single = [
        ((kind,), strength) for kind in FAULTS for strength in (("strong",) if kind in _WITHOUT_STRENGTH else STRENGTHS)
    ]
    for faults, strength in [*single, *mixes]:
        for chemistry in CHEMISTRIES:
            for seed in SPOILT_SEEDS:
                yield Case(f"{'+'.join(faults)}-{strength}-{chemistry}-{seed}", faults, strength, chemistry, seed)
