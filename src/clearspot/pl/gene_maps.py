"""Maps of genes before and after denoising."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.sections import bad_section
from clearspot.pl.drawing import draw_colorbar, draw_frame, draw_numbers, finish, logarithmic
from clearspot.pl.values import gene_values

_SIDE = 3.4


def genes(
    adata: ad.AnnData,
    genes: str | Sequence[str],
    *,
    axes: NDArray[np.object_] | None = None,
    image: bool = False,
    cmap: str = "viridis",
    vmax: float | None = None,
    size: float = 1.0,
    legend: bool = True,
    scalebar: bool = True,
    show: bool = False,
) -> NDArray[np.object_]:
    """Plot genes before (left) and after (right) denoising, on the same logarithmic scale.

    Parameters
    ----------
    adata
        One section after :func:`clearspot.denoise`.
    genes
        One or several genes, one per row.
    axes
        Axes to draw on, shape ``(genes, 2)``. Default: a new figure.
    image
        Draw the tissue image in the background, if available.
    cmap
        Colour map.
    vmax
        Upper colour limit. Default: the larger of the two 99.5 % quantiles of each gene.
    size
        Scaling factor for the spot diameter.
    legend
        Draw the colour scale.
    scalebar
        Draw a scale bar, if the pixel size is known.
    show
        Show the figure.

    Returns
    -------
    The axes, shape ``(genes, 2)``. Spots without a denoised value are grey in the right map.

    Raises
    ------
    BadInputError
        If the section was not denoised.
    KeyError
        If there is no such gene. The message suggests the closest name.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> result = clearspot.denoise(adata, epochs=5, progress=False)
    >>> axes = clearspot.pl.genes(adata, ["COL1A1", "LUM"])
    >>> axes.shape
    (2, 2)
    """
    if keys.DENOISED not in adata.layers:
        found, mend = f"no layers['{keys.DENOISED}']", "Call clearspot.denoise(adata) first."
        file = adata.uns.get(keys.UNS, {}).get("dusted", {}).get("denoised_file")
        if file is not None:
            mend = (
                f"The denoised values are in {file}. Set part = adata[:, genes].copy() and part.layers['denoised'] = "
                f"clearspot.io.denoised_file.read_denoised('{file}', part.obs_names, genes), and draw part."
            )
        raise bad_section("sample", found, "denoised values", mend)
    names = [genes] if isinstance(genes, str) else list(genes)
    pairs = [[gene_values(adata, gene, layer) for layer in (keys.COUNTS, keys.DENOISED)] for gene in names]
    if axes is None:
        size_in = (2 * _SIDE + 1, _SIDE * len(names))
        axes = plt.subplots(len(names), 2, figsize=size_in, layout="constrained", squeeze=False)[1]
    if axes.shape != (len(names), 2):
        raise ValueError(f"axes must have the shape ({len(names)}, 2), not {axes.shape}")
    for name, pair, row in zip(names, pairs, axes, strict=True):
        norm = logarithmic(*pair, vmax=vmax)
        ax: Axes
        for ax, values, what in zip(row, pair, ("measured", "denoised"), strict=True):
            geometry = draw_frame(ax, adata, image=image, scalebar=scalebar and ax is row[0])
            drawn = draw_numbers(ax, geometry, values, norm=norm, cmap=cmap, size=size)
            finish(ax, f"{name}, {what}", False)
        if legend:
            draw_colorbar(drawn, list(row), "counts")
    finish(axes[0, 0], None, show)
    return axes
