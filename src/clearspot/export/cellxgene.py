"""A sample in the form that CELLxGENE's schema (version 7) asks for; what only its owner knows is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.contract.counts import read_counts

OBS_TERMS: Final = (
    "assay_ontology_term_id",
    "cell_type_ontology_term_id",
    "development_stage_ontology_term_id",
    "disease_ontology_term_id",
    "self_reported_ethnicity_ontology_term_id",
    "sex_ontology_term_id",
    "tissue_ontology_term_id",
    "tissue_type",
    "suspension_type",
    "donor_id",
)
"""What the owner states, the same for every spot or one value a spot. Space Ranger knows none of it."""

_OF_ONE_SECTION: Final = (keys.IN_TISSUE, keys.ARRAY_ROW, keys.ARRAY_COL)
"""Columns that the schema allows only where every spot of the array is in the file."""


def to_cellxgene(adata: ad.AnnData, terms: Mapping[str, str | pd.Series], *, organism: str, title: str) -> ad.AnnData:
    """Arrange a sample as CELLxGENE's schema asks: Ensembl ids, counts in ``raw``, the owner's terms.

    The in-tissue spots alone are no whole Space Ranger output, which the schema wants with all spots of the array: so
    ``uns['spatial']['is_single']`` and ``is_primary_data`` are false, and there is no picture.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract. It is not changed.
    terms
        A value, or one a spot (indexed by barcode), for each of :data:`OBS_TERMS`.
    organism
        Ontology term, such as ``NCBITaxon:9606``.
    title
        Of the dataset.

    Returns
    -------
    A new AnnData; genes without an Ensembl id of their own are left out.

    Raises
    ------
    ValueError
        If a term is missing, or is none of the schema's.
    """
    wrong = set(OBS_TERMS) ^ set(terms)
    if wrong:
        raise ValueError(f"terms are missing or not allowed by the schema: {', '.join(sorted(wrong))}")
    ids = adata.var[keys.GENE_IDS].astype(str)
    has_id = (ids.str.startswith("ENS") & ~ids.duplicated(keep=False)).to_numpy()
    genes = adata[:, has_id]
    var = pd.DataFrame({"feature_is_filtered": False}, index=pd.Index(ids[has_id].to_numpy(), name=None))
    raw = ad.AnnData(csr_matrix(read_counts(genes, title), dtype=np.float32), var=var[[]])
    obs = genes.obs.drop(columns=[name for name in _OF_ONE_SECTION if name in genes.obs]).copy()
    for column in obs.select_dtypes("category"):
        obs[column] = obs[column].cat.remove_unused_categories()
    for name, value in terms.items():
        values = value.reindex(obs.index) if isinstance(value, pd.Series) else [value] * len(obs)
        obs[name] = pd.Categorical(values)
    obs["is_primary_data"] = False
    result = ad.AnnData(csr_matrix(genes.X, dtype=np.float32), obs=obs, var=var)
    result.raw = raw
    result.obsm[keys.SPATIAL] = np.asarray(genes.obsm[keys.SPATIAL], dtype=np.float64)
    result.uns = {"title": title, "organism_ontology_term_id": organism, "spatial": {"is_single": np.bool_(False)}}
    return result
