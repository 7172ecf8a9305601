"""Settings of DUSTED, and the two presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from clearspot.contract.settings import Settings, setting
from clearspot.errors import SettingError
from clearspot.learning.precision import Precision

Likelihood = Literal["nb", "zinb"]
Heads = Literal["shared", "attention"]
NormaliseOver = Literal["all", "modelled"]
Schedule = Literal["constant", "cosine"]
Reduction = Literal["mean", "spot"]
ModelInput = Literal["log", "rate"]
MeanLink = Literal["exp", "elu"]
Start = Literal["random", "spectral"]
DenoisedStore = Literal["auto", "layer", "file"]
Preset = Literal["default", "paper"]


@dataclass(frozen=True)
class DustedParams(Settings):
    """Settings of one denoising run; the defaults are those of :func:`clearspot.dusted.denoise`.

    Presets: ``default`` does best on held-out counts (docs/methods/dusted.md); ``paper`` has the paper's settings.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "default": {},
        "paper": {
            "likelihood": "zinb",
            "hidden": 512,
            "latent": 30,
            "latent_elu": True,
            "self_gate": False,
            "posterior": False,
            "mean_link": "exp",
            "input": "log",
            "start": "random",
            "gene_intercept": False,
            "normalise_over": "modelled",
            "target_sum": 1e4,
            "epochs": 500,
            "first_layer_lr": 1.0,
            "attention_lr": 1.0,
            "batch_lr": 1.0,
            "weight_decay": 1e-4,
            "holdout": 0.0,
            "blind": 0.0,
            "patience": None,
        },
    }

    likelihood: Likelihood = setting("nb", "Distribution of the counts. The paper uses zinb for Visium.")
    alpha: float = setting(1.5, "Weight of the residual connection in the gene channel attention (equation 2.2).", ge=0)
    gene_attention: bool = setting(True, "Use gene channel attention. The paper's ablation disables it.")
    reduction_ratio: int = setting(16, "Number of genes per hidden unit of the gene channel attention.", ge=1)
    hidden: int = setting(192, "Width of the first encoder layer.", ge=1)
    latent: int = setting(64, "Width of the latent layer.", ge=1)
    tied_weights: bool = setting(
        True, "Share the (transposed) weight of the second encoder layer with the inner decoder layer."
    )
    heads: Heads = setting(
        "shared",
        "Attention of the output layers: shared with the first encoder layer (shared; the paper's text), or separate "
        "(attention; the paper's code).",
    )
    latent_elu: bool = setting(False, "Apply ELU after the second encoder layer, as in the paper's text.")
    self_gate: bool = setting(
        True,
        "Learn, for each layer, the share of attention that a spot gives to itself. Without it, a spot with six "
        "neighbours keeps at most 31 %. Embedding and attention are always written without this share.",
    )
    posterior: bool = setting(
        True,
        "Return the posterior mean of the rate given the spot's own count as the denoised value, instead of the mean "
        "of the fitted distribution.",
    )
    mean_link: MeanLink = setting(
        "elu",
        "Function from output layer h to the mean: exp(h) (exp; equation 2.5), or exp(intercept) (1 + ELU(h)) (elu), "
        "in which gene programs are additive, like the cells of a spot. elu requires gene_intercept.",
    )
    input: ModelInput = setting(
        "rate",
        "Input of the model: log-normalised counts (log; the paper), or rates, centred and scaled by the noise of "
        "each gene (rate).",
    )
    start: Start = setting("spectral", "Initial weights. spectral requires input='rate' and mean_link='elu'.")
    gene_intercept: bool = setting(
        True, "Use a free intercept for each gene and output, initialised at the gene's mean."
    )
    normalise_over: NormaliseOver = setting("all", "Genes whose total count is used to normalise the input of a spot.")
    target_sum: float | None = setting(
        None, "Total count to which each spot is scaled before the logarithm.", none="the median total", gt=0
    )
    size_factor_key: str | None = setting(
        None, "Column of obs with the total counts over all genes.", none="computed from the counts"
    )
    genes: Literal["hvg", "all"] | tuple[str, ...] = setting(
        "hvg", "Genes to model: hvg (highly variable genes, computed if not flagged), all, or a list of genes."
    )
    always_genes: tuple[str, ...] = setting((), "Additional genes (symbols or ids) to model.")
    library_key: str | None = setting(
        None,
        "Column of obs that names the section of each spot. Each section is normalised and denoised separately.",
        none="one section",
    )
    n_top_genes: int = setting(3000, "Number of highly variable genes to select, if they are not flagged yet.", ge=1)
    epochs: int = setting(100, "Maximum number of epochs.", ge=1)
    lr: float = setting(1e-4, "Learning rate of Adam.", gt=0)
    first_layer_lr: float = setting(
        0.03,
        "Learning rate of the first layer's weight and the gene attention, relative to the other weights. After a "
        "spectral start, these weights are by far the smallest.",
        gt=0,
    )
    attention_lr: float = setting(
        30.0, "Learning rate of the spot attention vectors, relative to the other weights.", gt=0
    )
    batch_lr: float = setting(
        10.0,
        "Learning rate in sections that are updated in batches (spots_per_step), relative to that of smaller sections.",
        gt=0,
    )
    weight_decay: float = setting(0.0, "Weight decay of Adam.", ge=0)
    clip_norm: float = setting(5.0, "Maximum norm of the gradients.", gt=0)
    schedule: Schedule = setting("constant", "Learning rate schedule. cosine decreases to 0 after a warm-up.")
    warmup_epochs: int = setting(
        0, "Number of epochs of linear warm-up of the learning rate (schedule='cosine').", ge=0
    )
    loss_reduction: Reduction = setting(
        "mean",
        "Reduction of the loss: averaged over spots and genes (mean), or summed over genes (spot; the paper's code, "
        "nb only).",
    )
    holdout: float = setting(
        0.1,
        "Fraction of the counts held out by binomial thinning, used to evaluate the result and for early stopping.",
        ge=0,
        lt=1,
    )
    blind: float = setting(
        0.2,
        "Fraction of the training counts hidden from the input, redrawn in each epoch. The loss is computed on the "
        "hidden counts only. 0: input and loss use the same counts, as in the paper.",
        ge=0,
        lt=1,
    )
    patience: int | None = setting(
        15,
        "Number of epochs without improvement of the held-out score (or of the loss, if no counts are held out) "
        "before training stops.",
        none="never",
        ge=1,
    )
    seed: int = setting(0, "Random seed of initial weights, thinning and tile order.", ge=0)
    device: str = setting("auto", "Compute device: cpu, cuda or cuda:N. auto uses the CPU.")
    precision: Precision = setting(
        "fp32",
        "Precision of dense matrix products. auto uses bf16 if the device supports it natively. Parameters, sums and "
        "results are always 32-bit.",
    )
    compile: bool = setting(False, "Compile the dense parts of the loss with torch.compile.")
    threads: int | None = setting(
        None, "Number of CPU threads, shared by all processes.", none="chosen by PyTorch", ge=1
    )
    max_spots_per_tile: int | None = setting(
        None,
        "Maximum number of spots per tile. Smaller tiles need less memory and more time.",
        none="chosen from the available memory",
        ge=1,
    )
    spots_per_step: int | None = setting(
        None,
        "Maximum number of spots per update of the weights. An epoch of a section with more spots has at most 16 "
        "updates, each over the next compact group of spots, in random order.",
        none="all spots in sections of up to 20,000 spots, otherwise 4,096",
        ge=1,
    )
    denoised_store: DenoisedStore = setting(
        "auto",
        "Where the denoised values are written: a layer over all genes (layer), or a separate file over the modelled "
        "genes, rounded to three digits (file). auto: a layer of up to 1.25 GiB, otherwise a file.",
    )
    checkpoint_every: int | None = setting(
        None, "Number of epochs between checkpoints.", none="no checkpoints by epoch", ge=1
    )
    checkpoint_minutes: float | None = setting(
        10.0, "Minutes between checkpoints.", none="no checkpoints by time", ge=0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mean_link == "elu" and not self.gene_intercept:
            raise SettingError("mean_link='elu' requires gene_intercept")
        if self.start == "spectral" and not (self.mean_link == "elu" and self.input == "rate"):
            raise SettingError("start='spectral' requires input='rate' and mean_link='elu'")


RUN_ONLY: Final = frozenset(
    {"device", "compile", "threads", "max_spots_per_tile", "denoised_store", "checkpoint_every", "checkpoint_minutes"}
)
"""Settings that say how a model is computed, not which: a training run may be resumed with others."""
