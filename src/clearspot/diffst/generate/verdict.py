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
    crps_mean
        Of MeanNet with each gene's dispersion and Poisson noise: what is written without the diffusion.
    crps_mean_poisson, crps_mean_gaussian
        Of MeanNet with Poisson noise alone, and with each gene's Gaussian error: for comparison, as neither is written.
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
    spread_is_of_draws
        Whether the spread that is written is the diffusion's: it is not where held-out spots are better predicted
        without, by more than ``INDIFFERENCE``.
    """

    n_spots: int
    amplitude: float
    amplitude_of_spread: float
    crps_mean: float
    crps_mean_poisson: float
    crps_mean_gaussian: float
    crps_spread: float
    crps_diffusion: float
    correlation_mean: float
    correlation_diffusion: float
    coverage_mean: float
    coverage_spread: float
    coverage_diffusion: float
    diffusion_wins: bool
    spread_is_of_draws: bool

    @property
    def coverage(self) -> float:
        """Of the interval that is reported."""
        if self.diffusion_wins:
            return self.coverage_diffusion
        return self.coverage_spread if self.spread_is_of_draws else self.coverage_mean

    def as_dict(self) -> dict[str, Any]:
        """For the record and the checkpoint."""
        return asdict(self)
