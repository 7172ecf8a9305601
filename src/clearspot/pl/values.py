"""Values to draw: a column of ``obs``, or a gene of a layer."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse

from clearspot import keys
from clearspot.display.palette import FAIL, PASS, colours

_FLAGS: Final = {"True": PASS, "False": FAIL}


def gene_values(adata: ad.AnnData, gene: str, layer: str) -> NDArray[np.float64]:
    """Values of a gene, shape ``(n_obs,)``.

    Raises
    ------
    KeyError
        If there is no such gene (with the closest names) or layer.
    """
    if gene not in adata.var_names:
        raise KeyError(_absent(gene, "gene", map(str, adata.var_names)))
    if layer not in adata.layers:
        raise KeyError(_absent(layer, "layer", filter(None, adata.layers)))
    column = adata.layers[layer][:, adata.var_names.get_loc(gene)]
    return np.asarray(column.toarray() if issparse(column) else column, dtype=np.float64).ravel()


def column_or_gene(adata: ad.AnnData, color: str, layer: str) -> pd.Series | NDArray[np.float64]:
    """The column of ``obs`` of this name, else the gene.

    Raises
    ------
    KeyError
        If there is neither, with the closest names.
    """
    if color in adata.obs:
        return adata.obs[color]
    if color in adata.var_names:
        return gene_values(adata, color, layer)
    raise KeyError(
        _absent(color, "neither a gene nor a column of obs", [*map(str, adata.obs), *map(str, adata.var_names)])
    )


def categories_of(
    adata: ad.AnnData, column: str, palette: dict[str, str] | None = None
) -> tuple[NDArray[np.intp], dict[str, str]]:
    """Number of each observation's category (-1: none), and the colour of each category.

    Colours are taken from ``palette``, else from ``uns['<column>_colors']`` (as in scanpy), else from the report.
    """
    values = adata.obs[column]
    if values.dtype == bool:
        values = pd.Categorical(values.astype(str), categories=list(_FLAGS))
    categorical = pd.Categorical(values)
    names = [str(name) for name in categorical.categories]
    kept: Any = adata.uns.get(f"{column}_colors", ())
    chosen = dict(zip(names, map(str, kept), strict=False)) if len(kept) >= len(names) else colours(names)
    if names == list(_FLAGS):
        chosen = dict(_FLAGS)
    if palette is not None:
        chosen |= {name: palette[name] for name in names if name in palette}
    return categorical.codes.astype(np.intp), chosen


def label_of(layer: str) -> str:
    """What a layer holds, for the scale beside a map."""
    return {keys.COUNTS: "counts", keys.DENOISED: "expected counts"}.get(layer, layer)


def _absent(name: str, what: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=3)
    return f"no {what} named {name!r}" + (f" (nearest: {', '.join(near)})" if near else "")
