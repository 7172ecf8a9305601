"""Map of one value over the spots."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from clearspot import keys
from clearspot.pl.drawing import (
    axes_or_new,
    draw_categories,
    draw_colorbar,
    draw_frame,
    draw_numbers,
    finish,
    limits,
    logarithmic,
)
from clearspot.pl.values import categories_of, column_or_gene, label_of


def spots(
    adata: ad.AnnData,
    color: str,
    *,
    layer: str = keys.COUNTS,
    ax: Axes | None = None,
    image: bool = True,
    cmap: str = "viridis",
    vmin: float | None = None,
    vmax: float | None = None,
    palette: dict[str, str] | None = None,
    size: float = 1.0,
    alpha: float | None = None,
    title: str | None = None,
    legend: bool = True,
    scalebar: bool = True,
    show: bool = False,
) -> Axes:
    """Plot a column of ``obs`` or a gene on the tissue, with spots in their true size.

    Parameters
    ----------
    adata
        One section.
    color
        Column of ``obs``, or a gene. Genes are shown on a logarithmic scale that starts at 0.
    layer
        Layer with the values of genes.
    ax
        Axes to draw on. Default: a new figure.
    image
        Draw the tissue image in the background, if available.
    cmap
        Colour map of numbers.
    vmin, vmax
        Colour limits. Default: the smallest value (genes: 0) and the 99.5 % quantile.
    palette
        Colour of each category. Default: ``uns['<color>_colors']``, or the colours of the report.
    size
        Scaling factor for the spot diameter. Visium HD bins are not scaled.
    alpha
        Opacity, 0 to 1.
    title
        Title. Default: ``color``.
    legend
        Draw the legend or the colour scale.
    scalebar
        Draw a scale bar, if the pixel size is known.
    show
        Show the figure.

    Returns
    -------
    The axes, in pixels of the full-resolution image.

    Raises
    ------
    KeyError
        If there is no such column or gene. The message suggests the closest name.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> record = clearspot.qc(adata)
    >>> ax = clearspot.pl.spots(adata, "total_counts")
    >>> ax.get_title()
    'total_counts'
    """
    values = column_or_gene(adata, color, layer)
    ax = axes_or_new(ax)
    geometry = draw_frame(ax, adata, image=image, scalebar=scalebar)
    if isinstance(values, pd.Series) and (is_bool_dtype(values) or not is_numeric_dtype(values)):
        codes, colours = categories_of(adata, color, palette)
        draw_categories(ax, geometry, codes, colours, legend=legend, size=size, alpha=alpha)
        return finish(ax, color if title is None else title, show)
    numbers = np.asarray(values, dtype=np.float64)
    norm: Normalize
    if isinstance(values, pd.Series):
        low, high = limits(numbers)
        norm, label = Normalize(low if vmin is None else vmin, high if vmax is None else vmax), ""
    else:
        norm, label = logarithmic(numbers, vmin=vmin, vmax=vmax), label_of(layer)
    drawn = draw_numbers(ax, geometry, numbers, norm=norm, cmap=cmap, size=size, alpha=alpha)
    if legend:
        draw_colorbar(drawn, ax, label)
    return finish(ax, color if title is None else title, show)
