"""Sections of one study: the same genes and programs in all, with donors, batches and conditions that change them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from clearspot.simulate.genes import PROGRAMS, Panel

_STREAM = 20
"""Keeps these draws apart from those of the phantoms."""


@dataclass(frozen=True)
class SectionFacts:
    """What the samplesheet says of a section of a simulated study."""

    study: str
    batch: str
    donor: str
    condition: str


@dataclass(frozen=True)
class SimulatedStudy:
    """How the sections of a study differ.

    Each section is of a donor of its own. The conditions alternate, and within each condition the batches do, so that
    batch and condition are not confounded where there are enough sections.

    Parameters
    ----------
    name
        Name of the study.
    conditions
        Names of the conditions; genes are changed in all but the first.
    n_batches
        Number of batches.
    batch_sd, donor_sd
        Standard deviation over genes of the natural logarithm of a batch's (a donor's) factor.
    de_fraction
        Share of the genes that are differentially expressed, half of them up and half down.
    lfc
        Their log2 fold change.
    de_program
        Program in which these genes change (a cell type or domain of :data:`clearspot.simulate.genes.PROGRAMS`);
        ``None``: in all.

    Raises
    ------
    ValueError
        If a number is out of its range, a condition is given twice, or there is no such program.
    """

    name: str
    conditions: tuple[str, ...] = ()
    n_batches: int = 1
    batch_sd: float = 0.0
    donor_sd: float = 0.0
    de_fraction: float = 0.0
    lfc: float = 1.0
    de_program: str | None = None

    def __post_init__(self) -> None:
        if self.n_batches < 1 or min(self.batch_sd, self.donor_sd) < 0 or not 0 <= self.de_fraction <= 1:
            raise ValueError("a study needs a batch or more, no negative spread, and a share of genes from 0 to 1")
        if len(set(self.conditions)) < len(self.conditions):
            raise ValueError(f"conditions must differ: {', '.join(self.conditions)}")
        if self.de_program is not None and self.de_program not in PROGRAMS:
            raise ValueError(f"no program '{self.de_program}': use one of {', '.join(PROGRAMS)}")

    def facts(self, index: int) -> SectionFacts:
        """Batch, donor and condition of section ``index``."""
        n = max(len(self.conditions), 1)
        condition = self.conditions[index % n] if self.conditions else ""
        return SectionFacts(self.name, f"batch_{index // n % self.n_batches + 1}", f"donor_{index + 1}", condition)

    def panel(self, panel: Panel, seed: int, index: int) -> Panel:
        """Panel of section ``index``: the loadings times the factors of its batch, donor and condition.

        The loadings of a program no longer add up to 1. ``var`` gets ``batch_factor``, ``donor_factor`` and
        ``condition_factor``; the last is that in ``de_program``.

        Parameters
        ----------
        panel
            That of all sections.
        seed
            Seed of the study.
        index
            Number of the section, from 0.
        """
        n_genes, n = len(panel.var), max(len(self.conditions), 1)
        of_batch = _factors(seed, 0, index // n % self.n_batches, n_genes, self.batch_sd)
        of_donor = _factors(seed, 1, index, n_genes, self.donor_sd)
        of_condition = np.ones(n_genes)
        if index % n:
            of_condition = 2.0 ** (self.lfc * self._direction(panel, seed, index % n))
        loadings = panel.loadings * of_batch * of_donor
        changed = slice(None) if self.de_program is None else PROGRAMS.index(self.de_program)
        loadings[changed] *= of_condition
        var = panel.var.assign(batch_factor=of_batch, donor_factor=of_donor, condition_factor=of_condition)
        return replace(panel, var=var, loadings=loadings)

    def _direction(self, panel: Panel, seed: int, condition: int) -> np.ndarray:
        """1 for genes that rise, -1 for those that fall, 0 for the others."""
        rng = np.random.default_rng([seed, _STREAM, 2, condition])
        candidates = np.arange(len(panel.var))
        if self.de_program is not None:
            candidates = np.flatnonzero(panel.loadings[PROGRAMS.index(self.de_program)])
        number = min(round(self.de_fraction * len(panel.var)), len(candidates))
        chosen = rng.choice(candidates, number, replace=False)
        direction = np.zeros(len(panel.var))
        direction[chosen[::2]], direction[chosen[1::2]] = 1, -1
        return direction


def _factors(seed: int, kind: int, which: int, n_genes: int, sd: float) -> np.ndarray:
    return np.exp(np.random.default_rng([seed, _STREAM, kind, which]).normal(0, sd, n_genes))
