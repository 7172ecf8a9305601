"""Tables that Loupe Browser imports: a barcode and its categories."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pandas as pd

from clearspot import keys
from clearspot.io.atomic import atomic_path


def write_loupe_tables(adata: ad.AnnData, sample: str, folder: Path) -> list[Path]:
    """Write ``<sample>_domains.csv`` and ``<sample>_qc.csv`` into ``folder``.

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
    paths = []
    for name, table in (("domains", domains), ("qc", quality)):
        path = folder / keys.loupe_name(sample, name)
        with atomic_path(path) as partial:
            table.rename_axis("Barcode").to_csv(partial)
        paths.append(path)
    return paths
