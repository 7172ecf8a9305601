"""A small sample with everything in it, as the steps would leave it, and its records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.errors import Problem
from clearspot.record import StepRecord

N_GENES = 30


@dataclass
class Made:
    """A sample's files."""

    sample: str
    folder: Path
    adata: ad.AnnData
    records: dict[str, StepRecord]

    @property
    def h5ad(self) -> Path:
        return self.folder / keys.h5ad_name(self.sample)

    def write(self) -> list[Path]:
        """Write data and records; return the records' paths."""
        self.adata.write_h5ad(self.h5ad)
        paths = []
        for step, record in self.records.items():
            paths.append(self.folder / keys.record_name(self.sample, step))
            record.write(paths[-1])
        return paths


def make_adata(side: int = 12, seed: int = 0) -> ad.AnnData:
    """Spots on a square lattice of ``side`` x ``side``, 20 pixels apart, the first row failing quality control."""
    rng = np.random.default_rng(seed)
    row, column = (part.ravel() for part in np.mgrid[0:side, 0:side])
    n_spots = side * side
    counts = rng.poisson(2 + 8 * (column[:, None] > side / 2) * (np.arange(N_GENES) < 5), (n_spots, N_GENES))
    passes = row > 0
    totals = counts.sum(axis=1)
    obs = pd.DataFrame(
        {
            keys.IN_TISSUE: True,
            keys.ARRAY_ROW: row,
            keys.ARRAY_COL: column,
            "total_counts": totals,
            "n_genes_by_counts": (counts > 0).sum(axis=1),
            "pct_counts_mt": rng.uniform(1, 9, n_spots),
            keys.QC_PASS: passes,
            keys.QC_REASON: np.where(passes, "", "qc_min_counts"),
            "local_outlier": np.arange(n_spots) == 50,
            keys.COMPONENT: pd.Categorical.from_codes(
                np.where(passes, (column > 9).astype(int), -1), categories=["1", "2"]
            ),
            keys.DOMAIN_GMM: pd.Categorical.from_codes(
                np.where(passes, (column > side / 2).astype(int), -1), categories=["1", "2"]
            ),
        },
        index=[f"SPOT-{number:04d}-1" for number in range(n_spots)],
    )
    var = pd.DataFrame(
        {
            keys.MODELLED: True,
            "gene_of_interest": np.arange(N_GENES) == 7,
            "highly_variable_rank": np.arange(N_GENES, dtype=float),
            keys.GENE_ATTENTION: rng.uniform(0, 1, N_GENES).astype(np.float32),
        },
        index=[f"Gene{number}" for number in range(N_GENES)],
    )
    adata = ad.AnnData(obs=obs, var=var)
    adata.layers[keys.COUNTS] = csr_matrix(counts.astype(np.int32))
    denoised = np.repeat(counts.mean(axis=0, keepdims=True), n_spots, axis=0).astype(np.float32)
    denoised[~passes] = np.nan
    adata.layers[keys.DENOISED] = denoised
    adata.obsm[keys.SPATIAL] = np.stack([column, row], axis=1) * 20.0 + 30.0
    image = rng.integers(120, 250, (80, 80, 3), dtype=np.uint8)
    factors = {"tissue_lowres_scalef": 0.25, "spot_diameter_fullres": 12.0}
    adata.uns[keys.UNS_SPATIAL] = {"library": {"images": {"lowres": image}, "scalefactors": factors, "metadata": {}}}
    adata.uns[keys.UNS] = {"versions": {"anndata": "0.0"}, "microns_per_pixel": 5.0}
    return adata


def make_records(sample: str, adata: ad.AnnData) -> dict[str, StepRecord]:
    """Records with the names that the steps use."""
    n_spots = adata.n_obs
    n_pass = int(adata.obs[keys.QC_PASS].sum())
    genes = adata.var_names[:10].tolist()
    ingest = StepRecord(
        sample,
        "ingest",
        metrics={
            "assay": "visium", "slide_type": "visium_6.5mm", "chemistry": "Spatial 3' v1", "bin_size_um": None,
            "software_version": "spaceranger-2.0.0", "microns_per_pixel": 5.0, "n_in_tissue": n_spots,
            "n_spots": n_spots, "n_genes": N_GENES, "n_genes_detected": N_GENES, "total_umi": 9000,
            "median_umi_per_spot": 62.0, "median_genes_per_spot": 27.0, "fraction_umi_outside_tissue": 0.05,
        },
        tables={
            "space_ranger": {
                "metric": ["Sample ID", "Number of Spots Under Tissue", "Valid Barcodes", "Mean UMIs 8 µm"],
                "value": [sample, float(n_spots), 0.971, 12.5],
            }
        },
    )  # fmt: skip
    ingest.note("handled", "11 duplicated gene symbols were numbered.")
    qc = StepRecord(
        sample,
        "qc",
        metrics={
            "n_spots": n_spots, "n_spots_pass": n_pass, "percent_spots_pass": 100.0 * n_pass / n_spots,
            "n_genes": N_GENES, "n_genes_pass": N_GENES, "n_hvgs": 20, "median_counts": 6200.0, "median_genes": 1500.0,
            "median_percent_mt": 5.0, "n_local_outliers": 1, "edge_to_interior_counts": 0.8,
        },
        params={"min_counts": 50, "min_genes": 25, "mito_threshold": 20.0, "n_hvgs": 3000},
        tables={
            "filters": {
                "filter": ["qc_min_counts", "qc_mito_threshold", "qc_ribo_threshold"],
                "column": ["total_counts", "pct_counts_mt", "pct_counts_ribo"],
                "threshold": [50, 20.0, 0.0],
                "keeps": ["at least", "at most", "at least"],
                "removed_alone": [n_spots - n_pass, 0, None],
                "removed_in_sequence": [n_spots - n_pass, 0, None],
                "left": [n_pass, n_pass, None],
            },
            "histogram_total_counts": _histogram(10, 500), "histogram_n_genes_by_counts": _histogram(5, 30),
            "histogram_pct_counts_mt": _histogram(0, 10),
            "edge": {
                "distance_spots": [0, 1, 2], "n_spots": [44, 36, 28], "median_counts": [50.0, 60.0, 62.0],
                "median_genes": [20.0, 24.0, 25.0],
            },
        },
    )  # fmt: skip
    graph = StepRecord(
        sample,
        "graph",
        metrics={
            "n_spots": n_pass, "n_edges": 3 * n_pass, "median_degree": 6.0, "n_isolates": 0, "n_components": 2,
            "largest_component_share": 0.8, "lattice": "hexagonal", "pitch_px": 20.0, "radius_um": 136.0,
        },
        params={"method": "radius"},
        tables={
            "degree": {"degree": [3, 6], "n_spots": [10, n_pass - 10]},
            "components": {"component": ["1", "2"], "n_spots": [100, n_pass - 100]},
        },
    )  # fmt: skip
    domains = StepRecord(
        sample,
        "domains",
        metrics={
            "main": keys.DOMAIN_GMM, "n_domains": 2, "n_domain_gmm": 2, "neighbour_agreement_domain_gmm": 0.9,
            "neighbour_agreement_by_chance_domain_gmm": 0.5, "moran_median_measured": 0.2, "moran_median_denoised": 0.7,
            "moran_median_neighbour_mean": 0.8, "moran_median_neighbour_mean_shuffled": 0.6,
        },
        params={"method": "gmm"},
        tables={
            "sizes_domain_gmm": {"domain": ["1", "2"], "n_spots": [70, n_pass - 70]},
            "markers": {
                "domain": ["1", "2"], "gene": genes[:2], "score": [9.0, 8.0], "log2_fold_change": [2.0, 1.0],
                "p_adjusted": [1e-9, 1e-4], "percent_inside": [90.0, 80.0], "percent_outside": [10.0, 20.0],
            },
            "marker_profile": {
                "gene": [genes[0]] * 2 + [genes[1]] * 2, "marks": ["1", "1", "2", "2"], "domain": ["1", "2"] * 2,
                "mean": [2.0, 0.5, 0.4, 1.5], "percent": [90.0, 10.0, 20.0, 80.0],
            },
            "moran": {
                "gene": genes, "measured": np.linspace(0.5, 0.1, 10).tolist(), "denoised": [0.8] * 10,
                "neighbour_mean": [0.85] * 10, "neighbour_mean_shuffled": [0.6] * 10, "q_measured": [0.01] * 10,
            },
        },
    )  # fmt: skip
    return {"ingest": ingest, "qc": qc, "graph": graph, "dusted": dusted_record(sample), "domains": domains}


def dusted_record(sample: str) -> StepRecord:
    """Record of the denoiser."""
    epochs = np.arange(1, 51)
    genes = [f"Gene{number}" for number in range(8)]
    return StepRecord(
        sample,
        "dusted",
        metrics={
            "n_spots": 132, "n_genes_modelled": N_GENES, "epochs": 50, "best_epoch": 45, "loss_best": 0.4,
            "seconds_training": 75.0, "seconds_total": 80.0, "peak_memory_bytes": 1_500_000_000, "device": "cpu",
            "precision": "float32", "gene_attention_median": 0.5, "heldout_fraction": 0.1,
            "heldout_beats_neighbours": True, "heldout_deviance_dusted": 0.124, "heldout_deviance_neighbours": 0.13,
            "heldout_deviance_constant": 0.133, "heldout_explained_dusted": 0.062,
            "heldout_explained_neighbours": 0.018, "heldout_correlation_dusted": 0.03,
            "heldout_correlation_neighbours": 0.02,
        },
        params={"likelihood": "zinb"},
        tables={
            "training": {
                "epoch": epochs.tolist(), "loss": (0.4 + 1 / epochs).tolist(), "learning_rate": [1e-4] * 50,
                "held_out": (0.1 + 0.1 / epochs).tolist(),
            },
            "gene_attention_top": {"gene": genes[:4], "attention": [0.9, 0.8, 0.7, 0.6]},
            "gene_attention_bottom": {"gene": genes[4:], "attention": [0.1, 0.2, 0.3, 0.4]},
            "heldout_gained": {
                "gene": ["Gene9", "Gene4"], "gain": [40.0, 30.0], "explained_dusted": [0.2, 0.1],
                "explained_neighbours": [0.1, 0.05], "explained_own": [0.0, 0.0],
            },
            "heldout_genes": {
                "gene": genes[:3], "heldout_counts": [30.0, 20.0, 10.0], "deviance_dusted": [0.1] * 3,
                "correlation_dusted": [0.3, 0.2, None], "deviance_neighbours": [0.2] * 3,
                "correlation_neighbours": [0.2, 0.3, None], "deviance_constant": [0.3] * 3,
            },
        },
    )  # fmt: skip


def add_superres(made: Made) -> Path:
    """Super-resolve the sample's first ten genes: add the record, write the file, return its path."""
    bins = np.stack(np.meshgrid(np.arange(24), np.arange(24)), axis=-1).reshape(-1, 2)
    genes = made.adata.var_names[:10]
    obs = pd.DataFrame(index=[f"b{number}" for number in range(len(bins))])
    predicted = ad.AnnData(obs=obs, var=pd.DataFrame(index=genes))
    mean = np.linspace(0, 2, predicted.n_obs * predicted.n_vars, dtype=np.float32).reshape(predicted.shape)
    predicted.layers[keys.SUPERRES_MEAN], predicted.layers[keys.SUPERRES_SD] = mean, mean / 4
    predicted.obsm[keys.SPATIAL] = bins * 10.0 + 30.0
    path = made.folder / keys.superres_name(made.sample)
    predicted.write_h5ad(path)
    made.records["superres"] = StepRecord(
        made.sample,
        "superres",
        metrics={
            "bin_um": 50.0, "spot_pitch_um": 100.0, "spot_diameter_um": 60.0, "n_genes": 10,
            "n_bins_on_tissue": len(bins), "share_measured": 0.25, "samples": 4,
            "mean_is": "meannet", "image_coverage": 1.0, "seconds_total": 9.0,
            "heldout_n_spots": 7, "heldout_correlation_mean": 0.3, "heldout_correlation_diffusion": 0.2,
            "heldout_crps_mean": 0.21, "heldout_crps_spread": 0.2, "heldout_crps_diffusion": 0.28,
            "heldout_coverage_mean": 0.91, "heldout_coverage_spread": 0.92, "heldout_coverage_diffusion": 0.93,
            "heldout_coverage": 0.92,
        },
        params={"bin_um": 50},
    )  # fmt: skip
    return path


def add_structure(made: Made, found: bool) -> None:
    """Test genes for a spatial pattern, and find one or none."""
    made.records["graph"].metrics |= {
        "has_spatial_structure": found, "percent_genes_spatial": 62.0 if found else 0.5,
        "morans_i_median": 0.1 if found else -0.01, "morans_i_shuffled": 0.004, "n_genes_structure_tested": 3,
    }  # fmt: skip
    made.records["graph"].tables["structure"] = {
        "gene": ["Gene1", "Gene2", "Gene3"], "morans_i": [0.5, 0.2, -0.1], "q": [0.001, 0.04, 0.9],
    }  # fmt: skip


def add_picture(made: Made) -> None:
    """Compare counts with the tissue image: they fit best elsewhere."""
    made.records["qc"].metrics |= {
        "percent_spots_on_tissue_image": 63.6, "picture_correlation": 0.43, "picture_fit": 0.195, "picture_p": 0.005,
        "picture_fit_moved": 0.506, "picture_fit_turned": 0.1, "picture_shift_um": 500.0, "picture_shift_p": 0.005,
        "picture_best_symmetry": "as it is", "picture_symmetry_p": 1.0,
    }  # fmt: skip
    made.records["qc"].tables["picture_scan"] = {
        "dx_um": [-300.0, 0.0, 300.0], "dy_um": [400.0, 0.0, 400.0], "fit": [0.506, 0.195, 0.1],
        "on_tissue": [0.87, 0.636, 0.4],
    }  # fmt: skip
    made.records["qc"].tables["picture_symmetries"] = {"symmetry": ["as it is", "turned by 180 degrees"],
                                                       "fit": [0.506, 0.1]}  # fmt: skip


def as_bins(made: Made) -> None:
    """Make the spots bins of Visium HD."""
    made.records["ingest"].metrics |= {"unit": "bins", "bin_size_um": 8}
    made.adata.uns[keys.UNS] |= {keys.UNIT: "bins", keys.BIN_SIZE_UM: 8}


def as_cells(made: Made, reach: float = 9.0) -> None:
    """Make the spots segmented cells: diamonds that reach ``reach`` pixels out, with gaps between them, and nuclei.

    Outlines stand in another order than the cells, and the last cell has no nucleus.
    """
    adata, diamond = made.adata, np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]], dtype=float)
    numbers = np.arange(1, adata.n_obs + 1)
    adata.obs_names = [f"cellid_{number:09d}-1" for number in numbers]
    rings = adata.obsm[keys.SPATIAL][:, None] + reach * diamond
    made.records["ingest"].metrics["unit"] = "cells"
    adata.uns[keys.UNS][keys.UNIT] = "cells"
    adata.uns[keys.UNS][keys.OUTLINES] = {
        name: {"ids": numbers[rows], "offsets": 5 * np.arange(len(rows) + 1), "xy": part[rows].reshape(-1, 2)}
        for name, part, rows in (
            ("cells", rings, np.arange(adata.n_obs)[::-1]),
            ("nuclei", adata.obsm[keys.SPATIAL][:, None] + 0.4 * reach * diamond, np.arange(adata.n_obs - 1)),
        )
    }


def refused(sample: str, folder: Path, problems: int = 1) -> Path:
    """Record of a sample that the check refused."""
    found = [
        Problem(sample, f"spatial/file{number}.csv", "text among <coordinates>", "numbers", "copy it again")
        for number in range(problems)
    ]
    path = folder / keys.record_name(sample, "check")
    StepRecord.bad_input(sample, "check", found).write(path)
    return path


def _histogram(low: float, high: float) -> dict[str, list[Any]]:
    edges = np.linspace(low, high, 11)
    return {"left": edges[:-1].tolist(), "right": edges[1:].tolist(), "n_pass": [10] * 10, "n_fail": [1] * 10}
