"""Parameters are checked as nf-schema would, and all that is wrong is told at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clearspot.errors import BadInputError, Problem
from clearspot.io.params import check_params

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "io": {
            "properties": {
                "input": {"type": "string", "pattern": r"^\S+\.csv$", "description": "The samplesheet."},
                "outdir": {"type": "string", "format": "directory-path"},
            },
            "required": ["input", "outdir"],
        },
        "method": {
            "properties": {
                "domain_method": {"type": "string", "enum": ["leiden", "gmm"]},
                "dropout": {"type": "number", "minimum": 0, "maximum": 1},
                "epochs": {"type": "integer", "minimum": 1},
                "skip_qc": {"type": "boolean"},
                "genes": {"type": "string"},
                "memory": {"type": "string", "pattern": r"^\d+\.?\s*(K|M|G|T)?B$", "errorMessage": "such as '8.GB'"},
                "width": {"type": ["integer", "null"]},
            }
        },
    },
    "allOf": [{"$ref": "#/$defs/io"}, {"$ref": "#/$defs/method"}],
}
GIVEN = {"input": "a.csv", "outdir": "out"}


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return path


def _problems(schema: Path, **params: Any) -> tuple[Problem, ...]:
    with pytest.raises(BadInputError) as caught:
        check_params({**GIVEN, **params}, schema)
    return caught.value.problems


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.5, "epochs": 500, "skip_qc": False, "domain_method": "gmm", "memory": "8.GB"},
        {"dropout": "0.5", "epochs": "500", "skip_qc": "true"},
        {"dropout": 1, "epochs": 5.0, "width": None},
        {"dropout": None, "domain_method": None},
        {"epochs": "", "skip_qc": ""},
        {"genes": 3000},
    ],
    ids=["as they are", "as text", "whole as fraction", "null", "empty", "number as text"],
)
def test_good_parameters_give_no_message(schema: Path, params: dict[str, Any]):
    check_params({**GIVEN, **params}, schema)


@pytest.mark.parametrize(
    ("name", "value", "found", "expected"),
    [
        ("dropout", 1.5, "--dropout 1.5", "a number, at least 0, at most 1"),
        ("dropout", "much", "--dropout 'much'", "a number, at least 0, at most 1"),
        ("dropout", float("nan"), "--dropout 'nan'", "a number, at least 0, at most 1"),
        ("epochs", 0, "--epochs 0", "a whole number, at least 1"),
        ("epochs", 1.5, "--epochs 1.5", "a whole number, at least 1"),
        ("skip_qc", "maybe", "--skip_qc 'maybe'", "true or false"),
        ("memory", "lots", "--memory 'lots'", "such as '8.GB'"),
        ("genes", [1], "--genes [1]", "text"),
    ],
)
def test_bad_value_says_found_and_expected(schema: Path, name: str, value: Any, found: str, expected: str):
    (problem,) = _problems(schema, **{name: value})
    assert (problem.file, problem.found, problem.expected) == ("parameters", found, expected)
    assert f"--{name}" in problem.mend


def test_choice_with_a_slip_is_guessed(schema: Path):
    (problem,) = _problems(schema, domain_method="Leyden")
    assert problem.expected == "one of 'leiden', 'gmm'"
    assert problem.mend == "did you mean --domain_method leiden?"


def test_option_without_a_value(schema: Path):
    (problem,) = _problems(schema, outdir=True)
    assert problem.mend == "add a value after --outdir"


def test_required_parameter_that_is_null(schema: Path):
    (problem,) = _problems(schema, input=None)
    assert problem.found == "no --input"
    assert problem.expected == "--input (the samplesheet)"


def test_all_problems_at_once(schema: Path):
    found = [problem.found for problem in _problems(schema, input=None, outdir=None, epochs=0, dropout=-1)]
    assert sorted(found) == ["--dropout -1", "--epochs 0", "no --input", "no --outdir"]


def test_unknown_parameter_is_left_to_the_workflow(schema: Path):
    check_params({**GIVEN, "domain-method": "gmm", "zzz": 1}, schema)


def test_rule_over_several_parameters_is_reported(tmp_path: Path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({**SCHEMA, "not": {"required": ["epochs", "genes"]}}))
    (problem,) = _problems(path, epochs=3, genes="hvg")
    assert problem.file == "parameters"


def test_the_pipelines_defaults_pass_their_own_schema(repo: Path):
    schema = json.loads((repo / "nextflow_schema.json").read_text())
    defaults = {
        name: fragment["default"]
        for group in schema["$defs"].values()
        for name, fragment in group["properties"].items()
        if "default" in fragment
    }
    check_params({**defaults, "input": "sheet.csv", "outdir": "out"}, repo / "nextflow_schema.json")
