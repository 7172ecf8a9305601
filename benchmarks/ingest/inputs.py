"""Inputs that every reader can read, built in a temporary folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from clearspot.io.feature_table import SYMBOLS
from clearspot.io.layout import find_outs
from clearspot.io.matrix import read_matrix
from clearspot.io.positions import read_positions
from clearspot.io.scalefactors import read_scalefactors

CHUNK_SPOTS = 4000


def complete_section(outs: Path, folder: Path) -> Path:
    """Write a real section again with what squidpy insists on: an .h5 matrix, positions under their old name, hires.

    The hires image is the lowres one, enlarged to the size that the scale factor states.
    """
    layout = find_outs(outs, "real")
    matrix = read_matrix(layout.matrix, "real")
    positions = read_positions(layout.positions[0], "real")
    factors = read_scalefactors(layout.scalefactors, "real")
    spatial = folder / "spatial"
    spatial.mkdir(parents=True)
    with Image.open(layout.images["lowres"]) as lowres:
        size = [round(side / factors.lowres * factors.hires) for side in lowres.size]
        lowres.convert("RGB").save(spatial / "tissue_lowres_image.png")
        lowres.convert("RGB").resize(size).save(spatial / "tissue_hires_image.png")
    (spatial / "scalefactors_json.json").write_text(json.dumps(factors.raw))
    positions.astype({"in_tissue": int}).to_csv(spatial / "tissue_positions_list.csv", header=False)
    counts = matrix.counts
    write_h5(
        folder / "filtered_feature_bc_matrix.h5",
        iter([(counts.data, counts.indices, np.diff(counts.indptr))]),
        list(matrix.barcodes),
        list(matrix.features["gene_ids"]),
        list(matrix.features[SYMBOLS]),
    )
    return folder


def simulate_visium(folder: Path, *, n_genes: int, density: float, seed: int = 0) -> Path:
    """Write a deeply sequenced 6.5 mm section: all 4,992 spots in tissue."""
    row, column = (grid.ravel() for grid in np.mgrid[:78, :64])
    array_col = 2 * column + row % 2
    positions = pd.DataFrame(
        {
            "barcode": _letters(len(row)),
            "in_tissue": 1,
            "array_row": row,
            "array_col": array_col,
            "pxl_row_in_fullres": 1000 + row * 119.5,
            "pxl_col_in_fullres": 1000 + array_col * 69.0,
        }
    )
    spatial = _write_spatial(folder, 2000, {"spot_diameter_fullres": 90.0, "tissue_hires_scalef": 0.17})
    positions.to_csv(spatial / "tissue_positions_list.csv", header=False, index=False)
    _write_matrix(folder, list(positions["barcode"]), n_genes, density, seed)
    return folder


def simulate_hd(folder: Path, *, side: int, n_genes: int, density: float, seed: int = 0) -> Path:
    """Write ``side`` x ``side`` bins of 8 um, all in tissue, as a Visium HD outs folder."""
    row, column = (grid.ravel() for grid in np.mgrid[:side, :side])
    positions = pd.DataFrame(
        {
            "barcode": [f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)],
            "in_tissue": 1,
            "array_row": row,
            "array_col": column,
            "pxl_row_in_fullres": 1000 + row * 29.2,
            "pxl_col_in_fullres": 1000 + column * 29.2,
        }
    )
    bins = folder / "binned_outputs" / "square_008um"
    factors = {
        "spot_diameter_fullres": 29.2,
        "bin_size_um": 8.0,
        "microns_per_pixel": 8 / 29.2,
        "tissue_hires_scalef": 0.25,
    }
    spatial = _write_spatial(bins, 6000, factors)
    positions.to_parquet(spatial / "tissue_positions.parquet", index=False)
    _write_matrix(bins, list(positions["barcode"]), n_genes, density, seed)
    return folder


def write_h5(
    path: Path,
    pieces: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]],
    barcodes: list[str],
    ids: list[str],
    symbols: list[str],
) -> None:
    """Write a 10x matrix piece by piece: (counts, feature indices, entries of each barcode)."""
    lengths = []
    with h5py.File(path, "w") as h5:
        h5.attrs["library_ids"] = np.array([b"benchmark"])
        h5.attrs["software_version"] = "spaceranger-3.0.0"
        h5.attrs["chemistry_description"] = np.array([b"benchmark"])
        group = h5.create_group("matrix")
        options = {"shape": (0,), "maxshape": (None,), "chunks": (80_000,), "compression": "gzip"}
        data = group.create_dataset("data", dtype=np.int32, **options)
        indices = group.create_dataset("indices", dtype=np.int64, **options)
        for counts, features, entries in pieces:
            start = len(data)
            data.resize(start + len(counts), axis=0)
            indices.resize(start + len(counts), axis=0)
            data[start:], indices[start:] = counts, features
            lengths.append(entries)
        group["indptr"] = np.concatenate([[0], np.cumsum(np.concatenate(lengths), dtype=np.int64)])
        group["shape"] = np.array([len(ids), len(barcodes)], dtype=np.int32)
        group["barcodes"] = np.array(barcodes, dtype="S")
        for name, values in (("id", ids), ("name", symbols)):
            group[f"features/{name}"] = np.array(values, dtype="S")
        group["features/feature_type"] = np.array(["Gene Expression"] * len(ids), dtype="S")
        group["features/genome"] = np.array(["GRCh38"] * len(ids), dtype="S")
        group["features/_all_tag_keys"] = np.array([b"genome"])


def _write_matrix(folder: Path, barcodes: list[str], n_genes: int, density: float, seed: int) -> None:
    ids = [f"ENSG{number:011d}" for number in range(n_genes)]
    pieces = _random_pieces(len(barcodes), n_genes, density, seed)
    write_h5(folder / "filtered_feature_bc_matrix.h5", pieces, barcodes, ids, [f"GENE{n}" for n in range(n_genes)])


def _random_pieces(
    n_spots: int, n_genes: int, density: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw entries by the gaps between them, which costs time and memory for the entries alone."""
    rng = np.random.default_rng(seed)
    for start in range(0, n_spots, CHUNK_SPOTS):
        spots = min(CHUNK_SPOTS, n_spots - start)
        cells = spots * n_genes
        gaps = rng.geometric(density, int(cells * density * 1.05) + 1000)
        places = np.cumsum(gaps) - 1
        places = places[places < cells]
        counts = rng.geometric(0.75, len(places)).astype(np.int32)
        yield counts, places % n_genes, np.bincount(places // n_genes, minlength=spots)


def _write_spatial(folder: Path, hires_side: int, factors: dict[str, float]) -> Path:
    spatial = folder / "spatial"
    spatial.mkdir(parents=True)
    factors = factors | {"tissue_lowres_scalef": factors["tissue_hires_scalef"] * 600 / hires_side}
    factors |= {"fiducial_diameter_fullres": 144.0}
    (spatial / "scalefactors_json.json").write_text(json.dumps(factors))
    x = np.linspace(0, 255, hires_side).astype(np.uint8)
    picture = np.dstack([np.broadcast_to(x, (hires_side,) * 2), np.broadcast_to(x[:, None], (hires_side,) * 2)] * 2)
    hires = Image.fromarray(np.ascontiguousarray(picture[:, :, :3]))
    hires.save(spatial / "tissue_hires_image.png")
    hires.resize((600, 600)).save(spatial / "tissue_lowres_image.png")
    return spatial


def _letters(n: int) -> list[str]:
    bases = np.array(list("ACGT"))
    number = np.arange(n) * 2_654_435_761 % 4**16
    return ["".join(word) + "-1" for word in bases[number[:, None] // 4 ** np.arange(16) % 4]]
