"""A project of TissUUmaps (schema 1.3) over a sample's own files: domains, QC, denoised and super-resolved genes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import anndata as ad
import numpy as np
import tifffile

from clearspot import keys
from clearspot.contract.safe_keys import safe_key
from clearspot.export.library import PICTURES, library_of
from clearspot.io.atomic import atomic_path
from clearspot.io.scale import CAPTURE_DIAMETER_UM

SCHEMA_VERSION: Final = "1.3"

_CLASSES: Final = (keys.DOMAIN_GMM, keys.DOMAIN_LEIDEN, keys.QC_REASON, keys.ARTEFACT_REGION)
_NUMBERS: Final = (keys.TOTAL_COUNTS, keys.N_GENES)

Json = dict[str, Any]


def tissuumaps_project(adata: ad.AnnData, sample: str, superres_genes: Sequence[str] = ()) -> Json:
    """Describe a sample's files for TissUUmaps, which reads ``.h5ad`` itself; paths are relative to the project.

    TissUUmaps reads a gene from a dense matrix or by column: measured values (CSR) are left out, denoised and
    super-resolved ones are dense.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract.
    sample
        Sample name.
    superres_genes
        Genes of ``<sample>.superres.h5ad``, in its order; none: there is no such file.

    Returns
    -------
    The project, as in ``<sample>.tmap``.
    """
    picture = _picture(adata)
    factor = 1.0 if picture is None else picture[1]
    about = adata.uns.get(keys.UNS, {})
    um_per_px = about.get(keys.MICRONS_PER_PIXEL)
    h5ad = keys.h5ad_name(sample)
    tabs = [
        _tab("Classes", h5ad, factor, [_class_option(adata, name) for name in _CLASSES if _is_class(adata, name)]),
        _tab("Counts", h5ad, factor, [_number(name, f"/obs/{name}") for name in _NUMBERS if name in adata.obs]),
    ]
    if keys.DENOISED in adata.layers and keys.MODELLED in adata.var:
        columns = np.flatnonzero(adata.var[keys.MODELLED].to_numpy(dtype=bool))
        options = [_number(str(adata.var_names[place]), f"/layers/{keys.DENOISED};{place}") for place in columns]
        tabs.append(_tab("Denoised genes (counts)", h5ad, factor, options))
    elif "denoised_file" in about.get("dusted", {}) and keys.MODELLED in adata.var:
        modelled = adata.var_names[adata.var[keys.MODELLED].to_numpy(dtype=bool)]
        options = [_number(str(gene), f"/X;{place}") for place, gene in enumerate(modelled)]
        tabs.append(_tab("Denoised genes (counts)", keys.denoised_name(sample), factor, options))
    if len(superres_genes):
        options = [_number(str(gene), f"/X;{place}") for place, gene in enumerate(superres_genes)]
        tabs.append(_tab("Super-resolved genes (predicted)", keys.superres_name(sample), factor, options, "square"))
    layers = [] if picture is None else [{"name": "tissue", "tileSource": f"{keys.tissue_tiff_name(sample)}.dzi"}]
    return {
        "schemaVersion": SCHEMA_VERSION,
        "filename": sample,
        "layers": layers,
        "markerFiles": [tab for tab in tabs if tab["dropdownOptions"]],
        "plugins": [],
        "mpp": um_per_px / factor if um_per_px else None,
    } | ({} if not um_per_px else {"description": f"A spot is {CAPTURE_DIAMETER_UM} µm wide."})


def write_tissuumaps(adata: ad.AnnData, sample: str, folder: Path, superres: Path | None = None) -> None:
    """Write ``<sample>.tmap`` and the picture under it, ``<sample>.tissue.tif``, each whole or not at all.

    Parameters
    ----------
    adata, sample
        As in :func:`tissuumaps_project`.
    folder
        Where ``<sample>.h5ad`` is or will be.
    superres
        ``<sample>.superres.h5ad``, where there is one.
    """
    genes: list[str] = []
    if superres is not None:
        bins = ad.read_h5ad(superres, backed="r")
        genes = bins.var_names.astype(str).tolist()
        bins.file.close()
    picture = _picture(adata)
    if picture is not None:
        with atomic_path(folder / keys.tissue_tiff_name(sample)) as partial:
            tifffile.imwrite(partial, picture[0], photometric="rgb", tile=(256, 256), compression="zlib")
    with atomic_path(folder / keys.tissuumaps_name(sample)) as partial:
        partial.write_text(json.dumps(tissuumaps_project(adata, sample, genes)), encoding="utf-8")


def _picture(adata: ad.AnnData) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], float] | None:
    """The larger reduced picture as 8-bit RGB, and its pixels a pixel of the full-resolution image."""
    library = library_of(adata)
    for name in PICTURES:
        pixels, factor = (
            library.get("images", {}).get(name),
            library.get("scalefactors", {}).get(f"tissue_{name}_scalef"),
        )
        if pixels is not None and factor:
            pixels = np.atleast_3d(np.asarray(pixels))
            pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]
            if pixels.dtype != np.uint8:
                pixels = (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
            return pixels, float(factor)
    return None


def _is_class(adata: ad.AnnData, column: str) -> bool:
    return column in adata.obs and hasattr(adata.obs[column], "cat")


def _class_option(adata: ad.AnnData, column: str) -> Json:
    names = [str(name) for name in adata.obs[column].cat.categories]
    shades = [str(shade) for shade in adata.uns.get(keys.colours_of(column), [])]
    own = len(shades) == len(names)
    return {
        "optionName": column,
        "name": column,
        "expectedHeader.gb_col": f"/obs/{column}",
        "expectedHeader.cb_gr_dict": json.dumps(dict(zip(names, shades, strict=True))) if own else "",
        "expectedRadios.cb_col": False,
        "expectedRadios.cb_gr": True,
        "expectedRadios.cb_gr_dict": own,
        "expectedRadios.cb_gr_key": not own,
    }


def _number(name: str, path: str) -> Json:
    return {"optionName": name, "name": name, "expectedHeader.cb_col": path, "expectedRadios.cb_col": True}


def _tab(title: str, path: str, factor: float, options: list[Json], shape: str = "disc") -> Json:
    return {
        "title": title,
        "name": title,
        "uid": safe_key(title),
        "path": path,
        "hideSettings": True,
        "expectedHeader": {
            "X": f"/obsm/{keys.SPATIAL};0",
            "Y": f"/obsm/{keys.SPATIAL};1",
            "coord_factor": factor,
            "shape_fixed": shape,
            "cb_cmap": "interpolateViridis",
        },
        "expectedRadios": {"cb_gr": False, "cb_col": True, "cb_gr_key": False, "shape_gr": False, "shape_fixed": True},
        "dropdownOptions": options,
    }
