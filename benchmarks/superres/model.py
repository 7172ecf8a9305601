"""clearspot's own model as methods: trained on the visible spots of the case, without any reference.

Draws that conserve counts come from the model itself, which draws what the spots' expectations may have been; the
benchmark projects the means, as it does for every method.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from cases import Case, Prediction
from hidden_case import whole_section
from other_sections import teach

from clearspot.diffst.data.hidden_pairs import hidden_pairs
from clearspot.diffst.data.programs import fit_programs
from clearspot.diffst.data.section import SpotSection, read_section
from clearspot.diffst.estimate.dispersion import sqrt_error
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.predicting import predict
from clearspot.diffst.generate.prediction import Prediction as Maps
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import Histology, embed, no_image
from clearspot.diffst.image.image_samples import GridImage
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.fitting import fit

PRESET = "cpu"
SETTINGS: dict[str, object] = {}
ALL_PARTS = {"disentangle": True, "cross_attention": True, "gene_graph": True}


def plain(case: Case, *, with_image: bool = True) -> Prediction:
    """What the networks start from, nothing trained: image trend times smooth ratio of the programs, genes' own fields.

    Its draws have the genes' dispersion of hidden spots, and nothing from the diffusion.
    """
    maps = _untrained(case, with_image=with_image)
    chunk = maps.decoder().chunk(slice(0, case.adata.n_vars))
    draws, conserving = (
        np.stack([chunk.draw(number, maps.mean, projected=how) for number in range(maps.params.samples)])
        for how in (False, True)
    )
    return Prediction(chunk.mean(maps.mean), draws, conserving)


def plain_without_image(case: Case) -> Prediction:
    """The same, image off."""
    return plain(case, with_image=False)


def product(case: Case, *, trained: bool) -> dict[str, np.ndarray]:
    """Maps (bins x genes) on the product's way to its mean: of the programs alone, as written, and with exact totals.

    Untrained it is the plain estimate, trained the first stage, whose mean is nearly always the one that is written.
    """
    maps = _first_stage(case, with_image=True) if trained else _untrained(case, with_image=True)
    chunk = maps.decoder().chunk(slice(0, case.adata.n_vars))
    programs = (maps.mean * maps.view.scale[:, None, None]).reshape(len(maps.mean), -1).T
    written = chunk.mean(maps.mean)
    return {"programs": programs @ maps.loadings, "default": written, "exact totals": chunk.conserving(written)}


def meannet(case: Case) -> Prediction:
    """Stage 1 alone, with the genes' own fields: the U-Net as a regression."""
    return Prediction(_predicted(_Key(case), True)["meannet"][0])


def meannet_gaussian(case: Case) -> Prediction:
    """Stage 1 and each gene's Gaussian error (square root), as held-out spots have it."""
    found = _predicted(_Key(case), True)
    return Prediction(found["meannet"][0], error=found["error"][0])


def diffst(case: Case) -> Prediction:
    """Both stages."""
    return Prediction(*_predicted(_Key(case), True)["diffst"])


def diffst_with_all_parts(case: Case) -> Prediction:
    """Both stages, with the parts of the paper that are off by default."""
    return Prediction(*_predicted(_Key(case), True, all_parts=True)["diffst"])


def diffst_without_image(case: Case) -> Prediction:
    """Both stages, image off."""
    return Prediction(*_predicted(_Key(case), False)["diffst"])


def sister(case: Case) -> Path | None:
    """Another section of the tissue that a hidden-spot case is from: the next one, the first after the last."""
    if case.image is None or case.hidden_operator is None:
        return None
    images = sorted(case.image.parent.glob("*.jpg"))
    other = images[(images.index(case.image) + 1) % len(images)].with_suffix(".h5ad")
    return None if other.stem == case.image.stem else other


def others(case: Case) -> list[Path]:
    """All other sections with an image that a hidden-spot case of ``mob`` is from the series of.

    Those of ``her2st`` with an image are of one patient, who must not be on both sides.
    """
    if case.image is None or not case.name.startswith("mob"):
        return []
    images = sorted(case.image.parent.glob("*.jpg"))
    return [image.with_suffix(".h5ad") for image in images if image != case.image]


def diffst_of_other_sections(case: Case) -> Prediction:
    """Both stages, trained on all spots of the other sections; then stage 1 goes on with the visible spots."""
    return Prediction(*_predicted(_Key(case), True, from_others=True)["diffst"])


def diffst_of_other_section(case: Case) -> Prediction:
    """Both stages, trained on all spots of the sister section alone and applied to this one, as a checkpoint is."""
    other = sister(case)
    if other is None:
        raise ValueError(f"{case.name} has no sister section")
    return Prediction(*_predicted(_Key(case), True, _Key(whole_section(other, case.adata.var_names)))["diffst"])


MODELS = {
    "plain": plain,
    "plain-no-image": plain_without_image,
    "meannet": meannet,
    "meannet-gaussian": meannet_gaussian,
    "diffst": diffst,
    "diffst-all-parts": diffst_with_all_parts,
    "diffst-no-image": diffst_without_image,
    "diffst-other-section": diffst_of_other_section,
    "diffst-other-sections": diffst_of_other_sections,
}


class _Key:
    """A case, known by its name, so that several methods share one training."""

    def __init__(self, case: Case):
        self.case = case

    def __hash__(self) -> int:
        return hash(self.case.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.case.name == self.case.name


def _given(case: Case, *, with_image: bool, **changes: object) -> tuple[DiffstParams, SpotSection, Histology]:
    """Settings, spots and image of a case."""
    settings = {"genes": "all", "spot_diameter_um": case.diameter_um} | SETTINGS | changes
    params = DiffstParams.preset(PRESET, **settings)
    section = read_section(case.adata, case.name, params, grid=case.grid)
    if len(section.genes) != case.adata.n_vars:
        raise ValueError(f"{case.name}: the model left genes out")
    if with_image and case.image is not None:
        return params, section, _embedded(case.image, case.grid)
    return params, section, no_image(case.grid.shape)


def _untrained(case: Case, *, with_image: bool) -> Maps:
    """Of the plain estimate: a network whose factor has the exponent 0."""
    params, section, histology = _given(case, with_image=with_image, diffusion=False)
    programs = fit_programs(section.counts, section.genes, params.n_programs, params.seed)
    model = DiffstModel(programs.number, histology.n_features, params).eval()
    model.mean.power.fill_(0)
    fitted = Fitted(model, programs, params, None)
    return predict(section, histology, fitted, params, torch.device("cpu"), Path(), progress=False)


def _first_stage(case: Case, *, with_image: bool) -> Maps:
    params, section, histology = _given(case, with_image=with_image, diffusion=False)
    fitted = fit(section, histology, params, torch.device("cpu"), progress=False)
    return predict(section, histology, fitted, params, torch.device("cpu"), Path(), progress=False)


@lru_cache(maxsize=1)
def _embedded(image: Path, grid: FineGrid) -> Histology:
    """Features of an image, which several cases and methods share."""
    return embed(GridImage.open(image, grid, image.stem), grid)


@lru_cache(maxsize=2)
def _predicted(
    key: _Key,
    with_image: bool,
    trained_on: _Key | None = None,
    *,
    from_others: bool = False,
    all_parts: bool = False,
) -> dict[str, tuple]:
    """Means, and for both stages also draws without and with the spots' counts conserved."""
    case = key.case
    params, section, histology = _given(case, with_image=with_image, **(ALL_PARTS if all_parts else {}))
    device = torch.device("cpu")
    teacher = _given(trained_on.case, with_image=with_image)[1:] if trained_on else (section, histology)
    with TemporaryDirectory() as folder:
        start = None
        if from_others:
            start = Path(folder) / "others.diffst.pt"
            cases = [whole_section(path, case.adata.var_names) for path in others(case)]
            teach(start, [_given(one, with_image=with_image)[1:] for one in cases], params)
        fitted = fit(*teacher, params, device, start_from=start, progress=False)
        maps = predict(section, histology, fitted, params, device, Path(folder), progress=False)
        verdict = fitted.verdict
        print(f"{case.name} image={with_image} power={float(fitted.model.mean.power):.2f} {verdict}", flush=True)
        chunk = maps.decoder().chunk(slice(0, case.adata.n_vars))
        mean, best = chunk.mean(maps.mean), chunk.mean(maps.best_programs())
        draws, conserving = (
            np.stack([chunk.draw(n, programs, projected=how) for n, programs in enumerate(maps.programs_of_draws)])
            for how in (False, True)
        )
        error = sqrt_error(*hidden_pairs(maps.view, maps.section.counts, maps.loadings))
    return {"meannet": (mean,), "diffst": (best, draws, conserving), "error": (error,)}
