"""Messages name what their reader can set: an argument, an option, or a parameter and a column of the samplesheet."""

import ast
import re
from pathlib import Path

import pytest

import clearspot
from clearspot.caller import called_from, current_caller
from clearspot.errors import BadInputError, SettingError, exit_codes
from clearspot.step_script import StepScript, get_step

SHELL_WORDS = re.compile(r"samplesheet|(?<![\w-])--[a-z]|\.h5ad\b")
OF_SPACE_RANGER = re.compile(r"--loupe-alignment|--custom-bin-size")

NOT_FROM_PYTHON = (
    "cli.py", "keys.py", "step_script.py", "contract/options.py", "contract/metrics_of_data.py", "io/samplesheet.py",
    "io/sheet_text.py", "io/run_inputs.py", "io/params.py", "io/options.py", "io/schema_words.py", "io/preflight/",
    "report/", "simulate/", "export/", "dusted/command.py", "dusted/options.py", "diffst/options.py",
    "diffst/output/command.py", "diffst/output/reference_sheet.py",
)  # fmt: skip
"""What only the command line and the pipeline come to."""

CHOICES = {"by_caller", "option"}


def library_modules():
    root = Path(clearspot.__file__).parent
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(NOT_FROM_PYTHON):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def texts(tree):
    """Texts of a module that are neither documentation nor one of several for several callers."""
    chosen = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHOICES
    ]
    passed_on = {name.id for call in chosen for name in ast.walk(call) if isinstance(name, ast.Name)}
    apart = {id(part) for call in chosen for part in ast.walk(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            apart.add(id(node.value))
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)}
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and names & passed_on:
            apart |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.lineno, node.value


def test_no_text_for_python_names_an_option_or_the_samplesheet():
    words = re.compile(r"samplesheet|(?<![\w-])--[a-z]")
    found = [
        f"{name}:{line}: {text}"
        for name, tree in library_modules()
        for line, text in texts(tree)
        if words.search(OF_SPACE_RANGER.sub("", text)) and text != "samplesheet"
    ]
    assert found == []


def too_few_spots(adata):
    clearspot.qc(adata, min_counts=10**6)


def too_few_genes(adata):
    clearspot.qc(adata, hvg_min_counts=10**6)


def no_positions(adata):
    del adata.obsm["spatial"]
    clearspot.denoise(adata)


def no_counts(adata):
    del adata.layers["counts"]
    clearspot.qc(adata)


def several_sections(adata):
    adata.obs["library_id"] = ["a", "b"] * (adata.n_obs // 2) + ["a"] * (adata.n_obs % 2)
    clearspot.denoise(adata)


def shared_places(adata):
    adata.obsm["spatial"][1] = adata.obsm["spatial"][0]
    clearspot.denoise(adata)


def no_scale(adata):
    del adata.uns["clearspot"]["microns_per_pixel"]
    clearspot.superresolve(adata, out=".", preset="test", progress=False)


def not_denoised(adata):
    clearspot.qc(adata)
    clearspot.domains(adata)


def not_normalised(adata):
    clearspot.domains(adata)


def no_outs(_):
    clearspot.read_outs("nowhere/outs")


def no_denoised_layer(adata):
    clearspot.pl.genes(adata, adata.var_names[0])


REFUSED = [
    too_few_spots, too_few_genes, no_positions, no_counts, several_sections, shared_places, no_scale, not_denoised,
    not_normalised, no_outs, no_denoised_layer,
]  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED, ids=lambda one: one.__name__)
def test_an_error_in_python_speaks_of_python(section, fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInputError) as refused:
        fault(section)
    assert not SHELL_WORDS.search(str(refused.value))
    assert str(refused.value).count("expected ") == 1
    assert "file     " not in str(refused.value)


@pytest.mark.parametrize(
    ("caller", "words", "label"),
    [
        ("python", "set min_counts to", "in       counts matrix"),
        ("command", "set --min-counts to", "file     counts matrix"),
        ("pipeline", "set --qc_min_counts to", "file     counts matrix"),
    ],
)
def test_each_caller_reads_what_it_can_set(section, caller, words, label):
    with pytest.raises(BadInputError) as refused, called_from(caller):
        too_few_spots(section)
    assert words in str(refused.value)
    assert label in str(refused.value)
    assert ("--on_bad_sample" in str(refused.value)) == (caller == "pipeline")


def test_the_sample_is_named_where_it_has_a_name(section):
    with pytest.raises(BadInputError, match="sample   phantom"):
        not_normalised(section)
    del section.obs["sample_id"]
    with pytest.raises(BadInputError) as refused:
        not_normalised(section)
    assert "sample   " not in str(refused.value)


def test_scripts_and_commands_speak_for_themselves_and_leave_python_as_it_was(tmp_path):
    assert current_caller() == "python"
    with exit_codes():
        assert current_caller() == "command"
    with StepScript(get_step("qc"), "s", tmp_path).running():
        assert current_caller() == "pipeline"
    with pytest.raises(SystemExit), exit_codes():
        raise SettingError("x")
    assert current_caller() == "python"


def test_reading_warns_of_what_is_odd(tmp_path):
    made = clearspot.simulate.simulate_cohort(tmp_path, width_um=600, n_genes=60, um_per_px=8, image=False)[0]
    (made.outs / "metrics_summary.csv").write_text("no table")
    with pytest.warns(UserWarning, match="phantom_1: .*metrics_summary.csv"):
        adata = clearspot.read_outs(made.outs)
    assert adata.obs["sample_id"].unique().tolist() == ["phantom_1"]
