"""``metrics_summary.csv`` and ``spatial_enrichment.csv`` with the columns that Space Ranger gives each chemistry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse, stats
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.simulate.arrays import PITCH_UM, SpotArray
from clearspot.simulate.tenx import Matrix

# Nothing is sequenced here: what only reads could tell is set to values of an ordinary run.
_SATURATION: Final = 0.62
_USABLE: Final = 0.80
_Q30: Final = {"Q30 Bases in Barcode": 0.962, "Q30 Bases in UMI": 0.958}
_GENOME_MAPPING: Final = {
    "Reads Mapped to Genome": 0.948,
    "Reads Mapped Confidently to Genome": 0.921,
    "Reads Mapped Confidently to Intergenic Regions": 0.034,
    "Reads Mapped Confidently to Intronic Regions": 0.021,
    "Reads Mapped Confidently to Exonic Regions": 0.866,
    "Reads Mapped Confidently to Transcriptome": _USABLE,
    "Reads Mapped Antisense to Gene": 0.052,
}
_PROBE_MAPPING: Final = {
    "Reads Mapped to Probe Set": 0.971,
    "Reads Mapped Confidently to Probe Set": 0.966,
    "Reads Mapped Confidently to the Filtered Probe Set": _USABLE,
    "Reads Half-Mapped to Probe Set": 0.011,
    "Reads Split-Mapped to Probe Set": 0.004,
    "Estimated UMIs from Genomic DNA": 0.003,
    "Estimated UMIs from Genomic DNA per Unspliced Probe": 0.9,
}


@dataclass(frozen=True)
class _Sums:
    umi: np.ndarray
    genes: np.ndarray
    detected: int
    inside: float
    reads: int
    n_genes: int


def _sums(raw: Matrix, in_tissue: np.ndarray) -> _Sums:
    """Sums over genes (antibodies are no genes) of the spots under tissue."""
    genes = (raw.features["feature_types"] == keys.GENE_EXPRESSION).to_numpy()
    counts = raw.counts[:, np.flatnonzero(genes)]
    under = counts[np.flatnonzero(in_tissue)]
    total = int(counts.sum())
    return _Sums(
        umi=np.asarray(under.sum(axis=1)),
        genes=np.diff(under.indptr),
        detected=int((under.sum(axis=0) > 0).sum()),
        inside=float(under.sum() / max(total, 1)),
        reads=round(total / (1 - _SATURATION) / _USABLE),
        n_genes=int(genes.sum()),
    )


def visium_metrics(sample: str, raw: Matrix, in_tissue: np.ndarray, *, probes: bool) -> pd.DataFrame:
    """One row, the columns of Visium v1 (genome mapping) or of CytAssist with probes."""
    sums = _sums(raw, in_tissue)
    n_spots = int(in_tissue.sum())
    spots = {
        "Sample ID": sample,
        "Number of Spots Under Tissue": n_spots,
        "Number of Reads": sums.reads,
        "Mean Reads per Spot": sums.reads / n_spots,
        "Mean Reads Under Tissue per Spot": sums.reads * sums.inside / n_spots,
        "Fraction of Spots Under Tissue": float(in_tissue.mean()),
    }
    medians = {
        "Median Genes per Spot": float(np.median(sums.genes)),
        "Median UMI Counts per Spot": float(np.median(sums.umi)),
    }
    reads = {"Valid Barcodes": 0.978, "Valid UMIs": 0.9996, "Sequencing Saturation": _SATURATION}
    if not probes:
        quality = {**_Q30, "Q30 Bases in RNA Read": 0.921}
        end = {"Fraction Reads in Spots Under Tissue": sums.inside, "Total Genes Detected": sums.detected}
        return pd.DataFrame([{**spots, **medians, **reads, **quality, **_GENOME_MAPPING, **end}])
    gene_totals = np.asarray(raw.counts.sum(axis=0))
    end = {
        "Fraction Reads in Spots Under Tissue": sums.inside,
        **medians,
        "Genes Detected": sums.detected,
        "Number of Genes": sums.n_genes,
        "Number of Genes >= 10 UMIs": int((gene_totals >= 10).sum()),
    }
    return pd.DataFrame([{**spots, **reads, **_Q30, "Q30 Bases in Probe Read": 0.947, **_PROBE_MAPPING, **end}])


def hd_metrics(sample: str, bins: dict[int, tuple[Matrix, np.ndarray]]) -> pd.DataFrame:
    """One row, the columns of Visium HD: of the whole slide, then of each bin size.

    Parameters
    ----------
    sample
        Sample name.
    bins
        By bin size: the raw matrix and which of its bins lie under tissue.
    """
    finest = _sums(*bins[min(bins)])
    row: dict[str, object] = {
        "Sample ID": sample,
        "Number of Reads": finest.reads,
        "Valid Barcodes": 0.941,
        "Valid UMI Sequences": 0.9995,
        "Sequencing Saturation": _SATURATION,
        **_Q30,
        "Q30 Bases in Probe Read": 0.944,
        **_PROBE_MAPPING,
        "Fraction Reads in Squares Under Tissue": finest.inside,
        "Genes Detected": finest.detected,
        "Number of Genes": finest.n_genes,
    }
    for size, (raw, in_tissue) in sorted(bins.items()):
        sums, unit = _sums(raw, in_tissue), "Square" if size == 2 else "Bin"
        number = max(int(in_tissue.sum()), 1)
        row |= {
            f"Number of {unit}s Under Tissue {size} µm": int(in_tissue.sum()),
            f"Mean Reads Under Tissue per {unit} {size} µm": sums.reads * sums.inside / number,
            f"Fraction of {unit}s Under Tissue {size} µm": float(in_tissue.mean()),
            f"Mean Genes Under Tissue per {unit} {size} µm": float(sums.genes.mean()),
            f"Mean UMIs Under Tissue per {unit} {size} µm": float(sums.umi.mean()),
            f"Total Genes Detected Under Tissue {size} µm": sums.detected,
        }
        if size == 8:
            area = number * 64e-6
            row |= {
                "UMIs per sq mm of Tissue": float(sums.umi.sum() / area),
                "Reads per sq mm of Tissue": sums.reads * sums.inside / area,
            }
    return pd.DataFrame([row])


def spatial_enrichment(raw: Matrix, array: SpotArray, in_tissue: np.ndarray) -> pd.DataFrame:
    """Moran's I of every feature with ten UMIs or more, over touching spots under tissue, most structured first.

    Values are log1p of counts per spot's median total; p-values from the normal approximation under randomisation
    of positions (mean -1/(n-1), variance by the weights alone), adjusted after Benjamini and Hochberg.
    """
    under = np.flatnonzero(in_tissue)
    counts = raw.counts[under].astype(np.float64)
    total = np.maximum(np.asarray(counts.sum(axis=1)), 1)
    kept = np.flatnonzero(np.asarray(counts.sum(axis=0)) >= 10)
    normal = sparse.csc_array(sparse.diags_array(np.median(total) / total) @ counts)[:, kept]
    values = np.log1p(normal.toarray())
    pairs = cKDTree(np.column_stack([array.x_um, array.y_um])[under]).query_pairs(1.2 * PITCH_UM, output_type="ndarray")
    n = len(under)
    weights = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n)).tocsr()
    centred = values - values.mean(axis=0)
    moran = n / len(pairs) * (centred * (weights @ centred)).sum(axis=0) / np.maximum((centred**2).sum(axis=0), 1e-12)
    degree = np.bincount(pairs.ravel(), minlength=n)
    s0, s1, s2 = 2.0 * len(pairs), 4.0 * len(pairs), 4.0 * float((degree.astype(float) ** 2).sum())
    variance = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2) - 1 / (n - 1) ** 2
    p_value = 2 * stats.norm.sf(np.abs(moran + 1 / (n - 1)) / np.sqrt(variance))
    features = raw.features.iloc[kept]
    table = pd.DataFrame(
        {
            "Feature ID": features["gene_ids"].to_numpy(),
            "Feature Name": features.index.to_numpy(),
            "Feature Type": features["feature_types"].to_numpy(),
            "I": moran,
            "P value": p_value,
            "Adjusted p value": stats.false_discovery_control(p_value),
            "Feature Counts in Spots Under Tissue": np.asarray(counts.sum(axis=0))[kept].astype(int),
            "Median Normalized Average Counts": np.asarray(normal.mean(axis=0)),
            "Barcodes Detected per Feature": np.asarray((counts[:, kept] > 0).sum(axis=0)),
        }
    )
    return table.sort_values("I", ascending=False, kind="stable")
