"""Domains as components of a Gaussian mixture with one covariance for all (mclust's model EEE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

_INITS: Final = 10
_INITS_WHILE_CHOOSING: Final = 5
_SPOTS: Final = 30_000
"""Spots to which the mixture is fitted; every spot is then assigned."""

_SPOTS_PER_DOMAIN: Final = 10


@dataclass(frozen=True)
class GmmDomains:
    """Domains of a Gaussian mixture.

    Parameters
    ----------
    codes
        Label of each spot: 0, 1, ...
    bic
        Bayesian information criterion (smaller is better) by number of domains, where the number was chosen.
    probability
        Posterior probability of each spot's label, shape ``(n,)``.
    still_falling
        Whether BIC is smallest at the largest number considered, so that there is no clear number.
    """

    codes: NDArray[np.intp]
    bic: dict[int, float]
    still_falling: bool
    probability: NDArray[np.float64]


def gmm_domains(
    latent: NDArray[np.floating], n_domains: int | None = None, max_domains: int = 15, seed: int = 0
) -> GmmDomains:
    """Cluster spots by a Gaussian mixture with tied covariance, the best of ten starts.

    Parameters
    ----------
    latent
        n x d, finite.
    n_domains
        Number of domains; ``None``: the knee of the BIC curve up to ``max_domains`` (:func:`knee`).
    max_domains
        Largest number considered.
    seed
        Seed of the starts, and of the draw of 30,000 spots to fit to where there are more.
    """
    # One common scale: the mixture does not depend on it, but sklearn's floor on the covariance does.
    scaled = np.asarray(latent, dtype=np.float64) - latent.mean(axis=0)
    scaled = scaled[:, scaled.std(axis=0) > 0]
    if not scaled.shape[1]:
        return GmmDomains(np.zeros(len(latent), dtype=np.intp), {}, False, np.ones(len(latent)))
    scaled /= scaled.std()
    fitted_to = scaled
    if len(scaled) > _SPOTS:
        fitted_to = scaled[np.random.default_rng(seed).choice(len(scaled), _SPOTS, replace=False)]
    largest = max(1, min(max_domains, len(fitted_to) // _SPOTS_PER_DOMAIN))
    bic: dict[int, float] = {}
    if n_domains is None:
        for number in range(min(2, largest), largest + 1):
            bic[number] = float(_fit(fitted_to, number, _INITS_WHILE_CHOOSING, seed).bic(fitted_to))
        n_domains = knee(bic)
    model = _fit(fitted_to, min(n_domains, len(fitted_to)), _INITS, seed)
    still_falling = bool(bic) and min(bic, key=lambda number: bic[number]) == largest
    return GmmDomains(model.predict(scaled), bic, still_falling, model.predict_proba(scaled).max(axis=1))


def knee(bic: dict[int, float]) -> int:
    """Number at which BIC lies furthest below the straight line between its ends.

    Tissue varies without steps, and on a latent of thousands of spots BIC keeps falling for as long as one looks. Its
    smallest value is then only the end of the range; the knee is where further domains begin to explain little. Where
    no number lies below the line, the one with the smallest BIC is taken.
    """
    numbers = np.array(sorted(bic))
    values = np.array([bic[int(number)] for number in numbers])
    line = np.interp(numbers, numbers[[0, -1]], values[[0, -1]])
    below = line - values
    return int(numbers[below.argmax() if below.max() > 0 else values.argmin()])


def _fit(values: NDArray[np.float64], n_domains: int, n_inits: int, seed: int) -> GaussianMixture:
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        n_components=n_domains, covariance_type="tied", n_init=n_inits, max_iter=200, random_state=seed
    )
    # The products are 30 wide: threads that wait for one another cost more than they do (50 times, on busy cores).
    with threadpool_limits(limits=1):
        return model.fit(values)
