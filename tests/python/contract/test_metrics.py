"""The declaration of the metrics, and how records are held against it."""

import ast
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from clearspot.contract.metric import Kind, Metric
from clearspot.contract.metrics import METRICS, check_metrics, get_metric, metrics_of
from clearspot.contract.metrics_of_space_ranger import STATED
from clearspot.contract.steps import RECORDED
from clearspot.record import StepRecord

ALL = [*METRICS, *STATED]


def test_no_metric_is_declared_twice() -> None:
    pairs = [(step, metric.name) for metric in ALL for step in metric.steps]
    assert sorted(set(pairs)) == sorted(pairs)


def test_metrics_belong_to_steps_that_write_a_record_and_each_such_step_has_some() -> None:
    assert {step for metric in METRICS for step in metric.steps} == set(RECORDED)
    assert all(metrics_of(step) for step in RECORDED)


def test_a_steps_metrics_can_be_told_apart_by_their_labels() -> None:
    for step in RECORDED:
        labels = [metric.label for metric in metrics_of(step)]
        assert sorted(set(labels)) == sorted(labels)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("count", [0, 3, np.int64(7)], [-1, 1.5, True, "3"]),
        ("number", [-1.5, 2, np.float32(0.5), math.inf], [True, "2", [1]]),
        ("score", [-1.5], [False, "x"]),
        ("fraction", [0, 1, 0.5, 1 + 1e-9], [1.1, -0.1, 50]),
        ("percent", [0, 100, 50.5], [100.1, -1]),
        ("skill", [1, -3.5], [1.1]),
        ("flag", [True, np.bool_(False)], [1, "yes"]),
        ("text", ["x", ""], [1, True, ["x"]]),
    ],
)
def test_a_kind_says_which_values_a_metric_may_have(kind: Kind, good: list[object], bad: list[object]) -> None:
    metric = Metric(("qc",), "m", kind, "M")
    assert [value for value in [*good, None, math.nan] if not metric.accepts(value)] == []
    assert [value for value in bad if metric.accepts(value)] == []


def test_words_have_the_unit() -> None:
    metric = Metric(("qc",), "side", "number", "Side of a spot", unit="µm")
    assert metric.label == "Side of a spot (µm)"
    assert metric.meaning == "side of a spot, µm"
    assert metric.title_for("bin") == "Side of a bin"
    assert Metric(("qc",), "crps", "score", "CRPS of all").meaning == "CRPS of all"


def test_every_wrong_metric_is_named() -> None:
    with pytest.raises(ValueError, match=r"n_spotz is not declared; n_hvgs = 'many' is not a count"):
        check_metrics("qc", {"n_spots": 3, "n_spotz": 4, "n_hvgs": "many"})


def test_a_record_that_is_at_odds_with_the_declaration_is_not_written(tmp_path: Path) -> None:
    record = StepRecord("s", "graph", metrics={"median_degree": "six"})
    with pytest.raises(ValueError, match=r"step graph: median_degree = 'six' is not a number"):
        record.write(tmp_path / "s.graph.json")
    assert list(tmp_path.iterdir()) == []


def test_a_metric_of_another_step_is_not_this_ones() -> None:
    get_metric("qc", "n_hvgs")
    with pytest.raises(KeyError):
        get_metric("graph", "n_hvgs")


def test_every_declared_metric_is_named_by_code_that_writes_records(repo: Path) -> None:
    sources = [path for path in (repo / "src").rglob("*.py") if not {"contract", "report"} & set(path.parts)]
    named = {
        node.value
        for path in [*sources, *(repo / "bin").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [metric.name for metric in METRICS if metric.name not in named] == []


def test_no_metric_name_is_put_together(repo: Path) -> None:
    """Neither as a key of ``metrics`` (``metrics[f"..."]``, ``metrics |= {f"...": ...}``) nor in ``metric(...)``."""
    found = []
    for path in [*(repo / "src").rglob("*.py"), *(repo / "bin").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found += [f"{path.name}:{name.lineno}" for name in _metric_names(node) if _is_put_together(name)]
    assert found == []


def _metric_names(node: ast.AST) -> list[ast.expr]:
    """Expressions that name a metric in one node of the syntax tree."""
    if isinstance(node, ast.Subscript) and _called(node.value) == "metrics":
        return [node.slice]
    if isinstance(node, ast.Call) and _called(node.func) in ("metric", "get_metric", "key_number"):
        return [*node.args]
    if isinstance(node, ast.keyword) and node.arg == "metrics":
        return _keys(node.value)
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return _keys(node.value) if any(_called(target) == "metrics" for target in targets) else []
    return []


def _keys(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.Dict):
        nested = [key for part, key in zip(value.values, value.keys, strict=True) if key is None for key in _keys(part)]
        return [*(key for key in value.keys if key is not None), *nested]
    return [value.key] if isinstance(value, ast.DictComp) else []


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_put_together(name: ast.expr) -> bool:
    return isinstance(name, (ast.JoinedStr, ast.BinOp))


def test_records_need_no_costly_import() -> None:
    code = "import sys, clearspot.record; print(sorted({'numpy', 'pandas', 'anndata', 'torch'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tables_of_the_docs_are_those_of_the_declarations(repo: Path) -> None:
    command = [sys.executable, str(repo / "tools" / "docs_tables.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
