"""Draw the README's figure from a finished run: ``python docs/images/figure.py SAMPLE.h5ad GENE OUT.png``."""

from pathlib import Path

import anndata as ad
import click
import matplotlib.pyplot as plt
import numpy as np
from matplotlib_scalebar.scalebar import ScaleBar
from PIL import Image

from clearspot import keys
from clearspot.metrics.neighbours import neighbour_mean


@click.command()
@click.argument("h5ad", type=click.Path(exists=True, path_type=Path))
@click.argument("gene")
@click.argument("out", type=click.Path(path_type=Path))
def main(h5ad: Path, gene: str, out: Path) -> None:
    """Domains, and one gene as measured, averaged over neighbours, and denoised, with one colour scale."""
    adata = ad.read_h5ad(h5ad)
    adata = adata[adata.obs[keys.QC_PASS].to_numpy(bool)].copy()
    xy = adata.obsm[keys.SPATIAL]
    column = adata.var_names.get_loc(gene)
    totals = np.asarray(adata.layers[keys.COUNTS].sum(axis=1)).ravel()
    scale = np.median(totals) / totals
    measured = adata.layers[keys.COUNTS][:, [column]].toarray().ravel() * scale
    averaged = np.asarray(neighbour_mean(adata.obsp[keys.CONNECTIVITIES], measured[:, None])).ravel()
    denoised = np.asarray(adata.layers[keys.DENOISED][:, column]).ravel() * scale
    limit = np.quantile(measured, 0.99)

    size = 20_000 / adata.n_obs
    figure, axes = plt.subplots(1, 4, figsize=(15, 4.6), layout="constrained")
    domains = adata.obs[keys.DOMAIN_GMM].astype("category")
    colours = np.asarray(adata.uns[f"{keys.DOMAIN_GMM}_colors"])[domains.cat.codes]
    axes[0].scatter(*xy.T, c=colours, s=size, linewidths=0)
    axes[0].set_title(f"{domains.cat.categories.size} domains")
    panels = ((measured, "measured"), (averaged, "mean of neighbours"), (denoised, "denoised (DUSTED)"))
    for axis, (values, name) in zip(axes[1:], panels, strict=True):
        drawn = axis.scatter(*xy.T, c=values, cmap="viridis", vmin=0, vmax=limit, s=size, linewidths=0)
        axis.set_title(f"{gene}, {name}")
    figure.colorbar(drawn, ax=axes[-1], label="counts at median depth", shrink=0.7)
    for axis in axes:
        axis.set_aspect("equal")
        axis.invert_yaxis()
        axis.axis("off")
    microns = adata.uns[keys.UNS].get("microns_per_pixel")
    if microns:
        axes[0].add_artist(ScaleBar(float(microns), "um", location="lower left", frameon=False))
    figure.savefig(out, dpi=110)
    with Image.open(out) as picture:
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(out, optimize=True)


if __name__ == "__main__":
    main()
