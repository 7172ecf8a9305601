"""What can be chosen about DUSTED, and the two named sets of choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, get_args

Likelihood = Literal["nb", "zinb"]
Heads = Literal["shared", "attention"]
NormaliseOver = Literal["all", "modelled"]
Schedule = Literal["constant", "cosine"]
Reduction = Literal["mean", "spot"]
Precision = Literal["fp32", "bf16", "auto"]
StepPer = Literal["epoch", "tile"]
Preset = Literal["default", "paper"]


@dataclass(frozen=True)
class DustedParams:
    """Settings of one denoising run. The field defaults are the preset ``paper``.

    Parameters
    ----------
    likelihood
        ``zinb`` (the paper's choice for Visium) or ``nb``.
    alpha
        Weight of the gene channel attention's residual connection (equation 2.2).
    gene_attention
        Off: the paper's ablation.
    reduction_ratio
        Genes per hidden unit of the gene channel attention.
    hidden, latent
        Widths of the two encoder layers.
    tied_weights
        The inner decoder layer uses the transposed weight of the encoder's second layer: the same parameter.
    heads
        ``shared``: the three outputs receive from neighbours with the first encoder layer's attention, as the paper's
        "decoder k uses encoder k's" says. ``attention``: each has attention of its own, as in the public code.
    latent_elu
        ELU after the second encoder layer too (the paper); off as in the public code.
    gene_intercept
        A free intercept a gene and output, started at the gene's mean. The paper's layers have none.
    self_gate
        A learnt share of a spot's attention that goes to itself, one a layer. Without it a softmax of sigmoids gives a
        spot with six neighbours at most 31 % of its own attention. The paper has none.
    normalise_over
        Total counts that the input is divided by: of ``all`` genes or of the ``modelled`` ones.
    target_sum
        Counts a spot is scaled to before the logarithm; ``None``: the median total.
    size_factor_key
        Column of ``obs`` with the total counts of all genes; ``None``: summed here.
    genes
        ``hvg`` (``var.highly_variable``, computed if absent), ``all``, or a tuple of gene names or ids.
    always_genes
        Genes that are modelled whatever ``genes`` says.
    n_top_genes
        Number of highly variable genes if they have to be computed.
    epochs, lr, weight_decay, clip_norm
        Training length and Adam's settings; gradients are clipped to this norm.
    schedule, warmup_epochs
        ``constant`` learning rate, or a linear ``warmup_epochs`` and a ``cosine`` down to 0.
    loss_reduction
        ``mean`` over spots and genes for both likelihoods, or summed over genes (``spot``) as the public code has it
        for NB only.
    holdout
        Fraction of the counts held out of training by binomial thinning, to score the result and to stop by.
    patience
        Epochs without a better held-out score (or loss, without ``holdout``) until training stops; ``None``: never.
    seed
        Of initialisation, thinning and tile order.
    device
        ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` is the CPU, because a GPU is only used where it was asked for.
    precision
        Of the dense products: ``fp32``, ``bf16``, or ``auto`` (bf16 where the device multiplies it natively in
        matrix units, else fp32). Parameters, sums and the denoised values are 32-bit always.
    compile
        ``torch.compile`` the dense passes of the loss.
    threads
        CPU threads; ``None`` leaves PyTorch's choice.
    max_spots_per_tile
        Largest number of spots processed at once; ``None``: what fits into memory.
    step_per
        ``epoch``: gradients of all tiles are added up first, which is exactly the full-batch gradient. ``tile``: one
        step a tile, in random order.
    checkpoint_every, checkpoint_minutes
        Epochs and minutes between checkpoints on disk, whichever comes first; ``None``: not by that.
    """

    likelihood: Likelihood = "zinb"
    alpha: float = 1.5
    gene_attention: bool = True
    reduction_ratio: int = 16
    hidden: int = 512
    latent: int = 30
    tied_weights: bool = True
    heads: Heads = "shared"
    latent_elu: bool = True
    self_gate: bool = False
    gene_intercept: bool = False
    normalise_over: NormaliseOver = "modelled"
    target_sum: float | None = 1e4
    size_factor_key: str | None = None
    genes: Literal["hvg", "all"] | tuple[str, ...] = "hvg"
    always_genes: tuple[str, ...] = ()
    n_top_genes: int = 3000
    epochs: int = 500
    lr: float = 1e-4
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    schedule: Schedule = "constant"
    warmup_epochs: int = 0
    loss_reduction: Reduction = "mean"
    holdout: float = 0.0
    patience: int | None = None
    seed: int = 0
    device: str = "auto"
    precision: Precision = "fp32"
    compile: bool = False
    threads: int | None = None
    max_spots_per_tile: int | None = None
    step_per: StepPer = "epoch"
    checkpoint_every: int | None = None
    checkpoint_minutes: float | None = 10.0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("hidden", "latent", "epochs", "reduction_ratio", "n_top_genes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.holdout < 1:
            raise ValueError(f"holdout is a fraction below 1, not {self.holdout}")
        if self.lr <= 0:
            raise ValueError(f"lr must be above 0, not {self.lr}")

    @classmethod
    def preset(cls, name: Preset, **changes: Any) -> DustedParams:
        """A named set of choices, with some changed.

        Parameters
        ----------
        name
            ``paper``: the paper's settings. ``default``: what does best on held-out counts (docs/methods/dusted.md).
        changes
            Fields to set; a value of ``None`` leaves the preset's.
        """
        if name not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(sorted(PRESETS))}, not {name!r}")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(changes) - known):
            raise TypeError(f"DUSTED has no setting named {', '.join(unknown)}")
        given = {key: value for key, value in changes.items() if value is not None}
        return replace(PRESETS[name], **given)

    def as_dict(self) -> dict[str, Any]:
        """All settings, for a record."""
        return asdict(self)


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "likelihood": get_args(Likelihood),
    "heads": get_args(Heads),
    "normalise_over": get_args(NormaliseOver),
    "schedule": get_args(Schedule),
    "loss_reduction": get_args(Reduction),
    "precision": get_args(Precision),
    "step_per": get_args(StepPer),
}

RUN_ONLY: Final = frozenset(
    {"device", "compile", "threads", "max_spots_per_tile", "checkpoint_every", "checkpoint_minutes"}
)
"""Settings that say how a model is computed, not which: a training run may be resumed with others."""

PRESETS: Final[dict[str, DustedParams]] = {
    "paper": DustedParams(),
    "default": DustedParams(
        gene_intercept=True,
        normalise_over="all",
        target_sum=None,
        epochs=150,
        lr=1e-3,
        weight_decay=1e-5,
        schedule="cosine",
        warmup_epochs=10,
        holdout=0.1,
        patience=20,
    ),
}
