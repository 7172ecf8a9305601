"""How Space Ranger names its files, with or without the prefix that repositories put before them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PREFIX = r"^(?P<prefix>.*?)[_.-]?"

MATRIX_H5: Final = re.compile(
    _PREFIX + r"(?P<kind>filtered|raw)_(?:feature|gene)_bc_matri(?:x|ces)(?:_h5)?\.h5(?:\.gz)?$"
)
MATRIX_FOLDER: Final = re.compile(_PREFIX + r"(?P<kind>filtered|raw)_(?:feature|gene)_bc_matri(?:x|ces)(?:_mex)?$")
MTX: Final = re.compile(r"^(?P<prefix>.*?)matrix\.mtx(?:\.gz)?$")
PROBE_H5: Final = re.compile(_PREFIX + r"raw_probe_bc_matrix\.h5$")
POSITIONS: Final = re.compile(_PREFIX + r"tissue_positions(?:_list)?\.(?:csv|tsv|txt|parquet)(?:\.gz)?$")
SCALEFACTORS: Final = re.compile(_PREFIX + r"scalefactors(?:_json)?\.json(?:\.gz)?$")
METRICS_SUMMARY: Final = re.compile(_PREFIX + r"metrics_summary(?:_csv)?\.csv(?:\.gz)?$")
SPATIAL_FOLDER: Final = re.compile(_PREFIX + r"spatial$")
IMAGE: Final = re.compile(
    _PREFIX + r"(?P<kind>tissue_hires|tissue_lowres|detected_tissue|aligned_tissue|cytassist|aligned_fiducials)"
    r"(?:_image)?\.(?:png|jpe?g|tiff?)(?:\.gz)?$"
)
BINNED: Final = "binned_outputs"
BIN_FOLDER: Final = re.compile(r"^square_(?P<um>\d{3})um$")
SEGMENTED: Final = "segmented_outputs"
CELL_MATRIX: Final = re.compile(_PREFIX + r"(?P<kind>filtered|raw)_feature_cell_matrix(?:_mex)?(?:\.h5(?:\.gz)?)?$")
"""Counts of segmented cells (Space Ranger 4), as ``.h5`` or as a MEX folder."""
CELL_POLYGONS: Final = re.compile(r"^(?P<prefix>(?!.*annotated).*?)[_.-]?cell_segmentations\.geojson(?:\.gz)?$")
NUCLEUS_POLYGONS: Final = re.compile(r"^(?P<prefix>(?!.*annotated).*?)[_.-]?nucleus_segmentations\.geojson(?:\.gz)?$")
"""Outlines by cell; the copies that are coloured by cluster (``graphclust_annotated_...``) hold nothing more."""
BARCODE_MAPPINGS: Final = re.compile(_PREFIX + r"barcode_mappings\.parquet$")
XENIUM_MATRIX: Final = re.compile(r"^cell_feature_matrix(?:\.h5)?$")

ARCHIVE: Final = re.compile(r"\.(?:tar|tar\.gz|tgz|tar\.bz2|tar\.xz|zip)$", re.IGNORECASE)
PART_ARCHIVE: Final = re.compile(
    _PREFIX + r"(?P<part>spatial|(?:filtered|raw)_feature_bc_matrix|binned_outputs|square_\d{3}um)"
    r"\.(?:tar|tar\.gz|tgz|zip)$"
)
"""One part of an outs folder as an archive of its own: what 10x's download pages and GEO offer."""

IMAGE_KINDS: Final = {"tissue_hires": "hires", "tissue_lowres": "lowres"}
"""Names that differ from Space Ranger's: the keys that scanpy and squidpy look for."""

_KNOWN_FOLDERS = (MATRIX_FOLDER, SPATIAL_FOLDER, BIN_FOLDER, re.compile(f"^(?:{BINNED}|{SEGMENTED})$"))


def shown_name(path: Path) -> str:
    """Name of a file relative to its outs folder, for messages.

    The outs folder itself may have any name, so the parents are kept only as long as Space Ranger named them.
    """
    parts = [path.name]
    for parent in path.parents:
        if not any(pattern.match(parent.name) for pattern in _KNOWN_FOLDERS):
            break
        parts.insert(0, parent.name)
    return "/".join(parts)
