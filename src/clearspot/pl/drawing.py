"""What all maps have in common: the frame with its scale bar, the picture, the spots, the legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import BoundaryNorm, Colormap, FuncNorm, ListedColormap, Normalize
from matplotlib.patches import Patch
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from numpy.typing import NDArray

from clearspot.pl.geometry import Geometry, geometry_of, picture_of

MISSING: Final = "#BFC5CC"
"""Spots without a value, and without a category."""

_SIDE: Final = 4.0
"""Width of a map in inches."""

_SHARE_OF_BAR: Final = 0.25
_BRIGHTEST: Final = 99.5
_ROWS_OF_LEGEND: Final = 12


def axes_or_new(ax: Axes | None) -> Axes:
    """The axes, or those of a new figure."""
    return ax if ax is not None else plt.subplots(figsize=(_SIDE + 1, _SIDE), layout="constrained")[1]


def finish(ax: Axes, title: str | None, show: bool) -> Axes:
    """Set the title, show the figure if requested, and return the axes."""
    if title:
        ax.set_title(title)
    if show:
        plt.show()
    return ax


def draw_frame(ax: Axes, adata: ad.AnnData, *, image: bool, scalebar: bool) -> Geometry:
    """Prepare axes in pixels of the full-resolution image around all observations; give their geometry."""
    geometry = geometry_of(adata)
    low, high = geometry.xy.min(axis=0), geometry.xy.max(axis=0)
    margin = max(geometry.size, 0.03 * float((high - low).max()))
    picture = picture_of(adata) if image else None
    if picture is not None:
        pixels, factor = picture
        height, width = pixels.shape[:2]
        ax.imshow(pixels, extent=(0, width / factor, height / factor, 0), zorder=0)
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin), xticks=[], yticks=[])
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set_visible(False)
    if scalebar and geometry.um_per_px:
        _draw_scalebar(ax, float(high[0] - low[0]), geometry.um_per_px)
    return geometry


def draw_numbers(
    ax: Axes,
    geometry: Geometry,
    values: NDArray[np.floating],
    *,
    norm: Normalize,
    cmap: str | Colormap,
    size: float = 1.0,
    alpha: float | None = None,
) -> ScalarMappable:
    """Draw a value at each place; those without one are grey on spots, and left out on bins."""
    if geometry.lattice is not None:
        return ax.pcolormesh(*geometry.corners, geometry.on_lattice(values), norm=norm, cmap=cmap, alpha=alpha)
    diameter = np.full(len(values), size * geometry.size)
    spots = EllipseCollection(
        diameter, diameter, np.zeros(len(values)), units="xy", offsets=geometry.xy, offset_transform=ax.transData
    )
    colours = plt.get_cmap(cmap).with_extremes(bad=MISSING)
    spots.set(array=np.ma.masked_invalid(values), norm=norm, cmap=colours, alpha=alpha, zorder=2)
    ax.add_collection(spots, autolim=False)
    return spots


def draw_categories(
    ax: Axes,
    geometry: Geometry,
    codes: NDArray[np.integer],
    colours: Mapping[str, str],
    *,
    legend: bool = True,
    size: float = 1.0,
    alpha: float | None = None,
) -> None:
    """Draw a colour at each place: that of the category, whose number is -1 where there is none."""
    values = np.where(codes < 0, np.nan, codes.astype(float))
    norm = BoundaryNorm(np.arange(len(colours) + 1) - 0.5, max(len(colours), 1))
    cmap = ListedColormap(list(colours.values()))
    draw_numbers(ax, geometry, values, norm=norm, cmap=cmap, size=size, alpha=alpha)
    if legend:
        handles = [Patch(color=colour, label=name or "none") for name, colour in colours.items()]
        columns = -(-len(handles) // _ROWS_OF_LEGEND)
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, ncols=columns)


def logarithmic(*values: NDArray[np.floating], vmin: float | None = None, vmax: float | None = None) -> FuncNorm:
    """One scale for all the values: logarithmic from 0 (of one count more) to the largest of their 99.5 % quantiles."""
    low, high = limits(*values)
    low, high = min(low, 0.0) if vmin is None else vmin, high if vmax is None else vmax
    return FuncNorm((np.log1p, np.expm1), vmin=low, vmax=high)


def limits(*values: NDArray[np.floating]) -> tuple[float, float]:
    """Smallest value, and the largest of the 99.5 % quantiles; 0 and 1 where there is no value or only zeros."""
    known = [one[np.isfinite(one)] for one in values]
    known = [one for one in known if one.size]
    if not known:
        return 0.0, 1.0
    low = min(float(one.min()) for one in known)
    high = max(float(np.percentile(one, _BRIGHTEST)) for one in known)
    high = high if high > low else max(float(one.max()) for one in known)
    return low, high if high > low else low + 1.0


def draw_colorbar(drawn: ScalarMappable, axes: Axes | Sequence[Axes], label: str) -> None:
    """Draw the scale beside the axes."""
    first = axes if isinstance(axes, Axes) else axes[0]
    bar = first.figure.colorbar(drawn, ax=axes, label=label, shrink=0.7)
    bar.outline.set_visible(False)


def _draw_scalebar(ax: Axes, width_px: float, um_per_px: float) -> None:
    """A bar of 1, 2 or 5 times a power of ten µm, at most a quarter of the width."""
    most = _SHARE_OF_BAR * width_px * um_per_px
    if most <= 0:
        return
    power = 10.0 ** np.floor(np.log10(most))
    length = max(step * power for step in (1, 2, 5) if step * power <= most)
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    bar: Any = AnchoredSizeBar(
        ax.transData, length / um_per_px, text, "lower right", frameon=False, pad=0.2, sep=3, size_vertical=0
    )
    bar.size_bar.get_children()[0].set(linewidth=2)
    ax.add_artist(bar)
