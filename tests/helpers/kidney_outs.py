"""The real Visium HD kidney as a Space Ranger folder with its microscope image: whole, or a crop that is quick."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from PIL import Image
from scipy.sparse import csr_matrix

from tests.helpers.outs_factory import write_h5

UM_PER_PX = 2.0028
MARGIN_PX = 60
WHOLE = slice(0, 838)


@dataclass(frozen=True)
class KidneyOuts:
    """Where the folder and the image are, and what the bins hold: rows and columns of the array, bins x genes."""

    outs: Path
    image: Path
    row: np.ndarray
    col: np.ndarray
    counts: csr_matrix
    genes: list[str]

    def maps(self, times: int = 1) -> np.ndarray:
        """Total counts of blocks of bins from the crop's first row and column, by plain sums."""
        row, col = (self.row - self.row.min()) // times, (self.col - self.col.min()) // times
        result = np.zeros((row.max() + 1, col.max() + 1))
        np.add.at(result, (row, col), np.asarray(self.counts.sum(axis=1)).ravel())
        return result


def write_kidney_outs(folder: Path, data: Path, rows: slice = WHOLE, cols: slice = WHOLE) -> KidneyOuts:
    """Write bins of 8 um of these rows and columns of the array as `folder/outs`, and `folder/image.jpg`.

    The slide is mirrored against its image (columns run to the left) and turned by 0.2 degrees.
    """
    section = ad.read_h5ad(data / "hd_kidney" / "kidney.h5ad")
    row, col = (section.obs[name].to_numpy() for name in ("row", "col"))
    inside = (row >= rows.start) & (row < rows.stop) & (col >= cols.start) & (col < cols.stop)
    row, col, xy = row[inside], col[inside], section.obsm["spatial"][inside]
    counts, genes = csr_matrix(section.X[inside]), list(section.var_names)

    with Image.open(data / "hd_kidney" / "kidney.jpg") as picture:
        left, top = np.maximum(np.floor(xy.min(axis=0)) - MARGIN_PX, 0)
        right, bottom = np.minimum(np.ceil(xy.max(axis=0)) + MARGIN_PX, picture.size)
        folder.mkdir(parents=True, exist_ok=True)
        picture.crop((int(left), int(top), int(right), int(bottom))).save(folder / "image.jpg", quality=95)
    barcodes = [f"s_008um_{r:05}_{c:05}-1" for r, c in zip(row, col, strict=True)]
    positions = pd.DataFrame(
        {
            "barcode": barcodes,
            "in_tissue": 1,
            "array_row": row,
            "array_col": col,
            "pxl_row_in_fullres": xy[:, 1] - top,
            "pxl_col_in_fullres": xy[:, 0] - left,
        }
    )
    bins = folder / "outs" / "binned_outputs" / "square_008um"
    (bins / "spatial").mkdir(parents=True)
    positions.to_parquet(bins / "spatial" / "tissue_positions.parquet", index=False)
    factors = {"spot_diameter_fullres": 8 / UM_PER_PX, "bin_size_um": 8.0, "microns_per_pixel": UM_PER_PX}
    (bins / "spatial" / "scalefactors_json.json").write_text(json.dumps(factors))
    kind = {"feature_type": "Gene Expression", "genome": "GRCh38"}
    features = pd.DataFrame({"id": genes, "name": genes}).assign(**kind)
    write_h5(bins / "filtered_feature_bc_matrix.h5", counts, barcodes, features, library_ids=("kidney",))
    return KidneyOuts(folder / "outs", folder / "image.jpg", row, col, counts, genes)
