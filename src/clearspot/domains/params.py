"""Parameters of the spatial domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearspot.contract.settings import Settings, setting

Method = Literal["gmm", "leiden"]
Embedding = Literal["auto", "dusted", "pca"]


@dataclass(frozen=True)
class DomainParams(Settings):
    """How domains are found and described."""

    method: Method = setting(
        "gmm",
        "Clustering method whose domains are reported: a Gaussian mixture with tied covariance (gmm) or leiden. The "
        "other method's domains are written to the file as well.",
    )
    embedding: Embedding = setting(
        "auto",
        "Embedding that is clustered: the latent of the denoiser (dusted) or principal components of the spots' own "
        "counts (pca). auto uses pca if its domains explain at least 15 % more of the held-out counts.",
    )
    n_domains: int | None = setting(
        None, "Number of domains.", none="chosen from the data (gmm: by BIC; leiden: by the resolution)", ge=2, le=100
    )
    max_domains: int = setting(15, "Maximum number of domains considered by gmm.", ge=2, le=100)
    resolution: float = setting(1.0, "Leiden resolution, used if the number of domains is not set.", gt=0)
    refine: bool = setting(False, "Assign each spot to the most frequent domain among its neighbours.")
    n_markers: int = setting(10, "Number of marker genes listed per domain.", ge=1)
    moran_n_genes: int = setting(100, "Number of genes for which Moran's I is computed.", ge=0)
    moran_n_perms: int = setting(
        100, "Number of permutations for the p-values of Moran's I (up to 20,000 spots). 0 disables p-values.", ge=0
    )
    seed: int = setting(0, "Random seed.", ge=0)
