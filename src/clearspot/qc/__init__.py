"""Quality control of spots and genes: metrics, flags, normalisation, highly variable genes."""
