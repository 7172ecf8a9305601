"""Loadings of the programs, as the gene graph corrects them on one section."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.gene_graph import correlation_graph
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams


def gene_loadings(
    model: DiffstModel,
    programs: Programs,
    section: SpotSection,
    params: DiffstParams,
    spots: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Loadings ``(programs, genes)`` with the gene graph network's corrections, from the graph over these spots."""
    graph = None
    if model.genes is not None:
        graph = correlation_graph(section.counts[spots], params.gene_neighbours, params.seed)
    return model.corrected_loadings(programs.loadings, graph)
