"""A section that is small enough for an example."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad

from clearspot.io.ingest import ingest_outs
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs

_UM_PER_PX = 8.0
"""Coarse: the picture of a whole slide is most of the time that a section takes."""


def small_section(seed: int = 0, *, width_um: float = 1000.0, n_genes: int = 200) -> ad.AnnData:
    """Simulate a Visium section of a few dozen spots and read it, as :func:`clearspot.read_outs` does.

    It takes seconds the first time; the same section again is a copy.

    Parameters
    ----------
    seed
        Random seed.
    width_um
        Width and height of the tissue's field in µm, at least 500.
    n_genes
        Number of genes.

    Returns
    -------
    AnnData, shape ``(spots, genes)``, with a small picture of the tissue in ``uns['spatial']``.

    Examples
    --------
    >>> import clearspot
    >>> clearspot.simulate.small_section().shape
    (77, 200)
    """
    return _simulated(seed, width_um, n_genes).copy()


@cache
def _simulated(seed: int, width_um: float, n_genes: int) -> ad.AnnData:
    phantom = make_phantom(seed, width_um=width_um, n_genes=n_genes)
    with TemporaryDirectory(prefix="clearspot-") as folder:
        written = write_outs(phantom, Path(folder), um_per_px=_UM_PER_PX, image=False, truth_bins=(), mex=False)
        return ingest_outs(written.outs, "phantom")[0]
