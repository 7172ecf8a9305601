"""Space Ranger's own pictures of how it laid the slide onto the image, small enough to travel with the sample."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearspot.errors import BadInputError
from clearspot.io.image import read_downscaled
from clearspot.io.layout import OutsLayout
from clearspot.record import Message

KINDS: Final = ("aligned_fiducials", "detected_tissue")

_LONGEST_SIDE: Final = 800
_QUALITY: Final = 75


def registration_pictures(layout: OutsLayout, sample: str) -> tuple[dict[str, NDArray[np.uint8]], list[Message]]:
    """Read ``aligned_fiducials.jpg`` and ``detected_tissue_image.jpg``, at most 800 pixels a side.

    Returns
    -------
    JPEG files as bytes (uint8), by the names in :data:`KINDS`; and which of them could not be read. Nothing depends on
    these pictures, so that a damaged one is left out.
    """
    found, messages = {}, []
    for kind in KINDS:
        path = layout.images.get(kind)
        if path is None:
            continue
        try:
            pixels = read_downscaled(path, sample, _LONGEST_SIDE)
        except BadInputError as error:
            messages.append(Message("handled", f"{path.name} was ignored: {error.problems[0].found}."))
            continue
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        found[kind] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
    return found, messages
