"""Small Space Ranger outs folders, written as Space Ranger writes them, for tests to read and to spoil.

``make_outs`` writes a whole folder; the ``write_*`` functions write single files, also wrong ones.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import pandas as pd
import tifffile
from PIL import Image
from scipy.io import mmwrite
from scipy.sparse import csr_matrix

Chemistry = Literal["v1", "v2", "hd"]

POSITION_COLUMNS = ("in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
POSITIONS_NAMES = {"v1": "tissue_positions_list.csv", "v2": "tissue_positions.csv", "hd": "tissue_positions.parquet"}
METRICS_SUMMARY = (
    'Sample ID,Number of Spots Under Tissue,Number of Reads,Sequencing Saturation\nlib1,100,"1,234,567",80.25%\n'
)
MARGIN_UM = 200.0


@dataclass(frozen=True)
class MadeOuts:
    """What was written: counts of every position (also outside tissue) x features, and the tables beside them.

    HD: of the first bin size.
    """

    root: Path
    counts: np.ndarray
    positions: pd.DataFrame
    features: pd.DataFrame
    scalefactors: dict[str, float]
    microns_per_pixel: float
    image_size: tuple[int, int]
    bin_dirs: dict[int, Path]

    @property
    def in_tissue(self) -> np.ndarray:
        """Which positions lie under tissue."""
        return self.positions["in_tissue"].to_numpy() == 1

    @property
    def data_dir(self) -> Path:
        """Folder of the matrix and of ``spatial``: the root, or the (first) HD bin folder."""
        return next(iter(self.bin_dirs.values()), self.root)

    @property
    def spatial(self) -> Path:
        """The spatial folder."""
        return self.data_dir / "spatial"


def make_outs(
    root: Path,
    *,
    chemistry: Chemistry = "v1",
    n_rows: int = 12,
    n_cols: int = 12,
    n_genes: int = 30,
    matrix: Literal["h5", "mex", "both", "none"] = "h5",
    filtered: bool = True,
    raw: bool = False,
    header: bool | None = None,
    suffix: str = "-1",
    antibodies: int = 0,
    genomes: Sequence[str] = ("GRCh38",),
    library_ids: Sequence[str] = ("lib1",),
    images: Sequence[str] = ("hires", "lowres"),
    full_image: bool = False,
    metrics_summary: bool = True,
    bins: Sequence[int] = (8,),
    microns_per_pixel: float = 0.73,
    seed: int = 0,
) -> MadeOuts:
    """Write one outs folder.

    The outermost ring of positions is out of tissue. ``v1``: headerless positions list; ``v2``: CytAssist, positions
    with header; ``hd``: ``binned_outputs`` with Parquet positions. With ``full_image`` the full-resolution image is
    written as ``<root>/../full.tif``.
    """
    features = make_features(n_genes, antibodies, genomes)
    has_header = (chemistry != "v1") if header is None else header
    bin_dirs = {um: root / "binned_outputs" / f"square_{um:03d}um" for um in (bins if chemistry == "hd" else ())}
    made: list[MadeOuts] = []
    for bin_um, folder in bin_dirs.items() or [(None, root)]:
        positions = make_positions(n_rows, n_cols, bin_um=bin_um, microns_per_pixel=microns_per_pixel, suffix=suffix)
        counts = make_counts(positions, len(features), seed)
        size = _image_size(positions, microns_per_pixel)
        scalefactors = make_scalefactors(chemistry, microns_per_pixel, bin_um)
        made.append(MadeOuts(root, counts, positions, features, scalefactors, microns_per_pixel, size, bin_dirs))
        spatial = folder / "spatial"
        spatial.mkdir(parents=True)
        write_positions(spatial / POSITIONS_NAMES[chemistry], positions, header=has_header)
        (spatial / "scalefactors_json.json").write_text(json.dumps(scalefactors))
        write_images(spatial, made[-1], images)
        for kind, wanted, rows in (
            ("filtered", filtered, made[-1].in_tissue),
            ("raw", raw, np.ones(len(positions), dtype=bool)),
        ):
            name = f"{kind}_feature_bc_matrix"
            if wanted and matrix in ("h5", "both"):
                write_h5(folder / f"{name}.h5", counts[rows], positions.index[rows], features, library_ids=library_ids)
            if wanted and matrix in ("mex", "both"):
                write_mex(folder / name, counts[rows], positions.index[rows], features)
    if full_image:
        picture = make_picture(made[0].positions, *made[0].image_size)
        tifffile.imwrite(root.parent / "full.tif", picture, tile=(256, 256), photometric="rgb")
    if metrics_summary:
        (root / "metrics_summary.csv").write_text(METRICS_SUMMARY)
    return made[0]


def make_features(n_genes: int, antibodies: int = 0, genomes: Sequence[str] = ("GRCh38",)) -> pd.DataFrame:
    """Genes (shared out among the genomes), then antibodies."""
    genome = [genomes[i * len(genomes) // n_genes] for i in range(n_genes)]
    return pd.DataFrame(
        {
            "id": [f"ENSG{i:011d}" for i in range(n_genes)] + [f"CD{i}" for i in range(antibodies)],
            "name": [f"GENE{i}" for i in range(n_genes)] + [f"CD{i}.1" for i in range(antibodies)],
            "feature_type": ["Gene Expression"] * n_genes + ["Antibody Capture"] * antibodies,
            "genome": genome + [""] * antibodies,
        }
    )


def make_positions(
    n_rows: int, n_cols: int, *, bin_um: int | None, microns_per_pixel: float, suffix: str = "-1"
) -> pd.DataFrame:
    """Hexagonal spots 100 um apart, or square bins; the outermost ring is out of tissue."""
    row, column = (grid.ravel() for grid in np.mgrid[:n_rows, :n_cols])
    ring = (row == 0) | (row == n_rows - 1) | (column == 0) | (column == n_cols - 1)
    if bin_um is None:
        array_col = 2 * column + row % 2
        x_um, y_um = 50.0 * array_col, 50.0 * np.sqrt(3) * row
        bases = np.array(list("ACGT"))
        number = np.arange(len(row)) * 2_654_435_761 % 4**16
        letters = bases[number[:, None] // 4 ** np.arange(16) % 4]
        barcodes = ["".join(word) + suffix for word in letters]
    else:
        array_col = column
        x_um, y_um = float(bin_um) * column, float(bin_um) * row
        barcodes = [f"s_{bin_um:03d}um_{r:05d}_{c:05d}{suffix}" for r, c in zip(row, column, strict=True)]
    return pd.DataFrame(
        {
            "in_tissue": (~ring).astype(np.int32),
            "array_row": row.astype(np.int32),
            "array_col": array_col.astype(np.int32),
            "pxl_row_in_fullres": (y_um + MARGIN_UM) / microns_per_pixel,
            "pxl_col_in_fullres": (x_um + MARGIN_UM) / microns_per_pixel,
        },
        index=pd.Index(barcodes, name="barcode"),
    )


def make_scalefactors(chemistry: Chemistry, microns_per_pixel: float, bin_um: int | None = None) -> dict[str, float]:
    """Scale factors as that chemistry has them."""
    factors = {
        "spot_diameter_fullres": (bin_um or 65.0) / microns_per_pixel,
        "fiducial_diameter_fullres": 105.0 / microns_per_pixel,
        "tissue_hires_scalef": 0.2,
        "tissue_lowres_scalef": 0.06,
    }
    if chemistry != "v1":
        factors["regist_target_img_scalef"] = 0.2
    if bin_um is not None:
        factors |= {"bin_size_um": float(bin_um), "microns_per_pixel": microns_per_pixel}
    return factors


def make_picture(positions: pd.DataFrame, width: int, height: int) -> np.ndarray:
    """White glass with a pink tissue under the spots that are in tissue."""
    picture = np.full((height, width, 3), 245, dtype=np.uint8)
    inside = positions[positions["in_tissue"] == 1]
    top, bottom = int(inside["pxl_row_in_fullres"].min()), int(inside["pxl_row_in_fullres"].max())
    left, right = int(inside["pxl_col_in_fullres"].min()), int(inside["pxl_col_in_fullres"].max())
    picture[top:bottom, left:right] = (200, 120, 170)
    return picture


def make_counts(positions: pd.DataFrame, n_features: int, seed: int = 0) -> np.ndarray:
    """Counts of every position: some in each spot under tissue, few outside."""
    rng = np.random.default_rng(seed)
    in_tissue = positions["in_tissue"].to_numpy() == 1
    counts = rng.poisson(np.where(in_tissue, 2.0, 0.3)[:, None] * rng.gamma(2, 0.5, n_features))
    counts[in_tissue & (counts.sum(1) == 0), 0] = 1
    return counts


def write_images(spatial: Path, made: MadeOuts, keys: Sequence[str]) -> None:
    """Write ``tissue_<key>_image.png`` at the size that the scale factors state."""
    width, height = made.image_size
    picture = Image.fromarray(make_picture(made.positions, width, height))
    for key in keys:
        scale = made.scalefactors[f"tissue_{key}_scalef"]
        small = picture.resize((round(width * scale), round(height * scale)))
        small.save(spatial / f"tissue_{key}_image.png")


def write_h5(
    path: Path,
    counts: np.ndarray,
    barcodes: Sequence[str],
    features: pd.DataFrame,
    *,
    version: Literal[2, 3] = 3,
    library_ids: Sequence[str] | None = ("lib1",),
    data_dtype: Any = np.int32,
    tag_keys: bool = True,
) -> None:
    """Write a 10x HDF5 matrix from dense spots x features; ``library_ids=None`` leaves out all attributes."""
    sparse = csr_matrix(counts)
    with h5py.File(path, "w") as h5:
        if library_ids is not None:
            h5.attrs["library_ids"] = np.array(list(library_ids), dtype="S")
            h5.attrs["software_version"] = "spaceranger-2.1.0"
            h5.attrs["chemistry_description"] = np.array([b"Visium V4 Slide - FFPE v2"])
        group = h5.create_group("matrix" if version == 3 else str(features["genome"].iloc[0]))
        group["barcodes"] = np.array(list(barcodes), dtype="S")
        group.create_dataset("data", data=sparse.data.astype(data_dtype), compression="gzip")
        group.create_dataset("indices", data=sparse.indices.astype(np.int64), compression="gzip")
        group["indptr"] = sparse.indptr.astype(np.int64)
        group["shape"] = np.array(counts.shape[::-1], dtype=np.int32)
        if version == 2:
            group["genes"] = np.array(list(features["id"]), dtype="S")
            group["gene_names"] = np.array(list(features["name"]), dtype="S")
        else:
            for name in features:
                group[f"features/{name}"] = np.array(list(features[name]), dtype="S")
            if tag_keys:
                group["features/_all_tag_keys"] = np.array([b"genome"])


def write_mex(
    folder: Path,
    counts: np.ndarray,
    barcodes: Sequence[str],
    features: pd.DataFrame,
    *,
    gzipped: bool = True,
    prefix: str = "",
    genes_tsv: bool = False,
    field: str = "integer",
) -> None:
    """Write MEX files from dense spots x features."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"{prefix}matrix.mtx"
    mmwrite(
        plain,
        csr_matrix(counts).T.tocoo(),
        field=field,
        symmetry="general",
        comment='metadata_json: {"software_version": "spaceranger-3.0.0"}',
    )
    table, columns = ("genes", ["id", "name"]) if genes_tsv else ("features", ["id", "name", "feature_type"])
    lists = {
        f"{prefix}{table}.tsv": features[columns].to_csv(sep="\t", header=False, index=False),
        f"{prefix}barcodes.tsv": "".join(f"{barcode}\n" for barcode in barcodes),
    }
    for name, text in lists.items():
        (folder / name).write_text(text)
    if gzipped:
        for name in (plain.name, *lists):
            gzip_file(folder / name)


def write_positions(path: Path, positions: pd.DataFrame, *, header: bool) -> None:
    """Write positions as Parquet or CSV, by the path's suffix."""
    if path.suffix == ".parquet":
        positions.reset_index().to_parquet(path)
    else:
        positions.to_csv(path, header=header)


def gzip_file(path: Path) -> Path:
    """Replace a file by its gzipped form."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return packed


def _image_size(positions: pd.DataFrame, microns_per_pixel: float) -> tuple[int, int]:
    margin = MARGIN_UM / microns_per_pixel
    return (
        int(positions["pxl_col_in_fullres"].max() + margin),
        int(positions["pxl_row_in_fullres"].max() + margin),
    )
