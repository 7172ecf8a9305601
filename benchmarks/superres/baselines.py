"""What a model has to beat: methods without one, each a function ``predict(case) -> Prediction``."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from cases import Case, Prediction
from pansharpening import image_detail
from scipy import ndimage, sparse
from scipy.interpolate import CloughTocher2DInterpolator
from scipy.spatial import cKDTree
from shrinking import shrunk_counts
from sklearn.linear_model import RidgeCV

from clearspot.diffst.data.programs import fit_programs
from clearspot.diffst.estimate.projection import project
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import embed
from clearspot.diffst.image.image_samples import GridImage

WIDTHS = (0.3, 0.45, 0.7, 1.0, 1.5)
"""Widths of the Gaussian that are tried, in pitches."""

OTHER_PYTHON = os.environ.get("BENCHMARK_PYTHON")
"""Interpreter of an environment that holds `gstools`, which this project does not depend on."""

CONTEXT_BINS = (0.0, 1.5, 4.0)
RIDGE_ALPHAS = np.logspace(0, 5, 11)
N_PROGRAMS = 16


class NotInstalledError(RuntimeError):
    """A method whose package is not there; the run goes on without it."""


def even(case: Case) -> Prediction:
    """Every bin has the density of the nearest spot."""
    _, nearest = cKDTree(case.xy_px).query(case.grid.centres_px())
    return Prediction(case.density[nearest].astype(np.float32))


def bicubic(case: Case) -> Prediction:
    """Piecewise cubic, smooth interpolation of the spots' densities; beyond their hull the nearest spot.

    Clough-Tocher instead of an image's bicubic, which needs a square lattice without holes.
    """
    centres = case.grid.centres_px()
    values = CloughTocher2DInterpolator(case.xy_px, case.density)(centres)
    outside = np.isnan(values).any(axis=1)
    values[outside] = even(case).mean[outside]
    return Prediction(np.maximum(values, 0).astype(np.float32))


def gaussian(case: Case) -> Prediction:
    """Gaussian mean of the spots' densities, with the width that predicts spots from the others best."""
    return Prediction(_kernel_mean(case.xy_px, case.density, case.grid.centres_px(), _best_width(case)))


def kriging(case: Case) -> Prediction:
    """Ordinary kriging of the spots' densities (square root), each gene with its own variogram, in GSTools.

    Squared, and brought to the gene's measured total, since the square of an expectation is too small.
    """
    if OTHER_PYTHON is None or not Path(OTHER_PYTHON).exists():
        raise NotInstalledError("set BENCHMARK_PYTHON to an interpreter with gstools")
    pitch_px = case.pitch_um * case.grid.px_per_um
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "in.npz", Path(folder) / "out.npz"
        places = {"spots": case.xy_px / pitch_px, "bins": case.grid.centres_px() / pitch_px}
        np.savez(given, values=np.sqrt(case.density), **places)
        worker = Path(__file__).parent / "workers" / "krige.py"
        subprocess.run([OTHER_PYTHON, worker, given, made], check=True, stdout=subprocess.DEVNULL)
        with np.load(made) as answer:
            mean = np.maximum(answer["kriged"], 0) ** 2
    expected = (case.operator @ mean).sum(axis=0)
    total = case.counts.sum(axis=0)
    return Prediction((mean * np.divide(total, expected, out=np.zeros_like(expected), where=expected > 0)).astype("f4"))


def ridge(case: Case) -> Prediction:
    """Ridge regression of the spots' densities (square root) on image features, applied to the bins."""
    maps = _image(case.image, case.grid)
    scales = [ndimage.gaussian_filter(maps, (0, width, width)) if width else maps for width in CONTEXT_BINS]
    features = np.concatenate(scales).reshape(-1, case.grid.n_bins).T
    area = case.operator.sum(axis=1)[:, None]
    model = RidgeCV(RIDGE_ALPHAS).fit((case.operator @ features) / area, np.sqrt(case.density))
    # Beyond the range that spots have, a linear model extrapolates.
    most = np.sqrt(case.density).max(axis=0)
    return Prediction((np.clip(model.predict(features), 0, most) ** 2).astype(np.float32))


def sharpened(case: Case) -> Prediction:
    """The Gaussian mean with the detail that ridge regression sees below the Gaussian's width (pan-sharpening)."""
    return Prediction(_sharpened(case, case.counts.toarray()))


def sharpened_programs(case: Case) -> Prediction:
    """The same of gene programs (non-negative matrix factorisation), which are less noisy, decoded to genes."""
    counts = sparse.csr_matrix(case.counts, dtype=np.float32)
    programs = fit_programs(counts, tuple(case.adata.var_names), N_PROGRAMS, seed=0)
    return Prediction(_sharpened(case, programs.transform(counts)) @ programs.loadings)


BASELINES = {
    "even": even,
    "bicubic": bicubic,
    "gaussian": gaussian,
    "kriging": kriging,
    "ridge": ridge,
    "sharpened": sharpened,
    "sharpened-programs": sharpened_programs,
}
NEEDS_IMAGE = {"ridge", "sharpened", "sharpened-programs", "plain-no-image", "diffst-no-image"}
"""Methods that have nothing to say (or nothing new) without an image."""


def projected(case: Case, prediction: Prediction, onto: str) -> Prediction:
    """The same, conserving the visible spots' counts, ``measured`` or ``shrunk``; each draw on its own."""

    def one(x: np.ndarray) -> np.ndarray:
        counts = case.counts if onto == "measured" else shrunk_counts(x, case.counts, case.operator)
        return project(x, counts, case.operator)

    samples = prediction.conserving
    if samples is None and prediction.samples is not None:
        samples = np.stack([one(x) for x in prediction.samples])
    return Prediction(one(prediction.mean), samples, error=prediction.error)


def _sharpened(case: Case, values: np.ndarray) -> np.ndarray:
    """Map (bins x K) of the spots' values, smoothed with the best width and sharpened by the image."""
    width = _best_width(case)
    density = values / case.operator.sum(axis=1)[:, None]
    smooth = _kernel_mean(case.xy_px, density, case.grid.centres_px(), width)
    maps = _image(case.image, case.grid)
    detail = image_detail(values, case.operator, case.grid, maps, width / case.grid.px_per_um)
    return np.asarray(smooth * detail.reshape(len(detail), -1).T, dtype=np.float32)


def _best_width(case: Case) -> float:
    """Width in pixels with the least leave-one-out error on the square-root scale."""
    pitch_px = case.pitch_um * case.grid.px_per_um
    truth = np.sqrt(case.density)
    scale = np.maximum(truth.std(axis=0), 1e-9)
    errors = []
    for width in WIDTHS:
        left_out = _kernel_mean(case.xy_px, case.density, case.xy_px, width * pitch_px, without_self=True)
        errors.append(((np.sqrt(left_out) - truth) ** 2 / scale**2).mean())
    return WIDTHS[int(np.argmin(errors))] * pitch_px


def _kernel_mean(
    xy: np.ndarray, values: np.ndarray, at: np.ndarray, width: float, *, without_self: bool = False
) -> np.ndarray:
    """Nadaraya-Watson mean over the spots within four widths, or the nearest one where there is none."""
    tree = cKDTree(xy)
    pairs = sparse.coo_array(cKDTree(at).sparse_distance_matrix(tree, 4 * width, output_type="coo_matrix"))
    weights = np.exp(-0.5 * (pairs.data / width) ** 2)
    if without_self:
        weights[pairs.row == pairs.col] = 0
    kernel = sparse.csr_array((weights, (pairs.row, pairs.col)), shape=(len(at), len(xy)))
    total = kernel.sum(axis=1)
    lonely = total < 1e-12
    mean = (kernel @ values) / np.where(lonely, 1, total)[:, None]
    _, nearest = tree.query(at[lonely], k=2)
    mean[lonely] = values[nearest[:, 1 if without_self else 0]]
    return mean.astype(np.float32)


@lru_cache(maxsize=1)
def _image(path: Path, grid: FineGrid) -> np.ndarray:
    """The model's own image features of the bins, features x rows x columns."""
    return embed(GridImage.open(path, grid, path.stem), grid).fine.astype(np.float32)
