"""Names under which the versions of Space Ranger state one figure in ``metrics_summary.csv``.

Columns were compared over the documentation of 1.0 to 4.0, files of real runs (1.x genome-mapped, FFPE and CytAssist
probes, Visium HD 3.x) and the parsers of MultiQC's users. Versions before 2.0 write ``metrics_summary_csv.csv`` in some
installations, state percentages or fractions, and write the Greek letter or the sign for micro.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "valid_umis": ("Valid UMI Sequences",),
    "total_genes_detected": ("Genes Detected",),
    "fraction_reads_in_spots_under_tissue": (
        "Fraction Reads in Squares Under Tissue",
        "Fraction Reads in Bins Under Tissue",
        "Fraction of Reads in Spots Under Tissue",
    ),
    "mean_reads_under_tissue_per_spot": ("Mean Reads Under Tissue",),
    "reads_mapped_confidently_to_the_filtered_probe_set": ("Reads Mapped Confidently to Filtered Probe Set",),
}
"""Canonical name -> names beside its declared title."""

_MICRO: Final = {"\u03bc": "\u00b5"}


def find_figure(stated: Mapping[str, Any], name: str, title: str, *, is_fraction: bool) -> Any:
    """Value of one figure in a summary, whatever its version calls it.

    Parameters
    ----------
    stated, name, title
        As those of :func:`find_stated_name`.
    is_fraction
        Whether it is a share: one above 1 is then in percent (fractions and percentages with a sign are read before).

    Returns
    -------
    ``None`` where the summary lacks it, or states no number ("None" where probes were not filtered).
    """
    written = find_stated_name(stated, name, title)
    value = None if written is None else stated[written]
    return value / 100 if value is not None and is_fraction and 1 < value <= 100 else value


def find_stated_name(stated: Mapping[str, Any], name: str, title: str) -> str | None:
    """Name under which a summary states one figure, as it is written there.

    Parameters
    ----------
    stated
        The summary: name as written -> value.
    name, title
        Canonical name, and the title under which most versions state it.

    Returns
    -------
    ``None`` where the summary lacks it, or states no number.
    """
    written = {_plain(key): key for key, value in stated.items() if isinstance(value, (int, float))}
    return next((found for one in (title, *_OTHER_NAMES.get(name, ())) if (found := written.get(_plain(one)))), None)


def _plain(name: str) -> str:
    for other, micro in _MICRO.items():
        name = name.replace(other, micro)
    return " ".join(name.casefold().split())
