"""Imprint of the spots' lattice on fine maps: pattern that a method adds where spots happen to lie.

Tissue does not know where the spots are, so a map should not either. Three measures tell whether it does, each a ratio
that is 1 without imprint:

- ``lattice_power``: power of the map at the lattice's frequencies. Sees spots that are all brighter, or all darker,
  than what is between them.
- ``detail_power``: the same of the size of the map's fine detail. Sees spots that stand out either way, each by its own
  noise, which the first hardly does: signs that change from spot to spot have no period.
- ``border_step``: step between bins across spots' borders. The steadiest of the three. Below 1, steps lie between the
  spots (0 where every bin has its nearest spot's value).

A map is judged against the same map before projection, and against the truth where there is one: tissue with structure
of the lattice's size has ratios off 1 by chance.

A map that knows more at spots shows more detail there, and is right to. ``detail_slopes`` tells knowledge from imprint:
the slope of the truth's detail on the map's is 1, at spots and between them, if the map is the mean of what may be, and
below 1 where the map shows detail that is not there.

    python benchmarks/superres/imprint.py --cases phantom-0-5x --methods gaussian sharpened
    python benchmarks/superres/imprint.py --cases phantom-0-5x her2st-C2 mob-MOB1 --product plain meannet --methods

Whole sections (``her2st-C2``, ``mob-MOB1`` ...) have no truth, but a lattice all the same.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases import Case
from scipy import ndimage, optimize
from scipy.spatial import cKDTree

LEVELS = 10
"""Groups of like local mean within which steps are compared."""

DETAIL_PITCHES = 0.3
TAPER_PITCHES = 3.0
RING_ANGLES = 180
RESOLUTIONS = 2.5
"""Distance of the ring's frequencies from the lattice's, in widths of the window's own peak."""

FEWEST_ANGLES = 20


@dataclass(frozen=True)
class Lattice:
    """The spots' lattice in the coordinates of the bins.

    Parameters
    ----------
    xy
        (n_spots, 2): centres in bins (column, row), the first bin's centre at 0.
    pitch
        Distance between neighbours, in bins.
    frequencies
        (3, 2) of a hexagonal lattice, (2, 2) of a square one: reciprocal vectors of first order, cycles per bin. A real
        map's power at the opposite ones is the same.
    """

    xy: np.ndarray
    pitch: float
    frequencies: np.ndarray

    @classmethod
    def of(cls, xy: np.ndarray, pitch: float) -> Lattice:
        """Find kind and direction of the lattice from the spots themselves.

        Neighbours' directions say whether it is hexagonal or square, and how it is turned; from there each frequency is
        moved, by up to a tenth, to where the positions' own structure factor peaks.
        """
        pairs = cKDTree(xy).query_pairs(1.25 * pitch, output_type="ndarray")
        steps = (xy[pairs[:, 1]] - xy[pairs[:, 0]]) @ [1, 1j]
        steps = steps[np.abs(steps) > 0.75 * pitch]
        if len(steps) < 3:
            raise ValueError(f"only {len(steps)} pairs of spots lie {pitch:g} bins apart: no lattice")
        fold = max((4, 6), key=lambda number: np.abs(np.mean((steps / np.abs(steps)) ** number)))
        turned = np.angle(np.mean((steps / np.abs(steps)) ** fold)) / fold
        angles = turned + np.pi / fold * (fold == 6) + 2 * np.pi / fold * np.arange(fold // 2)
        radius = 1 / (pitch * np.sin(np.pi / 3)) if fold == 6 else 1 / pitch
        start = radius * np.column_stack([np.cos(angles), np.sin(angles)])
        return cls(xy, pitch, np.array([_peak(xy, frequency) for frequency in start]))


def lattice_power(values: np.ndarray, lattice: Lattice, tissue: np.ndarray) -> float:
    """Power of a map at the lattice's frequencies over that at others of the same radius.

    The square root of the map, less its local mean (Gaussian of one pitch), is windowed with a Hann taper of three
    pitches from the tissue's edge inwards. Mean power at the lattice's frequencies is divided by the mean over the ring
    of equal radius, without what lies within the window's resolution of them.

    Parameters
    ----------
    values
        rows x columns: one gene, not negative.
    lattice
        The spots.
    tissue
        rows x columns: bins that count.

    Returns
    -------
    1 without imprint, up to chance: the ratio of one smooth random map has a standard deviation of about 0.6 (two or
    three frequencies are all there are) and a median of 0.85, so use the median over genes. NaN where map or tissue are
    too small or the map is constant.
    """
    return _relative_power(np.sqrt(values), lattice, tissue)


def detail_power(values: np.ndarray, lattice: Lattice, tissue: np.ndarray) -> float:
    """As :func:`lattice_power`, of the distance between the map's square root and its Gaussian mean of 0.3 pitches."""
    root = np.sqrt(values)
    return _relative_power(np.abs(root - _local_mean(root, tissue, DETAIL_PITCHES * lattice.pitch)), lattice, tissue)


def border_step(values: np.ndarray, lattice: Lattice, coverage: np.ndarray, tissue: np.ndarray) -> float:
    """Mean step between adjacent bins across a spot's border over that between bins on the same side.

    Steps are absolute differences of the square root. Pairs are compared in groups of like local mean and equal
    direction, since steps grow with the mean and layered tissue has larger ones across its layers; groups are
    weighted by their pairs across borders. Pairs farther than a pitch from any spot do not count.

    Parameters
    ----------
    values, lattice, tissue
        As of :func:`lattice_power`.
    coverage
        rows x columns: share of the bin's area inside spots; a bin is inside from one half on.

    Returns
    -------
    1 without imprint; NaN where there are no pairs to compare.
    """
    rows, cols = np.nonzero(tissue)
    near = np.zeros_like(tissue, dtype=bool)
    distance, _ = cKDTree(lattice.xy).query(np.column_stack([cols, rows]))
    near[rows, cols] = distance <= lattice.pitch
    root, inside = np.sqrt(values), coverage > 0.5
    level = _local_mean(root, tissue, lattice.pitch)
    across, along, weight = [], [], []
    for first, second in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        pair = near[first] & near[second]
        step = np.abs(root[first] - root[second])[pair]
        crosses = (inside[first] != inside[second])[pair]
        middle = (level[first] + level[second])[pair]
        group = np.searchsorted(np.quantile(middle, np.arange(1, LEVELS) / LEVELS), middle) if len(middle) else middle
        for number in range(LEVELS):
            here = group == number
            if (here & crosses).any() and (here & ~crosses).any():
                across.append(step[here & crosses].mean())
                along.append(step[here & ~crosses].mean())
                weight.append((here & crosses).sum())
    same = np.dot(along, weight)
    return float(np.dot(across, weight) / same) if same > 0 else float("nan")


def detail_slopes(case: Case, mean: np.ndarray) -> dict[str, float]:
    """Slope of the truth's fine detail on a map's, over bins at least half inside spots and over the others.

    Detail is the distance to the Gaussian mean of 0.3 pitches, on the scale of the counts: their noise adds nothing to
    the slope, as long as it is not the noise of the spots' own counts. Genes are pooled, each divided by the root of
    its mean, as suits Poisson noise.

    Parameters
    ----------
    case
        With a truth (expectations, or counts that are independent of the spots').
    mean
        n_bins x genes.

    Returns
    -------
    ``slope_at_spots`` and ``slope_between``; NaN where the map has no detail.
    """
    lattice_pitch, inside = case.pitch_um / case.grid.bin_um, case.operator.sum(axis=0).reshape(case.grid.shape) > 0.5
    weight = 1 / np.sqrt(np.maximum(case.truth.mean(axis=0), 1e-9))

    def detail(values: np.ndarray) -> np.ndarray:
        maps = (values * weight).T.reshape(-1, *case.grid.shape)
        return np.stack([one - _local_mean(one, case.tissue, DETAIL_PITCHES * lattice_pitch) for one in maps])

    of_truth, of_map = detail(case.truth), detail(mean)
    rounding = np.finfo(np.float32).eps * float(((mean * weight) ** 2).sum())
    slopes = {}
    for name, bins in (("slope_at_spots", case.tissue & inside), ("slope_between", case.tissue & ~inside)):
        power = float((of_map[:, bins] ** 2).sum())
        slope = (of_truth[:, bins] * of_map[:, bins]).sum() / power if power > rounding else float("nan")
        slopes[name] = float(slope)
    return slopes


def imprint(case: Case, mean: np.ndarray) -> dict[str, float]:
    """Medians over genes of the three measures, of a prediction (n_bins x genes) for a case with a tissue mask."""
    grid = case.grid
    lattice = Lattice.of(grid.to_grid(case.xy_px) - 0.5, case.pitch_um / grid.bin_um)
    coverage = case.operator.sum(axis=0).reshape(grid.shape)
    maps = np.maximum(mean, 0).T.reshape(-1, *grid.shape)
    found = {
        "lattice_power": [lattice_power(one, lattice, case.tissue) for one in maps],
        "detail_power": [detail_power(one, lattice, case.tissue) for one in maps],
        "border_step": [border_step(one, lattice, coverage, case.tissue) for one in maps],
    }
    return {name: float(np.nanmedian(ratios)) for name, ratios in found.items()}


def _relative_power(field: np.ndarray, lattice: Lattice, tissue: np.ndarray) -> float:
    depth = ndimage.distance_transform_edt(np.pad(tissue, 1))[1:-1, 1:-1]
    reach = min(TAPER_PITCHES * lattice.pitch, depth.max())
    if reach == 0:
        return float("nan")
    window = np.sin(np.pi / 2 * np.minimum(depth / reach, 1)) ** 2
    flat = window * (field - _local_mean(field, tissue, lattice.pitch))
    angles = np.pi * np.arange(RING_ANGLES) / RING_ANGLES
    ring = np.linalg.norm(lattice.frequencies, axis=1).mean() * np.column_stack([np.cos(angles), np.sin(angles)])
    both = np.concatenate([lattice.frequencies, -lattice.frequencies])
    apart, _ = cKDTree(both).query(ring)
    ring = ring[apart > RESOLUTIONS / np.sqrt(window.sum())]
    if len(ring) < FEWEST_ANGLES:
        return float("nan")
    around = _power(flat, ring).mean()
    return float(_power(flat, lattice.frequencies).mean() / around) if around > 0 else float("nan")


def _peak(xy: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Frequency near ``start`` at which the positions' structure factor is largest."""

    def less(frequency: np.ndarray) -> np.ndarray:
        return -np.abs(np.exp(-2j * np.pi * (xy @ frequency)).mean(axis=0))

    width = 1 / np.ptp(xy, axis=0).max()
    reach = 0.1 * np.linalg.norm(start)
    offsets = np.linspace(-reach, reach, 2 * int(np.ceil(2 * reach / width)) + 1)
    tried = start[:, None] + np.array(np.meshgrid(offsets, offsets)).reshape(2, -1)
    best = tried[:, np.argmin([less(frequency) for frequency in tried.T])]
    simplex = best + 0.25 * width * np.array([[0, 0], [1, 0], [0, 1]])
    return optimize.minimize(less, best, method="Nelder-Mead", options={"initial_simplex": simplex}).x


def _power(flat: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Squared amplitude of a map at any frequencies (cycles per bin: column, row)."""
    rows, cols = (np.arange(n) for n in flat.shape)
    along_x = np.exp(-2j * np.pi * np.outer(cols, frequencies[:, 0]))
    along_y = np.exp(-2j * np.pi * np.outer(rows, frequencies[:, 1]))
    return np.abs(((flat @ along_x) * along_y).sum(axis=0)) ** 2


def _local_mean(values: np.ndarray, tissue: np.ndarray, width: float) -> np.ndarray:
    """Gaussian mean over the tissue alone."""
    total = ndimage.gaussian_filter(tissue.astype(np.float64), width)
    return ndimage.gaussian_filter(np.where(tissue, values, 0.0), width) / np.maximum(total, 1e-9)


def main() -> None:
    # the measures themselves need none of the methods
    from hidden_case import PITCH_UM, whole_section
    from model import product
    from run import DATA, HERE, METHODS, all_cases, projected

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", default=["phantom-0-5x"], help="beginnings of case names")
    parser.add_argument("--methods", nargs="*", default=["gaussian"], choices=list(METHODS))
    parser.add_argument("--product", nargs="*", default=[], choices=["plain", "meannet"], help="its steps to a mean")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    args = parser.parse_args()
    cases = [(name, make) for name, make in all_cases(args.work) if name.startswith(("phantom", "xenium"))]
    for path in sorted(path for source in PITCH_UM for path in (DATA / source).glob("*.h5ad")):
        cases.append((f"{path.parent.name}-{path.stem}", lambda path=path: whole_section(path)))
    for name, make in cases:
        if not name.startswith(tuple(args.cases)):
            continue
        case = make()
        maps = {} if case.truth is None else {("truth", ""): case.truth}
        for start in args.product:
            maps |= {(start, step): mean for step, mean in product(case, trained=start != "plain").items()}
        for method in args.methods:
            prediction = METHODS[method](case)
            maps[method, "none"] = prediction.mean
            maps |= {(method, onto): projected(case, prediction, onto).mean for onto in ("measured", "shrunk")}
        for (method, onto), mean in maps.items():
            found = imprint(case, mean)
            print(
                f"{name:22s} {method:18s} {onto:12s}" + "".join(f"  {key} {found[key]:6.2f}" for key in found),
                flush=True,
            )


if __name__ == "__main__":
    main()
