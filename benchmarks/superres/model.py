"""clearspot's own model as methods: trained on the visible spots of the case, without any reference.

Predictions are made without projection, which the benchmark applies to every method alike. Where the draws beat MeanNet
on the model's own held-out spots (the ship rule), ``diffst``'s mean is that of the draws, else it is MeanNet's.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from cases import Case, Prediction

from clearspot.diffst import predicting
from clearspot.diffst.fitting import fit
from clearspot.diffst.histology import embed
from clearspot.diffst.image_samples import GridImage
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.sampling import add_residual
from clearspot.diffst.section import read_section

PRESET = "cpu"


def meannet(case: Case) -> Prediction:
    """Stage 1 alone: the U-Net as a regression."""
    return Prediction(_predicted(_Key(case), True)[0])


def diffst(case: Case) -> Prediction:
    """Both stages."""
    mean, samples, wins = _predicted(_Key(case), True)
    return Prediction(samples.mean(axis=0) if wins else mean, samples)


def diffst_without_image(case: Case) -> Prediction:
    """Both stages, image off."""
    mean, samples, wins = _predicted(_Key(case), False)
    return Prediction(samples.mean(axis=0) if wins else mean, samples)


MODELS = {"meannet": meannet, "diffst": diffst, "diffst-no-image": diffst_without_image}


class _Key:
    """A case, known by its name, so that two methods share one training."""

    def __init__(self, case: Case):
        self.case = case

    def __hash__(self) -> int:
        return hash(self.case.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.case.name == self.case.name


@lru_cache(maxsize=2)
def _predicted(key: _Key, with_image: bool) -> tuple[np.ndarray, np.ndarray, bool]:
    """MeanNet's map, the draws' maps, and whether the draws won on the spots that the model held out."""
    case = key.case
    params = DiffstParams.preset(PRESET, genes="all", spot_diameter_um=case.diameter_um, projection=False)
    section = read_section(case.adata, case.name, params, grid=case.grid)
    if len(section.genes) != case.adata.n_vars:
        raise ValueError(f"{case.name}: the model left genes out")
    histology = None
    if with_image and case.image is not None:
        histology = embed(GridImage.open(case.image, case.grid, case.name), case.grid)
    device = torch.device("cpu")
    fitted = fit(section, histology, params, device, progress=False)
    every = slice(0, len(section.genes))
    with TemporaryDirectory() as folder:
        maps = predicting.Prediction(section, histology, fitted, params, device, Path(folder), progress=False)
        sd = fitted.model.residual_sd.cpu().numpy()
        draws = [np.load(path).astype(np.float32) for path in maps.draws]
        samples = [maps._decode(add_residual(maps.mean, draw, sd, maps.amplitude), every) for draw in draws]
    return maps._decode(maps.mean, every), np.stack(samples), maps.mean_is_of_draws
