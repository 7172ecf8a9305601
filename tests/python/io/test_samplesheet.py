"""The samplesheet: odd but clear sheets are read, everything else is an error that names the line (row 31)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from clearspot.errors import BadInputError, Problem
from clearspot.io.samplesheet import SamplesheetRow, load_samplesheet, read_samplesheet

GOOD = "sample,spaceranger_dir\nS1,outs/S1\n"


@pytest.fixture
def schema(repo: Path) -> Path:
    return repo / "assets" / "schema_input.json"


@pytest.fixture
def read(tmp_path: Path, schema: Path):
    def _read(content: str | bytes, name: str = "sheet.csv") -> list[SamplesheetRow]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_samplesheet(path, schema)

    return _read


@pytest.fixture
def problems(read):
    def _problems(content: str | bytes, name: str = "sheet.csv") -> tuple[Problem, ...]:
        with pytest.raises(BadInputError) as caught:
            read(content, name)
        return caught.value.problems

    return _problems


@pytest.fixture
def messages(tmp_path: Path, schema: Path):
    def _messages(content: str | bytes) -> list[tuple[str, str]]:
        path = tmp_path / "sheet.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return [(message.level, message.text) for message in load_samplesheet(path, schema).messages]

    return _messages


def test_schema_is_valid_json_schema_2020_12(schema: Path):
    Draft202012Validator.check_schema(json.loads(schema.read_text()))


def test_all_columns_are_typed(read):
    text = (
        "sample,spaceranger_dir,image,role,bin_size_um,microns_per_pixel\n"
        "S1,outs/S1,S1.tif,query,16,0.27\n"
        "R.1-b_2,https://host/R.tar.gz,,reference,,\n"
    )
    assert read(text) == [
        SamplesheetRow("S1", "outs/S1", "S1.tif", "query", 16, 0.27),
        SamplesheetRow("R.1-b_2", "https://host/R.tar.gz", None, "reference", None, None),
    ]


def test_role_is_query_where_not_given(read):
    assert read(GOOD)[0].role == "query"


def test_any_bin_size_that_space_ranger_can_be_asked_for(read):
    assert read("sample,spaceranger_dir,bin_size_um\nS1,outs,32\n")[0].bin_size_um == 32


def test_digits_stay_a_name(read):
    assert read("sample,spaceranger_dir\n007,outs\n")[0].sample == "007"


def test_whole_number_as_a_spreadsheet_writes_it(read):
    assert read("sample,spaceranger_dir,bin_size_um\nS1,outs,8.0\n")[0].bin_size_um == 8


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + GOOD.encode(), id="UTF-8 byte order mark"),
        pytest.param(GOOD.encode("utf-16"), id="UTF-16"),
        pytest.param(GOOD.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r").encode(), id="CR"),
        pytest.param(GOOD.rstrip().encode(), id="no newline at the end"),
        pytest.param(b"\n\nsample,spaceranger_dir\n\n,\n  \nS1,outs/S1\n\n\n", id="empty lines"),
        pytest.param(b" sample , spaceranger_dir \n  S1,\touts/S1  \n", id="spaces round cells"),
        pytest.param(b'"sample","spaceranger_dir"\n"S1", "outs/S1"\n', id="quoted cells"),
        pytest.param(b"sample,spaceranger_dir,,\nS1,outs/S1,,\n", id="empty columns at the right"),
        pytest.param(b"sample\tspaceranger_dir\nS1\touts/S1\n", id="tabs in a .csv"),
        pytest.param(b"sample,spaceranger_dir,image\nS1,outs/S1\n", id="short row"),
    ],
)
def test_row_31_odd_but_clear_sheet_is_read(read, content: bytes):
    assert read(content) == [SamplesheetRow("S1", "outs/S1")]


def test_row_31_path_with_spaces_and_comma(read):
    assert read('sample,spaceranger_dir\nS1,"my data/run 1, lane 2/outs"\n')[0].spaceranger_dir == (
        "my data/run 1, lane 2/outs"
    )


def test_row_31_relative_path_stays_as_written(read):
    assert read("sample,spaceranger_dir\nS1,../x/./outs\n")[0].spaceranger_dir == "../x/./outs"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sheet.tsv", "sample\tspaceranger_dir\tbin_size_um\nS1\touts/S1\t8\n"),
        ("sheet.yaml", "- sample: S1\n  spaceranger_dir: outs/S1\n  bin_size_um: 8\n  image:\n"),
        ("sheet.yml", "- {sample: S1, spaceranger_dir: outs/S1, bin_size_um: 8}\n"),
        ("sheet.json", '[{"sample": "S1", "spaceranger_dir": "outs/S1", "bin_size_um": 8, "role": null}]'),
    ],
)
def test_other_formats(read, name: str, content: str):
    assert read(content, name) == [SamplesheetRow("S1", "outs/S1", bin_size_um=8)]


def test_semicolons_are_named(problems):
    (problem,) = problems("sample;spaceranger_dir\nS1;outs\n")
    assert "semicolons" in problem.found
    assert "commas" in problem.expected


def test_missing_column_names_the_likely_one(problems):
    (problem,) = problems("Sample,spaceranger_dir\nS1,outs\n")
    assert "no column 'sample'" in problem.found
    assert problem.mend == "rename the column 'Sample' to 'sample'"


def test_empty_required_cell_has_its_line(problems):
    (problem,) = problems("sample,spaceranger_dir\n\nS1,\n")
    assert (problem.sample, problem.file) == ("S1", "sheet.csv, line 3, column spaceranger_dir")


def test_duplicate_names_tell_both_lines(problems):
    (problem,) = problems("sample,spaceranger_dir\nS1,a\nS2,b\nS1,c\n")
    assert problem.file == "sheet.csv, line 4, column sample"
    assert "'S1', which is already used in line 2" in problem.found


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("multiqc", "the folder of the cohort report"),
        ("MultiQC", "the folder of the cohort report"),
        ("pipeline_info", "the run's own records"),
        ("references", "the model trained on references"),
        ("qc_summary.csv", "the table of all samples"),
        ("ro-crate-metadata.json", "the description of the results"),
        ("cohort", "the record of the whole run"),
        ("work", "Nextflow's work folder"),
    ],
)
def test_name_of_another_part_of_the_results_is_refused_with_the_reason(problems, name: str, reason: str):
    (problem,) = problems(f"sample,spaceranger_dir\nS1,a\n{name},b\n")
    assert (problem.sample, problem.file) == (name, "sheet.csv, line 3, column sample")
    assert reason in problem.found
    assert problem.mend == f"call it '{name}_1'"


def test_name_that_has_such_a_name_in_it_is_fine(read):
    assert [row.sample for row in read("sample,spaceranger_dir\nmultiqc_1,a\ncohort.2,b\n")] == [
        "multiqc_1",
        "cohort.2",
    ]


def test_names_that_differ_only_by_case_share_a_folder_on_some_file_systems(problems):
    (problem,) = problems("sample,spaceranger_dir\nliver_a,a\nother,b\nLiver_A,c\n")
    assert problem.file == "sheet.csv, line 4, column sample"
    assert problem.found == "'Liver_A', which differs from 'liver_a' in line 2 only by case"


@pytest.mark.parametrize(
    ("name", "suggestion"), [("my sample", "my_sample"), ("-x", "x"), ("Größe 1", "Gr_e_1"), ("??", "sample_1")]
)
def test_illegal_name_gets_a_legal_suggestion(problems, name: str, suggestion: str):
    (problem,) = problems(f"sample,spaceranger_dir\n{name},a\n")
    assert problem.file == "sheet.csv, line 2, column sample"
    assert problem.mend == f"call it '{suggestion}'"


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("role", "control", "'query'"),
        ("bin_size_um", "0", "a whole number of µm"),
        ("bin_size_um", "8.5", "a whole number of µm"),
        ("bin_size_um", "eight", "a whole number of µm"),
        ("microns_per_pixel", "0", "above 0"),
        ("microns_per_pixel", "nan", "above 0"),
        ("microns_per_pixel", "inf", "above 0"),
        ("image", "slide.pdf", ".tif"),
    ],
)
def test_bad_cell_says_what_was_expected(problems, column: str, cell: str, expected: str):
    (problem,) = problems(f"sample,spaceranger_dir,{column}\nS1,outs,{cell}\n")
    assert problem.file == f"sheet.csv, line 2, column {column}"
    assert problem.found == f"'{cell}'" or problem.found == cell
    assert expected in problem.expected


def test_alignment_of_a_reference_is_read(read):
    text = "sample,spaceranger_dir,role,image,image_alignment\nq,outs,,,\nx,xenium,reference,he.tif,he_alignment.csv\n"
    assert [row.image_alignment for row in read(text)] == [None, "he_alignment.csv"]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("S1,outs,,he.tif,a.csv", "for a sample to analyse"),
        ("S1,outs,query,he.tif,a.csv", "for a sample to analyse"),
        ("S1,outs,reference,,a.csv", "without an image"),
        ("S1,outs,reference,he.tif,a.json", "'a.json'"),
    ],
)
def test_alignment_without_reference_or_image_is_refused(problems, row: str, found: str):
    (problem,) = problems(f"sample,spaceranger_dir,role,image,image_alignment\nq,outs,,,\n{row}\n")
    assert (problem.sample, problem.file) == ("S1", "sheet.csv, line 3, column image_alignment")
    assert found in problem.found
    assert re.search(r"leave the (alignment )?cell empty", problem.mend)


def test_decimal_comma_is_recognised(problems):
    (problem,) = problems('sample,spaceranger_dir,microns_per_pixel\nS1,outs,"0,27"\n')
    assert problem.mend == "write it with a decimal point: 0.27"


def test_cell_without_a_column(problems):
    (problem,) = problems("sample,spaceranger_dir\nS1,run 1, lane 2/outs\n")
    assert (problem.sample, problem.file) == ("S1", "sheet.csv, line 2")
    assert "double quotes" in problem.mend


def test_lines_are_counted_through_quoted_line_breaks(problems):
    (problem,) = problems('sample,spaceranger_dir\nS1,"a\nb"\nS 2,c\n')
    assert problem.file == "sheet.csv, line 4, column sample"


def test_unclosed_quote(problems):
    (problem,) = problems('sample,spaceranger_dir\nS1,"outs\n')
    assert problem.file == "sheet.csv, line 2"


def test_only_references_is_an_error(problems):
    (problem,) = problems("sample,spaceranger_dir,role\nR1,outs,reference\n")
    assert problem.found == "no row with the role 'query'"


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", ""), ("a.csv", "\n\n"), ("a.csv", "sample,spaceranger_dir\n"), ("a.yaml", ""), ("a.json", "[]")],
)
def test_empty_sheet(problems, name: str, content: str):
    (problem,) = problems(content, name)
    assert problem.found == "no samples"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.xlsx", b"PK\x03\x04rest", "spreadsheet"),
        ("a.csv", b"sample,spaceranger_dir\nS\xe91,outs\n", "not UTF-8"),
        ("a.csv", b"sample,\0\n", "binary"),
        ("a.yaml", b"- sample: [\n", "YAML"),
        ("a.json", b'[{"sample": "S1"', "JSON"),
        ("a.json", b'{"sample": "S1"}', "a single value or mapping"),
        ("a.json", b'["S1"]', "not a mapping"),
        ("a.csv", b"sample,sample,spaceranger_dir\nS1,S1,o\n", "duplicated column: sample"),
    ],
)
def test_unreadable_sheet(problems, name: str, content: bytes, found: str):
    (problem,) = problems(content, name)
    assert found in problem.found


def test_absent_sheet(tmp_path: Path, schema: Path):
    with pytest.raises(BadInputError, match="No such file"):
        read_samplesheet(tmp_path / "none.csv", schema)


def test_unquoted_number_as_yaml_name(problems):
    (problem,) = problems("- {sample: 007, spaceranger_dir: outs}\n", "a.yaml")
    assert problem.mend == "put the name in quotes"


def test_all_problems_of_a_sheet_at_once(problems):
    found = problems("sample,spaceranger_dir,role,bin_size_um\nS 1,,x,0\nS2,a,,8\nS2,,query,\n")
    assert {problem.file for problem in found} == {
        "sheet.csv, line 2, column sample",
        "sheet.csv, line 2, column spaceranger_dir",
        "sheet.csv, line 2, column role",
        "sheet.csv, line 2, column bin_size_um",
        "sheet.csv, line 4, column sample",
        "sheet.csv, line 4, column spaceranger_dir",
    }


def test_missing_column_is_told_once_not_for_each_row(problems):
    assert len(problems("sample,folder\nS1,a\nS2,b\n")) == 1


def test_unknown_column_warns_with_the_likely_name(messages):
    ((level, text),) = messages("sample,spaceranger_dir,microns_per_px\nS1,outs,1\n")
    assert level == "warning"
    assert "'microns_per_px'" in text
    assert "did you mean 'microns_per_pixel'?" in text


def test_same_folder_twice_warns(messages):
    ((level, text),) = messages("sample,spaceranger_dir\nS1,outs\nS2,outs\n")
    assert level == "warning"
    assert "'S1' and 'S2'" in text


def test_one_folder_at_two_bin_sizes_is_normal(messages):
    assert messages("sample,spaceranger_dir,bin_size_um\nS1,outs,8\nS2,outs,16\n") == []


def test_what_was_mended_is_told(messages):
    told = messages(b"\xef\xbb\xbfsample,spaceranger_dir\n\nS1,outs\n")
    assert {level for level, _ in told} == {"handled"}
    assert len(told) == 2


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "yaml"])
@given(data=st.data())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_read_or_refused(tmp_path: Path, schema: Path, suffix: str, data: st.DataObject):
    base = {
        "csv": GOOD + "S2,b\n",
        "tsv": GOOD.replace(",", "\t"),
        "json": '[{"sample": "S1", "spaceranger_dir": "a", "bin_size_um": 8}]',
        "yaml": "- sample: S1\n  spaceranger_dir: a\n  microns_per_pixel: 0.5\n",
    }[suffix].encode()
    at = data.draw(st.integers(0, len(base)))
    path = tmp_path / f"sheet.{suffix}"
    path.write_bytes(base[:at] + data.draw(st.binary(max_size=12)) + base[at + data.draw(st.integers(0, 5)) :])
    try:
        rows = read_samplesheet(path, schema)
    except BadInputError:
        return
    assert all(isinstance(row.sample, str) and row.sample for row in rows)


def test_a_study_with_batch_donor_and_condition(read):
    (row,) = read("sample,spaceranger_dir,study,batch,donor,condition\nS1,outs,liver,1,007,high-fat\n")
    assert (row.study, row.batch, row.donor, row.condition) == ("liver", "1", "007", "high-fat")


@pytest.mark.parametrize("column", ["study", "batch", "donor", "condition"])
def test_columns_of_a_study_are_names(problems, column: str):
    (problem,) = problems(f"sample,spaceranger_dir,{column}\nS1,outs,a b\n")
    assert problem.file == f"sheet.csv, line 2, column {column}"
    assert "letters, digits" in problem.expected


def test_a_reference_takes_part_in_no_study(problems):
    (problem,) = problems("sample,spaceranger_dir,role,study\nS1,outs,,x\nR,hd,reference,x\n")
    assert problem.sample == "R"
    assert problem.mend == "leave the cell empty"


def test_studies_that_differ_by_case_are_one_written_twice(problems):
    (problem,) = problems("sample,spaceranger_dir,study\nS1,a,Liver\nS2,b,liver\n")
    assert "differs from 'Liver' only by case" in problem.found
