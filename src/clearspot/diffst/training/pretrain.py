"""One training on all references: from pairs of histology and fine expression to a model that sections start from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from clearspot.diffst.data.batches import Sampler
from clearspot.diffst.data.gene_graph import GeneGraph, correlation_graph
from clearspot.diffst.data.programs import Programs, fit_programs
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import (
    SpotGeometry,
    lattices_of_spots,
    padded_reference,
    pseudo_spots,
    reference_views,
    seen_by,
)
from clearspot.diffst.data.view import View
from clearspot.diffst.generate.sampling import predict_mean
from clearspot.diffst.image.histology import FEATURES
from clearspot.diffst.image.same_features import encoder_words
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.gene_head_stage import LATTICES, Lesson, head_genes, lesson, steps_of, train_gene_head
from clearspot.diffst.training.held_out_blocks import block_of, scores_of, scores_of_head
from clearspot.diffst.training.stages import Phase, new_phase, train_diffusion, train_mean
from clearspot.diffst.training.targets import residual_sd, targets_of
from clearspot.errors import BadInputError, Problem
from clearspot.learning.progress import Progress

_MIN_SHARED_GENES: Final = 8
_ABUNDANCE: Final = 0.0
"""Exponent of a gene's mean in its weight: 0 gives all genes the same say, 1 gives all counts the same."""


@dataclass
class Pretrained:
    """A model that was learned from references.

    Parameters
    ----------
    model, programs, params
        What sampling needs.
    losses
        Per stage, one value a step.
    seconds
        Of each part.
    scores
        By reference, on the block of it that training did not see; see
        :mod:`clearspot.diffst.training.held_out_blocks`.
    """

    model: DiffstModel
    programs: Programs
    params: DiffstParams
    losses: dict[str, list[float]]
    seconds: dict[str, float]
    scores: dict[str, dict[str, float]]


def pretrain(
    references: Mapping[str, Reference],
    params: DiffstParams,
    device: torch.device,
    *,
    spots: SpotGeometry,
    progress: bool = True,
) -> Pretrained:
    """Train both stages and the gene head on references.

    Parameters
    ----------
    references
        By name, with their histology; all on bins of one size.
    params
        Settings.
    device
        Where the networks run.
    spots
        Which spots the model is to be used for.
    progress
        Show progress on the standard error.

    Raises
    ------
    BadInputError
        If references share too few genes, one has too little tissue, or bins or image features differ.
    """
    began = time.perf_counter()
    genes = shared_genes(references)
    bin_um, n_features, points, encoder = _same_for_all(references)
    whole = {name: padded_reference(one, genes) for name, one in sorted(references.items())}
    blocks = {name: block_of(one.tissue, bin_um, params.holdout) for name, one in whole.items()}
    trained_on = {name: replace(one, tissue=blocks[name][1]) for name, one in whole.items()}
    number = max(params.lattices, LATTICES if params.gene_head else 0)
    lattices = {name: lattices_of_spots(name, one, spots, params.seed, number) for name, one in trained_on.items()}
    seen = {name: of_one[: params.lattices] for name, of_one in lattices.items()}
    counts = sp.csr_matrix(sp.vstack([of_one[0].counts for of_one in seen.values()]))
    programs = fit_programs(counts, genes, params.n_programs, params.seed)
    views = {
        name: reference_views(
            name,
            one,
            seen[name],
            pitch_um=spots.pitch_um,
            programs=programs,
            n_features=n_features,
            pixels_per_bin=points,
            with_truth=params.diffusion,
        )
        for name, one in trained_on.items()
    }
    torch.manual_seed(params.seed)
    with_image = [name for name, one in trained_on.items() if one.histology is not None]
    known = head_genes([trained_on[name] for name in with_image], genes) if params.gene_head and with_image else ()
    model = DiffstModel(
        programs.number,
        n_features,
        params,
        pixels_per_bin=points,
        bin_um=bin_um,
        paired=True,
        image_encoder=encoder,
        head_genes=known,
    ).to(device)
    graph = correlation_graph(counts, params.gene_neighbours, params.seed) if params.gene_graph else None
    run = _Run(model, programs, graph, [view for of_one in views.values() for view in of_one], params, device, progress)
    run.seconds["preparing"] = time.perf_counter() - began
    losses = {"mean": run.train_mean()}
    if model.denoiser is not None:
        losses["diffusion"] = run.train_diffusion()
    if model.head is not None:
        losses["gene_head"] = run.train_gene_head(
            [lesson(views[name][0], lattices[name][:LATTICES], genes, known) for name in with_image]
        )
    loadings = model.corrected_loadings(programs.loadings, graph)
    scores: dict[str, dict[str, float]] = {}
    for name, one in whole.items():
        block = blocks[name][0]
        if block.any():
            everywhere = pseudo_spots(name, one, spots, params.seed, 0)
            view = seen_by(replace(views[name][0], tissue=one.tissue), everywhere, programs)
            scores[name] = scores_of(model, view, block, loadings, params, device)
            if model.head is not None and one.histology is not None:
                taught = lesson(view, [everywhere], genes, known)
                scores[name] |= scores_of_head(model.head, taught, block, device)
    return Pretrained(model, programs, params, losses, run.seconds, scores)


def check_joins(name: str, references: Mapping[str, Reference], spots: SpotGeometry, params: DiffstParams) -> None:
    """Refuse one of the references if it cannot be trained on together with the others; errors as :func:`pretrain`."""
    genes = shared_genes(references)
    bin_um = _same_for_all(references)[0]
    joining = padded_reference(references[name], genes)
    seen = block_of(joining.tissue, bin_um, params.holdout)[1]
    pseudo_spots(name, replace(joining, tissue=seen), spots, params.seed, 0)


def shared_genes(references: Mapping[str, Reference]) -> tuple[str, ...]:
    """Genes with counts that all references have, in the order of the first.

    Raises
    ------
    BadInputError
        If there are fewer than 8.
    """
    counted = []
    for one in references.values():
        total = np.asarray(one.counts.sum(axis=0)).ravel()
        counted.append(one.genes.astype(str)[total > 0])
    shared = [gene for gene in counted[0] if all(gene in other for other in counted[1:])] if counted else []
    if len(shared) < _MIN_SHARED_GENES:
        names = ", ".join(sorted(references))
        found, expected = f"{len(shared)} genes shared by all references", f"at least {_MIN_SHARED_GENES}"
        raise BadInputError(Problem(names, names, found, expected, "Use references with overlapping gene panels."))
    return tuple(shared)


def _same_for_all(references: Mapping[str, Reference]) -> tuple[float, int, int, str]:
    """Side of the bins, image features, pixels a bin and name of the image encoder."""
    kinds = {}
    for name, one in references.items():
        histology = one.histology
        if histology is None:
            kinds[name] = (one.grid.bin_um, len(FEATURES), 0, "")
        else:
            kinds[name] = (one.grid.bin_um, histology.n_features, histology.pixels_per_bin, histology.encoder)
    with_image = {name: kind for name, kind in kinds.items() if kind[2]} or kinds
    first = next(iter(with_image.values()))
    for name, kind in with_image.items():
        if kind != first:
            found, expected = (
                f"bins of {bin_um:g} µm, {features} image features, {points} pixels per bin, {encoder_words(encoder)}"
                for bin_um, features, points, encoder in (kind, first)
            )
            mend = "Prepare all references with the same bin size and image encoder."
            raise BadInputError(Problem(name, name, found, f"as in the other references: {expected}", mend))
    return first


def gene_weights(views: Sequence[View]) -> NDArray[np.float32]:
    """Weight of each gene in the loss, ``(genes,)``: its deviance over a power of its mean, 1 on average."""
    total: NDArray[np.float64] | float = 0.0
    bins = 0
    for view in views:
        if view.fine_counts is not None:
            inside = view.fine_counts[view.tissue.ravel()]
            total, bins = total + np.asarray(inside.sum(axis=0)).ravel(), bins + inside.shape[0]
    mean = np.maximum(total / max(bins, 1), 1e-6)
    weight = mean ** (_ABUNDANCE - 1)
    return np.asarray(weight / (weight * mean).mean(), dtype=np.float32)


@dataclass
class _Run:
    model: DiffstModel
    programs: Programs
    graph: GeneGraph | None
    views: list[View]
    params: DiffstParams
    device: torch.device
    progress: bool
    seconds: dict[str, float] = field(default_factory=dict)

    def train_mean(self) -> list[float]:
        """Stage 1, to its end: the losses."""
        began, params = time.perf_counter(), self.params
        phase = new_phase("mean", self.model, params, params.steps_pretrain)
        sampler = Sampler(self.views, [1.0] * len(self.views), params, self.device)
        loadings = torch.from_numpy(self.programs.loadings).to(self.device)
        weights = torch.from_numpy(gene_weights(self.views)).to(self.device)
        with Progress("mean", phase.steps, shown=self.progress) as shown:
            after = _steps(shown)
            train_mean(
                phase,
                self.model,
                sampler,
                params,
                loadings=loadings,
                graph=self.graph,
                after_step=after,
                gene_weight=weights,
            )
        self.seconds["mean"] = time.perf_counter() - began
        return phase.loss

    def train_diffusion(self) -> list[float]:
        """Stage 2, to its end: the losses."""
        began, params = time.perf_counter(), self.params
        phase = new_phase("diffusion", self.model, params, params.steps_pretrain)
        means = [
            [predict_mean(self.model, view, shown, params, self.device) for shown in view.conditions]
            for view in self.views
        ]
        loadings = self.model.corrected_loadings(self.programs.loadings, self.graph)
        targets = targets_of(self.views, means, loadings, params.seed)
        self.model.residual_sd.copy_(torch.from_numpy(residual_sd(self.views, targets)))
        sampler = Sampler(self.views, [1.0] * len(self.views), params, self.device, targets)
        with Progress("diffusion", phase.steps, shown=self.progress) as shown:
            train_diffusion(phase, self.model, sampler, params, _steps(shown))
        self.seconds["diffusion"] = time.perf_counter() - began
        return phase.loss

    def train_gene_head(self, lessons: Sequence[Lesson]) -> list[float]:
        """The gene head, to its end: the losses."""
        began, head = time.perf_counter(), self.model.head
        if head is None:
            raise ValueError("the model has no gene head")
        with Progress("gene head", steps_of(lessons), shown=self.progress) as shown:
            losses = train_gene_head(
                head, lessons, self.params.seed, self.device, lambda loss: shown.step(f"loss {loss:.4f}")
            )
        self.seconds["gene_head"] = time.perf_counter() - began
        return losses


def _steps(shown: Progress) -> Callable[[Phase], None]:
    return lambda phase: shown.step(f"loss {phase.loss[-1]:.4f}")
