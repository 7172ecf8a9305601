"""Parameters of the SpatialData export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearspot.contract.settings import Settings, setting

ZarrFormat = Literal[2, 3]


@dataclass(frozen=True)
class ExportParams(Settings):
    """How a sample is written as SpatialData."""

    zarr_format: int = setting(
        2,
        "Version of the Zarr format of the SpatialData store: 2, which all viewers read, or 3, SpatialData's own "
        "default.",
        ge=2,
        le=3,
    )
