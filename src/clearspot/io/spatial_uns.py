"""``uns['spatial'][library_id]``: images, scale factors and metadata where scanpy and squidpy look for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.contract.safe_keys import safe_keys
from clearspot.io.image import ImageInfo, probe_image, read_downscaled, read_rgb
from clearspot.io.layout import OutsLayout
from clearspot.io.reading import bad
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import Message

HIRES_SIDE: Final = 2000
"""Side of Space Ranger's own hires image."""

_MAX_SIZE_ERROR: Final = 0.02


@dataclass(frozen=True)
class FullImage:
    """The full-resolution image that the user gave.

    Parameters
    ----------
    path
        The file.
    info
        Its header.
    scale
        Its pixels per full-resolution pixel of the positions: 1, unless a smaller image is used on purpose.
    """

    path: Path
    info: ImageInfo
    scale: float

    def described(self) -> dict[str, Any]:
        """What later steps see of it: the entry ``image`` of ``uns['clearspot']``."""
        return {
            "name": self.path.name,
            "width": self.info.width,
            "height": self.info.height,
            "channels": self.info.channels,
            keys.PIXELS_PER_FULLRES_PIXEL: self.scale,
        }


def open_full_image(
    path: Path, layout: OutsLayout, factors: ScaleFactors, sample: str, *, allow_lowres: bool
) -> FullImage:
    """Look at the full-resolution image, whose size must fit Space Ranger's reduced images.

    Raises
    ------
    BadInputError
        It is no image, or smaller or larger than the one the positions refer to and not allowed to be.
    """
    info = probe_image(path, sample)
    expected = _full_size(layout, factors, sample)
    if expected is None:
        return FullImage(path, info, 1.0)
    scale = max(info.width, info.height) / max(expected)
    if abs(scale - 1) <= _MAX_SIZE_ERROR:
        scale = 1.0
    elif not allow_lowres:
        allowed = by_caller("allow_lowres_image=True", "--allow-lowres-image", "--allow_lowres_image")
        raise bad(
            path,
            sample,
            f"an image of {info.width} x {info.height} pixels",
            f"about {expected[0]:.0f} x {expected[1]:.0f} pixels, the image used by Space Ranger",
            f"provide the image used by Space Ranger, or use this one anyway with {allowed}",
        )
    return FullImage(path, info, scale)


def spatial_entry(
    layout: OutsLayout, factors: ScaleFactors, full: FullImage | None, sample: str
) -> tuple[dict[str, Any], list[Message]]:
    """Read the reduced images, or make the hires image from the full-resolution one where Space Ranger's is missing.

    Returns
    -------
    dict, list
        ``images`` (uint8 RGB), ``scalefactors`` and ``metadata``; and what was missing.
    """
    messages = []
    images = {key: read_rgb(layout.images[key], sample) for key in ("hires", "lowres") if key in layout.images}
    scalefactors = dict(zip(safe_keys(factors.raw), factors.raw.values(), strict=True))
    if "hires" not in images and full is not None:
        images["hires"] = read_downscaled(full.path, sample, HIRES_SIDE)
        reduction = images["hires"].shape[1] / full.info.width
        scalefactors["tissue_hires_scalef"] = reduction * full.scale
        messages.append(Message("handled", f"tissue_hires_image.png is missing and was created from {full.path.name}."))
    elif "hires" not in images:
        shown = "the lowres image is shown" if "lowres" in images else "no image is shown"
        messages.append(Message("info", f"tissue_hires_image.png is missing; {shown}."))
    return {"images": images, "scalefactors": scalefactors, "metadata": {}}, messages


def _full_size(layout: OutsLayout, factors: ScaleFactors, sample: str) -> tuple[float, float] | None:
    """Width and height of the image that Space Ranger reduced, computed from the reduced ones."""
    for key, factor in (("hires", factors.hires), ("lowres", factors.lowres)):
        if key in layout.images and factor:
            info = probe_image(layout.images[key], sample)
            return info.width / factor, info.height / factor
    return None
