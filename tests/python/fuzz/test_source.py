"""What the source must not do with files from outside, found by reading it."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
SOURCES = sorted([*(REPO / "src").rglob("*.py"), *(REPO / "bin").glob("*.py")])
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
ALLOWED_NAMES = {("pickle", "UnpicklingError")}
"""An error class loads nothing."""


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _keyword(call: ast.Call, name: str) -> object:
    values = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return ast.literal_eval(values[0]) if values else None


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    """Every source file, parsed."""
    return {path: ast.parse(path.read_text(), filename=str(path)) for path in SOURCES}


def test_checkpoints_are_loaded_as_plain_values(trees: dict[Path, ast.Module]) -> None:
    loads = [call for tree in trees.values() for call in _calls(tree) if _name(call) == "torch.load"]
    assert loads
    assert all(_keyword(call, "weights_only") is True for call in loads)


def test_no_array_file_may_hold_objects(trees: dict[Path, ast.Module]) -> None:
    assert not [path for path, tree in trees.items() for call in _calls(tree) if _keyword(call, "allow_pickle")]


def test_nothing_that_unpickles_is_imported(trees: dict[Path, ast.Module]) -> None:
    found = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {(alias.name.split(".")[0], "*") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {(node.module.split(".")[0], alias.name) for alias in node.names}
    assert {(module, name) for module, name in found if module in FORBIDDEN_MODULES} <= ALLOWED_NAMES


def test_yaml_is_loaded_as_plain_values(trees: dict[Path, ast.Module]) -> None:
    calls = [call for tree in trees.values() for call in _calls(tree)]
    assert "yaml.safe_load" in {_name(call) for call in calls}
    assert not {_name(call) for call in calls} & {"yaml.unsafe_load", "yaml.full_load"}
    loaders = [keyword.value for call in calls if _name(call) == "yaml.load" for keyword in call.keywords]
    assert {ast.unparse(loader) for loader in loaders} <= {"yaml.BaseLoader", "yaml.SafeLoader"}


def test_no_text_is_run_by_a_shell_or_as_code(trees: dict[Path, ast.Module]) -> None:
    calls = [call for tree in trees.values() for call in _calls(tree)]
    assert not {_name(call) for call in calls} & {"eval", "exec", "os.system", "os.popen", "subprocess.getoutput"}
    assert not [call for call in calls if _keyword_is_true(call, "shell")]


def _keyword_is_true(call: ast.Call, name: str) -> bool:
    return any(keyword.arg == name and ast.unparse(keyword.value) != "False" for keyword in call.keywords)


def test_templates_escape_what_they_show(trees: dict[Path, ast.Module]) -> None:
    made = [call for tree in trees.values() for call in _calls(tree) if _name(call).endswith("Environment")]
    assert made
    assert all(_keyword(call, "autoescape") is True for call in made)
