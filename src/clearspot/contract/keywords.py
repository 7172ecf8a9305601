"""Types of the keyword arguments that set settings. Written by ``tools/setting_keywords.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict


class QCKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.qc.params.QCParams`."""

    min_counts: int | None
    """Minimum counts of a spot. ``None``: a floor that depends on the size of a spot or bin. Default: None."""
    min_genes: int | None
    """Minimum genes of a spot. ``None``: a floor that depends on the size of a spot or bin. Default: None."""
    min_spots: int
    """Minimum passing spots in which a gene is detected. Default: 1."""
    mito_threshold: float | None
    """Maximum mitochondrial counts of a spot, in per cent. ``None``: 20, or three robust standard deviations above the
    section's median where that is more. Default: None."""
    ribo_threshold: float
    """Minimum ribosomal protein counts of a spot, in per cent. Default: 0.0."""
    hb_threshold: float
    """Maximum haemoglobin counts of a spot, in per cent. Default: 100.0."""
    min_spots_left: int
    """Minimum passing spots of a sample; a sample with fewer is refused. Default: 50."""
    min_genes_left: int
    """Minimum genes to model; a sample with fewer is refused. Default: 50."""
    n_hvgs: int
    """Number of highly variable genes. Default: 3000."""
    hvg_min_counts: int
    """Only genes with more counts than this can be highly variable. Default: 100."""
    destripe: bool
    """Visium HD: take the stripes of rows and columns out of the bins' counts, into a layer of their own. Default:
    False."""
    genes_of_interest: Iterable[str]
    """Genes (symbols or ids) that are flagged and modelled whether or not they are highly variable. Default: none."""


class DustedKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.dusted.params.DustedParams`."""

    likelihood: Literal["nb", "zinb"]
    """Distribution of the counts; the paper uses zinb for Visium. Default: nb."""
    alpha: float
    """Weight of the residual connection of the gene channel attention (equation 2.2). Default: 1.5."""
    gene_attention: bool
    """Gene channel attention; the paper's ablation leaves it out. Default: True."""
    reduction_ratio: int
    """Genes per hidden unit of the gene channel attention. Default: 16."""
    hidden: int
    """Width of the first encoder layer. Default: 192."""
    latent: int
    """Width of the latent layer. Default: 64."""
    tied_weights: bool
    """The inner decoder layer shares the (transposed) weight of the second encoder layer. Default: True."""
    heads: Literal["shared", "attention"]
    """Attention of the output layers: that of the first encoder layer (shared; the paper's text) or one of their own
    (attention; the paper's code). Default: shared."""
    latent_elu: bool
    """ELU after the second encoder layer, as in the paper's text. Default: False."""
    self_gate: bool
    """Learn for each layer the share of attention that stays with the spot itself. Without it a spot with six
    neighbours keeps at most 31 %. Embedding and attention are always written without this share. Default: True."""
    posterior: bool
    """Denoised value: mean of the rate given the spot's own count, in place of the mean of the fitted distribution.
    Default: True."""
    mean_link: Literal["exp", "elu"]
    """From output layer h to mean: exp(h) (exp; equation 2.5), or exp(intercept) (1 + ELU(h)) (elu), where programs add
    up as cells in a spot do. elu needs the gene intercept. Default: elu."""
    input: Literal["log", "rate"]
    """Input of the model: logarithms of normalised counts (log; the paper), or rates, centred and scaled by each gene's
    noise (rate). Default: rate."""
    start: Literal["random", "spectral"]
    """Initial weights; spectral needs input rate and mean link elu. Default: spectral."""
    gene_intercept: bool
    """Free intercept for each gene and output, started at the gene's mean. Default: True."""
    normalise_over: Literal["all", "modelled"]
    """Genes whose total count normalises a spot's input. Default: all."""
    target_sum: float | None
    """Total count to which a spot is scaled before the logarithm. ``None``: the median total. Default: None."""
    size_factor_key: str | None
    """Column of obs with the total counts over all genes. ``None``: computed from the counts. Default: None."""
    genes: Literal["hvg", "all"] | Iterable[str]
    """Genes to model: highly variable ones (computed if not marked), all, or named ones. Default: hvg."""
    always_genes: Iterable[str]
    """Genes (names or ids) to model in addition. Default: none."""
    library_key: str | None
    """Column of obs that names the section of each spot, where there are several: each section is normalised and
    denoised on its own. ``None``: one section. Default: None."""
    n_top_genes: int
    """Number of highly variable genes, where they are not marked yet. Default: 3000."""
    epochs: int
    """Maximum number of epochs. Default: 100."""
    lr: float
    """Learning rate of Adam. Default: 0.0001."""
    first_layer_lr: float
    """Learning rate of the first layer's weight and the gene attention, relative to the others. After a spectral start
    these weights are by far the smallest. Default: 0.03."""
    attention_lr: float
    """Learning rate of the vectors of the spots' attention, relative to the others. Default: 30.0."""
    weight_decay: float
    """Weight decay of Adam. Default: 0.0."""
    clip_norm: float
    """Maximum norm of the gradients. Default: 5.0."""
    schedule: Literal["constant", "cosine"]
    """Learning rate over the epochs; cosine falls to 0 after a warm-up. Default: constant."""
    warmup_epochs: int
    """Epochs of linear warm-up of the learning rate (schedule cosine). Default: 0."""
    loss_reduction: Literal["mean", "spot"]
    """Loss averaged over spots and genes (mean), or summed over genes (spot; the paper's code, for nb only). Default:
    mean."""
    holdout: float
    """Fraction of the counts held out by binomial thinning, to score the result and stop training. Default: 0.1."""
    blind: float
    """Fraction of the training counts hidden from the input, drawn anew each epoch; the loss is then over these alone.
    0: input and loss are over the same counts, as in the paper. Default: 0.2."""
    patience: int | None
    """Epochs without a better held-out score (without held-out counts: a better loss) until training stops. ``None``:
    never. Default: 15."""
    seed: int
    """Random seed of initial weights, thinning and tile order. Default: 0."""
    device: str
    """Compute device: cpu, cuda or cuda:N. auto is the CPU. Default: auto."""
    precision: Literal["fp32", "bf16", "auto"]
    """Precision of the dense products; auto is bf16 where the device multiplies it natively. Parameters, sums and
    results are always 32-bit. Default: fp32."""
    compile: bool
    """Compile the dense passes of the loss with torch.compile. Default: False."""
    threads: int | None
    """CPU threads, shared by all processes. ``None``: PyTorch's choice. Default: None."""
    max_spots_per_tile: int | None
    """Maximum number of spots processed at once. Smaller tiles need less memory and more time. ``None``: found from the
    memory. Default: None."""
    step_per: Literal["epoch", "tile"]
    """When the weights are updated: once an epoch with the sum over all tiles, which is exactly the full-batch
    gradient, or after each tile, in random order. Default: epoch."""
    checkpoint_every: int | None
    """Epochs between checkpoints. ``None``: not by epochs. Default: None."""
    checkpoint_minutes: float | None
    """Minutes between checkpoints. ``None``: not by time. Default: 10.0."""


class DomainKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.domains.params.DomainParams`."""

    method: Literal["gmm", "leiden"]
    """Clustering whose domains are reported: a Gaussian mixture with tied covariance (gmm) or leiden. The other's are
    in the file too. Default: gmm."""
    n_domains: int | None
    """Number of domains. ``None``: chosen from the data (gmm: BIC; leiden: by the resolution). Default: None."""
    max_domains: int
    """Maximum number of domains that gmm considers. Default: 15."""
    resolution: float
    """Resolution of Leiden, used where the number of domains is not given. Default: 1.0."""
    refine: bool
    """Give each spot the domain of most of its neighbours. Default: False."""
    n_markers: int
    """Number of marker genes listed for each domain. Default: 10."""
    moran_n_genes: int
    """Number of genes for which Moran's I is computed. Default: 100."""
    moran_n_perms: int
    """Number of permutations for the p-values of Moran's I; 0: no p-values. Default: 100."""
    seed: int
    """Random seed. Default: 0."""


class DiffstKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.diffst.params.DiffstParams`."""

    factor: int
    """Bins per spot pitch: 5 gives bins of 20 µm on Visium, 10 of 10 µm. Default: 5."""
    bin_um: float | None
    """Side of a bin in micrometres, in place of the factor. ``None``: by the factor. Default: None."""
    spot_diameter_um: float | None
    """Diameter of the area that a spot captures, in micrometres. ``None``: 55 % of the pitch, which is 55 µm on Visium.
    Default: None."""
    input: Literal["counts", "denoised"]
    """Layer that is distributed over the bins. Default: counts."""
    genes: Literal["hvg", "all"] | Iterable[str]
    """Genes to super-resolve: the most variable ones, all, or named ones. Default: hvg."""
    n_genes: int
    """Number of genes for hvg. Default: 200."""
    always_genes: Iterable[str]
    """Genes (names or ids) to super-resolve in addition. Default: none."""
    n_programs: int
    """Number of gene programs that the networks work on. Default: 16."""
    image_encoder: str | None
    """Folder with config.json and model.safetensors of an image model of timm, such as a pathology foundation model,
    for further image features. ``None``: no further features. Default: None."""
    likelihood: Literal["poisson", "nb"]
    """Likelihood of the counts in the loss; nb has a dispersion for each gene. Default: poisson."""
    disentangle: bool
    """Shared and private features with cross-modal modulation; without, plain concatenation. Default: True."""
    cross_attention: bool
    """Attention to tokens at cell and tissue level. Default: True."""
    gene_graph: bool
    """Correction of the programs' loadings by a graph network over the genes. Default: True."""
    gene_neighbours: int
    """Neighbours of a gene in the gene graph. Default: 10."""
    diffusion: bool
    """Second stage: samples with texture and uncertainty. Without, the mean network alone. Default: True."""
    projection: bool
    """Make the bins under a spot add up to the spot's counts exactly. It takes over their noise: the lattice of spots
    shows in the map, as brighter and darker discs. Default: False."""
    pixels: bool
    """Learn features from the image's pixels, beside those that are computed; where there are references. Default:
    True."""
    stain_jitter: float
    """How much colours and image features vary between training crops; 0 switches it off. Default: 0.1."""
    lattices: int
    """Lattices of pseudo-spots that each reference is seen through. Default: 3."""
    steps_pretrain: int
    """Training steps of each stage on references. Default: 1200."""
    steps_adapt: int
    """Training steps on a section that starts from a pretrained model. Default: 120."""
    lr_adapt: float
    """Peak learning rate of these steps. Default: 0.0001."""
    width: int
    """Channels of the networks at the finest level. Default: 24."""
    steps_mean: int
    """Training steps of the first stage (mean network). Default: 240."""
    steps_diffusion: int
    """Training steps of the second stage (diffusion). Default: 400."""
    batch: int
    """Training crops per step. Default: 2."""
    crop: int
    """Bins along a side of a training crop, a multiple of 8. Default: 96."""
    lr: float
    """Peak learning rate. Default: 0.001."""
    ema_decay: float
    """Decay of the moving average of the weights; the average is used for sampling. Default: 0.995."""
    curriculum: float
    """Fraction of the steps during which cell tokens enter in the order of their entropy. Default: 0.5."""
    condition_dropout: float
    """Probability that a crop is shown without its image, and the same without its counts. Default: 0.05."""
    hide_patterns: int
    """Number of patterns in which spots are hidden during training. Default: 12."""
    visible_weight: float
    """Weight in the loss of the spots shown to the network, relative to the hidden ones. Default: 0.0."""
    disentangle_weight: float
    """Weight of the disentangling loss. Default: 0.05."""
    samples: int
    """Number of samples drawn; the result is their mean and spread. Default: 8."""
    evaluations: int
    """Network evaluations per sample. Default: 12."""
    sigma_min: float
    """Lowest noise level, in standard deviations of the residual. Default: 0.02."""
    sigma_max: float
    """Highest noise level, in standard deviations of the residual. Default: 20.0."""
    holdout: float
    """Fraction of the spots held out of training: half of them choose when to stop and how large residuals are, half
    score the result. Default: 0.2."""
    tile: int
    """Bins along a side of a tile when sampling, a multiple of 8. Default: 160."""
    gene_chunk: int
    """Genes decoded at a time. Default: 32."""
    precision: Literal["fp32", "bf16", "auto"]
    """Precision of the networks' products; auto is bf16 where the device multiplies it natively. Default: auto."""
    seed: int
    """Random seed. Default: 0."""
    device: str
    """Compute device: cpu, cuda or cuda:N. auto is the CPU. Default: auto."""
    threads: int | None
    """CPU threads. ``None``: PyTorch's choice. Default: None."""
    checkpoint_minutes: float | None
    """Minutes between checkpoints while training. ``None``: at the end only. Default: 5.0."""
