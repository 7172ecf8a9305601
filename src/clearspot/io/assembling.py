"""What a section of spots or bins and one of cells have in common once their counts and places are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.features import SplitFeatures
from clearspot.io.layout import OutsLayout
from clearspot.io.registration_pictures import registration_pictures
from clearspot.io.sparse_sums import entries_per_column, row_sums
from clearspot.io.spatial_uns import FullImage
from clearspot.record import StepRecord
from clearspot.version import versions

if TYPE_CHECKING:
    import anndata as ad


def metadata_of(matrix: FeatureMatrix, library_name: str) -> dict[str, Any]:
    """What the matrix states of itself, for ``uns['spatial'][library]['metadata']``."""
    stated = {
        "software_version": matrix.software_version,
        "chemistry_description": matrix.chemistry,
        "library_id": library_name,
    }
    return {name: value for name, value in stated.items() if value is not None}


def assemble(
    features: SplitFeatures,
    counts: csr_matrix,
    obs: pd.DataFrame,
    centres: NDArray[np.float64],
    sample: str,
    library: str,
) -> ad.AnnData:
    """Put together what all observations have.

    Parameters
    ----------
    features
        Genes and antibodies.
    counts
        Of the observations that are kept.
    obs
        Their table, by barcode; gets the names of sample and library.
    centres
        ``[column px, row px]`` in the full-resolution image.
    sample, library
        Those names.
    """
    import anndata as ad

    obs[keys.SAMPLE_ID] = constant(sample, len(obs))
    obs[keys.LIBRARY_ID] = constant(library, len(obs))
    adata = ad.AnnData(obs=obs, var=features.var, layers={keys.COUNTS: counts})
    adata.obsm[keys.SPATIAL] = centres
    if features.proteins is not None:
        adata.obsm[keys.PROTEIN] = features.proteins.loc[obs.index]
    return adata


def constant(value: str, n: int) -> pd.Categorical:
    """Return a column with one value."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), [value])


def provenance(layout: OutsLayout, positions: str, about: dict[str, Any], full: FullImage | None) -> dict[str, Any]:
    """``uns['clearspot']``: an ``.h5ad`` file has no place for None, so what is not known is left out.

    Parameters
    ----------
    layout
        Files of the sample.
    positions
        Name of the file with the places.
    about
        Further entries, such as the pixel size and its source.
    full
        Full-resolution image.
    """
    found = {
        keys.VERSIONS: versions(["anndata", "h5py"]),
        "assay": layout.assay,
        keys.UNIT: layout.unit,
        keys.BIN_SIZE_UM: layout.bin_size_um,
        "matrix": layout.matrix.name,
        "positions": positions,
        keys.IMAGE: full.described() if full is not None else None,
    }
    return {name: value for name, value in (found | about).items() if value is not None}


def add_extras(adata: ad.AnnData, features: SplitFeatures, layout: OutsLayout, sample: str, record: StepRecord) -> None:
    """Add Space Ranger's pictures of the registration, and names of antibodies, to ``uns['clearspot']``."""
    pictures, unread = registration_pictures(layout, sample)
    record.messages += unread
    if pictures:
        adata.uns[keys.UNS][keys.REGISTRATION_PICTURES] = pictures
    if features.proteins is not None:
        adata.uns[keys.UNS][keys.PROTEIN_NAMES] = np.array(features.protein_names, dtype=object)


def count_metrics(adata: ad.AnnData) -> dict[str, Any]:
    """Metrics of what is kept."""
    counts = adata.layers[keys.COUNTS]
    umi = row_sums(counts)
    metrics = {
        "n_spots": adata.n_obs,
        "n_genes": adata.n_vars,
        "n_genes_detected": int((entries_per_column(counts) > 0).sum()),
        "n_genomes": int(adata.var[keys.GENOME].nunique()),
        "total_umi": int(umi.sum()),
        "median_umi_per_spot": float(np.median(umi)),
        "median_genes_per_spot": float(np.median(np.diff(counts.indptr))),
    }
    if keys.PROTEIN in adata.obsm:
        metrics["n_antibodies"] = adata.obsm[keys.PROTEIN].shape[1]
    return metrics
