"""Spatial domains from the denoiser's latent, what marks them, and how spatial the genes are before and after."""

from clearspot.contract.callable_package import make_callable

make_callable(__name__, "clearspot.notebook.steps", "domains")
