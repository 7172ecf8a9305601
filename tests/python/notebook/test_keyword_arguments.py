"""Settings as keyword arguments: they complete, they are typed as declared, and a typo is told the nearest."""

import inspect

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import clearspot
from clearspot.contract import keywords
from clearspot.contract.settings import settings_of
from clearspot.diffst.params import DiffstParams
from clearspot.domains.params import DomainParams
from clearspot.dusted.params import DustedParams
from clearspot.notebook import steps
from clearspot.qc.params import QCParams
from tools import setting_keywords

FUNCTIONS = [
    (steps.qc, QCParams, keywords.QCKeywords),
    (steps.domains, DomainParams, keywords.DomainKeywords),
    (clearspot.denoise, DustedParams, keywords.DustedKeywords),
    (clearspot.superresolve, DiffstParams, keywords.DiffstKeywords),
]
NAMES = ["qc", "domains", "denoise", "superresolve"]


def test_the_types_are_what_the_tool_writes():
    assert setting_keywords.TARGET.read_text(encoding="utf-8") == setting_keywords.content(), (
        "run: python tools/setting_keywords.py"
    )


@pytest.mark.parametrize(("function", "settings", "types"), FUNCTIONS, ids=NAMES)
def test_signature_and_types_list_every_setting_with_its_default(function, settings, types):
    parameters = inspect.signature(function).parameters
    declared = settings_of(settings)
    own = set(parameters) - set(declared)
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    assert "adata" in own
    taken = {"image"} if settings is DiffstParams else set()
    assert set(types.__annotations__) == set(declared) - taken
    for name in set(declared) - taken:
        assert parameters[name].default == declared[name].default
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert declared[name].stated.help in function.__doc__


def test_jupyter_completes_settings():
    shell = InteractiveShell()
    shell.run_cell("import clearspot")
    for text, expected in [
        ("clearspot.denoise(adata, likel", "likelihood="),
        ("clearspot.qc(adata, mito", "mito_threshold="),
        ("clearspot.superresolve(adata, steps_m", "steps_mean="),
        ("clearspot.den", "denoise"),
    ]:
        with provisionalcompleter():  # the one that Jupyter asks
            found = [one.text for one in shell.Completer.completions(text, len(text))]
        assert expected in found, (text, found)


@pytest.mark.parametrize(
    ("function", "wrong", "nearest"),
    [
        (clearspot.qc, "mito_treshold", "mito_threshold"),
        (clearspot.domains, "resolutions", "resolution"),
        (clearspot.denoise, "chekpoint", "checkpoint"),  # codespell:ignore
        (clearspot.denoise, "epoch", "epochs"),
        (clearspot.superresolve, "n_gene", "n_genes"),
    ],
)
def test_a_typo_is_told_the_nearest_name(section, function, wrong, nearest):
    with pytest.raises(TypeError, match=rf"has no setting named {wrong} \(nearest: {nearest}\)"):
        function(section, **{wrong: 1})


def test_none_is_a_value_where_it_means_something():
    assert DustedParams.preset("default", patience=None).patience is None
    assert DustedParams.preset("paper", target_sum=None).target_sum is None
    assert DustedParams.preset("paper", lr=None) == DustedParams.preset("paper")
    assert QCParams.of(min_counts=None, n_hvgs=50) == QCParams(n_hvgs=50)
