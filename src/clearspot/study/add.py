"""Add a section to a finished study: the trained model embeds it, and it gets the domains that the study has.

Nothing is trained, and nothing that the study has changes. A section of a batch of the study gets that batch's factors.
Those of another batch are estimated: a gene's counts over what the model expects, in rounds, since the model embeds the
section better the better the factors are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from clearspot import keys
from clearspot.domains.components import COMPONENTS, TAILS
from clearspot.dusted.checkpoint import load_checkpoint
from clearspot.dusted.inference import embed, means
from clearspot.dusted.model import Dusted
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section, StudySections
from clearspot.dusted.tile_size import spots_that_fit
from clearspot.dusted.tiles import Tile, make_tiles
from clearspot.errors import BadInputError, Problem
from clearspot.io.section_file import read_section
from clearspot.learning.checkpoint_file import refused_checkpoints
from clearspot.learning.device import resolve_device, resolve_precision
from clearspot.record import Message
from clearspot.study.batch_factors import BOUNDS, spread
from clearspot.study.gather import section_part
from clearspot.threads import cpu_threads

ROUNDS: Final = 5
"""Rounds of embedding a section and estimating the factors of its batch."""

FEWEST_GENES: Final = 0.9
"""Share of the modelled genes that a section must have."""

NEIGHBOURS: Final = 15
"""Spots of the study from which the correction of a new spot is taken."""

FAR: Final = 0.5
"""Share of a section's spots with an unsure domain from which on the reader is warned."""

SURE: Final = 0.9


@dataclass
class AddedSection:
    """A study with one more section.

    Parameters
    ----------
    adata
        The study and the spots of the section.
    sample
        Name of the section.
    messages
        What the reader should know.
    """

    adata: ad.AnnData
    sample: str
    messages: list[Message]

    @property
    def composition(self) -> pd.DataFrame:
        """A row a section and domain: spots, share, mean probability."""
        groups = self.adata.obs.groupby([keys.SAMPLE_ID, keys.DOMAIN_STUDY], observed=False)
        table = groups[keys.DOMAIN_STUDY_PROBABILITY].agg(n_spots="size", probability="mean").reset_index()
        table["fraction"] = table["n_spots"] / table.groupby(keys.SAMPLE_ID, observed=True)["n_spots"].transform("sum")
        table = table.rename(columns={keys.SAMPLE_ID: "section", keys.DOMAIN_STUDY: "domain"})
        return table[["section", "domain", "n_spots", "fraction", "probability"]]


def add_section(
    study: ad.AnnData, checkpoint: Path, section: Path, *, device: str = "cpu", threads: int | None = None
) -> AddedSection:
    """Embed a section with the model of a finished study, and assign its spots to the domains of the study.

    Parameters
    ----------
    study
        ``<study>.h5ad`` of a study that was integrated by DUSTED.
    checkpoint
        ``models/<study>.dusted.pt`` of it.
    section
        ``.h5ad`` of the section after quality control and the graph. Its ``batch`` says which factors apply.
    device, threads
        Where it is computed.

    Returns
    -------
    The study with the section's spots after its own. ``obsm['X_study_uncorrected']`` is missing for them.

    Raises
    ------
    BadInputError
        If the study has no model, or the section is in it already or lacks the model's genes.
    """
    name = str(study.uns.get(keys.UNS, {}).get(keys.STUDY, {}).get("name", "study"))
    if keys.BATCH_FACTORS not in study.varm or keys.STUDY_TOTALS not in study.uns:
        raise _bad(name, str(section), "a study without a model", "a study integrated by DUSTED", "run it with dusted")
    part = section_part(read_section(section))
    sample = str(part.uns["sample"])
    if sample in set(study.obs[keys.SAMPLE_ID].astype(str)):
        raise _bad(name, str(section), f"a section {sample}", "a section that is not in the study", "name it otherwise")
    with refused_checkpoints(name, checkpoint):
        content = load_checkpoint(checkpoint)
    genes = pd.Index(content["genes"])
    absent = int((~genes.isin(part.var_names)).sum())
    if absent > (1 - FEWEST_GENES) * len(genes):
        raise _bad(
            name,
            str(section),
            f"{len(genes) - absent} of the {len(genes)} genes of the model",
            f"at least {FEWEST_GENES:.0%} of them",
            "add sections that were measured with the same genes",
        )
    messages = []
    if absent:
        messages.append(Message("handled", f"{absent} of {len(genes)} genes of the model are not in {sample}."))
    with cpu_threads(threads):
        model = _Model(content, device)
        whole = _whole(part, study, genes, model.params)
        known = study.varm[keys.BATCH_FACTORS].loc[genes]
        batch = part.uns[keys.BATCH] or sample
        if batch in known or (known.to_numpy() == 1).all():
            factors = known[batch].to_numpy(np.float32) if batch in known else np.ones(len(genes), np.float32)
        else:
            factors = model.factors(whole, genes.isin(part.var_names))
            text = f"Batch {batch} is not in the study. Its factors were estimated from {sample} alone."
            messages.append(Message("info", text))
        latent = model.latent(whole, factors)
    by_model = latent
    if keys.LATENT_MODEL in study.obsm:
        latent = as_harmonised(study, by_model, part.uns[keys.BATCH] or sample)
    domain, probability = assign_domains(
        study.obsm[keys.LATENT_STUDY], study.obs[keys.DOMAIN_STUDY].astype(str).to_numpy(), latent
    )
    unsure = float((probability < SURE).mean())
    if unsure > FAR:
        text = f"{unsure:.0%} of the spots of {sample} have no sure domain: its tissue may not be in the study."
        messages.append(Message("warning", text))
    return AddedSection(_joined(study, part, (by_model, latent), domain, probability), sample, messages)


def as_harmonised(study: ad.AnnData, latent: NDArray[np.float32], batch: str) -> NDArray[np.float32]:
    """Correct new spots as Harmony corrected those of the study that are nearest in the model's latent.

    Parameters
    ----------
    study
        With the latent of the model and that which Harmony corrected.
    latent
        Latent of the new spots by the model, shape ``(n, d)``.
    batch
        Their batch. Where the study has it, the nearest spots are taken from it alone.
    """
    from sklearn.neighbors import KNeighborsRegressor

    before, after = (np.asarray(study.obsm[name]) for name in (keys.LATENT_MODEL, keys.LATENT_STUDY))
    batches = study.obs[keys.SAMPLE_ID].astype(str)
    if keys.BATCH in study.obs:  # a section without one is a batch of its own
        batches = study.obs[keys.BATCH].astype(object).fillna(batches)
    own = (batches == batch).to_numpy()
    rows = own if own.any() else np.ones(len(own), dtype=bool)
    nearest = KNeighborsRegressor(min(NEIGHBOURS, int(rows.sum()))).fit(before[rows], (after - before)[rows])
    return (latent + nearest.predict(latent)).astype(np.float32)


def assign_domains(
    reference: NDArray[np.floating], domain: NDArray[np.str_], latent: NDArray[np.floating]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Domain of new spots: that of the Gaussians with a common covariance which the study's domains are.

    Parameters
    ----------
    reference, domain
        Latent and domain of the study's spots.
    latent
        Latent of the new spots, shape ``(n, d)``.

    Returns
    -------
    Domain and its posterior probability, shape ``(n,)``.
    """
    from scipy.stats import median_abs_deviation
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if reference.shape[1] > COMPONENTS:
        leading = PCA(min(COMPONENTS, len(reference)), svd_solver="full").fit(reference)
        reference, latent = leading.transform(reference), leading.transform(latent)
    middle = np.median(reference, axis=0)
    reach = TAILS * median_abs_deviation(reference, axis=0, scale="normal")
    reach[reach == 0] = np.inf
    near, new = (np.clip(values, middle - reach, middle + reach) for values in (reference, latent))
    if np.unique(domain).size == 1:
        return np.full(len(new), domain[0]), np.ones(len(new))
    gaussians = LinearDiscriminantAnalysis().fit(near, domain)
    return gaussians.predict(new), gaussians.predict_proba(new).max(axis=1)


class _Model:
    """The trained network of a study."""

    def __init__(self, content: dict[str, Any], device: str):
        self.params = DustedParams(**content["params"])
        self.device = resolve_device(device)
        zeros = torch.zeros(len(content["genes"]))
        self.compute = resolve_precision(self.params.precision, self.device)
        centre = zeros.clone() if self.params.input == "rate" else None
        self.network = Dusted(zeros, zeros, self.params, self.compute, centre)
        self.network.load_state_dict(content["model"])
        self.network = self.network.to(self.device).eval()

    def latent(self, whole: Section, factors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Latent of every spot of a section."""
        section = _corrected(whole, factors)
        latent: NDArray[np.float32] = embed(self.network, section, self._tiles(section), self.device).latent
        return latent

    def factors(self, whole: Section, measured: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Factors of a batch that the model has not seen: counted over expected, drawn to 1 where counts are few."""
        total = np.asarray(whole.counts.sum(axis=0), dtype=np.float64).ravel()
        factors = np.ones(whole.n_genes)
        for _ in range(ROUNDS):
            section = _corrected(whole, factors)
            expected = np.zeros(whole.n_genes)
            for block in means(self.network, section, self._tiles(section), self.device):
                expected += block.expected.sum(axis=0, dtype=np.float64)
            expected /= factors
            # the genes' common level is the depth of the section, not a factor
            expected *= total[measured].sum() / max(expected[measured].sum(), 1e-12)
            prior = 1 / spread(total[None], expected[None])[0]
            factors = np.where(measured, np.clip((total + prior) / (expected + prior), *BOUNDS), 1.0)
        return factors.astype(np.float32)

    def _tiles(self, section: Section) -> list[Tile]:
        most = self.params.max_spots_per_tile or spots_that_fit(section.n_genes, self.params.hidden, self.device)
        return make_tiles(section.graph, section.positions, most, section.code)


def _corrected(whole: Section, factors: NDArray[np.floating]) -> Section:
    code = np.zeros(whole.n_spots, dtype=np.intp)
    return replace(whole, study=StudySections(code, factors.astype(np.float32)[None]))


def _whole(part: ad.AnnData, study: ad.AnnData, genes: pd.Index, params: DustedParams) -> Section:
    """The section with the model's genes, normalised as those that it was trained on."""
    counts = csr_matrix(part.layers[keys.COUNTS], dtype=np.float32)
    place = part.var_names.get_indexer(genes)
    # a gene that is absent has the number -1: the last column, which is empty
    modelled = csr_matrix(hstack([counts, csr_matrix((part.n_obs, 1), dtype=np.float32)], format="csr")[:, place])
    modelled.sort_indices()
    shared = counts[:, np.flatnonzero(part.var_names.isin(study.var_names))]
    totals = np.maximum(np.asarray(shared.sum(axis=1), dtype=np.float64).ravel(), 1.0)
    of_input = np.asarray(modelled.sum(axis=1)).ravel() if params.normalise_over == "modelled" else totals
    about = study.uns[keys.STUDY_TOTALS]
    graph = csr_matrix(part.obsp[keys.CONNECTIVITIES]).astype(bool).astype(np.int8)
    graph.eliminate_zeros()
    graph.sort_indices()
    return Section(
        counts=modelled,
        input_scale=(float(about["input"]) / np.maximum(of_input, 1.0)).astype(np.float32),
        size_factor=(totals / float(about["size_factor"])).astype(np.float32),
        graph=graph,
        positions=np.asarray(part.obsm[keys.SPATIAL], dtype=np.float64)[:, :2],
        genes=tuple(genes),
        log_input=params.input == "log",
    )


def _joined(
    study: ad.AnnData,
    part: ad.AnnData,
    latents: tuple[NDArray[np.float32], NDArray[np.float32]],
    domain: NDArray[np.str_],
    probability: NDArray[np.float64],
) -> ad.AnnData:
    by_model, latent = latents
    obs = part.obs.copy()
    obs[keys.DOMAIN_STUDY], obs[keys.DOMAIN_STUDY_PROBABILITY] = domain, probability.astype(np.float32)
    for column in (keys.BATCH, keys.DONOR, keys.CONDITION):
        if part.uns[column] is not None:
            obs[column] = part.uns[column]
    new = ad.AnnData(obs=obs[[column for column in study.obs if column in obs]], var=study.var[[]])
    new.obsm[keys.LATENT_STUDY], new.obsm[keys.SPATIAL] = latent, np.asarray(part.obsm[keys.SPATIAL])
    if keys.LATENT_UNCORRECTED in study.obsm:
        new.obsm[keys.LATENT_UNCORRECTED] = np.full(
            (new.n_obs, study.obsm[keys.LATENT_UNCORRECTED].shape[1]), np.nan, dtype=np.float32
        )
    if keys.LATENT_MODEL in study.obsm:
        new.obsm[keys.LATENT_MODEL] = by_model
    new.obsp[keys.CONNECTIVITIES] = part.obsp[keys.CONNECTIVITIES]
    old = study.copy()
    joined = ad.concat([old, new], join="outer", merge="first", uns_merge="first", pairwise=True)
    order = old.obs[keys.DOMAIN_STUDY].cat.categories
    joined.obs[keys.DOMAIN_STUDY] = pd.Categorical(joined.obs[keys.DOMAIN_STUDY].astype(str), categories=order)
    for column in study.obs:
        if isinstance(study.obs[column].dtype, pd.CategoricalDtype) and column != keys.DOMAIN_STUDY:
            joined.obs[column] = joined.obs[column].astype("category")
    joined.varm[keys.BATCH_FACTORS] = study.varm[keys.BATCH_FACTORS]
    joined.uns = dict(old.uns)
    scales = {str(part.uns["sample"]): {"scalefactors": part.uns["scalefactors"]}}
    joined.uns[keys.UNS_SPATIAL] = dict(old.uns.get(keys.UNS_SPATIAL, {})) | scales
    return joined


def _bad(study: str, file: str, found: str, expected: str, mend: str) -> BadInputError:
    return BadInputError(Problem(study, file, found, expected, mend))
