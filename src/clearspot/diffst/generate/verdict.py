"""What held-out spots say of both stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """Scores on held-out spots, over all genes; counts in square-root space, lower CRPS is better.

    Parameters
    ----------
    n_spots
        Spots that scored.
    amplitude, amplitude_of_spread
        Factor on the residual, chosen on as many other held-out spots: where the draws have a mean of their own, and
        where they are centred on MeanNet's.
    crps_mean_poisson, crps_mean_gaussian, crps_mean_dispersed
        Of MeanNet with Poisson noise, with each gene's Gaussian error on the choosing spots, and with each gene's
        dispersion and Poisson noise.
    crps_spread
        Of the draws, centred on MeanNet's mean, with the genes' own and Poisson noise.
    crps_diffusion
        Of the draws as they are, with the same noise.
    correlation_mean, correlation_diffusion
        Mean over genes of the signed Pearson correlation with the held-out counts.
    coverage_mean, coverage_spread, coverage_diffusion
        Share of the held-out counts inside the 90 % interval (with Poisson noise).
    diffusion_wins
        Whether the draws as they are have the lowest CRPS, by more than ``INDIFFERENCE`` of
        :mod:`clearspot.diffst.training.ship_rule`, and a correlation that is lower by at most its
        ``CORRELATION_LOSS``: then the output's mean is theirs. Else it is MeanNet's, and they are centred on it.
    """

    n_spots: int
    amplitude: float
    amplitude_of_spread: float
    crps_mean_poisson: float
    crps_mean_gaussian: float
    crps_mean_dispersed: float
    crps_spread: float
    crps_diffusion: float
    correlation_mean: float
    correlation_diffusion: float
    coverage_mean: float
    coverage_spread: float
    coverage_diffusion: float
    diffusion_wins: bool

    @property
    def crps_mean(self) -> float:
        """Of MeanNet's best forecast without the diffusion."""
        return min(self.crps_mean_poisson, self.crps_mean_gaussian, self.crps_mean_dispersed)

    @property
    def coverage(self) -> float:
        """Of the interval that is reported."""
        return self.coverage_diffusion if self.diffusion_wins else self.coverage_spread

    def as_dict(self) -> dict[str, Any]:
        """For the record and the checkpoint."""
        return asdict(self)
