"""An outs folder of Space Ranger 4 with segmented cells, as the simulator writes it."""

from __future__ import annotations

from pathlib import Path

from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs


def write_cell_outs(folder: Path, *, n_genes: int = 60, um_per_px: float = 0.5) -> Path:
    """Write the smallest phantom, its bins and its cells, without a full-resolution image; return the outs folder."""
    phantom = make_phantom(3, width_um=512, n_genes=n_genes)
    return write_outs(phantom, folder, chemistry="hd", um_per_px=um_per_px, image=False, cells=True, mex=False).outs
