"""What a measured place of a sample is called in texts for its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clearspot import keys

if TYPE_CHECKING:
    import anndata as ad

Place = Literal["spot", "bin", "cell"]


def place_word(unit: str | None, bin_size_um: float | None) -> Place:
    """Return the word by what was read (``spots``, ``bins`` or ``cells``) and by the side of bins, as far as known."""
    if unit == "cells":
        return "cell"
    return "bin" if unit == "bins" or bin_size_um is not None else "spot"


def place_of(adata: ad.AnnData) -> Place:
    """Return the word for the observations of a section in the form of the data contract."""
    about = adata.uns.get(keys.UNS, {})
    return place_word(about.get(keys.UNIT), about.get(keys.BIN_SIZE_UM))
