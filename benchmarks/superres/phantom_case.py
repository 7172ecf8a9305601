"""Case a: the simulator's phantom, with an H&E-like image and true fine expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
from cases import Case, dispersed_genes, section

from clearspot import keys
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.io.ingest import ingest_outs
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs
from clearspot.simulate.staining import Staining, StainingChoice
from clearspot.simulate.truth import expected_expression

FIELD_UM = 2240.0  # whole multiples of 8 bins at 5x and 10x
PITCH_UM, DIAMETER_UM = 100.0, 55.0


def phantom_case(
    factor: int,
    work: Path,
    *,
    seed: int = 0,
    n_genes: int = 100,
    genes: Sequence[str] | None = None,
    panel_seed: int | None = None,
    staining: StainingChoice = "default",
) -> Case:
    """A phantom on a Visium v1 slide. What it writes into ``work`` is used again.

    ``genes`` and the panel (which genes belong to which programs) may be those of another phantom. ``staining`` changes
    the picture alone: ``drawn`` is the seed's own, a number another.
    """
    bin_um = round(PITCH_UM / factor)
    stained = "" if staining == "default" else f"-stained-{staining}"
    folder = work / f"phantom_{seed}{stained}"
    image, truth_file = folder / "image.tif", folder / "truth" / f"truth_bins_{bin_um:03d}um.h5ad"
    if not truth_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        phantom = make_phantom(seed, width_um=FIELD_UM, n_genes=400, staining=Staining.chosen(staining, seed))
        if panel_seed is not None:
            phantom = replace(phantom, panel=make_phantom(panel_seed, width_um=FIELD_UM, n_genes=400).panel)
        write_outs(phantom, folder, chemistry="v1", um_per_px=1.0, truth_bins=(10, 20), mex=False)
    spots, _ = ingest_outs(folder / "outs", "phantom")
    truth = ad.read_h5ad(truth_file)
    um_per_px = float(truth.uns["um_per_px"])
    side = int(FIELD_UM // bin_um)
    x0, y0 = (float(value) for value in truth.uns["field_origin_px"])
    grid = FineGrid(float(bin_um), side, side, (x0, y0), 1 / um_per_px)
    counts = spots.layers[keys.COUNTS]
    chosen = dispersed_genes(counts, n_genes) if genes is None else spots.var_names.get_indexer(genes)
    genes = spots.var_names[chosen]
    xy = np.asarray(spots.obsm[keys.SPATIAL])
    return Case(
        name=f"phantom-{seed}-{factor}x{stained}",
        adata=section(counts[:, chosen], genes, xy, um_per_px),
        grid=grid,
        operator=disk_operator(xy, grid, DIAMETER_UM),
        pitch_um=PITCH_UM,
        diameter_um=DIAMETER_UM,
        image=image,
        truth=expected_expression(truth, list(genes)),
        tissue=truth.obs["in_tissue"].to_numpy().reshape(side, side),
    )
