"""Networks that learned from the spots of several other sections, and go on with the visible spots of this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch

from clearspot.diffst.data.batches import Sampler
from clearspot.diffst.data.gene_graph import correlation_graph
from clearspot.diffst.data.make_views import coarse_view, section_view
from clearspot.diffst.data.programs import fit_programs
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.generate.sampling import predict_mean
from clearspot.diffst.image.histology import Histology
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import save_checkpoint
from clearspot.diffst.training.stages import new_phase, train_diffusion, train_mean
from clearspot.diffst.training.targets import residual_sd, targets_of

CPU = torch.device("cpu")


def teach(path: Path, sections: Sequence[tuple[SpotSection, Histology]], params: DiffstParams) -> None:
    """Train both stages on all spots of these sections, and write a model that a section can start from.

    Each section is seen as in :func:`clearspot.diffst.training.fitting.fit`: itself with spots hidden, and itself one
    scale up for the diffusion. Each adds the steps of one section.

    Parameters
    ----------
    path
        Target.
    sections
        With the same genes, bins and distance between spots.
    params
        Settings.
    """
    genes = sections[0][0].genes
    if any(section.genes != genes for section, _ in sections):
        raise ValueError("the sections have different genes")
    counts = sp.csr_matrix(sp.vstack([section.counts for section, _ in sections]))
    programs = fit_programs(counts, genes, params.n_programs, params.seed)
    views, coarse = [], []
    for section, histology in sections:
        values = programs.transform(section.counts)
        every = np.ones(len(section.rows), dtype=bool)
        own = section_view(
            section, values, histology,
            tissue=tissue_of(section), training=every, n_patterns=params.hide_patterns, seed=params.seed,
        )  # fmt: skip
        views.append(own)
        coarse += [view for view in [coarse_view(section, own, values, params.seed)] if view is not None]
    torch.manual_seed(params.seed)
    model = DiffstModel(programs.number, sections[0][1].n_features, params)
    graph = correlation_graph(counts, params.gene_neighbours, params.seed)
    train_mean(
        new_phase("mean", model, params, params.steps_mean * len(views)),
        model,
        Sampler(views, [1.0] * len(views), params, CPU),
        params,
        loadings=torch.from_numpy(programs.loadings),
        graph=graph,
        after_step=lambda _: None,
    )
    means = [[predict_mean(model, view, shown, params, CPU) for shown in view.conditions] for view in coarse]
    targets = targets_of(coarse, means, programs.loadings, params.seed)
    model.residual_sd.copy_(torch.from_numpy(residual_sd(coarse, targets)))
    train_diffusion(
        new_phase("diffusion", model, params, params.steps_diffusion * len(coarse)),
        model,
        Sampler(coarse, [1.0] * len(coarse), params, CPU, targets),
        params,
        lambda _: None,
    )
    first = sections[0][0]
    save_checkpoint(
        path,
        model=model,
        programs=programs,
        params=params,
        fingerprint={},
        card={
            "bin_um": first.grid.bin_um,
            "pitch_um": first.pitch_um,
            "references": [{"name": section.sample} for section, _ in sections],
        },
    )
