"""What a sample has for scanpy and squidpy to draw: its pictures and their scale factors."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad

from clearspot import keys

PICTURES: Final = ("hires", "lowres")
"""Names of the reduced pictures, the larger first."""


def library_of(adata: ad.AnnData) -> dict[str, Any]:
    """Return the entry of ``uns['spatial']``; empty where there is none."""
    return next(iter(adata.uns.get(keys.UNS_SPATIAL, {}).values()), {})
