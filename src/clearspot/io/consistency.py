"""What the files of one sample must say about each other before they can become one table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.layout import OutsLayout
from clearspot.io.reading import bad
from clearspot.io.scalefactors import ScaleFactors, read_scalefactors


def require_scalefactors(layout: OutsLayout, sample: str) -> ScaleFactors:
    """Read the scale factors, which must have the spot's diameter and the factor of each image that is there.

    Raises
    ------
    BadInputError
        The file or a key is missing, or it is of another bin size.
    """
    expected = "scalefactors_json.json with spot_diameter_fullres and a factor for each image"
    mend = "copy scalefactors_json.json from the same Space Ranger run"
    if layout.scalefactors is None:
        raise bad(layout.spatial_dir / "scalefactors_json.json", sample, "no such file", expected, mend)
    images = [key for key in ("hires", "lowres") if key in layout.images]
    factors = read_scalefactors(layout.scalefactors, sample, images)
    # of cells the outlines tell the size
    needed = {"spot_diameter_fullres": factors.spot_diameter_fullres} if layout.cells is None else {}
    needed |= {f"tissue_{key}_scalef": getattr(factors, key) for key in images}
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise bad(layout.scalefactors, sample, f"no {', '.join(missing)}", expected, mend)
    if layout.bin_size_um and factors.bin_size_um and layout.bin_size_um != factors.bin_size_um:
        raise bad(
            layout.scalefactors,
            sample,
            f"bin_size_um = {factors.bin_size_um:g} in the folder of the {layout.bin_size_um} µm bins",
            f"bin_size_um = {layout.bin_size_um}",
            "restore the bin folder names given by Space Ranger",
        )
    return factors


def require_one_library(matrix: FeatureMatrix, path: Path, sample: str) -> str:
    """Return the library's name, or the sample's where the matrix states none.

    Raises
    ------
    BadInputError
        The matrix holds several libraries (an aggregated run).
    """
    libraries = matrix.library_ids
    if len(set(libraries)) > 1:
        raise bad(
            path,
            sample,
            f"{len(set(libraries))} libraries: {', '.join(libraries)}",
            "the matrix of one library",
            "provide the outs folder of each sample's own Space Ranger run"
            f"{by_caller('', '', ', one row of the samplesheet for each')}",
        )
    return libraries[0] if libraries and libraries[0] else sample


def require_tissue(positions: pd.DataFrame, path: Path, sample: str) -> None:
    """Refuse positions of which none is in tissue.

    Raises
    ------
    BadInputError
        None is.
    """
    if not positions[keys.IN_TISSUE].any():
        raise bad(
            path,
            sample,
            f"none of the {len(positions)} spots is in tissue",
            "spots with in_tissue = 1",
            "mark the tissue in Loupe and run Space Ranger again with --loupe-alignment",
        )


def require_genes(matrix: FeatureMatrix, path: Path, sample: str) -> None:
    """Refuse a matrix without gene expression.

    Raises
    ------
    BadInputError
        No feature is of type ``Gene Expression``.
    """
    types = matrix.features[keys.FEATURE_TYPES]
    if not (types == keys.GENE_EXPRESSION).any():
        raise bad(
            path,
            sample,
            f"only features of type {', '.join(sorted(map(str, types.unique())))}",
            "features of type Gene Expression",
            "provide the matrix of the gene expression library",
        )
