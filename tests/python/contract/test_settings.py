"""Fields that state their own meaning and bounds: validation, documentation and presets."""

import inspect
from dataclasses import FrozenInstanceError, dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pytest

from clearspot.contract.settings import Settings, setting, settings_of
from clearspot.diffst import params as diffst_params
from clearspot.diffst.params import DiffstParams
from clearspot.domains.params import DomainParams
from clearspot.dusted import params as dusted_params
from clearspot.dusted.params import DustedParams
from clearspot.errors import SettingError, exit_codes
from clearspot.export.params import ExportParams
from clearspot.graph.params import GraphParams
from clearspot.qc.params import QCParams

ALL = [QCParams, GraphParams, DustedParams, DomainParams, DiffstParams, ExportParams]


@dataclass(frozen=True)
class Example(Settings):
    """An example."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {"usual": {}, "wide": {"width": 16, "share": None}}

    kind: Literal["a", "b"] = setting("a", "Kind of thing.")
    width: int = setting(8, "Width.", ge=8, multiple_of=8)
    share: float | None = setting(0.5, "Share.", none="all of it", gt=0, lt=1)
    genes: Literal["hvg"] | tuple[str, ...] = setting("hvg", "Genes.")
    names: tuple[str, ...] = setting((), "Names.")
    flag: bool = setting(True, "Flag.")
    text: str = setting("x", "Text.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "c"}, "kind must be one of a, b, not 'c'"),
        ({"width": 12}, "width must be a multiple of 8, at least 8, not 12"),
        ({"width": 0}, "at least 8"),
        ({"width": 16.0}, "width must be"),
        ({"width": True}, "width must be"),
        ({"width": None}, "width must be"),
        ({"share": 0}, "share must be a number, above 0 and below 1 or None, not 0"),
        ({"share": 1.0}, "below 1"),
        ({"share": float("nan")}, "not nan"),
        ({"share": "0.5"}, "a number"),
        ({"genes": 3}, "genes must be one of hvg or a list of names, not 3"),
        ({"names": 3}, "names must be a list of names"),
        ({"names": (1, 2)}, "a list of names"),
        ({"flag": "false"}, "flag must be true or false, not 'false'"),
        ({"flag": 1}, "true or false"),
        ({"text": 3}, "text must be text"),
    ],
)
def test_values_that_are_not_allowed_are_refused_in_words(change, words):
    with pytest.raises(SettingError) as refused:
        Example(**change)
    assert words in str(refused.value)


def test_values_become_plain_python():
    made = Example(width=np.int64(16), share=np.float32(0.25), genes=["A", np.str_("B")], names=np.array(["C"]))
    assert (made.width, made.share, made.genes, made.names) == (16, 0.25, ("A", "B"), ("C",))
    assert [type(value) for value in (made.width, made.share, *made.genes)] == [int, float, str, str]


def test_an_invalid_setting_is_a_usage_error_of_a_script():
    with pytest.raises(SystemExit) as left, exit_codes():
        Example(width=12)
    assert left.value.code == 2


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Example().width = 16


def test_a_preset_is_its_differences_and_none_leaves_them():
    assert Example.preset("usual") == Example()
    assert Example.preset("wide") == Example(width=16, share=None)
    assert Example.preset("wide", width=None, kind="b") == Example(width=16, share=None, kind="b")
    with pytest.raises(SettingError, match="usual, wide"):
        Example.preset("narrow")
    with pytest.raises(TypeError, match="Example has no setting named widht"):  # codespell:ignore
        Example.preset("usual", widht=8)  # codespell:ignore


def test_documentation_is_made_from_the_fields():
    text = inspect.getdoc(Example)
    assert text.startswith("An example.\n\nParameters\n----------\nkind\n    Kind of thing.\nwidth\n")
    assert "share\n    Share. ``None``: all of it.\n" in text


@pytest.mark.parametrize("params", ALL)
def test_every_setting_says_what_it_is_and_what_none_means(params):
    for one in settings_of(params).values():
        assert one.stated.help[0].isupper(), one.name
        assert one.stated.help.endswith((".", "%.")), one.name
        assert one.optional == (one.stated.none is not None), one.name


@pytest.mark.parametrize("params", ALL)
def test_every_preset_is_valid_and_holds_differences_only(params):
    for name, changes in params.presets.items():
        params.preset(name)
        assert not [key for key, value in changes.items() if getattr(params(), key) == value]
    assert not next(iter(params.presets.values()), {})


def test_defaults_of_the_classes_are_those_of_the_functions():
    from clearspot.diffst.output.api import superresolve
    from clearspot.dusted.denoising import denoise

    for function, params in ((denoise, DustedParams), (superresolve, DiffstParams)):
        preset = inspect.signature(function).parameters["preset"].default
        assert params() == params.preset(preset)


def test_presets_that_functions_accept_are_those_there_are():
    assert list(get_args(dusted_params.Preset)) == list(DustedParams.presets)
    assert list(get_args(diffst_params.Preset)) == list(DiffstParams.presets)
