"""The cohort's inputs to MultiQC, the summary, and MultiQC itself on them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from clearspot import keys
from clearspot.contract.metrics import METRICS
from clearspot.errors import Problem
from clearspot.record import StepRecord
from clearspot.report import mqc
from clearspot.report.cohort import VERSIONS_NAME, read_versions, run_multiqc, write_multiqc_inputs
from clearspot.report.headings import HEADINGS
from clearspot.report.rules import RULES
from clearspot.report.summary import COLUMNS, SAMPLE_COLUMN, VERDICT_COLUMNS
from tests.helpers.made_sample import Made, add_superres, make_records, refused


@pytest.fixture
def cohort(made: Made, tmp_path: Path) -> list[Path]:
    """One whole sample, one that was refused, one of which only the first step is known."""
    StepRecord("early", "ingest", metrics={"n_in_tissue": 7, "assay": "visium"}).write(tmp_path / "early.ingest.json")
    return [*made.write(), refused("bad", tmp_path, problems=2), tmp_path / "early.ingest.json"]


@pytest.fixture
def inputs(cohort: list[Path], tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    write_multiqc_inputs(cohort, folder)
    return folder


def section(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"clearspot_{name}_mqc.json").read_text())
    return content


def test_every_sample_has_a_row_and_a_verdict(inputs: Path) -> None:
    rows = section(inputs, "general")["data"]
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "bad": "refused",
        "early": "no verdict",
        "good": "usable",
    }


def test_the_verdict_and_its_reason_are_the_first_columns(inputs: Path) -> None:
    content = section(inputs, "general")
    assert [next(iter(part)) for part in content["headers"]][:2] == ["verdict", "reason"]
    assert content["data"]["good"]["reason"].startswith("All ")


def test_a_flag_is_yes_or_no(inputs: Path) -> None:
    assert section(inputs, "general")["data"]["good"]["heldout_beats_neighbours"] == "yes"


def test_loss_curves_are_thinned_but_keep_their_ends(made: Made, tmp_path: Path) -> None:
    epochs = list(range(1, 1001))
    made.records["dusted"].tables["training"] = {"epoch": epochs, "loss": [1 / epoch for epoch in epochs]}
    write_multiqc_inputs(made.write(), tmp_path / "inputs")
    curve = section(tmp_path / "inputs", "loss")["data"]["good"]
    assert len(curve) <= 201
    assert (curve[0], curve[-1]) == ([1, 1.0], [1000, 0.001])


def test_limits_of_the_traffic_lights_colour_the_table(inputs: Path) -> None:
    headers = {name: header for part in section(inputs, "general")["headers"] for name, header in part.items()}
    rules = headers["percent_spots_pass"]["cond_formatting_rules"]
    assert rules["warn"] == [{"lt": 70}]
    assert rules["fail"] == [{"lt": 30}]


def test_at_most_eight_columns_are_shown_at_first_the_verdict_and_its_reason_before_all(inputs: Path) -> None:
    headers = [pair for part in section(inputs, "general")["headers"] for pair in part.items()]
    assert len(headers) > 8
    assert [name for name, _ in headers[:2]] == ["verdict", "reason"]
    assert [header.get("hidden", False) for _, header in headers] == [False] * 8 + [True] * (len(headers) - 8)


def test_every_table_shows_at_most_eight_columns_at_first(inputs: Path) -> None:
    parts = [json.loads(path.read_text()) for path in inputs.glob("*_mqc.json")]
    tables = {part["id"]: part for part in parts if part["plot_type"] == "table"}
    assert "clearspot_input" in tables
    for name, table in tables.items():
        measured = {key for row in table["data"].values() for key in row}
        shown = [key for key, header in table["headers"].items() if key in measured and not header.get("hidden")]
        assert len(shown) == min(len(measured), 8), name


def test_the_columns_shown_are_those_that_have_values() -> None:
    headers = {f"c{number}": {} for number in range(12)}
    row = {f"c{number}": 1 for number in range(1, 12)}
    table = mqc.table("id", "Name", "", {"s": row}, headers)
    assert [name for name, header in table["headers"].items() if header] == ["c9", "c10", "c11"]


def test_a_figure_that_nobody_measured_has_no_column(inputs: Path) -> None:
    headers = [name for part in section(inputs, "general")["headers"] for name in part]
    assert "median_counts_bin" not in headers


def test_every_problem_of_a_refused_sample_is_listed(inputs: Path) -> None:
    rows = section(inputs, "refused")["data"]
    assert [row["file"] for row in rows.values()] == ["spatial/file0.csv", "spatial/file1.csv"]
    assert rows["bad"]["found"] == "text among &lt;coordinates&gt;"


def test_bars_of_the_filters_add_up_to_all_spots(inputs: Path, made: Made) -> None:
    assert sum(section(inputs, "filters")["data"]["good"].values()) == made.adata.n_obs


def test_space_rangers_figures_keep_their_names(inputs: Path) -> None:
    assert section(inputs, "space_ranger")["data"]["good"]["Valid_Barcodes"] == 97.1
    assert section(inputs, "space_ranger")["headers"]["Mean_UMIs_8_um"]["title"] == "Mean UMIs 8 µm"


def test_figures_of_several_space_rangers_stand_side_by_side(made: Made, tmp_path: Path) -> None:
    def stated(sample: str, **figures: float) -> Path:
        table = {"metric": list(figures), "value": list(figures.values())}
        record = StepRecord(sample, "ingest", tables={"space_ranger": table})
        record.write(tmp_path / f"{sample}.ingest.json")
        return tmp_path / f"{sample}.ingest.json"

    spots = stated("v1", **{"Number of Spots Under Tissue": 900.0, "Valid Barcodes": 0.97})
    probes = stated("v2", **{"Number of Spots Under Tissue": 800.0, "Estimated UMIs from Genomic DNA": 0.003})
    bins = stated("hd", **{"Number of Squares Under Tissue 2 µm": 5e6, "Valid Barcodes": 0.96})
    write_multiqc_inputs([spots, probes, bins], tmp_path / "inputs")
    content = section(tmp_path / "inputs", "space_ranger")
    assert {header["title"] for header in content["headers"].values()} == {
        "Number of Spots Under Tissue", "Valid Barcodes", "Estimated UMIs from Genomic DNA",
        "Number of Squares Under Tissue 2 µm",
    }  # fmt: skip
    assert content["data"]["hd"] == {"Number_of_Squares_Under_Tissue_2_um": 5e6, "Valid_Barcodes": 96.0}


def test_super_resolution_has_its_sections_and_its_columns(made: Made, tmp_path: Path) -> None:
    add_superres(made)
    write_multiqc_inputs(made.write(), tmp_path / "inputs")
    row = section(tmp_path / "inputs", "superres")["data"]["good"]
    assert (row["bin_um"], row["n_bins_on_tissue"]) == (50.0, 576)
    assert "Predicted, not measured" in section(tmp_path / "inputs", "superres")["description"]
    assert section(tmp_path / "inputs", "superres_scores")["data"]["good"]["heldout_crps_diffusion"] == 0.28
    table = pd.read_csv(tmp_path / "inputs" / keys.QC_SUMMARY_NAME)
    stated = table.loc[0, [name for name in table.columns if name.startswith("superres_")]]
    assert list(stated.index[stated.isna()]) == ["superres_reason"]
    assert stated["superres_status"] == "ok"
    assert table.loc[0, "superres_heldout_coverage"] == 0.92
    assert "Wang X" in section(tmp_path / "inputs", "methods")["data"]


def of_the_run(folder: Path, record: StepRecord) -> Path:
    path = folder / keys.record_name(keys.COHORT, record.step)
    record.write(path)
    return path


def test_references_that_were_learned_from_are_listed_and_are_no_sample(made: Made, tmp_path: Path) -> None:
    record = StepRecord(keys.COHORT, "superres_pretrain", metrics={"n_genes": 30})
    record.tables["references"] = {
        "reference": ["hd", "<xenium>"], "bins_on_tissue": [900, 700], "genes": [30, 25], "image": [True, False],
        "pearson_model": [0.5, None], "pearson_gene_head": [0.45, None], "pearson_plain": [0.4, None],
    }  # fmt: skip
    record.note("warning", "The reference other was left out.")
    write_multiqc_inputs([*made.write(), of_the_run(tmp_path, record)], tmp_path / "inputs")
    rows = section(tmp_path / "inputs", "references")["data"]
    assert rows["hd"] == {
        "bins_on_tissue": 900, "genes": 30, "image": "yes", "pearson_model": 0.5, "pearson_gene_head": 0.45,
        "pearson_plain": 0.4,
    }  # fmt: skip
    assert rows["&lt;xenium&gt;"] == {"bins_on_tissue": 700, "genes": 25, "image": "no"}
    assert list(section(tmp_path / "inputs", "general")["data"]) == ["good"]
    assert list(pd.read_csv(tmp_path / "inputs" / keys.QC_SUMMARY_NAME)["sample"]) == ["good"]
    assert section(tmp_path / "inputs", "warnings")["data"]["all samples"] == {
        "step": "Super-resolution: training on references (Diff-ST)",
        "warning": "The reference other was left out.",
    }
    intro = yaml.safe_load((tmp_path / "inputs" / "multiqc_intro.yml").read_text())["intro_text"]
    assert intro == "1 sample, none refused."


def study_record(folder: Path, study: str, step: str = "study", **about: Any) -> Path:
    path = folder / keys.record_name(study, step)
    StepRecord(study, step, **about).write(path)
    return path


def test_a_study_has_a_row_with_a_link_and_is_no_sample(made: Made, tmp_path: Path, repo: Path) -> None:
    """Also where a sample has the name of the study."""
    metrics = {"n_sections": 3, "n_domains": 5, "mixing_before": 0.25, "mixing_after": 1.1, "batch_corrected": True}
    path = study_record(tmp_path, "good", metrics=metrics)
    pages = write_multiqc_inputs([*made.write(), path], tmp_path / "inputs")
    assert pages == {"good": "../good/good_report.html", "study good": "../studies/good/good_report.html"}
    assert section(tmp_path / "inputs", "studies")["data"] == {"study good": metrics | {"batch_corrected": "yes"}}
    assert list(section(tmp_path / "inputs", "general")["data"]) == ["good"]
    assert list(pd.read_csv(tmp_path / "inputs" / keys.QC_SUMMARY_NAME)["sample"]) == ["good"]
    report = run_multiqc(tmp_path / "inputs", tmp_path, [repo / "assets" / "multiqc_config.yml"], pages=pages)
    text = report.read_text(encoding="utf-8")
    assert '<a href="../studies/good/good_report.html">study good</a>' in text
    assert '<a href="../good/good_report.html">good</a>' in text


def test_why_a_study_was_not_integrated_is_said(made: Made, tmp_path: Path) -> None:
    problem = Problem("demo", "study", "1 of 3 sections", "at least 2 sections", "See why.")
    path = study_record(tmp_path, "demo", status="bad_input", problems=[problem])
    assert write_multiqc_inputs([*made.write(), path], tmp_path / "inputs") == {"good": "../good/good_report.html"}
    rows = section(tmp_path / "inputs", "left_out")["data"]
    assert list(rows) == ["study demo"]
    assert rows["study demo"]["step"] == "Study of several sections: refused"
    assert not (tmp_path / "inputs" / "clearspot_studies_mqc.json").exists()


def test_warnings_and_a_missing_store_of_a_study_are_listed(made: Made, tmp_path: Path) -> None:
    record = StepRecord("demo", "study", metrics={"n_sections": 2})
    record.note("warning", "Batch and condition are confounded.")
    record.write(tmp_path / "demo.study.json")
    problem = Problem("demo", "task", "the task failed", "a completed task", "See the log.")
    export = study_record(tmp_path, "demo", "study_spatialdata", status="failed", problems=[problem])
    write_multiqc_inputs([*made.write(), tmp_path / "demo.study.json", export], tmp_path / "inputs")
    assert section(tmp_path / "inputs", "warnings")["data"]["study demo"] == {
        "step": "Study of several sections", "warning": "Batch and condition are confounded.",
    }  # fmt: skip
    assert section(tmp_path / "inputs", "left_out")["data"]["study demo"]["step"] == (
        "SpatialData export of a study: failed"
    )


@pytest.mark.parametrize(("status", "word"), [("bad_input", "refused"), ("failed", "failed")])
def test_why_references_taught_nothing_is_said_once(made: Made, tmp_path: Path, status: Any, word: str) -> None:
    problem = Problem("hd", "hd.reference.h5ad", "3 genes", "at least 8", "Give another.")
    path = of_the_run(tmp_path, StepRecord(keys.COHORT, "superres_pretrain", status=status, problems=[problem]))
    write_multiqc_inputs([*made.write(), path], tmp_path / "inputs")
    step = f"Super-resolution: training on references (Diff-ST): {word}"
    stated = {"file": "hd.reference.h5ad", "found": "3 genes", "expected": "at least 8", "mend": "Give another."}
    assert section(tmp_path / "inputs", "left_out")["data"] == {"all samples": {"step": step} | stated}
    intro = yaml.safe_load((tmp_path / "inputs" / "multiqc_intro.yml").read_text())["intro_text"]
    told = "Super-resolution was trained without references (reason below)."
    assert intro == f"1 sample, none refused. {told}"
    assert not (tmp_path / "inputs" / "clearspot_refused_mqc.json").exists()
    assert not (tmp_path / "inputs" / "clearspot_references_mqc.json").exists()


def test_a_section_without_data_is_left_out(tmp_path: Path) -> None:
    write_multiqc_inputs([refused("bad", tmp_path)], tmp_path / "inputs")
    assert not (tmp_path / "inputs" / "clearspot_moran_mqc.json").exists()


def test_methods_say_only_what_was_done(made: Made, tmp_path: Path) -> None:
    del made.records["domains"]
    write_multiqc_inputs(made.write(), tmp_path / "inputs")
    text = section(tmp_path / "inputs", "methods")["data"]
    assert "zero-inflated negative binomial" in text
    assert "Zhu J" in text
    assert "Leiden" not in text
    assert "Gaussian mixture" not in text


@pytest.mark.parametrize("projection", [False, True])
def test_methods_say_whether_maps_add_up_to_the_counts(made: Made, tmp_path: Path, projection: bool) -> None:
    add_superres(made)
    made.records["superres"].params["projection"] = projection
    write_multiqc_inputs(made.write(), tmp_path / "inputs")
    text = section(tmp_path / "inputs", "methods")["data"]
    assert "Diff-ST" in text
    assert ("maps that add up to what the spots measured" in text) == projection


def test_versions_stay_text(tmp_path: Path, made: Made) -> None:
    (tmp_path / "versions.yml").write_text("SPOT_QC:\n  scanpy: 1.10\n")
    write_multiqc_inputs(made.write(), tmp_path / "inputs", versions=read_versions([tmp_path / "versions.yml"]))
    written = yaml.load((tmp_path / "inputs" / VERSIONS_NAME).read_text(), Loader=yaml.BaseLoader)
    assert written["SPOT_QC"]["scanpy"] == "1.10"


def test_no_record_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no records"):
        write_multiqc_inputs([], tmp_path / "inputs")


def test_the_summarys_columns_are_those_of_the_contract(inputs: Path) -> None:
    table = pd.read_csv(inputs / keys.QC_SUMMARY_NAME)
    assert list(table.columns) == [*SAMPLE_COLUMN, *VERDICT_COLUMNS, *(column.name for column in COLUMNS)]
    assert list(table.columns[:6]) == ["sample", "verdict", "verdict_reason", "status", "failed_step", "reason"]


def test_the_summary_has_every_sample_with_its_reason(inputs: Path) -> None:
    table = pd.read_csv(inputs / keys.QC_SUMMARY_NAME, index_col="sample")
    assert list(table.index) == ["bad", "early", "good"]
    assert table.loc["bad", "status"] == "bad_input"
    assert "spatial/file1.csv: text among <coordinates>" in table.loc["bad", "reason"]
    assert table.loc["good", "median_degree"] == 6.0


def test_what_was_not_measured_is_an_empty_cell(inputs: Path) -> None:
    table = pd.read_csv(inputs / keys.QC_SUMMARY_NAME, index_col="sample", dtype=str, keep_default_na=False)
    assert table.loc["good", "median_percent_hb"] == ""
    assert table.loc["bad", "n_spots"] == ""


def test_multiqc_takes_it_all_without_the_network(inputs: Path, tmp_path: Path, repo: Path) -> None:
    config = [repo / "assets" / "multiqc_config.yml"]
    report = run_multiqc(inputs, tmp_path, config, title="Two slides", pages={"good": "../good/good_report.html"})
    text = report.read_text(encoding="utf-8")
    assert '<a href="../good/good_report.html">good</a>' in text
    assert "bad_report.html" not in text
    data = json.loads((tmp_path / "multiqc_data" / "multiqc_data.json").read_text())
    assert "Two slides" in text
    assert "3 samples, 1 refused: bad." in text
    assert "Samples without results" in text
    shown = data["report_general_stats_data"]["custom_content"]
    assert shown["good"][0]["rows"] if isinstance(shown["good"], list) else shown["good"]


def test_a_hundred_samples_stay_one_table_row_each(made: Made, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(100):
        for step, record in make_records(f"s{number:03d}", made.adata).items():
            record.write(folder / f"s{number:03d}.{step}.json")
    write_multiqc_inputs([folder], tmp_path / "inputs")
    assert len(section(tmp_path / "inputs", "general")["data"]) == 100
    size = sum(path.stat().st_size for path in (tmp_path / "inputs").iterdir())
    assert size < 2_000_000


def test_multiqcs_own_message_reaches_the_user(inputs: Path, tmp_path: Path) -> None:
    config = tmp_path / "broken.yml"
    config.write_text("title: [unclosed\n")
    with pytest.raises(RuntimeError, match=r"broken\.yml"):
        run_multiqc(inputs, tmp_path, [config])


def test_every_rule_has_a_short_heading_and_a_tooltip_with_its_limits(inputs: Path) -> None:
    assert set(HEADINGS) == {rule.id for rule in RULES}
    assert max(map(len, HEADINGS.values())) <= 16
    headers = {name: header for part in section(inputs, "general")["headers"] for name, header in part.items()}
    passing = headers["percent_spots_pass"]
    assert passing["title"] == "Pass QC"
    assert (
        passing["description"] == "Spots that pass quality control. Look first: below 70.0 %. Do not use: below 30.0 %"
    )


def test_every_share_is_in_percent(inputs: Path) -> None:
    for path in inputs.glob("*_mqc.json"):
        content = json.loads(path.read_text())
        headers = content.get("headers", {})
        parts = headers if isinstance(headers, list) else [headers]
        columns = {name: header for part in parts for name, header in part.items()}
        for name, header in columns.items():
            declared = [metric.kind for metric in METRICS if metric.name == name]
            if any(kind in ("fraction", "percent", "skill") for kind in declared):
                assert header["suffix"] == " %", (path.name, name)
    graph = section(inputs, "graph")["data"]["good"]
    assert graph["largest_component_share"] == 80
    headers = {name: header for part in section(inputs, "general")["headers"] for name, header in part.items()}
    assert headers["largest_component_share"]["cond_formatting_rules"]["warn"] == [{"lt": 20}]


@pytest.mark.parametrize(
    ("value", "kind", "cell"),
    [
        (2236.5, "number", "2,236"),
        (0.0058219, "number", "0.00582"),
        (6.0, "number", "6"),
        (136.62, "number", "137"),
        (True, "number", "True"),
    ],
)
def test_numbers_in_tables_are_written_out(value: Any, kind: Any, cell: str) -> None:
    shown = mqc.shown(value, kind)
    assert (str(shown) if shown is True else f"{shown:,}") == cell
