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

    Presets: ``cpu`` (the defaults), ``gpu`` (larger networks, longer training) and ``test`` (seconds, no use of it).
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
        },
    }

    factor: int = setting(5, "Bins per spot pitch: 5 gives bins of 20 µm on Visium, 10 of 10 µm.", ge=2)
    bin_um: float | None = setting(
        None, "Side of a bin in micrometres, in place of the factor.", none="by the factor", ge=2, le=50
    )
    spot_diameter_um: float | None = setting(
        None,
        "Diameter of the area that a spot captures, in micrometres.",
        none="55 % of the pitch, which is 55 µm on Visium",
        gt=0,
    )
    input: Literal["counts", "denoised"] = setting("counts", "Layer that is distributed over the bins.")
    genes: Literal["hvg", "all"] | tuple[str, ...] = setting(
        "hvg", "Genes to super-resolve: the most variable ones, all, or named ones."
    )
    n_genes: int = setting(200, "Number of genes for hvg.", ge=2)
    always_genes: tuple[str, ...] = setting((), "Genes (names or ids) to super-resolve in addition.")
    n_programs: int = setting(16, "Number of gene programs that the networks work on.", ge=1)
    image: bool = setting(True, "Use the histology image.")
    image_encoder: str | None = setting(
        None,
        "Folder with config.json and model.safetensors of an image model of timm, such as a pathology foundation "
        "model, for further image features.",
        none="no further features",
    )
    likelihood: Literal["poisson", "nb"] = setting(
        "poisson", "Likelihood of the counts in the loss; nb has a dispersion for each gene."
    )
    disentangle: bool = setting(
        True, "Shared and private features with cross-modal modulation; without, plain concatenation."
    )
    cross_attention: bool = setting(True, "Attention to tokens at cell and tissue level.")
    gene_graph: bool = setting(True, "Correction of the programs' loadings by a graph network over the genes.")
    gene_neighbours: int = setting(10, "Neighbours of a gene in the gene graph.", ge=1)
    diffusion: bool = setting(
        True, "Second stage: samples with texture and uncertainty. Without, the mean network alone."
    )
    projection: bool = setting(
        False,
        "Make the bins under a spot add up to the spot's counts exactly. It takes over their noise: the lattice of "
        "spots shows in the map, as brighter and darker discs.",
    )
    pixels: bool = setting(
        True, "Learn features from the image's pixels, beside those that are computed; where there are references."
    )
    stain_jitter: float = setting(
        0.1, "How much colours and image features vary between training crops; 0 switches it off.", ge=0, le=1
    )
    lattices: int = setting(3, "Lattices of pseudo-spots that each reference is seen through.", ge=1)
    steps_pretrain: int = setting(1200, "Training steps of each stage on references.", ge=1)
    steps_adapt: int = setting(120, "Training steps on a section that starts from a pretrained model.", ge=1)
    lr_adapt: float = setting(1e-4, "Peak learning rate of these steps.", gt=0)
    width: int = setting(24, "Channels of the networks at the finest level.", ge=8)
    steps_mean: int = setting(240, "Training steps of the first stage (mean network).", ge=1)
    steps_diffusion: int = setting(400, "Training steps of the second stage (diffusion).", ge=1)
    batch: int = setting(2, "Training crops per step.", ge=1)
    crop: int = setting(96, "Bins along a side of a training crop, a multiple of 8.", ge=8, multiple_of=8)
    lr: float = setting(1e-3, "Peak learning rate.", gt=0)
    ema_decay: float = setting(
        0.995, "Decay of the moving average of the weights; the average is used for sampling.", ge=0, lt=1
    )
    curriculum: float = setting(
        0.5, "Fraction of the steps during which cell tokens enter in the order of their entropy.", ge=0, le=1
    )
    condition_dropout: float = setting(
        0.05, "Probability that a crop is shown without its image, and the same without its counts.", ge=0, le=0.5
    )
    hide_patterns: int = setting(12, "Number of patterns in which spots are hidden during training.", ge=1)
    visible_weight: float = setting(
        0.0, "Weight in the loss of the spots shown to the network, relative to the hidden ones.", ge=0
    )
    disentangle_weight: float = setting(0.05, "Weight of the disentangling loss.", ge=0)
    samples: int = setting(8, "Number of samples drawn; the result is their mean and spread.", ge=1, le=64)
    evaluations: int = setting(12, "Network evaluations per sample.", ge=2, le=MAX_EVALUATIONS)
    sigma_min: float = setting(0.02, "Lowest noise level, in standard deviations of the residual.", gt=0)
    sigma_max: float = setting(20.0, "Highest noise level, in standard deviations of the residual.", gt=0)
    holdout: float = setting(
        0.2,
        "Fraction of the spots held out of training: half of them choose when to stop and how large residuals are, "
        "half score the result.",
        ge=0,
        lt=0.5,
    )
    tile: int = setting(160, "Bins along a side of a tile when sampling, a multiple of 8.", ge=8, multiple_of=8)
    gene_chunk: int = setting(32, "Genes decoded at a time.", ge=1)
    precision: Precision = setting(
        "auto", "Precision of the networks' products; auto is bf16 where the device multiplies it natively."
    )
    seed: int = setting(0, "Random seed.", ge=0)
    device: str = setting("auto", "Compute device: cpu, cuda or cuda:N. auto is the CPU.")
    threads: int | None = setting(None, "CPU threads.", none="PyTorch's choice", ge=1)
    checkpoint_minutes: float | None = setting(
        5.0, "Minutes between checkpoints while training.", none="at the end only", ge=0
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
