"""What the steps really record is what the reports look for: a renamed figure would silently read "not measured"."""

import json
from pathlib import Path

import pandas as pd
import pytest

from clearspot import keys
from clearspot.domains.params import DomainParams
from clearspot.domains.run import find_domains
from clearspot.dusted import denoise
from clearspot.graph.build import build_graph
from clearspot.io.atomic import write_h5ad
from clearspot.io.ingest import ingest_outs
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.report.cohort import write_multiqc_inputs
from clearspot.report.sample import write_sample_report
from clearspot.report.summary import COLUMNS
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs

SAMPLE = "phantom"
NOT_FOR_A_SPOT_OF_V1 = {
    "failed_step",
    "reason",
    "bin_size_um",
    "stripes_percent",
    "fraction_umi_in_cells",
    "median_cell_area_um2",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with every step's record of a small phantom, its data and both reports."""
    folder = tmp_path_factory.mktemp("results")
    phantom = make_phantom(3, width_um=1600, n_genes=160)
    files = write_outs(phantom, tmp_path_factory.mktemp("outs"), chemistry="v1", sample=SAMPLE, um_per_px=4.0)
    adata, ingest = ingest_outs(files.outs, SAMPLE)
    gene = str(adata.var_names[3])
    records = [
        ingest,
        run_qc(adata, SAMPLE, QCParams(genes_of_interest=(gene,), hvg_min_counts=20)),
        build_graph(adata, SAMPLE),
        denoise(adata, sample=SAMPLE, epochs=3, hidden=16, latent=5, holdout=0.2, progress=False).record,
        find_domains(adata, SAMPLE, DomainParams(n_domains=3, moran_n_genes=20, moran_n_perms=5)),
    ]
    (folder / "records").mkdir()
    for record in records:
        record.write(folder / "records" / keys.record_name(SAMPLE, record.step))
    write_h5ad(adata, folder / keys.h5ad_name(SAMPLE))
    write_sample_report(folder / keys.h5ad_name(SAMPLE), [folder / "records"], folder / "page.html")
    write_multiqc_inputs([folder / "records"], folder / "inputs")
    return folder


def test_every_column_of_the_summary_has_its_figure(results: Path) -> None:
    table = pd.read_csv(results / "inputs" / keys.QC_SUMMARY_NAME)
    empty = {column.name for column in COLUMNS if table[column.name].isna().all()}
    superres = {name for name in table.columns if name.startswith("superres_")}
    assert empty == NOT_FOR_A_SPOT_OF_V1 | {"spatialdata_reason"} | superres - {"superres_status", "superres_reason"}


def test_every_chart_is_there(results: Path) -> None:
    page = (results / "page.html").read_text(encoding="utf-8")
    expected = [
        "overlay", "violin-total_counts", "map-total_counts", "violin-n_genes_by_counts", "map-n_genes_by_counts",
        "map-pct_counts_mt", "edge", "degree", "gene-measured", "gene-denoised", "training", "heldout-genes",
        "markers", "map-domain_gmm", "map-domain_leiden", "sizes-domain_gmm", "moran",
    ]  # fmt: skip
    assert [name for name in expected if f'data-chart="{name}"' not in page] == []


def test_every_section_of_the_cohort_is_there(results: Path) -> None:
    written = {path.name for path in (results / "inputs").glob("*_mqc.json")}
    sections = ("general", "input", "space_ranger", "filters", "graph", "denoising", "loss", "domains", "moran")
    assert {f"clearspot_{name}_mqc.json" for name in sections} <= written


def test_every_limit_has_a_figure_to_judge(results: Path) -> None:
    content = json.loads((results / "inputs" / "clearspot_general_mqc.json").read_text())
    judged = {name for header in content["headers"] for name in header}
    assert judged >= {
        "verdict", "reason", "percent_spots_pass", "median_counts_spot", "median_percent_mt",
        "percent_counts_outside", "fraction_reads_in_spots", "valid_barcodes", "mapped_transcriptome",
        "sequencing_saturation", "median_degree", "heldout_beats_neighbours", "largest_component_share",
    }  # fmt: skip
