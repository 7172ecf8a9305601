"""Maps side by side: H&E, spots, plain estimate, Diff-ST and truth, for genes that were not picked by eye."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib_scalebar.scalebar import ScaleBar
from pair_cases import Test
from PIL import Image

from clearspot.metrics.maps import gene_pearson

QUANTILES = (0.9, 0.5, 0.1)
"""Of the genes' correlations with the truth, best first: which genes are drawn."""

_TITLES = {"plain": "plain estimate, untrained", "written without the diffusion": "Diff-ST, learned from pairs"}


def draw(test: Test, maps: Mapping[str, np.ndarray], path: Path) -> None:
    """One row a gene.

    Parameters
    ----------
    test
        Case and image.
    maps
        By the names of the benchmark, ``(n_bins, n_genes)``.
    path
        Picture to write.
    """
    case = test.case
    if case.truth is None or case.tissue is None:
        raise ValueError(f"{case.name} has no truth")
    inside = case.tissue.ravel()
    scores = {name: gene_pearson(case.truth[inside], maps[name][inside]) for name in _TITLES}
    order = np.argsort(scores["written without the diffusion"])
    chosen = [int(order[round(quantile * (len(order) - 1))]) for quantile in QUANTILES]
    rows, columns = np.flatnonzero(case.tissue.any(axis=1)), np.flatnonzero(case.tissue.any(axis=0))
    x0, y0 = case.grid.origin_px
    side = case.grid.bin_px
    extent = (x0, x0 + side * case.grid.n_cols, y0 + side * case.grid.n_rows, y0)
    limits = {
        "xlim": (x0 + side * columns[0], x0 + side * (columns[-1] + 1)),
        "ylim": (y0 + side * (rows[-1] + 1), y0 + side * rows[0]),
    }
    shape = (limits["ylim"][0] - limits["ylim"][1]) / (limits["xlim"][1] - limits["xlim"][0])
    kinds = ["H&E", "spots", *_TITLES, "truth"]
    figure = Figure(figsize=(2.6 * len(kinds), (2.6 * shape + 0.3) * len(chosen)), layout="constrained")
    for line, gene in zip(np.atleast_2d(figure.subplots(len(chosen), len(kinds))), chosen, strict=True):
        name = case.adata.var_names[gene]
        truth = np.where(inside, case.truth[:, gene], np.nan)
        top = float(np.nanpercentile(truth, 99)) or 1.0
        for axis, kind in zip(line, kinds, strict=True):
            axis.set(**limits, aspect="equal")
            axis.axis("off")
            if kind == "H&E":
                axis.imshow(np.moveaxis(test.histology.pixels, 0, -1), extent=extent)
                axis.add_artist(ScaleBar(1 / case.grid.px_per_um, "um", location="lower left", frameon=False))
                axis.set_title("H&E", fontsize=9)
            elif kind == "spots":
                axis.scatter(*case.xy_px.T, c=case.density[:, gene], s=5, vmin=0, vmax=top)
                axis.set_title(f"{name}: {len(case.xy_px)} spots", fontsize=9)
            else:
                values = truth if kind == "truth" else np.where(inside, maps[kind][:, gene], np.nan)
                axis.imshow(values.reshape(case.grid.shape), extent=extent, vmin=0, vmax=top, interpolation="nearest")
                title = _TITLES.get(kind, f"truth, bins of {case.grid.bin_um:.0f} µm")
                axis.set_title(f"{title} (r = {scores[kind][gene]:.2f})" if kind in scores else title, fontsize=9)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=80)
    # a palette: a third of the size
    Image.open(drawn).convert("RGB").quantize(256).save(path, optimize=True)
