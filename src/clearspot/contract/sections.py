"""The tissue sections that an AnnData holds, and the places of its observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.caller import by_caller, place_of_section
from clearspot.errors import UNNAMED, BadInputError, Problem

_COLUMNS: Final = (keys.LIBRARY_ID, keys.SAMPLE_ID)
_SHOWN: Final = 10


def bad_section(sample: str, found: str, expected: str, mend: str) -> BadInputError:
    """Error about the content of a section's AnnData."""
    return BadInputError(Problem(sample, place_of_section(keys.h5ad_name(sample)), found, expected, mend))


def sample_name(adata: ad.AnnData) -> str:
    """Name of the sample, where ``obs['sample_id']`` says it."""
    if keys.SAMPLE_ID not in adata.obs:
        return UNNAMED
    names = adata.obs[keys.SAMPLE_ID].dropna().unique()
    return str(names[0]) if len(names) == 1 else UNNAMED


@dataclass(frozen=True)
class Sections:
    """Sections of an AnnData.

    Parameters
    ----------
    codes
        Section of each observation, 0, 1, ..., shape ``(n_obs,)``.
    names
        Their names, in the order in which they first occur.
    """

    codes: NDArray[np.intp]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def section_labels(adata: ad.AnnData, library_key: str | None = None, sample: str = "sample") -> Sections:
    """Tell the sections of an AnnData apart.

    Without ``library_key`` there must be one: ``obs['library_id']`` and ``obs['sample_id']`` have a single value each,
    or, where neither column is there, ``uns['spatial']`` has at most one entry.

    Parameters
    ----------
    adata
        One section or several.
    library_key
        Column of ``obs`` with the section of each observation.
    sample
        Sample name, for messages.

    Raises
    ------
    BadInputError
        If there are several sections and no ``library_key``; if its column is absent, or lacks values.
    """
    if library_key is None:
        _refuse_several(adata, sample)
        return Sections(np.zeros(adata.n_obs, dtype=np.intp), (sample,))
    if library_key not in adata.obs:
        raise bad_section(
            sample,
            f"no column obs['{library_key}']",
            "a column of obs that names the section of each observation",
            f"Set library_key to one of: {_listed(sorted(map(str, adata.obs.columns)))}.",
        )
    codes, names = pd.factorize(adata.obs[library_key])
    if missing := int((codes < 0).sum()):
        raise bad_section(
            sample,
            f"{missing} of {adata.n_obs} observations have no value in obs['{library_key}']",
            "the section of each observation",
            "Fill in the missing values, or remove those observations.",
        )
    return Sections(codes.astype(np.intp), tuple(str(name) for name in names))


def require_one_section(adata: ad.AnnData, sample: str, step: str) -> None:
    """Refuse an AnnData of several sections in a step that takes one.

    Parameters
    ----------
    adata, sample
        As for :func:`section_labels`.
    step
        The step as the subject of a sentence: ``Super-resolution``.

    Raises
    ------
    BadInputError
        With the names of the sections.
    """
    _refuse_several(adata, sample, f"{step} runs on one section at a time: ")


def _refuse_several(adata: ad.AnnData, sample: str, step: str = "") -> None:
    columns = [column for column in _COLUMNS if column in adata.obs]
    for column in columns:
        names = list(map(str, adata.obs[column].dropna().unique()))
        if len(names) > 1:
            given = by_caller(f"library_key='{column}'", f"--library-key {column}", f"--library-key {column}")
            alternative = "" if step else f" or give {given}"
            raise bad_section(
                sample,
                f"{len(names)} sections in obs['{column}']: {_listed(names)}",
                "one section",
                f"{step}select one (adata[adata.obs['{column}'] == '{names[0]}']){alternative}.",
            )
    # a section cut out of several keeps the pictures of all of them
    pictures = [] if columns else list(adata.uns.get(keys.UNS_SPATIAL, {}))
    if len(pictures) > 1:
        given = by_caller("library_key", "--library-key", "--library-key")
        alternative = "" if step else f" and give its name as {given}"
        raise bad_section(
            sample,
            f"{len(pictures)} sections in uns['{keys.UNS_SPATIAL}']: {_listed(pictures)}",
            "one section",
            f"{step}name the section of each observation in a column of obs, for example "
            f"'{keys.LIBRARY_ID}',{' and select one' if step else alternative}.",
        )


def require_positions(
    adata: ad.AnnData, sample: str, rows: NDArray[np.intp] | None = None, codes: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Validated positions of observations, shape ``(n, 2)``: pixel column and row.

    Parameters
    ----------
    adata
        With ``obsm['spatial']``.
    sample
        Sample name, for messages.
    rows
        Observations to check; all of them by default.
    codes
        Section of each observation of ``adata``: positions are compared within a section only.

    Raises
    ------
    BadInputError
        If there are no positions, if one is not finite, or if two observations share a position.
    """
    if keys.SPATIAL not in adata.obsm:
        raise bad_section(
            sample,
            f"no obsm['{keys.SPATIAL}']",
            "the position of every spot",
            f"Put the spots' pixel coordinates into obsm['{keys.SPATIAL}'].",
        )
    rows = np.arange(adata.n_obs) if rows is None else rows
    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[rows, :2]
    if lost := int((~np.isfinite(xy).all(axis=1)).sum()):
        raise bad_section(
            sample,
            f"{lost} of {len(xy)} spots in obsm['{keys.SPATIAL}'] have missing or infinite coordinates",
            "the position of every spot",
            "Remove those spots.",
        )
    place, first = _places(xy, np.zeros(len(xy)) if codes is None else codes[rows])
    if repeated := len(xy) - len(first):
        twin = int(np.flatnonzero(np.bincount(place) > 1)[0])
        pair = ", ".join(map(str, adata.obs_names[rows[np.flatnonzero(place == twin)[:2]]]))
        merging = "clearspot.contract.sections.merge_duplicates"
        merging = by_caller(merging, "--merge-duplicates", "--merge-duplicates")
        raise bad_section(
            sample,
            f"{repeated} of {len(xy)} observations share the position of another one (for example {pair})",
            "one observation per position",
            f"Remove the duplicates, add up their counts ({merging}), or set library_key if they belong to several "
            f"sections.",
        )
    return xy


def merge_duplicates(adata: ad.AnnData, library_key: str | None = None, sample: str = "sample") -> ad.AnnData:
    """Add up the counts of observations that stand at one place.

    Everything but the counts is the first observation's. Other layers and the graph are left out, since they would no
    longer belong to the counts.

    Parameters
    ----------
    adata
        With counts and ``obsm['spatial']``. It is not changed.
    library_key
        Column of ``obs`` with the section of each observation: only observations of one section are merged.
    sample
        Sample name, for messages.

    Returns
    -------
    A new AnnData with one observation a place, in the order of the first ones.
    """
    from scipy.sparse import csr_matrix

    from clearspot.contract.counts import read_counts

    sections = section_labels(adata, library_key, sample)
    xy = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)[:, :2]
    place, first = _places(xy, sections.codes)
    counts = read_counts(adata, sample)
    ones = np.ones(len(place), dtype=counts.dtype)
    merged = csr_matrix((ones, (place, np.arange(len(place)))), shape=(len(first), len(place))) @ counts
    return ad.AnnData(
        obs=adata.obs.iloc[first].copy(),
        var=adata.var.copy(),
        layers={keys.COUNTS: merged},
        obsm={name: values[first] for name, values in adata.obsm.items()},
        uns=dict(adata.uns),
    )


def _places(xy: NDArray[np.float64], codes: NDArray[np.generic]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Number of each observation's place, in the order in which places first occur, and the first row at each."""
    keyed = np.column_stack([codes, xy])
    _, first, place = np.unique(keyed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[place.ravel()], first[order]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
