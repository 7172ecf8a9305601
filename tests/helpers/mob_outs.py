"""The three real sections of a mouse olfactory bulb (Spatial Transcriptomics, 2k array) as Space Ranger folders."""

from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import pandas as pd
from PIL import Image
from scipy.sparse import csr_matrix

from tests.helpers.outs_factory import write_h5, write_positions

SECTIONS = ("MOB1", "MOB2", "MOB3")
SPOT_UM = 100.0
REDUCED = 4


def write_mob_outs(folder: Path, data: Path, section: str) -> Path:
    """Write spots on tissue as ``folder/outs``, with a reduced picture.

    Nearest spots are 141 um apart, on diagonals: row and column of the array add up to an even number, as in Visium.
    """
    adata = ad.read_h5ad(data / "mob" / f"{section}.h5ad")
    um_per_px = float(adata.uns["um_per_px"])
    adata = adata[adata.obs["in_tissue"].to_numpy(dtype=bool)]
    barcodes = [f"{name}-1" for name in adata.obs_names]
    positions = pd.DataFrame(
        {
            "in_tissue": 1,
            "array_row": adata.obs["array_y"].to_numpy(),
            "array_col": adata.obs["array_x"].to_numpy(),
            "pxl_row_in_fullres": adata.obsm["spatial"][:, 1],
            "pxl_col_in_fullres": adata.obsm["spatial"][:, 0],
        },
        index=pd.Index(barcodes, name="barcode"),
    )
    outs = folder / "outs"
    (outs / "spatial").mkdir(parents=True)
    write_positions(outs / "spatial" / "tissue_positions.csv", positions, header=True)
    factors = {"spot_diameter_fullres": SPOT_UM / um_per_px, "tissue_hires_scalef": 1 / REDUCED}
    (outs / "spatial" / "scalefactors_json.json").write_text(json.dumps(factors))
    with Image.open(data / "mob" / f"{section}.jpg") as picture:
        picture.reduce(REDUCED).save(outs / "spatial" / "tissue_hires_image.png")
    features = pd.DataFrame({"id": adata.var["gene_id"].to_numpy(), "name": adata.var_names})
    features = features.assign(feature_type="Gene Expression", genome="mm10")
    write_h5(outs / "filtered_feature_bc_matrix.h5", csr_matrix(adata.X), barcodes, features, library_ids=(section,))
    return outs
