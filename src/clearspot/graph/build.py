"""Build the spatial graph of one sample."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csr_matrix
from scipy.spatial import QhullError

from clearspot import keys
from clearspot.errors import BadInputError, Problem
from clearspot.graph.delaunay import delaunay_builder
from clearspot.graph.embed import symmetric_graph
from clearspot.graph.grid import grid_builder
from clearspot.graph.knn import knn_builder
from clearspot.graph.lattice import Spacing, find_spacing
from clearspot.graph.params import GraphParams
from clearspot.graph.pieces import find_pieces
from clearspot.graph.radius import radius_builder
from clearspot.qc.passing import passing_spots
from clearspot.record import StepRecord

_PIECES_SHOWN = 20


def build_graph(
    adata: ad.AnnData, sample: str, params: GraphParams | None = None, sections: NDArray[np.intp] | None = None
) -> StepRecord:
    """Add the spatial graph over the passing spots to ``adata``, in place.

    Sets ``obsp['spatial_connectivities']`` (ones) and ``obsp['spatial_distances']`` (pixels of the full-resolution
    image), both N x N CSR, symmetric, without self-loops, empty in the rows of spots that failed quality control;
    ``uns['spatial_neighbors']`` as squidpy keeps it; ``obs['graph_degree']`` and ``obs['graph_component']``.

    Parameters
    ----------
    adata
        With ``obsm['spatial']`` and, after quality control, ``obs['qc_pass']``.
    sample
        Sample name.
    params
        Strategy and its settings.
    sections
        Section of each observation, shape ``(n_obs,)``: no edge joins two of them. ``None``: one section.

    Returns
    -------
    Record of the step ``graph``.

    Raises
    ------
    BadInputError
        Fewer than two spots, all spots in one place, spots on one line where a triangulation is asked for, or a radius
        in micrometres for a sample whose scale is not known.
    """
    params = params or GraphParams()
    record = StepRecord(sample, "graph", params=asdict(params))
    in_graph = passing_spots(adata)
    rows = np.flatnonzero(in_graph)
    coordinates = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    radius = None if params.radius is None else _pixels(params.radius, adata, sample)
    labels = np.zeros(adata.n_obs, dtype=np.intp) if sections is None else sections
    blocks = [rows[labels[rows] == label] for label in np.unique(labels[rows])] or [rows]
    built = []
    for block in blocks:
        own = np.flatnonzero(labels == labels[block[0]]) if block.size else block
        spacing = _spacing(coordinates, coordinates[own], block, sample, params)
        built.append(_adjacency(coordinates[block], sample, params, radius, spacing))
    adjacency, settings = block_diag([matrix for matrix, _ in built], format="csr"), built[0][1]
    rows = np.concatenate(blocks)
    connectivities, distances = symmetric_graph(adjacency, coordinates, rows, adata.n_obs)

    degree = np.diff(connectivities.indptr)
    piece, sizes = find_pieces(connectivities, in_graph)
    adata.obsp[keys.CONNECTIVITIES] = connectivities
    adata.obsp[keys.DISTANCES] = distances
    adata.uns["spatial_neighbors"] = {
        "connectivities_key": keys.CONNECTIVITIES,
        "distances_key": keys.DISTANCES,
        "params": settings,
    }
    adata.obs[keys.DEGREE] = degree.astype(np.int32)
    adata.obs[keys.COMPONENT] = piece
    adata.uns.setdefault(keys.UNS, {})["graph"] = settings
    _describe(record, degree[rows], sizes, spacing, settings, adata)
    return record


def _spacing(
    coordinates: NDArray[np.float64], own: NDArray[np.float64], rows: NDArray[np.intp], sample: str, params: GraphParams
) -> Spacing:
    spacing = find_spacing(own, params.n_neighbors) if rows.size > 1 else None
    if spacing is None or not spacing.radius > 0:
        raise BadInputError(
            Problem(
                sample,
                "spot positions",
                f"{rows.size} spots that passed quality control, at {len(np.unique(coordinates[rows], axis=0))} places",
                "spots at different places",
                "check the positions file and the quality control thresholds",
            )
        )
    return spacing


def _pixels(micrometres: float, adata: ad.AnnData, sample: str) -> float:
    """Length in pixels of the full-resolution image."""
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    if not um_per_px:
        raise BadInputError(
            Problem(
                sample,
                "scale factors",
                f"a graph radius of {micrometres:g} um, and nothing that tells the micrometres per pixel",
                "a known scale, or no radius",
                "set microns_per_pixel in the samplesheet, or leave --graph_radius out: it is found from the spots",
            )
        )
    return micrometres / float(um_per_px)


def _adjacency(
    coordinates: NDArray[np.float64], sample: str, params: GraphParams, radius: float | None, spacing: Spacing
) -> tuple[csr_matrix, dict[str, Any]]:
    """Make squidpy's adjacency matrix and the settings that made it (none of them ``None``, for .h5ad)."""
    builders = {
        "radius": lambda: radius_builder(radius, spacing),
        "knn": lambda: knn_builder(params.n_neighbors, len(coordinates)),
        "grid": lambda: grid_builder(spacing, len(coordinates)),
        "delaunay": lambda: delaunay_builder(radius, spacing),
    }
    builder = builders[params.method]()
    try:
        adjacency, _ = builder.build(coordinates)
    except QhullError as error:
        raise BadInputError(
            Problem(
                sample,
                "spot positions",
                f"{len(coordinates)} spots that cannot be triangulated (too few, or on one line)",
                "spots spread over an area",
                "use --graph_method radius or knn",
            )
        ) from error
    settings = {name: value for name, value in builder.uns_params().items() if value is not None}
    if isinstance(settings.get("radius"), tuple):
        settings["radius"] = float(max(settings["radius"]))
    return adjacency, {"method": params.method, **settings}


def _describe(
    record: StepRecord,
    degree: NDArray[np.int_],
    sizes: NDArray[np.intp],
    spacing: Spacing,
    settings: dict[str, Any],
    adata: ad.AnnData,
) -> None:
    """Fill the record's metrics, tables and messages."""
    isolates = int((degree == 0).sum())
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    radius = settings.get("radius")
    record.metrics = {
        "n_spots": degree.size,
        "n_edges": int(degree.sum()) // 2,
        "median_degree": float(np.median(degree)),
        "mean_degree": float(degree.mean()),
        "n_isolates": isolates,
        "n_components": sizes.size,
        "largest_component_share": float(sizes[0] / degree.size),
        "lattice": spacing.lattice,
        "pitch_px": spacing.pitch,
        "pitch_um": spacing.pitch * um_per_px if um_per_px else None,
        "radius_px": radius,
        "radius_um": radius * um_per_px if um_per_px and radius else None,
    }
    degrees, spots = np.unique(degree, return_counts=True)
    record.tables["degree"] = {"degree": degrees.tolist(), "n_spots": spots.tolist()}
    shown = sizes[:_PIECES_SHOWN].tolist()
    record.tables["components"] = {"component": [str(i + 1) for i in range(len(shown))], "n_spots": shown}
    if isolates:
        record.note(
            "handled",
            f"Spots without a neighbour: {isolates} of {degree.size}. They keep their own value and learn from none.",
        )
    pieces = int((sizes > 1).sum())
    if pieces > 1:
        record.note(
            "handled",
            f"The tissue lies in {pieces} separate pieces (the largest holds {sizes[0]} of {degree.size} spots); "
            "nothing is smoothed from one to another.",
        )
    if spacing.lattice == "irregular" and settings["method"] in ("radius", "grid"):
        record.note(
            "warning" if settings["method"] == "grid" else "info",
            "The spots stand on no regular lattice: neighbours were chosen by distance alone.",
        )
    wanted = record.params["n_neighbors"]
    if settings["method"] in ("radius", "grid") and record.params["radius"] is None and spacing.degree != wanted:
        record.note(
            "info",
            f"{wanted} neighbours make no whole shell of a {spacing.lattice} arrangement: {spacing.degree} were taken.",
        )
