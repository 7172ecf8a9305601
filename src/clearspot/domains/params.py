"""Parameters of the spatial domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearspot.contract.settings import Settings, setting

Method = Literal["gmm", "leiden"]


@dataclass(frozen=True)
class DomainParams(Settings):
    """How domains are found and described."""

    method: Method = setting(
        "gmm",
        "Clustering whose domains are reported: a Gaussian mixture with tied covariance (gmm) or leiden. The other's "
        "are in the file too.",
    )
    n_domains: int | None = setting(
        None, "Number of domains.", none="chosen from the data (gmm: BIC; leiden: by the resolution)", ge=2, le=100
    )
    max_domains: int = setting(15, "Maximum number of domains that gmm considers.", ge=2, le=100)
    resolution: float = setting(1.0, "Resolution of Leiden, used where the number of domains is not given.", gt=0)
    refine: bool = setting(False, "Give each spot the domain of most of its neighbours.")
    n_markers: int = setting(10, "Number of marker genes listed for each domain.", ge=1)
    moran_n_genes: int = setting(100, "Number of genes for which Moran's I is computed.", ge=0)
    moran_n_perms: int = setting(100, "Number of permutations for the p-values of Moran's I; 0: no p-values.", ge=0)
    seed: int = setting(0, "Random seed.", ge=0)
