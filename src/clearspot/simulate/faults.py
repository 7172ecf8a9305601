"""Slides spoilt on purpose: what goes wrong with a section, in three strengths, done to a phantom as it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from clearspot.simulate.arrays import SpotArray
from clearspot.simulate.capture import Capture
from clearspot.simulate.choices import FAULTS, STRENGTHS, FaultKind, Strength
from clearspot.simulate.fault_pictures import spoil_picture
from clearspot.simulate.fault_sequencing import spoil_metrics

_BY_STRENGTH: Final[Mapping[str, tuple[float, float, float]]] = {
    "shifted": (150.0, 300.0, 600.0),  # µm
    "shuffled": (0.3, 0.6, 1.0),  # share of the spots under tissue that change places
    "dead_region": (0.4, 0.15, 0.04),  # share of the counts that is left
    "torn": (0.6, 0.3, 0.1),
    "dried": (0.8, 0.5, 0.25),
    "bleeding": (0.15, 0.35, 0.6),  # share of the RNA that leaves its place
    "low_sequencing": (0.5, 0.25, 0.08),
    "low_counts": (0.4, 0.12, 0.03),
}
_BLEED_UM: Final = (150.0, 250.0, 400.0)
_MITOCHONDRIAL: Final = (1.5, 2.5, 4.0)
"""Factor on mitochondrial counts of torn and dried tissue."""
_TEAR_UM: Final = (150.0, 250.0, 400.0)
"""Width of the band beside a tear."""
_DEAD_SHARE: Final = (0.12, 0.35)
"""Range of the share of the tissue that a dead region has."""
_DRIED_SHARE: Final = (0.15, 0.35)

_SIGMAS: Final = 2.5
"""Reach of the spread, in standard deviations."""


@dataclass(frozen=True)
class Fault:
    """One thing that went wrong.

    Parameters
    ----------
    kind
        ``shifted`` (positions against image and tissue), ``mirrored`` and ``rotated`` (a symmetry of the positions; no
        strength), ``shuffled`` (spots under tissue change places), ``dead_region`` (a region thinned), ``torn`` and
        ``dried`` (a band, or one side, with few kinds of molecules and much mitochondrial RNA), ``bleeding`` (RNA
        spread over the slide), ``low_sequencing`` (few, bad reads), ``low_counts``, or of the picture ``blurred``,
        ``overexposed``, ``pale``.
    strength
        How badly.

    Raises
    ------
    ValueError
        If there is no such kind or strength.
    """

    kind: FaultKind
    strength: Strength = "middle"

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"unknown fault {self.kind!r}; available: {', '.join(FAULTS)}")
        if self.strength not in STRENGTHS:
            raise ValueError(f"unknown strength {self.strength!r}; available: {', '.join(STRENGTHS)}")

    @property
    def level(self) -> int:
        """0 to 2."""
        return STRENGTHS.index(self.strength)

    @property
    def amount(self) -> float:
        """The figure of its kind and strength."""
        return _BY_STRENGTH[self.kind][self.level]


@dataclass
class Faults:
    """The faults of one slide, and what each of them did.

    Parameters
    ----------
    faults
        What goes wrong, each kind at most once.
    seed
        Seed of the slide; each kind of fault has a stream of its own.

    Attributes
    ----------
    done
        By kind: strength and figures, for the truth.
    regions
        By kind: barcodes of the spots (on Visium HD: 8 µm bins) that a regional fault spoilt.

    Raises
    ------
    ValueError
        If a kind is named twice.
    """

    faults: Sequence[Fault] = ()
    seed: int = 0
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    regions: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = [fault.kind for fault in self.faults]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"duplicated fault: {', '.join(kinds)}")

    def spread(self, captured: Capture, array: SpotArray) -> Capture:
        """Let RNA bleed over the slide before it is counted."""
        for fault in self._of("bleeding"):
            spread_um = _BLEED_UM[fault.level]
            self._note(fault, share=fault.amount, spread_um=spread_um)
            far = _blur_over(array, captured.measured, spread_um)
            measured = (1 - fault.amount) * captured.measured + fault.amount * far
            captured = replace(captured, measured=measured.astype(np.float32))
        return captured

    def spoil_counts(
        self, counts: sparse.csr_array, array: SpotArray, in_tissue: np.ndarray, features: pd.DataFrame
    ) -> sparse.csr_array:
        """Thin counts, damage regions and exchange spots; rows are in the order of ``array``."""
        for fault in self._of("low_counts", "low_sequencing"):
            self._note(fault, counts_left=fault.amount)
            counts = _thin(self._rng(fault), counts, np.full(counts.nnz, fault.amount))
        for fault in self._of("dead_region", "torn", "dried"):
            rng = self._rng(fault)
            region = _REGIONS[fault.kind](rng, array, in_tissue, fault)
            self.regions[fault.kind] = array.barcodes[region]
            figures = {"counts_left": fault.amount, "share_of_tissue": float(region.sum() / max(in_tissue.sum(), 1))}
            self._note(fault, **figures)
            counts = _damage(rng, counts, region, fault, features)
        for fault in self._of("shuffled"):
            rng = self._rng(fault)
            under = np.flatnonzero(in_tissue)
            moved = np.sort(rng.choice(under, round(fault.amount * len(under)), replace=False))
            order = np.arange(len(array))
            order[moved] = rng.permutation(moved)
            self._note(fault, share_of_spots=fault.amount)
            counts = sparse.csr_array(counts[order])
        return counts

    def move(self, array: SpotArray, whole: SpotArray) -> SpotArray:
        """Return where the positions file says the spots lie; ``whole`` is the array whose middle stays."""
        x, y = array.x_um.astype(float), array.y_um.astype(float)
        middle = [(np.min(axis) + np.max(axis)) / 2 for axis in (whole.x_um, whole.y_um)]
        for fault in self._of("mirrored", "rotated"):
            turn = self._rng(fault).integers(3 if fault.kind == "rotated" else 2)
            dx, dy = x - middle[0], y - middle[1]
            if fault.kind == "mirrored":
                how, (dx, dy) = (("left to right", (-dx, dy)), ("top to bottom", (dx, -dy)))[turn]
            else:
                how, (dx, dy) = (("90", (-dy, dx)), ("180", (-dx, -dy)), ("270", (dy, -dx)))[turn]
            self._note(fault, how=how)
            x, y = middle[0] + dx, middle[1] + dy
        for fault in self._of("shifted"):
            angle = self._rng(fault).uniform(0, 2 * np.pi)
            by = fault.amount * np.cos(angle), fault.amount * np.sin(angle)
            self._note(fault, distance_um=fault.amount, x_um=float(by[0]), y_um=float(by[1]))
            x, y = x + by[0], y + by[1]
        return replace(array, x_um=x, y_um=y)

    def spoil_picture(self, picture: np.ndarray, um_per_px: float) -> None:
        """Blur, overexpose or bleach a picture in place (rows x columns x RGB, 8 bits)."""
        for fault in self._of("blurred", "overexposed", "pale"):
            self._note(fault, **spoil_picture(picture, fault.kind, fault.level, um_per_px))

    def spoil_metrics(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return ``metrics_summary.csv`` of a bad sequencing run."""
        for fault in self._of("low_sequencing"):
            table = spoil_metrics(table, fault.level)
        return table

    def _of(self, *kinds: FaultKind) -> list[Fault]:
        return [fault for fault in self.faults if fault.kind in kinds]

    def _rng(self, fault: Fault) -> np.random.Generator:
        # a symmetry and a direction are the slide's, whatever the strength
        return np.random.default_rng([self.seed, 7001 + FAULTS.index(fault.kind)])

    def _note(self, fault: Fault, **figures: Any) -> None:
        self.done[fault.kind] = {"strength": fault.strength, **figures}


def _blur_over(array: SpotArray, amounts: np.ndarray, spread_um: float) -> np.ndarray:
    """Spread amounts by a Gaussian; what leaves a spot arrives at others, and nothing leaves the array."""
    if array.square:
        shape = (int(np.ptp(array.row)) + 1, int(np.ptp(array.col)) + 1, amounts.shape[1])
        sigma = spread_um / array.size_um
        blurred = ndimage.gaussian_filter(
            amounts.reshape(shape), (sigma, sigma, 0), mode="reflect", truncate=_SIGMAS, output=np.float32
        )
        return np.asarray(blurred.reshape(amounts.shape))
    tree = cKDTree(np.column_stack([array.x_um, array.y_um]))
    distance = tree.sparse_distance_matrix(tree, _SIGMAS * spread_um, output_type="coo_matrix")
    weight = np.exp(-0.5 * (distance.data / spread_um) ** 2)
    kernel = sparse.coo_array((weight, (distance.row, distance.col)), shape=distance.shape).tocsc()
    kernel += sparse.eye_array(len(array), format="csc") - sparse.diags_array(kernel.diagonal(), format="csc")
    given = np.asarray(kernel.sum(axis=0)).ravel()
    return np.asarray(kernel @ (amounts / given[:, None]))


def _thin(rng: np.random.Generator, counts: sparse.csr_array, kept: np.ndarray) -> sparse.csr_array:
    """Keep each molecule with a probability, one an entry of the matrix."""
    data = rng.binomial(counts.data, kept).astype(counts.dtype)
    # a copy: taking out zeros would change the index arrays that it shares with what it was made of
    thinned = sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape, copy=True)
    thinned.eliminate_zeros()
    return thinned


def _damage(
    rng: np.random.Generator, counts: sparse.csr_array, region: np.ndarray, fault: Fault, features: pd.DataFrame
) -> sparse.csr_array:
    """Thin a region evenly (dead), or gene by gene with mitochondrial RNA that stays and gathers (torn, dried)."""
    inside = np.repeat(region, np.diff(counts.indptr))
    kept = np.ones(counts.nnz)
    if fault.kind == "dead_region":
        kept[inside] = fault.amount
        return _thin(rng, counts, kept)
    mitochondrial = features.index.str.upper().str.contains("MT-", regex=False)
    # some genes vanish, others hardly suffer: fewer kinds of molecules
    of_gene = np.where(mitochondrial, 1.0, fault.amount ** (2 * rng.random(counts.shape[1])))
    kept[inside] = of_gene[counts.indices[inside]]
    more = inside & mitochondrial[counts.indices]
    counts = counts.copy()
    counts.data[more] += rng.poisson((_MITOCHONDRIAL[fault.level] - 1) * counts.data[more]).astype(counts.dtype)
    return _thin(rng, counts, kept)


def _blob(rng: np.random.Generator, array: SpotArray, in_tissue: np.ndarray, _fault: Fault) -> np.ndarray:
    """An ellipse around a random place of the tissue."""
    under = np.flatnonzero(in_tissue)
    centre, angle, stretch = rng.choice(under), rng.uniform(0, np.pi), rng.uniform(1, 2)
    dx, dy = array.x_um - array.x_um[centre], array.y_um - array.y_um[centre]
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    return _nearest(np.hypot(along, stretch * across), in_tissue, rng.uniform(*_DEAD_SHARE))


def _side(rng: np.random.Generator, array: SpotArray, in_tissue: np.ndarray, _fault: Fault) -> np.ndarray:
    """One side of the tissue."""
    angle = rng.uniform(0, 2 * np.pi)
    along = array.x_um * np.cos(angle) + array.y_um * np.sin(angle)
    return _nearest(along, in_tissue, rng.uniform(*_DRIED_SHARE))


def _band(rng: np.random.Generator, array: SpotArray, in_tissue: np.ndarray, fault: Fault) -> np.ndarray:
    """Both sides of a straight tear through a random place of the tissue."""
    place, angle = rng.choice(np.flatnonzero(in_tissue)), rng.uniform(0, np.pi)
    dx, dy = array.x_um - array.x_um[place], array.y_um - array.y_um[place]
    return in_tissue & (abs(dy * np.cos(angle) - dx * np.sin(angle)) <= _TEAR_UM[fault.level] / 2)


def _nearest(distance: np.ndarray, in_tissue: np.ndarray, share: float) -> np.ndarray:
    return in_tissue & (distance <= np.quantile(distance[in_tissue], share))


_Region = Callable[[np.random.Generator, SpotArray, np.ndarray, Fault], np.ndarray]
_REGIONS: Final[Mapping[str, _Region]] = {"dead_region": _blob, "torn": _band, "dried": _side}
