"""The coordinate systems of the SpatialData store: ``global`` (pixels of the full-resolution image) and ``um``."""

from __future__ import annotations

from clearspot.extras import extra

with extra("spatialdata"):
    from spatialdata.transformations import BaseTransformation, Scale, Sequence


def frames(to_global: BaseTransformation, um_per_px: float | None) -> dict[str, BaseTransformation]:
    """Transformations of an element into each coordinate system; without a scale there are pixels only.

    Parameters
    ----------
    to_global
        From the element's own coordinates to pixels of the full-resolution image.
    um_per_px
        Micrometres per such pixel.
    """
    into = {"global": to_global}
    if um_per_px:
        into["um"] = Sequence([to_global, Scale([um_per_px, um_per_px], axes=("x", "y"))])
    return into
