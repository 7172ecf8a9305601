"""Quality control of spots and genes: metrics, flags, normalisation, highly variable genes."""

from clearspot.contract.callable_package import make_callable

make_callable(__name__, "clearspot.notebook.steps", "qc")
