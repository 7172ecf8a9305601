"""Draw a marker as measured and super-resolved next to the H&E image, for the README.

    python benchmarks/superres/demo.py --gene Penk --no-diffusion --steps-mean 8   # the plain estimate alone, a minute
    python benchmarks/superres/demo.py --gene Penk                                  # trained in full

The section is MOB1 (mouse olfactory bulb, Stahl et al. 2016, as packed in STUtility, MIT licence).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad
import numpy as np
from cases import dispersed_genes, section
from hidden_case import PITCH_UM, SPOT_UM
from matplotlib.figure import Figure
from matplotlib_scalebar.scalebar import ScaleBar
from PIL import Image
from scipy import sparse

from clearspot import diffst, keys
from clearspot.diffst.output.superres_file import as_map

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "mob"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gene", default="Penk")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "superres_demo.png")
    parser.add_argument("--steps-mean", type=int)
    parser.add_argument("--no-diffusion", action="store_true")
    args = parser.parse_args()
    raw = ad.read_h5ad(DATA / "MOB1.h5ad")
    kept = raw.obs["in_tissue"].to_numpy(dtype=bool)
    counts, xy = sparse.csr_array(raw.X)[kept], np.asarray(raw.obsm["spatial"], dtype=np.float64)[kept]
    genes = np.union1d(dispersed_genes(counts, 100), np.flatnonzero(raw.var_names == args.gene))
    um_per_px = float(raw.uns["um_per_px"])
    adata = section(counts[:, genes], raw.var_names[genes], xy, um_per_px)
    with TemporaryDirectory() as folder:
        settings = {
            "factor": 5,
            "genes": "all",
            "spot_diameter_um": SPOT_UM,
            "diffusion": False if args.no_diffusion else None,
            "steps_mean": args.steps_mean,
        }
        result = diffst.superresolve(adata, DATA / "MOB1.jpg", out=Path(folder), sample="MOB1", **settings)
        finer = ad.read_h5ad(result.path)
    values = as_map(np.asarray(finer[:, args.gene].layers[keys.SUPERRES_MEAN]).ravel(), finer)
    affine = finer.uns[keys.UNS][keys.AFFINE]
    x0, y0, side = affine[0, 2], affine[1, 2], affine[0, 0]
    extent = (x0, x0 + side * values.shape[1], y0 + side * values.shape[0], y0)
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    with Image.open(DATA / "MOB1.jpg") as image:
        left.imshow(image)
    left.set_title("H&E")
    measured = adata[:, args.gene].layers[keys.COUNTS].toarray().ravel()
    middle.scatter(*xy.T, c=measured, s=16, cmap="viridis", vmax=np.percentile(measured, 99))
    middle.set_title(f"{args.gene}: counts of {len(xy)} spots, {PITCH_UM['mob']:.0f} µm apart")
    known = values[np.isfinite(values)]
    right.imshow(values, extent=extent, cmap="viridis", vmax=np.percentile(known, 99))
    right.set_title(f"{args.gene}: predicted, bins of {float(finer.uns[keys.UNS][keys.BIN_UM]):.0f} µm")
    for axis in (left, middle, right):
        axis.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
        axis.axis("off")
    left.add_artist(ScaleBar(um_per_px, "um", location="lower left", frameon=False))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=90)


if __name__ == "__main__":
    main()
