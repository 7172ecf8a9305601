"""Which bins of a section are tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.estimate.conditioning import tissue_from_spots


def tissue_of(section: SpotSection) -> NDArray[np.bool_]:
    """Bins within three quarters of a pitch of a spot on tissue."""
    return tissue_from_spots(section.xy_px, section.grid, 0.75 * section.pitch_um)
