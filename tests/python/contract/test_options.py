"""Options made from settings, and the pipeline's parameters that they meet."""

import json
import re
import runpy
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import click
import pytest
from click.testing import CliRunner

from clearspot.cli import main as cli
from clearspot.contract.options import options_of
from clearspot.contract.settings import Settings, setting
from clearspot.contract.steps import STEPS

# parameters that the modules pass themselves, beside conf/modules.config
PASSED_BY_MODULES = {
    ("DUSTED_DENOISE", "genes"): "dusted_genes",
    ("DIFFUSION_TRAIN", "genes"): "superres_genes",
    ("DIFFUSION_SAMPLE", "genes"): "superres_genes",
    ("DIFFUSION_PRETRAIN", "preset"): "diffst_preset",
    ("DIFFUSION_TRAIN", "preset"): "diffst_preset",
    ("DIFFUSION_SAMPLE", "preset"): "diffst_preset",
}
# references and samples have to be on the same bins, so the pipeline always says which
DECIDED_BY_THE_PIPELINE = {"superres_bin_um"}


@dataclass(frozen=True)
class Plain(Settings):
    """Settings without presets."""

    kind: Literal["a", "b"] = setting("a", "Kind of thing.")
    width: int = setting(8, "Width.", ge=1)
    share: float | None = setting(None, "Share.", none="all of it", gt=0, lt=1)
    refine: bool = setting(False, "Refine.")
    genes: Literal["hvg", "all"] | tuple[str, ...] = setting("hvg", "Genes.")
    names: tuple[str, ...] = setting((), "Names.")


@dataclass(frozen=True)
class WithPresets(Settings):
    """Settings with presets."""

    presets: ClassVar[dict[str, dict[str, Any]]] = {"usual": {}, "wide": {"width": 16, "refine": True}}

    width: int = setting(8, "Width.", ge=1)
    seed: int = setting(0, "Seed.", ge=0)
    refine: bool = setting(False, "Refine.")


def call(settings, *arguments, names=()):
    """What a command with these options gets, and what it prints."""
    got = {}

    @click.command()
    @options_of(settings, *names)
    def command(**options):
        got.update(options)

    return got, CliRunner().invoke(command, list(arguments))


def test_options_that_are_left_out_are_the_defaults():
    got, _ = call(Plain)
    assert got == {"kind": "a", "width": 8, "share": None, "refine": False, "genes": "hvg", "names": None}


def test_options_are_typed():
    got, done = call(Plain, "--kind", "b", "--width", "3", "--share", "0.25", "--refine", "--genes", "list.txt")
    assert done.exit_code == 0, done.output
    assert got == {"kind": "b", "width": 3, "share": 0.25, "refine": True, "genes": "list.txt", "names": None}
    assert call(Plain, "--no-refine")[0]["refine"] is False


@pytest.mark.parametrize(
    "arguments", [["--kind", "c"], ["--width", "0"], ["--share", "1"], ["--share", "0"], ["--names", "absent.txt"]]
)
def test_values_out_of_bounds_are_refused(arguments):
    assert call(Plain, *arguments)[1].exit_code == 2


def test_help_has_meaning_choices_bounds_and_default():
    text = " ".join(call(Plain, "--help")[1].output.split())
    assert "--kind [a|b] Kind of thing. [default: a]" in text
    assert "Width. [default: 8; x>=1]" in text
    assert "Share. [default: (all of it); 0<x<1]" in text
    assert "--refine / --no-refine Refine. [default: no-refine]" in text
    assert "--genes hvg|all|FILE Genes. [default: hvg]" in text


def test_what_a_preset_changes_is_left_to_it():
    got, _ = call(WithPresets)
    assert got == {"preset": "usual", "width": None, "seed": 0, "refine": None}
    assert WithPresets.preset(**{"name": "wide", "width": None, "seed": 0, "refine": None}).refine
    text = " ".join(call(WithPresets, "--help")[1].output.split())
    assert "Width. [default: (set by the preset); x>=1]" in text
    assert "Seed. [default: 0; x>=0]" in text


def test_options_can_be_chosen_by_name():
    assert set(call(Plain, names=["width", "kind"])[0]) == {"width", "kind"}


# the pipeline


@pytest.fixture(scope="module")
def defaults(repo):
    """The ``params`` block of nextflow.config."""
    text = (repo / "nextflow.config").read_text(encoding="utf-8")
    block = text[text.index("\nparams {") : text.index("\n}", text.index("\nparams {"))]
    words = {"null": None, "true": True, "false": False}
    found = {}
    for name, value in re.findall(r"^ +(\w+) *= *(.+?) *$", block, re.MULTILINE):
        quoted = re.fullmatch(r"'([^']*)'", value)
        number = re.fullmatch(r"-?\d+(\.\d+)?", value)
        found[name] = quoted[1] if quoted else float(value) if number else words.get(value, ...)
    return found


@pytest.fixture(scope="module")
def schema(repo):
    """Each parameter of nextflow_schema.json."""
    groups = json.loads((repo / "nextflow_schema.json").read_text(encoding="utf-8"))["$defs"].values()
    return {name: fragment for group in groups for name, fragment in group["properties"].items()}


@pytest.fixture(scope="module")
def options(repo):
    """For each process, the options of its script by flag."""
    commands = {step.process: runpy.run_path(str(repo / "bin" / step.script))["main"] for step in STEPS}
    commands["SIMULATE"] = cli.commands["simulate"]  # the one module that calls the package's own command
    return {
        process: {flag: option for option in command.params for flag in (*option.opts, *option.secondary_opts)}
        for process, command in commands.items()
    }


@pytest.fixture(scope="module")
def configured(repo):
    """Text of conf/modules.config by process; a block of several processes counts for each."""
    text = (repo / "conf" / "modules.config").read_text(encoding="utf-8")
    blocks = re.split(r"withName: *", text)[1:]
    found: dict[str, str] = {}
    for block in blocks:
        for process in re.match(r"'?([A-Z_|]+)", block)[1].split("|"):
            found[process] = found.get(process, "") + block
    return found


@pytest.fixture(scope="module")
def pairs(configured):
    """(process, flag) and the parameter whose value the flag gets."""
    found = dict(PASSED_BY_MODULES)
    for process, block in configured.items():
        for flag, name in re.findall(r"--([a-z][a-z0-9-]*)['\"]?[ ,=]+['\"]?\$?\{?\(?params\.(\w+)", block):
            found[process, flag] = name
    return found


def test_parameters_are_the_same_in_configuration_and_schema(defaults, schema):
    assert list(defaults) == list(schema)


def test_defaults_are_the_same_in_configuration_and_schema(defaults, schema):
    stated = {name: fragment.get("default") for name, fragment in schema.items()}
    assert {name: value for name, value in defaults.items() if value is not ...} == {
        name: value for name, value in stated.items() if defaults[name] is not ...
    }
    assert [name for name, value in defaults.items() if value is ...] == ["trace_report_suffix"]


def test_configuration_passes_options_that_the_scripts_have(configured, options):
    passed = {
        (process, flag) for process, block in configured.items() for flag in re.findall(r"--[a-z][a-z0-9-]*", block)
    }
    assert len(passed) > 30
    assert not {(process, flag) for process, flag in passed if flag not in options[process]}


def test_modules_pass_options_that_the_scripts_have(repo, options):
    passed = set()
    for path in (repo / "modules" / "local").rglob("main.nf"):
        text = path.read_text(encoding="utf-8")
        process = re.search(r"^process (\w+)", text, re.MULTILINE)[1]
        body = text[text.index("script:") : text.index("stub:")]
        body = re.sub(r"link_outs\.py[^\n]*|clearspot --version", "", body)
        passed |= {(process, flag) for flag in re.findall(r"--[a-z][a-z0-9-]*", body)}
    assert len(passed) > 40
    assert not {(process, flag) for process, flag in passed if flag not in options[process]}


def test_pairs_of_option_and_parameter_are_found(pairs):
    assert len(pairs) > 30
    assert pairs["SPOT_QC", "mito-threshold"] == "qc_mito_threshold"
    assert pairs["DUSTED_DENOISE", "max-spots-per-tile"] == "dusted_tile_spots"


def test_defaults_are_those_of_the_scripts(pairs, defaults, options):
    """``null`` leaves the value to the script."""
    differing = {
        name: (defaults[name], options[process][f"--{flag}"].default)
        for (process, flag), name in pairs.items()
        if defaults[name] is not None
        and name not in DECIDED_BY_THE_PIPELINE
        and defaults[name] != options[process][f"--{flag}"].default
    }
    assert differing == {}


def test_types_choices_and_bounds_are_those_of_the_scripts(pairs, schema, options):
    differing = {}
    for (process, flag), name in pairs.items():
        expected = as_schema(options[process][f"--{flag}"].type)
        found = {key: value for key, value in schema[name].items() if key in KEYWORDS}
        if found != expected:
            differing[process, flag] = (found, expected)
    assert differing == {}


KEYWORDS = {"type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


def as_schema(kind):
    """JSON Schema of what a click type accepts."""
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        bounds = {
            "exclusiveMinimum" if kind.min_open else "minimum": kind.min,
            "exclusiveMaximum" if kind.max_open else "maximum": kind.max,
        }
        fragment = {"type": "integer" if isinstance(kind, click.IntRange) else "number"}
        return fragment | {key: value for key, value in bounds.items() if value is not None}
    return {"type": "string"}


def test_defaults_in_the_documentation_are_those_of_the_configuration(repo, defaults):
    """Tables whose first column is a parameter and whose last one is its default."""
    rows = []
    for path in (repo / "docs").rglob("*.md"):
        for table in re.findall(r"(?:^\|.*\n)+", path.read_text(encoding="utf-8"), re.MULTILINE):
            header, *lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]
            if header[-1] == "default":
                rows += [(cells[0].strip("`-"), cells[-1].strip("`")) for cells in lines]
    stated = {name: value for name, value in rows if defaults.get(name) is not None}
    assert stated
    assert stated == {name: f"{defaults[name]:g}" for name in stated}
