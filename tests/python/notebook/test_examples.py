"""The examples in the docstrings of the public functions, run as they stand."""

import doctest
from inspect import unwrap

import pytest

import clearspot
from clearspot.notebook import steps

FUNCTIONS = {
    "qc": steps.qc,
    "domains": steps.domains,
    "passing": clearspot.passing,
    "read_outs": clearspot.read_outs,
    "denoise": clearspot.denoise,
    "superresolve": clearspot.superresolve,
    "simulate.small_section": clearspot.simulate.small_section,
    "pl.spots": clearspot.pl.spots,
    "pl.genes": clearspot.pl.genes,
    "pl.domains": clearspot.pl.domains,
    "pl.superres": clearspot.pl.superres,
}


def test_every_public_function_has_an_example():
    functions = {name for name in clearspot.__all__ if name not in ("pl", "simulate", "BadInputError", "SettingError")}
    functions |= {f"pl.{name}" for name in clearspot.pl.__all__}
    assert functions <= set(FUNCTIONS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name):
    found = doctest.DocTestFinder(recurse=False).find(FUNCTIONS[name], name, module=False, globs={})
    assert len(found) == 1
    assert found[0].examples
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(found[0])
    assert result.failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_have_the_sections_of_numpy(name):
    text = FUNCTIONS[name].__doc__
    for section in ("Parameters\n", "Returns\n", "Examples\n"):
        assert section in text
    takes_settings = unwrap(FUNCTIONS[name]) is not FUNCTIONS[name]
    assert ("Other Parameters\n" in text) == takes_settings
