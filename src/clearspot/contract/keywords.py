"""Types of the keyword arguments that set settings. Written by ``tools/setting_keywords.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict


class QCKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.qc.params.QCParams`."""

    min_counts: int | None
    """Minimum counts per spot. ``None``: a minimum that depends on the size of a spot or bin. Default: None."""
    min_genes: int | None
    """Minimum genes detected per spot. ``None``: a minimum that depends on the size of a spot or bin. Default: None."""
    min_spots: int
    """Minimum number of passing spots in which a gene must be detected. Default: 1."""
    mito_threshold: float | None
    """Maximum share of mitochondrial counts per spot, in percent. ``None``: 20, or three robust standard deviations
    above the section's median if that is higher. Default: None."""
    ribo_threshold: float
    """Minimum share of ribosomal protein counts per spot, in percent. Default: 0.0."""
    hb_threshold: float
    """Maximum share of haemoglobin counts per spot, in percent. Default: 100.0."""
    min_spots_left: int
    """Minimum number of passing spots per sample. Samples with fewer are refused. Default: 50."""
    min_genes_left: int
    """Minimum number of genes to model. Samples with fewer are refused. Default: 50."""
    n_hvgs: int
    """Number of highly variable genes. Default: 3000."""
    hvg_min_counts: int
    """Minimum counts of a highly variable gene: only genes with more counts are considered. Default: 100."""
    destripe: bool
    """Visium HD: remove row and column stripes from the bin counts, into a separate layer. Default: False."""
    genes_of_interest: Iterable[str]
    """Genes (symbols or ids) that are always flagged and modelled, highly variable or not. Default: none."""


class DustedKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.dusted.params.DustedParams`."""

    likelihood: Literal["nb", "zinb"]
    """Distribution of the counts. The paper uses zinb for Visium. Default: nb."""
    alpha: float
    """Weight of the residual connection in the gene channel attention (equation 2.2). Default: 1.5."""
    gene_attention: bool
    """Use gene channel attention. The paper's ablation disables it. Default: True."""
    reduction_ratio: int
    """Number of genes per hidden unit of the gene channel attention. Default: 16."""
    hidden: int
    """Width of the first encoder layer. Default: 192."""
    latent: int
    """Width of the latent layer. Default: 64."""
    tied_weights: bool
    """Share the (transposed) weight of the second encoder layer with the inner decoder layer. Default: True."""
    heads: Literal["shared", "attention"]
    """Attention of the output layers: shared with the first encoder layer (shared; the paper's text), or separate
    (attention; the paper's code). Default: shared."""
    latent_elu: bool
    """Apply ELU after the second encoder layer, as in the paper's text. Default: False."""
    self_gate: bool
    """Learn, for each layer, the share of attention that a spot gives to itself. Without it, a spot with six neighbours
    keeps at most 31 %. Embedding and attention are always written without this share. Default: True."""
    posterior: bool
    """Return the posterior mean of the rate given the spot's own count as the denoised value, instead of the mean of
    the fitted distribution. Default: True."""
    mean_link: Literal["exp", "elu"]
    """Function from output layer h to the mean: exp(h) (exp; equation 2.5), or exp(intercept) (1 + ELU(h)) (elu), in
    which gene programs are additive, like the cells of a spot. elu requires gene_intercept. Default: elu."""
    input: Literal["log", "rate"]
    """Input of the model: log-normalised counts (log; the paper), or rates, centred and scaled by the noise of each
    gene (rate). Default: rate."""
    start: Literal["random", "spectral"]
    """Initial weights. spectral requires input='rate' and mean_link='elu'. Default: spectral."""
    gene_intercept: bool
    """Use a free intercept for each gene and output, initialised at the gene's mean. Default: True."""
    normalise_over: Literal["all", "modelled"]
    """Genes whose total count is used to normalise the input of a spot. Default: all."""
    target_sum: float | None
    """Total count to which each spot is scaled before the logarithm. ``None``: the median total. Default: None."""
    size_factor_key: str | None
    """Column of obs with the total counts over all genes. ``None``: computed from the counts. Default: None."""
    genes: Literal["hvg", "all"] | Iterable[str]
    """Genes to model: hvg (highly variable genes, computed if not flagged), all, or a list of genes. Default: hvg."""
    always_genes: Iterable[str]
    """Additional genes (symbols or ids) to model. Default: none."""
    library_key: str | None
    """Column of obs that names the section of each spot. Each section is normalised and denoised separately. ``None``:
    one section. Default: None."""
    n_top_genes: int
    """Number of highly variable genes to select, if they are not flagged yet. Default: 3000."""
    epochs: int
    """Maximum number of epochs. Default: 100."""
    lr: float
    """Learning rate of Adam. Default: 0.0001."""
    first_layer_lr: float
    """Learning rate of the first layer's weight and the gene attention, relative to the other weights. After a spectral
    start, these weights are by far the smallest. Default: 0.03."""
    attention_lr: float
    """Learning rate of the spot attention vectors, relative to the other weights. Default: 30.0."""
    batch_lr: float
    """Learning rate in sections that are updated in batches (spots_per_step), relative to that of smaller sections.
    Default: 10.0."""
    weight_decay: float
    """Weight decay of Adam. Default: 0.0."""
    clip_norm: float
    """Maximum norm of the gradients. Default: 5.0."""
    schedule: Literal["constant", "cosine"]
    """Learning rate schedule. cosine decreases to 0 after a warm-up. Default: constant."""
    warmup_epochs: int
    """Number of epochs of linear warm-up of the learning rate (schedule='cosine'). Default: 0."""
    loss_reduction: Literal["mean", "spot"]
    """Reduction of the loss: averaged over spots and genes (mean), or summed over genes (spot; the paper's code, nb
    only). Default: mean."""
    holdout: float
    """Fraction of the counts held out by binomial thinning, used to evaluate the result and for early stopping.
    Default: 0.1."""
    blind: float
    """Fraction of the training counts hidden from the input, redrawn in each epoch. The loss is computed on the hidden
    counts only. 0: input and loss use the same counts, as in the paper. Default: 0.2."""
    patience: int | None
    """Number of epochs without improvement of the held-out score (or of the loss, if no counts are held out) before
    training stops. ``None``: never. Default: 15."""
    seed: int
    """Random seed of initial weights, thinning and tile order. Default: 0."""
    device: str
    """Compute device: cpu, cuda or cuda:N. auto uses the CPU. Default: auto."""
    precision: Literal["fp32", "bf16", "auto"]
    """Precision of dense matrix products. auto uses bf16 if the device supports it natively. Parameters, sums and
    results are always 32-bit. Default: fp32."""
    compile: bool
    """Compile the dense parts of the loss with torch.compile. Default: False."""
    threads: int | None
    """Number of CPU threads, shared by all processes. ``None``: chosen by PyTorch. Default: None."""
    max_spots_per_tile: int | None
    """Maximum number of spots per tile. Smaller tiles need less memory and more time. ``None``: chosen from the
    available memory. Default: None."""
    spots_per_step: int | None
    """Maximum number of spots per update of the weights. An epoch of a section with more spots has at most 16 updates,
    each over the next compact group of spots, in random order. ``None``: all spots in sections of up to 20,000 spots,
    otherwise 4,096. Default: None."""
    denoised_store: Literal["auto", "layer", "file"]
    """Where the denoised values are written: a layer over all genes (layer), or a separate file over the modelled
    genes, rounded to three digits (file). auto: a layer of up to 1.25 GiB, otherwise a file. Default: auto."""
    checkpoint_every: int | None
    """Number of epochs between checkpoints. ``None``: no checkpoints by epoch. Default: None."""
    checkpoint_minutes: float | None
    """Minutes between checkpoints. ``None``: no checkpoints by time. Default: 10.0."""


class DomainKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.domains.params.DomainParams`."""

    method: Literal["gmm", "leiden"]
    """Clustering method whose domains are reported: a Gaussian mixture with tied covariance (gmm) or leiden. The other
    method's domains are written to the file as well. Default: gmm."""
    embedding: Literal["auto", "dusted", "pca"]
    """Embedding that is clustered: the latent of the denoiser (dusted) or principal components of the spots' own counts
    (pca). auto uses pca if its domains explain at least 15 % more of the held-out counts. Default: auto."""
    n_domains: int | None
    """Number of domains. ``None``: chosen from the data (gmm: by BIC; leiden: by the resolution). Default: None."""
    max_domains: int
    """Maximum number of domains considered by gmm. Default: 15."""
    resolution: float
    """Leiden resolution, used if the number of domains is not set. Default: 1.0."""
    refine: bool
    """Assign each spot to the most frequent domain among its neighbours. Default: False."""
    n_markers: int
    """Number of marker genes listed per domain. Default: 10."""
    moran_n_genes: int
    """Number of genes for which Moran's I is computed. Default: 100."""
    moran_n_perms: int
    """Number of permutations for the p-values of Moran's I (up to 20,000 spots). 0 disables p-values. Default: 100."""
    seed: int
    """Random seed. Default: 0."""


class DiffstKeywords(TypedDict, total=False):
    """Fields of :class:`clearspot.diffst.params.DiffstParams`."""

    factor: int
    """Number of bins per spot pitch: 5 gives bins of 20 µm on Visium, 10 gives bins of 10 µm. Default: 5."""
    bin_um: float | None
    """Bin size in µm. Overrides factor. ``None``: set by factor. Default: None."""
    spot_diameter_um: float | None
    """Diameter of the capture area of a spot, in µm. ``None``: 55 % of the pitch, which is 55 µm on Visium. Default:
    None."""
    input: Literal["counts", "denoised"]
    """Layer to super-resolve. Default: counts."""
    genes: Literal["hvg", "all"] | Iterable[str]
    """Genes to super-resolve: hvg (the most variable genes), all, or a list of genes. Default: hvg."""
    n_genes: int
    """Number of genes if genes='hvg'. Default: 200."""
    always_genes: Iterable[str]
    """Additional genes (symbols or ids) to super-resolve. Default: none."""
    n_programs: int
    """Number of gene programs modelled by the networks. Default: 16."""
    image_encoder: str | None
    """Folder with config.json and model.safetensors of a timm image model, such as a pathology foundation model. Its
    features are used in addition to the built-in ones. ``None``: built-in image features only. Default: None."""
    likelihood: Literal["poisson", "nb"]
    """Likelihood of the counts in the loss. nb fits a dispersion per gene. Default: poisson."""
    disentangle: bool
    """Use shared and private features with cross-modal modulation. If disabled, features are concatenated. Default:
    False."""
    cross_attention: bool
    """Use cross-attention to tokens at cell and tissue level. Default: False."""
    gene_graph: bool
    """Refine the loadings of the gene programs with a graph network over the genes. Default: False."""
    gene_neighbours: int
    """Number of neighbours of a gene in the gene graph. Default: 10."""
    diffusion: bool
    """Train and sample the second stage (diffusion), which adds texture and uncertainty. If disabled, only the mean
    network is used. Default: True."""
    projection: bool
    """Scale the bins under each spot so that they add up exactly to the counts of the spot. This carries over the
    counting noise: the spots then show in the map as brighter and darker discs. Default: False."""
    pixels: bool
    """Learn features from the image pixels in addition to the computed ones. Applies to training on references.
    Default: False."""
    gene_head: bool
    """Train a network with one output per gene on the bins of the references (the gene head), and combine its maps with
    those of the gene programs. Applies to training on references. Default: True."""
    stain_jitter: float
    """Strength of the random variation of colours and image features between training crops. 0 disables it. Default:
    0.1."""
    lattices: int
    """Number of lattices of pseudo-spots laid over each reference. Default: 8."""
    steps_pretrain: int
    """Number of training steps per stage on references. Default: 1200."""
    steps_adapt: int
    """Number of training steps on a section if training starts from a pretrained model. Default: 120."""
    lr_adapt: float
    """Peak learning rate of training from a pretrained model. Default: 0.0001."""
    width: int
    """Number of channels of the networks at the finest level. Default: 24."""
    steps_mean: int
    """Number of training steps of the first stage (mean network). Default: 240."""
    steps_diffusion: int
    """Number of training steps of the second stage (diffusion). Default: 400."""
    batch: int
    """Number of training crops per step. Default: 2."""
    crop: int
    """Side of a training crop in bins, a multiple of 8. Default: 96."""
    lr: float
    """Peak learning rate. Default: 0.001."""
    ema_decay: float
    """Decay of the moving average of the weights. The average is used for sampling. Default: 0.995."""
    curriculum: float
    """Fraction of the training steps during which cell tokens are added in order of their entropy. Applies to cross-
    attention. Default: 0.5."""
    condition_dropout: float
    """Probability that a training crop is shown without its image, and the same for its counts. Default: 0.05."""
    hide_patterns: int
    """Number of patterns of hidden spots used in training. Default: 12."""
    visible_weight: float
    """Weight of visible spots in the loss, relative to hidden spots. Default: 0.0."""
    disentangle_weight: float
    """Weight of the disentanglement loss. Default: 0.05."""
    samples: int
    """Number of samples to draw. The result is their mean and spread. Default: 8."""
    evaluations: int
    """Number of network evaluations per sample. Default: 12."""
    sigma_min: float
    """Lowest noise level, in standard deviations of the residual. Default: 0.02."""
    sigma_max: float
    """Highest noise level, in standard deviations of the residual. Default: 20.0."""
    holdout: float
    """Fraction of the spots held out from training. One half is used to choose the stopping step and the size of the
    residuals, the other half to evaluate the result. Default: 0.2."""
    tile: int
    """Side of a tile in sampling, in bins, a multiple of 8. Default: 160."""
    gene_chunk: int
    """Number of genes decoded at a time. Default: 32."""
    precision: Literal["fp32", "bf16", "auto"]
    """Precision of matrix products. auto uses bf16 if the device supports it natively. Default: auto."""
    seed: int
    """Random seed. Default: 0."""
    device: str
    """Compute device: cpu, cuda or cuda:N. auto uses the CPU. Default: auto."""
    threads: int | None
    """CPU threads. ``None``: chosen by PyTorch. Default: None."""
    checkpoint_minutes: float | None
    """Minutes between checkpoints during training. ``None``: only at the end. Default: 5.0."""
