"""Parameters of the spatial domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Method = Literal["gmm", "leiden"]


@dataclass(frozen=True)
class DomainParams:
    """How domains are found and described.

    Parameters
    ----------
    method
        Whose domains are the main ones (markers, report): ``gmm`` (Gaussian mixture, tied covariance) or ``leiden``.
    n_domains
        Number of domains. ``None``: chosen by the data (``gmm``: BIC; ``leiden``: what ``resolution`` gives).
    max_domains
        Largest number that ``gmm`` considers.
    resolution
        Leiden's resolution, where ``n_domains`` is not given.
    refine
        Give each spot the label that most of its neighbours have.
    n_markers
        Marker genes listed for each domain.
    moran_n_genes
        Number of genes whose Moran's I is measured.
    moran_n_perms
        Shuffles behind its p-values; 0: none.
    seed
        Seed of everything random.
    """

    method: Method = "gmm"
    n_domains: int | None = None
    max_domains: int = 15
    resolution: float = 1.0
    refine: bool = False
    n_markers: int = 10
    moran_n_genes: int = 100
    moran_n_perms: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method must be one of {', '.join(get_args(Method))}, not {self.method!r}")
        if self.n_domains is not None and self.n_domains < 2:
            raise ValueError(f"n_domains must be at least 2, not {self.n_domains}")
        if not self.resolution > 0:
            raise ValueError(f"resolution must be positive, not {self.resolution}")
