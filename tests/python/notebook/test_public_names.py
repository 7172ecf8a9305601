"""``import clearspot``: what it offers, what it costs, and functions that share their name with a package."""

import inspect
import json
import subprocess
import sys
from types import ModuleType

import pytest

import clearspot

HEAVY = ["numpy", "pandas", "scipy", "anndata", "torch", "scanpy", "matplotlib", "tqdm"]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_import_is_cheap_and_names_are_listed_all_the_same():
    code = (
        f"import clearspot, json, sys; names = dir(clearspot); "
        f"print(json.dumps([names, [n for n in {HEAVY} if n in sys.modules]]))"
    )
    names, loaded = run(code)
    assert set(clearspot.__all__) <= set(names)
    assert loaded == []


@pytest.mark.parametrize("first", ["clearspot.qc", "clearspot.domains", "clearspot.read_outs", "clearspot.simulate"])
def test_first_use_does_not_load_torch(first):
    assert run(f"import clearspot, json, sys; {first}; print(json.dumps('torch' in sys.modules))") is False


def test_every_name_is_there():
    for name in clearspot.__all__:
        assert callable(getattr(clearspot, name)) or isinstance(getattr(clearspot, name), ModuleType)
    with pytest.raises(AttributeError, match="denois"):
        _ = clearspot.denois


@pytest.mark.parametrize("name", ["qc", "domains"])
def test_a_package_of_a_step_can_be_called(name):
    code = f"""
import clearspot.{name}.run, inspect, json
import clearspot
print(json.dumps([list(inspect.signature(clearspot.{name}).parameters)[:2], clearspot.{name}.run.__name__]))
"""
    assert run(code) == [["adata", "sample"], f"clearspot.{name}.run"]
    package = getattr(clearspot, name)
    assert package.__doc__.startswith(("Compute QC metrics", "Find spatial domains"))
    assert "clearspot." in repr(package)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        package()


def test_simulate_and_pl_list_their_names():
    assert set(clearspot.simulate.__all__) <= set(dir(clearspot.simulate))
    with pytest.raises(AttributeError, match="large_section"):
        _ = clearspot.simulate.large_section
    assert all(inspect.isfunction(getattr(clearspot.pl, name)) for name in clearspot.pl.__all__)
