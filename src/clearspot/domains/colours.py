"""Colours of labels, where scanpy and squidpy look for them: the same as on the sample's page."""

from __future__ import annotations

import anndata as ad
import numpy as np

from clearspot import keys
from clearspot.display.palette import NEUTRAL, colours

LABELS = (keys.DOMAIN_GMM, keys.DOMAIN_LEIDEN, keys.ARTEFACT_REGION)
"""Columns of ``obs`` that the page draws as classes, of those that are categorical."""


def add_colours(adata: ad.AnnData) -> None:
    """Set ``uns['<column>_colors']`` of each of :data:`LABELS`, a colour a category, in place.

    A spot outside every damaged region (category ``""``) is grey.
    """
    for column in LABELS:
        if column in adata.obs and hasattr(adata.obs[column], "cat"):
            categories = [str(name) for name in adata.obs[column].cat.categories]
            # the page's order: names of numbers by their value
            shades = colours(sorted(filter(None, categories), key=lambda name: (len(name), name)))
            adata.uns[keys.colours_of(column)] = np.array([shades.get(name, NEUTRAL) for name in categories])
