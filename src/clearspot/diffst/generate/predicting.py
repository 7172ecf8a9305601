"""Running a trained model on a section; the draws lie on disk, so that a run that was broken off keeps them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.diffst.data.make_views import section_view
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.gene_detail import GeneDetail, gene_detail
from clearspot.diffst.generate.prediction import Prediction
from clearspot.diffst.generate.sampling import predict_mean, sample_residual
from clearspot.diffst.image.histology import Histology, no_image
from clearspot.diffst.image.same_features import require_same_features
from clearspot.diffst.networks.gene_loadings import gene_loadings
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.io.atomic import atomic_path
from clearspot.learning.progress import Progress

_PATTERNS: Final = 3
"""Ways to hide spots, by which the genes' dispersion on this section is found."""

_JUDGING: Final = 2
"""Condition that the gene head is judged by: it hides a quarter of the spots."""


def predict(
    section: SpotSection,
    histology: Histology | None,
    fitted: Fitted,
    params: DiffstParams,
    device: torch.device,
    draws: Path,
    *,
    progress: bool = True,
) -> Prediction:
    """Run both stages on one section.

    Parameters
    ----------
    section
        Spots, genes and grid.
    histology
        Features on its grid; None: no image.
    fitted
        The model.
    params
        Settings of sampling.
    device
        Where the networks run.
    draws
        Existing folder for the draws. Those of an interrupted run with the same model and data are used again.
    progress
        Show progress on the standard error.

    Raises
    ------
    CheckpointError
        If the model was trained with other image features.
    """
    model = fitted.model
    if histology is None or not params.image:
        histology = no_image(section.grid.shape, model.image_channels, model.pixels_per_bin)
    else:
        require_same_features(histology, model.image_channels, model.image_encoder)
    programs = fitted.programs.for_genes(section.genes, section.counts)
    everywhere = np.ones(len(section.rows), dtype=bool)
    values = programs.transform(section.counts)
    view = section_view(
        section,
        values,
        histology,
        tissue=tissue_of(section),
        training=everywhere,
        n_patterns=_PATTERNS,
        seed=params.seed,
        paired=bool(model.mean.paired),
    )
    mean = predict_mean(model, view, view.conditions[0], params, device)
    paths: tuple[Path, ...] = ()
    if model.denoiser is not None and params.diffusion:
        key = _key(model, mean, params)
        paths = tuple(draws / f"{key}-{number:03d}.npy" for number in range(params.samples))
        shown, sample = view.conditions[0], section.sample

        def draw(number: int) -> NDArray[np.float32]:
            return sample_residual(model, view, shown, mean, number=number, sample=sample, params=params, device=device)

        _keep(paths, draw, progress=progress)
    loadings = gene_loadings(model, programs, section, params, everywhere)
    detail: GeneDetail | None = None
    if model.head is not None and len(view.conditions) > 1 and view.histology.valid.any():
        hiding = view.conditions[min(_JUDGING, len(view.conditions) - 1)]
        of_shown = predict_mean(model, view, hiding, params, device)
        detail = gene_detail(
            model.head, model.head_genes, section, view, loadings=loadings, hiding=(hiding, of_shown), device=device
        )
    return Prediction(
        section=section,
        view=view,
        fitted=fitted,
        params=params,
        programs=programs,
        loadings=loadings,
        mean=mean,
        draws=paths,
        detail=detail,
    )


def _keep(paths: tuple[Path, ...], draw: Callable[[int], NDArray[np.float32]], *, progress: bool) -> None:
    """Draw the missing samples."""
    done = sum(path.exists() for path in paths)
    with Progress("sampling", len(paths), done, shown=progress) as bar:
        for number, path in enumerate(paths):
            if path.exists():
                continue
            residual = draw(number)
            with atomic_path(path) as partial:
                kept = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=residual.shape)
                for channel, values in enumerate(residual):
                    kept[channel] = values
                kept.flush()
            bar.step()


def _key(model: DiffstModel, mean: NDArray[np.float32], params: DiffstParams) -> str:
    """Identifies the draws of this model, section and sampler."""
    digest = sha256()
    for channel in mean:
        digest.update(np.ascontiguousarray(channel).tobytes())
    digest.update(repr((params.seed, params.evaluations, params.sigma_min, params.sigma_max)).encode())
    if model.denoiser is not None:
        for parameter in model.denoiser.parameters():
            digest.update(parameter.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
