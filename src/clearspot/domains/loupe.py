"""Tables that Loupe Browser imports: a barcode and its categories."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pandas as pd

from clearspot import keys
from clearspot.io.atomic import atomic_path


def write_loupe_tables(adata: ad.AnnData, sample: str, folder: Path) -> list[Path]:
    """Write ``<sample>_domains.csv`` and ``<sample>_qc.csv`` into ``folder``, and ``<sample>_regions.csv``.

    The last has the spots in regions of an artefact, and is written where there are any.

    Loupe wants ``Barcode`` first and shows every further column as a category; barcodes it does not find in the table
    stay without one, which is how spots without a domain are left out.

    Returns
    -------
    The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = [name for name in (keys.DOMAIN_GMM, keys.DOMAIN_LEIDEN) if name in adata.obs]
    domains = adata.obs[found].dropna(how="all")
    reason = adata.obs[keys.QC_REASON].astype(str)
    quality = pd.DataFrame({"qc": reason.where(reason != "", "pass").str.replace(";", " + ")}, index=adata.obs_names)
    tables = {"domains": domains, "qc": quality}
    if keys.ARTEFACT_REGION in adata.obs:
        marked = [name for name in (keys.ARTEFACT_REGION, keys.ARTEFACT_KIND) if name in adata.obs]
        regions = adata.obs[marked].astype(str)
        regions = regions[~regions[keys.ARTEFACT_REGION].isin(("", "nan"))]
        tables |= {"regions": regions} if len(regions) else {}
    paths = []
    for name, table in tables.items():
        path = folder / keys.loupe_name(sample, name)
        with atomic_path(path) as partial:
            table.rename_axis("Barcode").to_csv(partial)
        paths.append(path)
    return paths
