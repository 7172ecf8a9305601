"""Build the spatial graph of one sample."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import QhullError, cKDTree

from clearspot import keys
from clearspot.caller import by_caller, option
from clearspot.contract.places import place_of
from clearspot.errors import BadInputError, Problem
from clearspot.graph.embed import symmetric_graph
from clearspot.graph.lattice import Spacing, find_spacing
from clearspot.graph.params import GraphParams
from clearspot.graph.pieces import find_pieces
from clearspot.graph.strategies import Edges, delaunay_edges, grid_edges, knn_edges, radius_edges
from clearspot.graph.structure import add_structure
from clearspot.graph.ties import TIE
from clearspot.metrics.likeness import neighbour_likeness
from clearspot.qc.passing import passing_spots
from clearspot.record import StepRecord

if TYPE_CHECKING:
    import anndata as ad

_PIECES_SHOWN: Final = 20

_LONGEST: Final = 1.25
"""Longest edge of a triangulation, in radii of the wanted degree: all spots that touch, and nothing across a gap."""

_LONGEST_OF_CELLS_UM: Final = 40.0
"""Longest edge between segmented cells. Their density varies tenfold within a section, so that a limit found from the
median spacing would cut loose tissue apart: at 2,000 cells per mm² (stroma) neighbours are 24 µm apart on average."""


@dataclass(frozen=True)
class _SectionGraph:
    """Edges of one section: positions among all spots, and what made them (no value ``None``, for .h5ad)."""

    edges: Edges
    spacing: Spacing
    settings: dict[str, Any]
    n_spots: int


def build_graph(
    adata: ad.AnnData,
    sample: str,
    params: GraphParams | None = None,
    sections: NDArray[np.integer] | None = None,
) -> StepRecord:
    """Add the spatial graph over the passing spots to ``adata``, in place.

    Sets ``obsp['spatial_connectivities']`` (ones) and ``obsp['spatial_distances']`` (pixels of the full-resolution
    image), both N x N CSR, symmetric, without self-loops, empty in the rows of spots that failed quality control;
    ``uns['spatial_neighbors']`` as squidpy keeps it; ``obs['graph_degree']`` and ``obs['graph_component']``.

    Distances that are equal but for rounding are treated alike (:mod:`clearspot.graph.ties`): moving, turning or
    scaling a section changes no edge.

    Parameters
    ----------
    adata
        With ``obsm['spatial']`` and, after quality control, ``obs['qc_pass']``.
    sample
        Sample name.
    params
        Strategy and its settings.
    sections
        Number of the section that each spot belongs to, shape ``(n_obs,)``. Each section has a spacing and a graph of
        its own; no edge joins two. ``None``: all spots are of one section.

    Returns
    -------
    Record of the step ``graph``. Spacing and radius are those of the largest section. Where there is one section, it
    also says whether the counts have a pattern over the graph (:mod:`clearspot.graph.structure`).

    Raises
    ------
    BadInputError
        Fewer than two spots, two spots in one place, spots on one line where a triangulation is asked for, or a radius
        in micrometres for a sample whose scale is not known.
    """
    params = _chosen(params or GraphParams(), adata)
    record = StepRecord(sample, "graph", params=asdict(params))
    in_graph = passing_spots(adata)
    coordinates = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    sections = np.zeros(adata.n_obs, dtype=np.intp) if sections is None else np.asarray(sections)
    if sections.shape != (adata.n_obs,):
        raise ValueError(f"sections must have one number for each of {adata.n_obs} spots, not shape {sections.shape}")
    _refuse_shared_places(coordinates, in_graph, sections, sample)
    radius = None if params.radius is None else _pixels(params.radius, adata, sample)
    members = [np.flatnonzero(sections == section) for section in np.unique(sections)]
    graphs = [
        _section_graph(coordinates, of_section, of_section[in_graph[of_section]], sample, params, radius)
        for of_section in members
        if in_graph[of_section].sum() > 1
    ]
    if not graphs:
        raise BadInputError(_too_few(sample, int(in_graph.sum())))
    connectivities, distances = symmetric_graph(np.concatenate([graph.edges for graph in graphs]), coordinates)

    largest = max(graphs, key=lambda graph: graph.n_spots)
    degree = np.diff(connectivities.indptr)
    piece, sizes = find_pieces(connectivities, in_graph)
    if len(members) == 1 and keys.COUNTS in adata.layers:
        record.metrics["neighbour_likeness"] = neighbour_likeness(adata.layers[keys.COUNTS], connectivities)
    adata.obsp[keys.CONNECTIVITIES] = connectivities
    adata.obsp[keys.DISTANCES] = distances
    adata.uns["spatial_neighbors"] = {
        "connectivities_key": keys.CONNECTIVITIES,
        "distances_key": keys.DISTANCES,
        "params": largest.settings,
    }
    adata.obs[keys.DEGREE] = degree.astype(np.int32)
    adata.obs[keys.COMPONENT] = piece
    adata.uns.setdefault(keys.UNS, {})["graph"] = largest.settings
    _describe(record, degree[in_graph], sizes, largest.spacing, largest.settings, adata)
    if len(members) == 1:  # sections side by side differ as a whole, which is no pattern over a tissue
        add_structure(adata, record)
    return record


def _chosen(params: GraphParams, adata: ad.AnnData) -> GraphParams:
    """The parameters, with what is left to us decided by what an observation is."""
    about = adata.uns.get(keys.UNS, {})
    is_cells = place_of(adata) == "cell"
    method = params.method or ("delaunay" if is_cells else "radius")
    radius = params.radius
    if radius is None and is_cells and method == "delaunay" and about.get(keys.MICRONS_PER_PIXEL):
        radius = _LONGEST_OF_CELLS_UM
    return replace(params, method=method, radius=radius)


def _refuse_shared_places(
    coordinates: NDArray[np.float64], in_graph: NDArray[np.bool_], sections: NDArray[np.integer], sample: str
) -> None:
    """Refuse passing spots of one section that stand in one place: who of them is a neighbour cannot be said."""
    shared = places = 0
    for section in np.unique(sections[in_graph]):
        points = coordinates[in_graph & (sections == section)]
        if len(points) < 2:
            continue
        tree = cKDTree(points)
        nearest = tree.query(points, k=2)[0][:, 1]
        apart = nearest[nearest > 0]
        same = nearest <= (TIE * float(np.median(apart)) if apart.size else 0.0)
        shared += int(same.sum())
        places += len(np.unique(points[same], axis=0))
    if shared:
        raise BadInputError(
            Problem(
                sample,
                "spot positions",
                f"{shared} spots that passed quality control at only {places} different positions",
                "a different position for each spot",
                "remove duplicated spots; if the file has several sections, set the column that names them",
            )
        )


def _too_few(sample: str, n_spots: int) -> Problem:
    return Problem(
        sample,
        "spot positions",
        f"{n_spots} spots that passed quality control",
        "at least two spots of one section",
        "check the positions file and the quality control thresholds",
    )


def _pixels(micrometres: float, adata: ad.AnnData, sample: str) -> float:
    """Length in pixels of the full-resolution image."""
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    if not um_per_px:
        entry = f"uns['{keys.UNS}']['{keys.MICRONS_PER_PIXEL}']"
        given = by_caller(f"set adata.{entry}", f"set {entry}", "set microns_per_pixel in the samplesheet")
        raise BadInputError(
            Problem(
                sample,
                "scale factors",
                f"a graph radius of {micrometres:g} µm, but an unknown pixel size",
                "a known pixel size, or no radius",
                f"{given}, or leave {option('radius', 'graph_radius')} out to compute it from the positions",
            )
        )
    return micrometres / float(um_per_px)


def _section_graph(
    coordinates: NDArray[np.float64],
    of_section: NDArray[np.intp],
    rows: NDArray[np.intp],
    sample: str,
    params: GraphParams,
    radius: float | None,
) -> _SectionGraph:
    """Graph over the passing spots (``rows``) of one section (``of_section``), with ``radius`` in pixels."""
    spacing = find_spacing(coordinates[of_section], params.n_neighbors)
    if not spacing.radius > 0:  # failed spots may stand in one place
        spacing = find_spacing(coordinates[rows], params.n_neighbors)
    points = coordinates[rows]
    settings: dict[str, Any] = {"method": params.method, "coord_type": "generic"}
    if params.method == "radius":
        settings["radius"] = spacing.radius if radius is None else radius
        edges = radius_edges(points, settings["radius"])
    elif params.method == "knn":
        settings["n_neighbors"] = min(params.n_neighbors, len(rows) - 1)
        edges = knn_edges(points, settings["n_neighbors"])
    elif params.method == "grid":
        settings |= {"coord_type": "grid", "n_neighbors": min(spacing.degree, len(rows) - 1)}
        settings |= {"n_rings": 1, "delaunay": False}
        edges = grid_edges(points, settings["n_neighbors"])
    else:
        settings["radius"] = _LONGEST * spacing.radius if radius is None else radius
        edges = _triangulated(points, settings["radius"], sample)
    return _SectionGraph(rows[edges], spacing, settings, len(rows))


def _triangulated(points: NDArray[np.float64], longest: float, sample: str) -> Edges:
    try:
        return delaunay_edges(points, longest)
    except QhullError as error:
        raise BadInputError(
            Problem(
                sample,
                "spot positions",
                f"{len(points)} spots that cannot be triangulated (too few, or collinear)",
                "spots that cover an area",
                f"use {option('method', 'graph_method')} radius or knn",
            )
        ) from error


def _describe(
    record: StepRecord,
    degree: NDArray[np.int_],
    sizes: NDArray[np.intp],
    spacing: Spacing,
    settings: dict[str, Any],
    adata: ad.AnnData,
) -> None:
    """Fill the record's metrics, tables and messages."""
    isolates, place = int((degree == 0).sum()), place_of(adata)
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    radius = settings.get("radius")
    record.metrics |= {
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
        have, they = ("has", "It is") if isolates == 1 else ("have", "They are")
        record.note(
            "handled",
            f"{isolates} of {degree.size} {place}s {have} no neighbour. {they} denoised without information from "
            "others.",
        )
    if (sizes > 1).sum() > 1:
        single = (
            f", of which {isolates} {f'is a single {place}' if isolates == 1 else f'are single {place}s'}"
            if isolates
            else ""
        )
        record.note(
            "handled",
            f"The tissue consists of {sizes.size} separate pieces{single} (the largest has {sizes[0]} of "
            f"{degree.size} {place}s). No information is shared between pieces.",
        )
    if spacing.lattice == "irregular" and settings["method"] in ("radius", "grid"):
        record.note(
            "warning" if settings["method"] == "grid" else "info",
            f"The {place}s do not form a regular lattice, so neighbours were chosen by distance alone.",
        )
    wanted = record.params["n_neighbors"]
    if settings["method"] in ("radius", "grid") and record.params["radius"] is None and spacing.degree != wanted:
        record.note(
            "info",
            f"{wanted} neighbours are not a complete shell of a {spacing.lattice} lattice; {spacing.degree} were used "
            f"instead.",
        )
