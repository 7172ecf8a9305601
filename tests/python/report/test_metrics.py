from pathlib import Path

import pytest

from clearspot.record import StepRecord
from clearspot.report.metrics import merge_records, read_cohort, read_sample
from tests.helpers.made_sample import Made, refused


def test_merge_keeps_every_steps_figures_under_its_name(made: Made) -> None:
    merged = merge_records(read_sample(made.write()))
    assert merged["steps"]["graph"]["metrics"]["median_degree"] == 6.0
    assert merged["steps"]["qc"]["tables"]["filters"] == made.records["qc"].tables["filters"]


def test_steps_stand_in_the_order_in_which_they_run(made: Made) -> None:
    paths = made.write()
    assert list(read_sample(reversed(paths)).steps) == ["ingest", "qc", "graph", "dusted", "domains"]


def test_a_folder_stands_for_the_records_in_it(made: Made) -> None:
    made.write()
    assert read_sample([made.folder]).sample == "good"


def test_a_missing_figure_is_none_and_never_zero(made: Made) -> None:
    records = read_sample(made.write())
    assert records.metric("qc", "median_percent_hb") is None
    assert records.metric("superres", "bin_um") is None


def test_a_metric_that_no_step_declares_is_an_error(made: Made) -> None:
    with pytest.raises(KeyError):
        read_sample(made.write()).metric("qc", "median_percent_mito")


def test_a_record_of_an_unknown_step_is_refused(tmp_path: Path) -> None:
    StepRecord("s", "qc").write(tmp_path / "s.qc.json")
    text = (tmp_path / "s.qc.json").read_text()
    (tmp_path / "s.qc.json").write_text(text.replace('"step": "qc"', '"step": "quality"'))
    with pytest.raises(ValueError, match=r"s\.qc\.json is not a record: no step 'quality'"):
        read_cohort([tmp_path])


def test_a_table_without_rows_is_no_table(tmp_path: Path) -> None:
    StepRecord("s", "domains", tables={"markers": {"domain": [], "gene": []}}).write(tmp_path / "s.domains.json")
    assert read_sample([tmp_path]).table("domains", "markers") == {}


def test_a_message_that_two_steps_repeat_stands_once(tmp_path: Path) -> None:
    for step in ("check", "ingest"):
        record = StepRecord("s", step)
        record.note("handled", "matrix in MEX form")
        record.write(tmp_path / f"s.{step}.json")
    assert len(read_sample([tmp_path]).messages()) == 1


def test_records_of_two_samples_make_no_sample_report(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad, good"):
        read_sample([*made.write(), refused("bad", tmp_path)])


def test_two_records_of_one_step_that_differ_are_refused(tmp_path: Path) -> None:
    StepRecord("s", "qc", metrics={"n_spots": 1}).write(tmp_path / "a.json")
    StepRecord("s", "qc", metrics={"n_spots": 2}).write(tmp_path / "b.json")
    with pytest.raises(ValueError, match="two different records of step qc"):
        read_cohort([tmp_path])


def test_a_refused_sample_says_where_and_why(tmp_path: Path) -> None:
    records = read_sample([refused("bad", tmp_path, problems=2)])
    assert records.status == "bad_input"
    assert records.failed_step == "check"
    assert len(records.problems) == 2
