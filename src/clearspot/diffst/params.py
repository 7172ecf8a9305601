"""What can be chosen about Diff-ST, and the named sets of choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal

from clearspot.contract.gene_lists import gene_names

Preset = Literal["cpu", "gpu", "test"]

MAX_EVALUATIONS: Final = 20


@dataclass(frozen=True)
class DiffstParams:
    """Settings of one super-resolution run. The field defaults are the preset ``cpu``.

    Parameters
    ----------
    factor
        Bins per spot pitch: 5 (20 um on Visium) or 10 (10 um), or any other from 2 up.
    bin_um
        Side of a bin in micrometres; overrides ``factor``.
    spot_diameter_um
        Diameter of what a spot captures; ``None``: 55 % of the pitch, which is 55 um on Visium.
    input
        Layer that is distributed over the bins: ``counts``, or ``denoised`` (DUSTED's).
    genes
        ``hvg``: the ``n_genes`` most variable ones; ``all``; or a tuple of gene names or ids.
    n_genes
        How many for ``hvg``.
    always_genes
        Genes that are in whatever ``genes`` says.
    n_programs
        Gene programs that the networks work on.
    image
        Off: the image is not looked at (ablation).
    encoder, encoder_name
        File with the weights of an image model of ``timm``, and its name there, for further image features; ``None``:
        none.
    likelihood
        Of the counts in the loss: ``poisson``, or ``nb`` (negative binomial, with each gene's own dispersion).
    disentangle
        Shared and private features with cross-modal modulation; off: plain concatenation (ablation).
    cross_attention
        Attention to cell- and tissue-level tokens (ablation).
    gene_graph
        Corrections to the loadings by the gene graph network (ablation).
    gene_neighbours
        Neighbours of a gene in the graph.
    diffusion
        Off: MeanNet and projection alone, no uncertainty (ablation).
    projection
        Off: samples are not made to add up to the counts (ablation).
    width
        Channels of the networks' finest level.
    steps_mean, steps_diffusion
        Training steps of the two networks.
    batch
        Crops a step.
    crop
        Bins along a side of a training crop, a multiple of 8.
    lr
        Peak learning rate.
    ema_decay
        Of the moving average of the weights, which is what samples.
    curriculum
        Share of the steps during which cell tokens enter by their entropy.
    condition_dropout
        Probability that a crop is shown without image, and the same without counts.
    hide_patterns
        Ways in which spots are hidden for cross-scale self-supervision.
    visible_weight
        Weight in the loss of spots that the network was shown, against those it was not.
    disentangle_weight
        Weight of the disentangling loss.
    samples
        Draws of the diffusion; the mean is over them.
    evaluations
        Network evaluations a sample, at most 20.
    sigma_min, sigma_max
        Noise levels, in standard deviations of the residual.
    holdout
        Share of the spots that training never learns from: half of them choose when to stop and how large residuals
        are, half score the result.
    tile
        Bins along a side of a tile's core when sampling, a multiple of 8.
    gene_chunk
        Genes that are decoded at a time.
    seed
        Of everything random.
    device
        ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` is the CPU, because a GPU is only used where it was asked for.
    threads
        CPU threads; ``None`` leaves PyTorch's choice.
    checkpoint_minutes
        Minutes between checkpoints while training; ``None``: only at the end.
    """

    factor: int = 5
    bin_um: float | None = None
    spot_diameter_um: float | None = None
    input: Literal["counts", "denoised"] = "counts"
    genes: Literal["hvg", "all"] | tuple[str, ...] = "hvg"
    n_genes: int = 200
    always_genes: tuple[str, ...] = ()
    n_programs: int = 16
    image: bool = True
    encoder: str | None = None
    encoder_name: str = "resnet18"
    likelihood: Literal["poisson", "nb"] = "poisson"
    disentangle: bool = True
    cross_attention: bool = True
    gene_graph: bool = True
    gene_neighbours: int = 10
    diffusion: bool = True
    projection: bool = True
    width: int = 24
    steps_mean: int = 240
    steps_diffusion: int = 400
    batch: int = 2
    crop: int = 96
    lr: float = 1e-3
    ema_decay: float = 0.995
    curriculum: float = 0.5
    condition_dropout: float = 0.05
    hide_patterns: int = 12
    visible_weight: float = 0.0
    disentangle_weight: float = 0.05
    samples: int = 8
    evaluations: int = 12
    sigma_min: float = 0.02
    sigma_max: float = 20.0
    holdout: float = 0.2
    tile: int = 160
    gene_chunk: int = 32
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    checkpoint_minutes: float | None = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.genes, str) or self.genes not in ("hvg", "all"):
            object.__setattr__(self, "genes", gene_names(self.genes))
        object.__setattr__(self, "always_genes", gene_names(self.always_genes))
        for name in ("n_genes", "n_programs", "width", "steps_mean", "batch", "samples", "gene_chunk", "hide_patterns"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("crop", "tile"):
            if getattr(self, name) < 8 or getattr(self, name) % 8:
                raise ValueError(f"{name} must be a multiple of 8, not {getattr(self, name)}")
        if self.factor < 2:
            raise ValueError(f"factor must be at least 2, not {self.factor}")
        if self.bin_um is not None and self.bin_um <= 0:
            raise ValueError(f"bin_um must be above 0, not {self.bin_um}")
        if not 2 <= self.evaluations <= MAX_EVALUATIONS:
            raise ValueError(f"evaluations must be from 2 to {MAX_EVALUATIONS}, not {self.evaluations}")
        if not 0 <= self.holdout < 0.5:
            raise ValueError(f"holdout is a fraction below 0.5, not {self.holdout}")
        if self.likelihood not in ("poisson", "nb"):
            raise ValueError(f"likelihood must be poisson or nb, not {self.likelihood!r}")
        if self.input not in ("counts", "denoised"):
            raise ValueError(f"input must be counts or denoised, not {self.input!r}")

    @classmethod
    def preset(cls, name: Preset, **changes: Any) -> DiffstParams:
        """A named set of choices, with some changed; a change to ``None`` leaves the preset's value."""
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(sorted(PRESETS))}, not {name!r}")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(changes) - known):
            raise TypeError(f"Diff-ST has no setting named {', '.join(unknown)}")
        given = {key: value for key, value in changes.items() if value is not None}
        return replace(PRESETS[name], **given)

    def as_dict(self) -> dict[str, Any]:
        """All settings, for a record."""
        return asdict(self)


ARCHITECTURE: Final = ("width", "disentangle", "cross_attention", "gene_graph", "diffusion")
"""Settings that a model is built by: a checkpoint brings its own."""

RUN_ONLY: Final = frozenset(
    {"device", "threads", "checkpoint_minutes", "samples", "evaluations", "tile", "gene_chunk", "encoder"}
)
"""Settings that do not change training: a run may be resumed with others."""

PRESETS: Final[dict[str, DiffstParams]] = {
    "cpu": DiffstParams(),
    "gpu": DiffstParams(
        n_programs=32,
        width=64,
        steps_mean=4000,
        steps_diffusion=8000,
        batch=8,
        crop=128,
        ema_decay=0.999,
        samples=16,
        evaluations=18,
        tile=512,
        gene_chunk=128,
    ),
    "test": DiffstParams(
        n_genes=24,
        n_programs=4,
        width=8,
        steps_mean=6,
        steps_diffusion=6,
        batch=1,
        crop=32,
        hide_patterns=2,
        samples=2,
        evaluations=3,
        tile=48,
    ),
}
