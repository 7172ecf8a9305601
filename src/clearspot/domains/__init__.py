"""Spatial domains from the denoiser's latent, what marks them, and how spatial the genes are before and after."""
