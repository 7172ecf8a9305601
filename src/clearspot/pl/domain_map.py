"""Map of the spatial domains."""

from __future__ import annotations

import anndata as ad
from matplotlib.axes import Axes

from clearspot import keys
from clearspot.contract.sections import bad_section
from clearspot.pl.drawing import axes_or_new, draw_categories, draw_frame, finish
from clearspot.pl.values import categories_of


def domains(
    adata: ad.AnnData,
    column: str | None = None,
    *,
    ax: Axes | None = None,
    image: bool = False,
    palette: dict[str, str] | None = None,
    size: float = 1.0,
    alpha: float | None = None,
    title: str | None = None,
    legend: bool = True,
    scalebar: bool = True,
    show: bool = False,
) -> Axes:
    """Plot spatial domains, in the colours of the report.

    Parameters
    ----------
    adata
        One section after :func:`clearspot.domains`.
    column
        Column of ``obs``. Default: domains of the requested method.
    ax
        Axes to draw on. Default: a new figure.
    image
        Draw the tissue image in the background, if available.
    palette
        Colour of each domain. Default: ``uns['<column>_colors']``, or the colours of the report.
    size
        Scaling factor for the spot diameter. Visium HD bins are not scaled.
    alpha
        Opacity, 0 to 1.
    title
        Title. Default: name of the column.
    legend
        Draw the legend.
    scalebar
        Draw a scale bar, if the pixel size is known.
    show
        Show the figure.

    Returns
    -------
    The axes, in pixels of the full-resolution image. Spots without a domain are grey.

    Raises
    ------
    BadInputError
        If the section has no such domains.

    Examples
    --------
    >>> import clearspot
    >>> adata = clearspot.simulate.small_section()
    >>> record = clearspot.qc(adata)
    >>> result = clearspot.denoise(adata, epochs=5, progress=False)
    >>> record = clearspot.domains(adata, n_domains=3, moran_n_perms=0)
    >>> ax = clearspot.pl.domains(adata)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['Domain 1', 'Domain 2', 'Domain 3']
    """
    chosen = column or str(adata.uns.get(keys.UNS, {}).get("domains", {}).get("main", keys.DOMAIN_GMM))
    if chosen not in adata.obs:
        raise bad_section("sample", f"no obs['{chosen}']", "spatial domains", "Call clearspot.domains(adata) first.")
    codes, colours = categories_of(adata, chosen, palette)
    if chosen in (keys.DOMAIN_GMM, keys.DOMAIN_LEIDEN):
        colours = {f"Domain {name}": colour for name, colour in colours.items()}
    ax = axes_or_new(ax)
    geometry = draw_frame(ax, adata, image=image, scalebar=scalebar)
    draw_categories(ax, geometry, codes, colours, legend=legend, size=size, alpha=alpha)
    return finish(ax, chosen if title is None else title, show)
