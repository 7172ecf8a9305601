"""Map of a super-resolved gene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import anndata as ad
from matplotlib.axes import Axes

from clearspot import keys
from clearspot.contract.sections import bad_section
from clearspot.pl.drawing import axes_or_new, draw_colorbar, draw_frame, draw_numbers, finish, logarithmic
from clearspot.pl.values import gene_values

if TYPE_CHECKING:
    from clearspot.diffst.output.api import SuperresResult

Layer = Literal["mean", "sd", "q05", "q50", "q95"]

_LABELS: Final = {
    "mean": "predicted counts per bin",
    "sd": "uncertainty (SD), counts per bin",
    "q05": "5 % quantile, counts per bin",
    "q50": "median, counts per bin",
    "q95": "95 % quantile, counts per bin",
}


def superres(
    finer: ad.AnnData | SuperresResult | Path | str,
    gene: str,
    *,
    layer: Layer = "mean",
    ax: Axes | None = None,
    image: bool = False,
    cmap: str = "viridis",
    vmin: float | None = None,
    vmax: float | None = None,
    alpha: float | None = None,
    title: str | None = None,
    legend: bool = True,
    scalebar: bool = True,
    show: bool = False,
) -> Axes:
    """Plot a super-resolved gene (predicted, not measured).

    Parameters
    ----------
    finer
        Result of :func:`clearspot.superresolve`, its file, or its AnnData.
    gene
        Gene to plot.
    layer
        ``mean``, ``sd`` (uncertainty) or a quantile.
    ax
        Axes to draw on. Default: a new figure.
    image
        Draw the tissue image in the background. Decrease ``alpha`` to see it.
    cmap
        Colour map.
    vmin, vmax
        Colour limits. Default: 0 and the 99.5 % quantile, on a logarithmic scale.
    alpha
        Opacity, 0 to 1.
    title
        Title. Default: gene and layer.
    legend
        Draw the colour scale.
    scalebar
        Draw a scale bar.
    show
        Show the figure.

    Returns
    -------
    The axes, in pixels of the full-resolution image, so that spots can be drawn on top.

    Raises
    ------
    BadInputError
        If ``finer`` is not a super-resolved section.
    KeyError
        If there is no such gene. The message suggests the closest name.

    Examples
    --------
    >>> import clearspot
    >>> from tempfile import mkdtemp
    >>> adata = clearspot.simulate.small_section()
    >>> result = clearspot.superresolve(adata, out=mkdtemp(), preset="test", genes=["COL1A1", "LUM"], progress=False)
    >>> ax = clearspot.pl.superres(result, "LUM")
    >>> ax.get_title()
    'LUM, predicted'
    """
    if isinstance(finer, (str, Path)):
        finer = ad.read_h5ad(finer)
    elif not isinstance(finer, ad.AnnData):
        finer = finer.read()
    if not finer.uns.get(keys.UNS, {}).get(keys.PREDICTED):
        found, mend = "a section that is not super-resolved", "Pass the result of clearspot.superresolve."
        raise bad_section("sample", found, "super-resolved bins", mend)
    values = gene_values(finer, gene, layer)
    ax = axes_or_new(ax)
    geometry = draw_frame(ax, finer, image=image, scalebar=scalebar)
    norm = logarithmic(values, vmin=vmin, vmax=vmax)
    drawn = draw_numbers(ax, geometry, values, norm=norm, cmap=cmap, alpha=alpha)
    if legend:
        draw_colorbar(drawn, ax, _LABELS[layer])
    what = "predicted" if layer == keys.SUPERRES_MEAN else f"predicted, {layer}"
    return finish(ax, f"{gene}, {what}" if title is None else title, show)
