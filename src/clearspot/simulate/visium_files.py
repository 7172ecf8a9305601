"""The files of an ``outs`` folder, for spots and for bins."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from clearspot.io.atomic import atomic_path
from clearspot.record import write_json
from clearspot.simulate.arrays import HD_BINS, Chemistry, SpotArray
from clearspot.simulate.histology import Frame
from clearspot.simulate.measure import Level
from clearspot.simulate.pictures import draw_fiducials, draw_tissue_spots, write_picture
from clearspot.simulate.slide_metrics import hd_metrics, spatial_enrichment, visium_metrics
from clearspot.simulate.tenx import Origin, write_h5, write_mex

# What the scale factors call a spot is wider than the 55 µm that capture.
_NOMINAL_SPOT_UM: Final = {"v1": 65.0, "v2": 70.0}
_FIDUCIAL_UM: Final = {"v1": 105.0, "v2": 105.0, "hd": 330.0}


@dataclass(frozen=True)
class Pictures:
    """The small pictures with their scale factors (small pixels per full-resolution pixel)."""

    hires: Image.Image
    hires_scale: float
    lowres: Image.Image
    lowres_scale: float


EditMetrics = Callable[[pd.DataFrame], pd.DataFrame]
"""Changes the row of ``metrics_summary.csv`` before it is written."""


def _as_it_is(table: pd.DataFrame) -> pd.DataFrame:
    return table


def write_visium(
    outs: Path,
    level: Level,
    frame: Frame,
    pictures: Pictures,
    origin: Origin,
    chemistry: Chemistry,
    *,
    mex: bool,
    edit_metrics: EditMetrics = _as_it_is,
) -> None:
    """Write the ``outs`` folder of Visium v1 or v2."""
    spatial = outs / "spatial"
    spatial.mkdir(parents=True, exist_ok=True)
    _write_matrices(outs, level, origin, mex=mex)
    positions = _positions(level, frame)
    if chemistry == "v1":
        # Whole pixels and no header: so Space Ranger 1 wrote it.
        for column in ("pxl_row_in_fullres", "pxl_col_in_fullres"):
            positions[column] = positions[column].round().astype(int)
        _write_csv(positions, spatial / "tissue_positions_list.csv", header=False)
    else:
        _write_csv(positions, spatial / "tissue_positions.csv")
        table = spatial_enrichment(level.raw, _sorted_array(level), level.raw_in_tissue)
        _write_csv(table, spatial / "spatial_enrichment.csv")
    spot_px = _NOMINAL_SPOT_UM[chemistry] / frame.um_per_px
    scales = _scale_factors(pictures, spot_px, _FIDUCIAL_UM[chemistry] / frame.um_per_px)
    write_json(scales, spatial / "scalefactors_json.json")
    _write_small_pictures(spatial, pictures)
    _write_quality_pictures(spatial, level, frame, pictures, spot_px, chemistry)
    metrics = visium_metrics(origin.library_id, level.raw, level.raw_in_tissue, probes=origin.probe_set is not None)
    _write_csv(edit_metrics(metrics), outs / "metrics_summary.csv")


def write_hd(
    outs: Path,
    levels: dict[int, Level],
    frame: Frame,
    pictures: Pictures,
    origin: Origin,
    *,
    mex: bool,
    edit_metrics: EditMetrics = _as_it_is,
) -> None:
    """Write the ``outs`` folder of Visium HD: one folder a bin size under ``binned_outputs``."""
    (outs / "spatial").mkdir(parents=True, exist_ok=True)
    _write_small_pictures(outs / "spatial", pictures)
    for size, level in levels.items():
        folder = outs / "binned_outputs" / f"square_{size:03d}um"
        spatial = folder / "spatial"
        spatial.mkdir(parents=True, exist_ok=True)
        # Nobody reads 2 µm squares as text.
        _write_matrices(folder, level, origin, mex=mex and size > 2)
        with atomic_path(spatial / "tissue_positions.parquet") as partial:
            _positions(level, frame).to_parquet(partial, index=False)
        scales = _scale_factors(pictures, size / frame.um_per_px, _FIDUCIAL_UM["hd"] / frame.um_per_px)
        scales |= {"bin_size_um": float(size), "microns_per_pixel": frame.um_per_px}
        write_json(scales, spatial / "scalefactors_json.json")
        _write_small_pictures(spatial, pictures)
    coarsest = levels[max(levels)]
    _write_quality_pictures(outs / "spatial", coarsest, frame, pictures, max(levels) / frame.um_per_px, "hd")
    by_size = {size: (level.raw, level.raw_in_tissue) for size, level in levels.items()}
    _write_csv(edit_metrics(hd_metrics(origin.library_id, by_size)), outs / "metrics_summary.csv")
    _write_feature_slice(outs / "feature_slice.h5", levels[min(levels)], frame, origin)


def write_cells_spatial(spatial: Path, frame: Frame, pictures: Pictures) -> None:
    """Write the spatial folder of ``segmented_outputs``: pictures and scale factors, since cells have no lattice."""
    spatial.mkdir(parents=True, exist_ok=True)
    scales = _scale_factors(pictures, 2.0 / frame.um_per_px, _FIDUCIAL_UM["hd"] / frame.um_per_px)
    write_json(scales | {"microns_per_pixel": frame.um_per_px}, spatial / "scalefactors_json.json")
    _write_small_pictures(spatial, pictures)


def _write_matrices(folder: Path, level: Level, origin: Origin, *, mex: bool) -> None:
    for name, matrix in (("raw", level.raw), ("filtered", level.filtered)):
        write_h5(matrix, folder / f"{name}_feature_bc_matrix.h5", origin)
        if mex:
            write_mex(matrix, folder / f"{name}_feature_bc_matrix", origin)


def _positions(level: Level, frame: Frame) -> pd.DataFrame:
    array = level.array
    pixels = frame.to_pixels(array.x_um, array.y_um)
    return pd.DataFrame(
        {
            "barcode": array.barcodes,
            "in_tissue": level.in_tissue.astype(np.int32),
            "array_row": array.row,
            "array_col": array.col,
            "pxl_row_in_fullres": pixels[:, 1],
            "pxl_col_in_fullres": pixels[:, 0],
        }
    )


def _sorted_array(level: Level) -> SpotArray:
    return level.array.take(np.argsort(level.array.barcodes))


def _scale_factors(pictures: Pictures, spot_px: float, fiducial_px: float) -> dict[str, float]:
    return {
        "spot_diameter_fullres": spot_px,
        "fiducial_diameter_fullres": fiducial_px,
        "tissue_hires_scalef": pictures.hires_scale,
        "tissue_lowres_scalef": pictures.lowres_scale,
    }


def _write_small_pictures(spatial: Path, pictures: Pictures) -> None:
    write_picture(pictures.hires, spatial / "tissue_hires_image.png")
    write_picture(pictures.lowres, spatial / "tissue_lowres_image.png")


def _write_quality_pictures(
    spatial: Path, level: Level, frame: Frame, pictures: Pictures, spot_px: float, chemistry: Chemistry
) -> None:
    spots = frame.to_pixels(level.array.x_um, level.array.y_um) * pictures.hires_scale
    fiducial = _FIDUCIAL_UM[chemistry] / frame.um_per_px / 2 * pictures.hires_scale
    write_picture(draw_fiducials(pictures.hires, spots, fiducial), spatial / "aligned_fiducials.jpg")
    radius = spot_px / 2 * pictures.hires_scale
    write_picture(
        draw_tissue_spots(pictures.hires, spots, radius, level.in_tissue), spatial / "detected_tissue_image.jpg"
    )


def _write_feature_slice(path: Path, level: Level, frame: Frame, origin: Origin) -> None:
    """Write the metadata of ``feature_slice.h5``, from which readers take the slide's layout; no slices."""
    array = level.array
    # Column and row of a 2 µm square -> column and row in the image: the affine through three corners.
    corners = np.array([0, int(np.ptp(array.col)), len(array) - 1])
    factor = array.size_um / 2
    centre = (factor - 1) / 2
    squares = np.column_stack([array.col[corners] * factor + centre, array.row[corners] * factor + centre, np.ones(3)])
    pixels = frame.to_pixels(array.x_um[corners], array.y_um[corners])
    to_image = np.vstack([np.linalg.solve(squares, pixels).T, [0.0, 0.0, 1.0]])
    matrices = {
        "spot_colrow_to_microscope_colrow": to_image.tolist(),
        "microscope_colrow_to_spot_colrow": np.linalg.inv(to_image).tolist(),
        "spot_colrow_to_cytassist_colrow": to_image.tolist(),
        "cytassist_colrow_to_spot_colrow": np.linalg.inv(to_image).tolist(),
    }
    layout = {"file_format": "1.0", "transform": np.eye(3).tolist()}
    metadata = {
        "sample_id": origin.library_id,
        "sample_desc": "simulated",
        "slide_name": "visium_hd_v1",
        "nrows": HD_BINS,
        "ncols": HD_BINS,
        "spot_pitch": 2.0,
        "hd_layout_json": json.dumps(layout),
        "transform_matrices": matrices,
    }
    with atomic_path(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["filetype"] = "feature_slice"
        file.attrs["metadata_json"] = json.dumps(metadata)


def _write_csv(table: pd.DataFrame, path: Path, *, header: bool = True) -> None:
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, header=header)
