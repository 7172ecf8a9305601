"""A view configuration of Vitessce (schema 1.0.17) for a sample's SpatialData store.

The Python package ``vitessce`` writes the same, but needs Zarr 2, which SpatialData no longer goes with. Multi-level
coordination (layers of a view) is in ``metaCoordinationScopes`` and ``metaCoordinationScopesBy``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import anndata as ad

from clearspot import keys
from clearspot.export.elements import TABLE, ElementNames
from clearspot.export.library import PICTURES, library_of
from clearspot.export.spatialdata_zarr import SUPERRES_TABLE

SCHEMA_VERSION: Final = "1.0.17"

_SETS: Final = {keys.DOMAIN_GMM: "Domains (gmm)", keys.DOMAIN_LEIDEN: "Domains (leiden)", keys.QC_REASON: "QC reason"}

Json = dict[str, Any]


def vitessce_config(
    adata: ad.AnnData, sample: str, store_url: str, *, genes: Sequence[str] = (), superres: bool = False
) -> Json:
    """Configure views of a sample: its spots over the picture, its genes and domains, and the super-resolved bins.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract.
    sample
        Sample name.
    store_url
        Address of ``<sample>.zarr.zip``. Vitessce takes absolute ones only.
    genes
        Genes to begin with; the first that the sample has is selected.
    superres
        Whether the store has the super-resolved bins.

    Returns
    -------
    The configuration, as in ``<sample>.vitessce.json``.
    """
    names = ElementNames.of(adata, sample)
    picture = next((name for name in PICTURES if name in _pictures(adata)), None)
    sets = {column: title for column, title in _SETS.items() if hasattr(adata.obs.get(column), "cat")}
    files = [_measured(names, store_url, picture, sets)]
    if superres:
        files.append(_predicted(names, store_url))
    space = _coordination(adata, names, genes, sets, superres=superres, has_picture=picture is not None)
    return {
        "version": SCHEMA_VERSION,
        "name": sample,
        "description": "Written by clearspot." + (" Super-resolved values are predicted, not measured." * superres),
        "datasets": [{"uid": "A", "name": sample, "files": files}],
        "initStrategy": "auto",
        "coordinationSpace": space,
        "layout": _layout(superres=superres, has_sets=bool(sets)),
    }


def _pictures(adata: ad.AnnData) -> Json:
    library = library_of(adata)
    return {
        name: value
        for name, value in library.get("images", {}).items()
        if library.get("scalefactors", {}).get(f"tissue_{name}_scalef")
    }


def _measured(names: ElementNames, url: str, picture: str | None, sets: dict[str, str]) -> Json:
    shapes = {"path": f"shapes/{names.shapes}", "tablePath": f"tables/{TABLE}"}
    options: Json = {
        "coordinateSystem": "global",
        "obsSegmentations" if names.are_polygons else "obsSpots": shapes,
        "obsFeatureMatrix": {"path": f"tables/{TABLE}/X"},
    }
    if sets:
        paths = [{"name": title, "path": f"tables/{TABLE}/obs/{column}"} for column, title in sets.items()]
        options["obsSets"] = {"tablePath": f"tables/{TABLE}", "obsSets": paths}
    if picture is not None:
        options["image"] = {"path": f"images/{names.image(picture)}"}
    values = {"obsType": "spot", "featureType": "gene", "featureValueType": "expression", "fileUid": "measured"}
    return {"fileType": "spatialdata.zarr.zip", "url": url, "coordinationValues": values, "options": options}


def _predicted(names: ElementNames, url: str) -> Json:
    options = {
        "coordinateSystem": "global",
        "obsSegmentations": {"path": f"labels/{names.superres}", "tablePath": f"tables/{SUPERRES_TABLE}"},
        "obsFeatureMatrix": {"path": f"tables/{SUPERRES_TABLE}/X"},
    }
    values = {"obsType": "bin", "featureType": "gene", "featureValueType": "predicted", "fileUid": "superres"}
    return {"fileType": "spatialdata.zarr.zip", "url": url, "coordinationValues": values, "options": options}


def _coordination(
    adata: ad.AnnData,
    names: ElementNames,
    genes: Sequence[str],
    sets: dict[str, str],
    *,
    superres: bool,
    has_picture: bool,
) -> Json:
    """Scopes named ``A`` are of the spots, those named ``B`` of the super-resolved bins."""
    selected = next((gene for gene in genes if gene in adata.var_names), None)
    space: Json = {
        "dataset": {"A": "A"},
        "obsType": {"A": "spot"},
        "featureType": {"A": "gene"},
        "featureValueType": {"A": "expression"},
        "featureSelection": {"A": None if selected is None else [selected]},
        "obsColorEncoding": {"A": "geneSelection" if selected is not None or not sets else "cellSetSelection"},
        "obsSetColor": {"A": _set_colours(adata, sets)},
        "obsSetSelection": {"A": _selection(adata, sets)},
    }
    layer = "segmentationChannel" if names.are_polygons else "spotLayer"
    shared = ("featureType", "featureSelection", "obsSetColor", "obsSetSelection")
    of_spots = {name: {"A": "A"} for name in ("obsType", "obsColorEncoding", "featureValueType", *shared)}
    measured: Json = {layer: ["A"]}
    by: Json = {layer: of_spots}
    space[layer] = {"A": "__dummy__"}
    if names.are_polygons:
        measured = {"segmentationLayer": ["A"]}
        by["segmentationLayer"] = {"fileUid": {"A": "A"}, "segmentationChannel": {"A": ["A"]}}
        space["segmentationLayer"] = {"A": "__dummy__"}
    if has_picture or names.are_polygons:
        space["fileUid"] = {"A": "measured"}
    if has_picture:
        measured["imageLayer"] = ["A"]
        by["imageLayer"] = {"fileUid": {"A": "A"}, "photometricInterpretation": {"A": "A"}}
        space |= {"photometricInterpretation": {"A": "RGB"}, "imageLayer": {"A": "__dummy__"}}
    space["metaCoordinationScopes"] = {"A": measured}
    space["metaCoordinationScopesBy"] = {"A": by}
    if superres:
        for name, value in (
            ("obsType", "bin"),
            ("featureValueType", "predicted"),
            ("obsColorEncoding", "geneSelection"),
        ):
            space[name]["B"] = value
        for name, value in (
            ("fileUid", "superres"),
            ("segmentationLayer", "__dummy__"),
            ("segmentationChannel", "__dummy__"),
        ):
            space.setdefault(name, {})["B"] = value
        of_bins = {name: {"B": "B"} for name in ("obsType", "obsColorEncoding", "featureValueType")}
        of_bins |= {name: {"B": "A"} for name in ("featureType", "featureSelection")}
        space["metaCoordinationScopes"]["B"] = {"segmentationLayer": ["B"]}
        space["metaCoordinationScopesBy"]["B"] = {
            "segmentationLayer": {"fileUid": {"B": "B"}, "segmentationChannel": {"B": ["B"]}},
            "segmentationChannel": of_bins,
        }
        if has_picture:
            space["metaCoordinationScopes"]["B"]["imageLayer"] = ["A"]
            space["metaCoordinationScopesBy"]["B"]["imageLayer"] = by["imageLayer"]
    return space


def _set_colours(adata: ad.AnnData, sets: dict[str, str]) -> list[Json]:
    found = []
    for column, title in sets.items():
        shades = adata.uns.get(keys.colours_of(column), [])
        for name, shade in zip(adata.obs[column].cat.categories, shades, strict=False):
            found.append(
                {"path": [title, str(name)], "color": [int(shade[place : place + 2], 16) for place in (1, 3, 5)]}
            )
    return found


def _selection(adata: ad.AnnData, sets: dict[str, str]) -> list[list[str]]:
    """All sets of the first column."""
    for column, title in sets.items():
        return [[title, str(name)] for name in adata.obs[column].cat.categories]
    return []


def _layout(*, superres: bool, has_sets: bool) -> list[Json]:
    names = ("dataset", "obsType", "featureType", "featureValueType", "featureSelection", "obsColorEncoding")
    spots: Json = dict.fromkeys((*names, "obsSetColor", "obsSetSelection"), "A")
    layers = {"metaCoordinationScopes": ["A"], "metaCoordinationScopesBy": ["A"]}
    width = 5 if superres else 9
    views = [_view("spatialBeta", spots | layers, 0, 0, width, 12)]
    if superres:
        bins = dict.fromkeys(names, "A") | dict.fromkeys(("obsType", "featureValueType", "obsColorEncoding"), "B")
        views.append(
            _view(
                "spatialBeta", bins | {"metaCoordinationScopes": ["B"], "metaCoordinationScopesBy": ["B"]}, 5, 0, 4, 12
            )
        )
    views.append(_view("featureList", spots, 9, 0, 3, 4))
    if has_sets:
        views.append(_view("obsSets", spots, 9, 4, 3, 4))
    views.append(_view("layerControllerBeta", spots | layers, 9, 8 if has_sets else 4, 3, 4 if has_sets else 8))
    return views


def _view(component: str, scopes: Json, x: int, y: int, width: int, height: int) -> Json:
    return {"component": component, "coordinationScopes": scopes, "x": x, "y": y, "w": width, "h": height}
