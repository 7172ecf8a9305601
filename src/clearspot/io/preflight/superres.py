"""Whether super-resolution can be done on this sample, and why not (rows 11, 25 and 27)."""

from __future__ import annotations

from clearspot.io.preflight.fullres import FullRes
from clearspot.io.preflight.scales import CAMERA_UM_PER_PX
from clearspot.io.scale import CAPTURE_DIAMETER_UM, PIXELS_PER_BIN
from clearspot.record import StepRecord

_NOT_STAINED = {
    "fluorescence": "the image is a fluorescence image, but an H&E stain is required",
    "grey": "the image is not in colour, but an H&E stain is required",
    "blank": "the image is blank",
}


def check_superres(record: StepRecord, image: FullRes | None, *, given: bool, is_hd: bool, outside: bool) -> None:
    """Record ``superres_possible`` and, if it is not, ``superres_reason``.

    Parameters
    ----------
    record
        With the metrics of the other checks.
    image
        The full-resolution image, if there is a readable one.
    given
        Whether one was named.
    is_hd
        Visium HD.
    outside
        Whether the spots lie outside Space Ranger's own reduced images.
    """
    # a bin of HD is smaller than two pixels of any camera
    coarsest = CAMERA_UM_PER_PX if is_hd else CAPTURE_DIAMETER_UM / PIXELS_PER_BIN
    reason = _reason(record, image, outside, coarsest)
    record.metrics["superres_possible"] = reason is None
    record.metrics["superres_reason"] = reason
    um = record.metrics.get("microns_per_pixel")
    if is_hd and um is not None and um >= CAMERA_UM_PER_PX:
        record.note(
            "handled", f"Visium HD without a microscope image ({um:.2g} µm per pixel): super-resolution is off."
        )
    elif given and reason is not None:
        record.note("warning", f"Super-resolution is not possible: {reason}.")


def _reason(record: StepRecord, image: FullRes | None, outside: bool, coarsest: float) -> str | None:
    um = record.metrics.get("microns_per_pixel")
    if image is None:
        return "no full-resolution image"
    if image.kind in _NOT_STAINED:
        return _NOT_STAINED[image.kind]
    if image.info.channels not in (3, 4):
        return f"the image has {image.info.channels} channels, but an H&E stain in colour is required"
    if image.scale is None:
        return "the image is not the one used by Space Ranger"
    if outside:
        return "the spots lie outside the image"
    if um is None:
        return "the pixel size is unknown: set microns_per_pixel in the samplesheet"
    if um / image.scale >= coarsest:
        return f"the image has {um / image.scale:.2g} µm per pixel: too coarse, the limit is {coarsest:.3g}"
    return None
