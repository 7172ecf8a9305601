"""What can be chosen about DUSTED, and the two named sets of choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, get_args

from clearspot.contract.gene_lists import gene_names

Likelihood = Literal["nb", "zinb"]
Heads = Literal["shared", "attention"]
NormaliseOver = Literal["all", "modelled"]
Schedule = Literal["constant", "cosine"]
Reduction = Literal["mean", "spot"]
Precision = Literal["fp32", "bf16", "auto"]
StepPer = Literal["epoch", "tile"]
ModelInput = Literal["log", "rate"]
MeanLink = Literal["exp", "elu"]
Start = Literal["random", "spectral"]
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
        spot with six neighbours at most 31 % of its own attention. The paper has none. The embedding and the attention
        that are handed out are always those of the softmax alone.
    posterior
        Denoised value: the mean of the rate once the spot's own count of the gene is known too, instead of the mean of
        the fitted distribution (the paper).
    mean_link
        ``exp`` (equation 2.5), or ``elu``: ``exp(intercept) * (1 + ELU(h))``, which adds programs where they raise a
        gene, as a spot is a sum of cells. Needs ``gene_intercept``.
    input
        ``log`` (the paper), or ``rate``: counts per depth, less each gene's mean, over the standard deviation of its
        noise: Poisson's, or with a spectral start the one measured there.
    start
        Of the weights: ``random``, or ``spectral`` (:mod:`clearspot.dusted.spectral_start`).
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
    library_key
        Column of ``obs`` that names the section of each observation, where there are several: each is normalised and
        denoised on its own. ``None``: there is one section.
    n_top_genes
        Number of highly variable genes if they have to be computed.
    epochs, lr, weight_decay, clip_norm
        Training length and Adam's settings; gradients are clipped to this norm.
    first_layer_lr, attention_lr
        Learning rates relative to ``lr``: of the first layer's weight and the gene attention, and of the vectors of the
        spots' attention. Adam moves every weight by as much, but after a spectral start the first layer's are by far
        the smallest, and the attention is even.
    schedule, warmup_epochs
        ``constant`` learning rate, or a linear ``warmup_epochs`` and a ``cosine`` down to 0.
    loss_reduction
        ``mean`` over spots and genes for both likelihoods, or summed over genes (``spot``) as the public code has it
        for NB only.
    holdout
        Fraction of the counts held out of training by binomial thinning, to score the result and to stop by.
    blind
        Fraction of the training counts that an epoch's input lacks, drawn anew every epoch; the loss is then taken over
        these alone. 0: input and loss are over the same counts, as in the paper.
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
    posterior: bool = False
    mean_link: MeanLink = "exp"
    input: ModelInput = "log"
    start: Start = "random"
    gene_intercept: bool = False
    normalise_over: NormaliseOver = "modelled"
    target_sum: float | None = 1e4
    size_factor_key: str | None = None
    genes: Literal["hvg", "all"] | tuple[str, ...] = "hvg"
    always_genes: tuple[str, ...] = ()
    library_key: str | None = None
    n_top_genes: int = 3000
    epochs: int = 500
    lr: float = 1e-4
    first_layer_lr: float = 1.0
    attention_lr: float = 1.0
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    schedule: Schedule = "constant"
    warmup_epochs: int = 0
    loss_reduction: Reduction = "mean"
    holdout: float = 0.0
    blind: float = 0.0
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
        if not isinstance(self.genes, str) or self.genes not in ("hvg", "all"):
            object.__setattr__(self, "genes", gene_names(self.genes))
        object.__setattr__(self, "always_genes", gene_names(self.always_genes))
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("hidden", "latent", "epochs", "reduction_ratio", "n_top_genes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("holdout", "blind"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a fraction below 1, not {getattr(self, name)}")
        if self.lr <= 0:
            raise ValueError(f"lr must be above 0, not {self.lr}")
        if self.mean_link == "elu" and not self.gene_intercept:
            raise ValueError("mean_link='elu' needs gene_intercept")
        if self.start == "spectral" and not (self.mean_link == "elu" and self.input == "rate"):
            raise ValueError("start='spectral' needs input='rate' and mean_link='elu'")

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
    "input": get_args(ModelInput),
    "mean_link": get_args(MeanLink),
    "start": get_args(Start),
}

RUN_ONLY: Final = frozenset(
    {"device", "compile", "threads", "max_spots_per_tile", "checkpoint_every", "checkpoint_minutes"}
)
"""Settings that say how a model is computed, not which: a training run may be resumed with others."""

PRESETS: Final[dict[str, DustedParams]] = {
    "paper": DustedParams(),
    "default": DustedParams(
        likelihood="nb",
        hidden=192,
        latent=64,
        latent_elu=False,
        self_gate=True,
        posterior=True,
        mean_link="elu",
        input="rate",
        start="spectral",
        gene_intercept=True,
        normalise_over="all",
        target_sum=None,
        epochs=100,
        lr=1e-4,
        first_layer_lr=0.03,
        attention_lr=30.0,
        weight_decay=0.0,
        holdout=0.1,
        blind=0.2,
        patience=15,
    ),
}
