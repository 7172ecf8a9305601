"""The graph of segmented cells: who touches, and nothing across a gap."""

import re

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams


def two_tissues(unit: str) -> ad.AnnData:
    """A dense and a loose tissue, 8 and 25 µm between cells, beside a gap of 60 µm; pixels of 0.5 µm."""
    rng = np.random.default_rng(0)
    dense = np.stack(np.meshgrid(np.arange(0, 160, 8), np.arange(0, 240, 8)), axis=-1).reshape(-1, 2)
    loose = np.stack(np.meshgrid(np.arange(220, 460, 25), np.arange(0, 240, 25)), axis=-1).reshape(-1, 2)
    um = np.concatenate([dense, loose]) + rng.uniform(-2, 2, (len(dense) + len(loose), 2))
    adata = ad.AnnData(csr_matrix((len(um), 1), dtype=np.float32))
    adata.obsm[keys.SPATIAL] = um / 0.5
    adata.uns[keys.UNS] = {keys.MICRONS_PER_PIXEL: 0.5, keys.UNIT: unit}
    adata.obs["dense"] = np.arange(len(um)) < len(dense)
    return adata


def test_cells_of_every_density_have_neighbours_and_none_across_a_gap() -> None:
    adata = two_tissues("cells")
    record = build_graph(adata, "s")
    assert record.params["method"] == "delaunay"
    assert record.metrics["radius_um"] == 40.0
    assert record.metrics["n_isolates"] == 0
    assert record.metrics["n_components"] == 2
    dense = adata.obs["dense"].to_numpy()
    assert 5 <= np.median(adata.obs[keys.DEGREE][dense]) <= 7
    assert 5 <= np.median(adata.obs[keys.DEGREE][~dense]) <= 7


def test_bins_keep_the_radius() -> None:
    assert build_graph(two_tissues("bins"), "s").params["method"] == "radius"


@pytest.mark.parametrize("unit", ["spots", "bins", "cells"])
def test_messages_call_places_by_their_name(unit: str) -> None:
    adata = two_tissues(unit)
    adata.obsm[keys.SPATIAL][:2] = [[5000.0, 5000.0], [9000.0, 9000.0]]
    record = build_graph(adata, "s", GraphParams(method="radius", radius=40.0))
    said = " ".join(message.text for message in record.messages)
    assert f"2 of {adata.n_obs} {unit} have no neighbour" in said
    assert f"4 separate pieces, of which 2 are single {unit}" in said
    assert {word for word in ("spot", "bin", "cell") if re.search(rf"\b{word}s?\b", said)} == {unit[:-1]}


def test_what_the_user_states_holds_for_cells_too() -> None:
    record = build_graph(two_tissues("cells"), "s", GraphParams(method="knn", n_neighbors=4))
    assert record.params["method"] == "knn"
    record = build_graph(two_tissues("cells"), "s", GraphParams(radius=90.0))
    assert record.metrics["n_components"] == 1
