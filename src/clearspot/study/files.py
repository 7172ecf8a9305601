"""The files of a study: one AnnData, tables as CSV, domains for Loupe Browser."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import pandas as pd

from clearspot import keys
from clearspot.io.atomic import atomic_path, write_h5ad
from clearspot.study.add import AddedSection
from clearspot.study.run import StudyResult


def write_study(result: StudyResult, study: str, outdir: Path) -> list[Path]:
    """Write everything but the record.

    Parameters
    ----------
    result
        What came of the study.
    study
        Name of the study.
    outdir
        Existing folder: ``<study>.h5ad``, tables, and ``loupe/<sample>_domains_study.csv`` of each section.

    Returns
    -------
    The files written.
    """
    record = result.record
    tables = {
        keys.study_sections_name(study): pd.DataFrame(record.tables["sections"]),
        keys.study_composition_name(study): pd.DataFrame(record.tables["composition"]),
        keys.study_markers_name(study): pd.DataFrame(record.tables["markers"]),
    }
    if result.differences is not None:
        tables[keys.study_composition_tests_name(study)] = pd.DataFrame(record.tables["composition_tests"])
        tables[keys.study_differences_name(study)] = result.differences
    return _write(tables, result.adata, _without_counts(result.adata), study, outdir)


def write_added(added: AddedSection, study: str, outdir: Path) -> list[Path]:
    """Write a study that a section was added to: AnnData, sections, composition, and the section's domains for Loupe.

    Parameters
    ----------
    added
        The study with the section.
    study
        Name of the study.
    outdir
        Folder; made if absent.

    Returns
    -------
    The files written.
    """
    outdir.mkdir(parents=True, exist_ok=True)
    obs = added.adata.obs
    groups = obs.groupby(keys.SAMPLE_ID, observed=True)
    columns = [name for name in (keys.BATCH, keys.DONOR, keys.CONDITION) if name in obs]
    sections = groups[columns].first().assign(n_spots=groups.size(), median_counts=groups[keys.TOTAL_COUNTS].median())
    tables = {
        keys.study_sections_name(study): sections.rename_axis("section").reset_index(),
        keys.study_composition_name(study): added.composition,
    }
    own = added.adata[(obs[keys.SAMPLE_ID] == added.sample).to_numpy()]
    return _write(tables, own, added.adata, study, outdir)


def _write(
    tables: dict[str, pd.DataFrame], for_loupe: ad.AnnData, adata: ad.AnnData, study: str, outdir: Path
) -> list[Path]:
    paths = []
    for name, table in tables.items():
        paths.append(outdir / name)
        with atomic_path(paths[-1]) as partial:
            table.to_csv(partial, index=False)
    paths += _write_loupe(for_loupe, outdir / keys.LOUPE_FOLDER)
    paths.append(outdir / keys.h5ad_name(study))
    write_h5ad(adata, paths[-1])
    return paths


def _without_counts(adata: ad.AnnData) -> ad.AnnData:
    """Latents, domains, positions and graph: the counts are in the files of the sections."""
    var = adata.var[[keys.HIGHLY_VARIABLE, keys.HVG_RANK, keys.GENE_OF_INTEREST]]
    slim = ad.AnnData(obs=adata.obs.drop(columns=[keys.QC_PASS]), var=var, uns=dict(adata.uns))
    for name, values in adata.obsm.items():
        slim.obsm[name] = values
    for name, values in adata.varm.items():
        slim.varm[name] = values
    slim.obsp[keys.CONNECTIVITIES] = adata.obsp[keys.CONNECTIVITIES]
    return slim


def _write_loupe(adata: ad.AnnData, folder: Path) -> list[Path]:
    """Write the shared domains of each section for Loupe Browser."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for sample, obs in adata.obs.groupby(keys.SAMPLE_ID, observed=True):
        table = obs.set_index(keys.BARCODE)[[keys.DOMAIN_STUDY]]
        paths.append(folder / keys.loupe_name(str(sample), keys.DOMAIN_STUDY))
        with atomic_path(paths[-1]) as partial:
            table.rename_axis("Barcode").to_csv(partial)
    return paths
