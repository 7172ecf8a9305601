"""What the command line says before any work is done."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from clearspot.contract.steps import STEPS
from tests.helpers.engine import REPO, Run, command_line, environment, run_pipeline

COLOURED = {"TERM": "xterm-256color"}


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`--help` into a file; an empty word is as if it were not set."""
    variables = COLOURED | {"NXF_ANSI_LOG": "", "NO_COLOR": ""}
    return run_pipeline(tmp_path_factory.mktemp("help"), "--help", variables=variables)


def test_help_names_every_visible_parameter(helped: Run) -> None:
    assert helped.exit_code == 0
    schema = json.loads((REPO / "nextflow_schema.json").read_text())
    for group in schema["$defs"].values():
        for name, entry in group["properties"].items():
            assert (f"--{name} " in helped.log) != bool(entry.get("hidden")), name
    shown = re.findall(r"^  --(\w+)", helped.log, flags=re.MULTILINE)
    names = [name for group in schema["$defs"].values() for name in group["properties"]]
    assert shown == [name for name in names if name in shown]
    assert shown[:2] == ["input", "outdir"]
    required = [line.split()[0] for line in helped.log.splitlines() if line.endswith("[required]")]
    assert required == ["--input", "--outdir"]


def test_asking_leaves_nothing_behind(helped: Run, tmp_path: Path) -> None:
    for run in (helped, run_pipeline(tmp_path, "--version")):
        assert run.exit_code == 0, run.log
        # its log and its cache are Nextflow's own
        assert {path.name for path in run.launch_dir.iterdir()} == {".nextflow", ".nextflow.log"}


def help_on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a terminal gets to show of `--help`."""
    kept = {name: value for name, value in environment().items() if name not in ("NXF_ANSI_LOG", "NO_COLOR")}
    ours, its = pty.openpty()
    command = command_line(folder / "results", "--help", *arguments)
    with subprocess.Popen(command, cwd=folder, env=kept | COLOURED, stdin=its, stdout=its, stderr=its) as run:
        os.close(its)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # Linux says so once nobody writes any more
            pass
    os.close(ours)
    assert run.returncode == 0, shown
    return shown[shown.index(b"Typical use") :].decode()


@pytest.mark.parametrize(
    ("arguments", "coloured"), [((), True), (("-ansi-log", "false"), False), (("--monochrome_logs",), False)]
)
def test_a_terminal_gets_colours_unless_they_are_turned_off(
    tmp_path: Path, arguments: tuple[str, ...], coloured: bool
) -> None:
    assert ("\033[34m--input" in help_on_a_terminal(tmp_path, *arguments)) == coloured


def test_a_file_gets_no_colours(helped: Run) -> None:
    # Nextflow itself removes codes from what it prints into a file; its log keeps the text as the pipeline wrote it
    log = (helped.launch_dir / ".nextflow.log").read_text()
    assert "--input" in log[log.index("Typical use") :]
    assert "\033[" not in log


def test_missing_input_is_said_plainly(tmp_path: Path) -> None:
    run = run_pipeline(tmp_path)
    assert run.exit_code != 0
    assert "Missing: --input" in run.log


def test_stub_run_goes_through_every_process(tmp_path: Path, phantoms: Path) -> None:
    sheet = tmp_path / "samplesheet.csv"
    first, second = (f"{phantoms}/{name}/outs,{phantoms}/{name}/image.tif" for name in ("phantom_1", "phantom_2"))
    rows = f"phantom_1,{first},query,s\nphantom_2,{second},query,s\nreference_1,{first},reference,\n"
    sheet.write_text(f"sample,spaceranger_dir,image,role,study\n{rows}")
    run = run_pipeline(tmp_path, "-profile", "test", "-stub-run", "--input", str(sheet), "--skip_superres", "false")
    assert run.exit_code == 0, run.log
    assert set(run.trace["step"]) == {step.process for step in STEPS}


def test_schema_and_configuration_have_the_same_parameters_and_defaults() -> None:
    schema = json.loads((REPO / "nextflow_schema.json").read_text())
    described = {
        name: entry.get("default") for group in schema["$defs"].values() for name, entry in group["properties"].items()
    }
    text = (REPO / "nextflow.config").read_text()
    block = text[text.index("params {") : text.index("\n}")]
    configured = {}
    for line in block.splitlines()[1:]:
        name, separator, value = line.partition("=")
        if separator and not line.strip().startswith("//"):
            configured[name.strip()] = value.strip()
    assert set(configured) == set(described)
    for name, value in configured.items():
        if name == "trace_report_suffix":
            continue
        expected = None if value == "null" else json.loads(value.replace("'", '"'))
        assert described[name] == expected, name
