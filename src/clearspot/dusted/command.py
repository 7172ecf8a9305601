"""From a file to files: what ``bin/dusted_denoise.py`` calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad

from clearspot import keys
from clearspot.dusted.denoising import denoise
from clearspot.dusted.genes import read_gene_list
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.result import DustedResult, checkpoint_name, denoised_name
from clearspot.io.atomic import write_h5ad

MODELS = "models"


def denoise_file(
    h5ad: Path,
    outdir: Path,
    sample: str,
    *,
    preset: Preset = "default",
    genes: str | None = None,
    always_genes: Path | None = None,
    resume_from: Path | None = None,
    warm_start_from: Path | None = None,
    **settings: Any,
) -> DustedResult:
    """Denoise a file and write everything that belongs to the result.

    Writes ``<sample>.h5ad`` and ``<sample>.dusted.json`` into ``outdir``, checkpoint, loss curve, attention and gene
    attention into ``outdir/models``, and ``<sample>.denoised.h5ad`` where a dense layer would be too large.

    Parameters
    ----------
    h5ad
        Section with counts and graph.
    outdir
        Folder for the results, made if absent.
    sample
        Sample name.
    preset
        Named settings to start from.
    genes
        ``hvg``, ``all`` or the path of a file with gene names or ids.
    always_genes
        File of genes that are modelled in any case.
    resume_from, warm_start_from
        Checkpoints, see :func:`clearspot.dusted.denoise`.
    settings
        Fields of :class:`DustedParams`; ``None`` leaves the preset's.
    """
    params = DustedParams.preset(
        preset,
        genes=genes if genes in (None, "hvg", "all") else read_gene_list(Path(genes)),
        always_genes=None if always_genes is None else read_gene_list(always_genes),
        **settings,
    )
    adata = ad.read_h5ad(h5ad)
    models = outdir / MODELS
    models.mkdir(parents=True, exist_ok=True)
    result = denoise(
        adata,
        sample=sample,
        params=params,
        checkpoint=models / checkpoint_name(sample),
        resume_from=resume_from,
        warm_start_from=warm_start_from,
        denoised_path=outdir / denoised_name(sample),
    )
    result.write_tables(models)
    write_h5ad(adata, outdir / keys.h5ad_name(sample))
    result.record.write(outdir / keys.record_name(sample, result.record.step))
    return result
