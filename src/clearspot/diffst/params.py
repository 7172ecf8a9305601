"""Settings of Diff-ST, and its presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from clearspot.contract.settings import Settings, setting
from clearspot.learning.precision import Precision

Preset = Literal["cpu", "gpu", "test"]

MAX_EVALUATIONS: Final = 20


@dataclass(frozen=True)
class DiffstParams(Settings):
    """Settings of one super-resolution run; the defaults are those of :func:`clearspot.diffst.superresolve`.

    Presets: ``cpu`` (the defaults), ``gpu`` (larger networks, longer training) and ``test`` (trained for seconds, with
    every part; its maps are of no use).
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "cpu": {},
        "gpu": {
            "n_programs": 32,
            "width": 64,
            "steps_mean": 4000,
            "steps_diffusion": 8000,
            "steps_pretrain": 8000,
            "batch": 8,
            "crop": 128,
            "ema_decay": 0.999,
            "samples": 16,
            "evaluations": 18,
            "tile": 512,
            "gene_chunk": 128,
        },
        "test": {
            "n_genes": 24,
            "n_programs": 4,
            "width": 8,
            "steps_mean": 6,
            "steps_diffusion": 6,
            "steps_pretrain": 6,
            "steps_adapt": 4,
            "lattices": 1,
            "batch": 1,
            "crop": 32,
            "hide_patterns": 2,
            "samples": 2,
            "evaluations": 3,
            "tile": 48,
            "disentangle": True,
            "cross_attention": True,
            "gene_graph": True,
            "pixels": True,
        },
    }

    factor: int = setting(
        5, "Number of bins per spot pitch: 5 gives bins of 20 µm on Visium, 10 gives bins of 10 µm.", ge=2
    )
    bin_um: float | None = setting(None, "Bin size in µm. Overrides factor.", none="set by factor", ge=2, le=50)
    spot_diameter_um: float | None = setting(
        None,
        "Diameter of the capture area of a spot, in µm.",
        none="55 % of the pitch, which is 55 µm on Visium",
        gt=0,
    )
    input: Literal["counts", "denoised"] = setting("counts", "Layer to super-resolve.")
    genes: Literal["hvg", "all"] | tuple[str, ...] = setting(
        "hvg", "Genes to super-resolve: hvg (the most variable genes), all, or a list of genes."
    )
    n_genes: int = setting(200, "Number of genes if genes='hvg'.", ge=2)
    always_genes: tuple[str, ...] = setting((), "Additional genes (symbols or ids) to super-resolve.")
    n_programs: int = setting(16, "Number of gene programs modelled by the networks.", ge=1)
    image: bool = setting(True, "Use the histology image.")
    image_encoder: str | None = setting(
        None,
        "Folder with config.json and model.safetensors of a timm image model, such as a pathology foundation model. "
        "Its features are used in addition to the built-in ones.",
        none="built-in image features only",
    )
    likelihood: Literal["poisson", "nb"] = setting(
        "poisson", "Likelihood of the counts in the loss. nb fits a dispersion per gene."
    )
    disentangle: bool = setting(
        False, "Use shared and private features with cross-modal modulation. If disabled, features are concatenated."
    )
    cross_attention: bool = setting(False, "Use cross-attention to tokens at cell and tissue level.")
    gene_graph: bool = setting(False, "Refine the loadings of the gene programs with a graph network over the genes.")
    gene_neighbours: int = setting(10, "Number of neighbours of a gene in the gene graph.", ge=1)
    diffusion: bool = setting(
        True,
        "Train and sample the second stage (diffusion), which adds texture and uncertainty. If disabled, only "
        "the mean network is used.",
    )
    projection: bool = setting(
        False,
        "Scale the bins under each spot so that they add up exactly to the counts of the spot. This carries over the "
        "counting noise: the spots then show in the map as brighter and darker discs.",
    )
    pixels: bool = setting(
        False,
        "Learn features from the image pixels in addition to the computed ones. Applies to training on references.",
    )
    gene_head: bool = setting(
        True,
        "Train a network with one output per gene on the bins of the references (the gene head), and combine its maps "
        "with those of the gene programs. Applies to training on references.",
    )
    stain_jitter: float = setting(
        0.1,
        "Strength of the random variation of colours and image features between training crops. 0 disables it.",
        ge=0,
        le=1,
    )
    lattices: int = setting(8, "Number of lattices of pseudo-spots laid over each reference.", ge=1)
    steps_pretrain: int = setting(1200, "Number of training steps per stage on references.", ge=1)
    steps_adapt: int = setting(
        120, "Number of training steps on a section if training starts from a pretrained model.", ge=1
    )
    lr_adapt: float = setting(1e-4, "Peak learning rate of training from a pretrained model.", gt=0)
    width: int = setting(24, "Number of channels of the networks at the finest level.", ge=8)
    steps_mean: int = setting(240, "Number of training steps of the first stage (mean network).", ge=1)
    steps_diffusion: int = setting(400, "Number of training steps of the second stage (diffusion).", ge=1)
    batch: int = setting(2, "Number of training crops per step.", ge=1)
    crop: int = setting(96, "Side of a training crop in bins, a multiple of 8.", ge=8, multiple_of=8)
    lr: float = setting(1e-3, "Peak learning rate.", gt=0)
    ema_decay: float = setting(
        0.995, "Decay of the moving average of the weights. The average is used for sampling.", ge=0, lt=1
    )
    curriculum: float = setting(
        0.5,
        "Fraction of the training steps during which cell tokens are added in order of their entropy. Applies to "
        "cross-attention.",
        ge=0,
        le=1,
    )
    condition_dropout: float = setting(
        0.05, "Probability that a training crop is shown without its image, and the same for its counts.", ge=0, le=0.5
    )
    hide_patterns: int = setting(12, "Number of patterns of hidden spots used in training.", ge=1)
    visible_weight: float = setting(0.0, "Weight of visible spots in the loss, relative to hidden spots.", ge=0)
    disentangle_weight: float = setting(0.05, "Weight of the disentanglement loss.", ge=0)
    samples: int = setting(8, "Number of samples to draw. The result is their mean and spread.", ge=1, le=64)
    evaluations: int = setting(12, "Number of network evaluations per sample.", ge=2, le=MAX_EVALUATIONS)
    sigma_min: float = setting(0.02, "Lowest noise level, in standard deviations of the residual.", gt=0)
    sigma_max: float = setting(20.0, "Highest noise level, in standard deviations of the residual.", gt=0)
    holdout: float = setting(
        0.2,
        "Fraction of the spots held out from training. One half is used to choose the stopping step and the size of "
        "the residuals, the other half to evaluate the result.",
        ge=0,
        lt=0.5,
    )
    tile: int = setting(160, "Side of a tile in sampling, in bins, a multiple of 8.", ge=8, multiple_of=8)
    gene_chunk: int = setting(32, "Number of genes decoded at a time.", ge=1)
    precision: Precision = setting(
        "auto", "Precision of matrix products. auto uses bf16 if the device supports it natively."
    )
    seed: int = setting(0, "Random seed.", ge=0)
    device: str = setting("auto", "Compute device: cpu, cuda or cuda:N. auto uses the CPU.")
    threads: int | None = setting(None, "CPU threads.", none="chosen by PyTorch", ge=1)
    checkpoint_minutes: float | None = setting(
        5.0, "Minutes between checkpoints during training.", none="only at the end", ge=0
    )


ARCHITECTURE: Final = ("width", "pixels", "disentangle", "cross_attention", "gene_graph", "diffusion")
"""Settings that a model is built by: a checkpoint brings its own."""

RUN_ONLY: Final = frozenset(
    {
        *("device", "threads", "precision", "checkpoint_minutes", "image_encoder"),
        *("projection", "samples", "evaluations", "tile", "gene_chunk"),
    }
)
"""Settings that do not change training: a run may be resumed with others."""
