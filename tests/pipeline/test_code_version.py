"""A task runs again when the code that it runs was edited, and only then."""

import re
from pathlib import Path

from tests.helpers.engine import REPO
from tests.helpers.task_scripts import run_script

PROJECT = {"bin/spot_qc.py": "1", "src/clearspot/qc/run.py": "1", "src/clearspot/report/page.css": "1"}


def test_an_edited_library_runs_steps_again_and_an_edited_page_only_reports(tmp_path: Path) -> None:
    """On a copy of what matters: the configuration, and a project of three files."""
    script = tmp_path / "project" / "code.nf"
    for name, text in PROJECT.items():
        (script.parent / name).parent.mkdir(parents=True, exist_ok=True)
        (script.parent / name).write_text(text)
    script.write_text((REPO / "tests/nf/code.nf").read_text())

    def again() -> set[str]:
        run = run_script(tmp_path / "launch", script, "-resume")
        assert run.exit_code == 0, run.log
        return {step for step, _ in run.steps("COMPLETED")}

    assert again() == {"SPOT_QC", "SAMPLE_REPORT"}
    (script.parent / "src/clearspot/report/page.css").write_text("2")
    assert again() == {"SAMPLE_REPORT"}
    (script.parent / "src/clearspot/qc/run.py").write_text("2")
    assert again() == {"SPOT_QC", "SAMPLE_REPORT"}


def test_only_scripts_that_know_the_reports_import_them() -> None:
    """conf/code_version.config leaves the reports out of the version of all others."""
    text = (REPO / "conf/code_version.config").read_text()
    (known,) = re.findall(r"withName: '([A-Z_|]+)'", text)
    importers = {path.stem.upper() for path in (REPO / "bin").glob("*.py") if "clearspot.report" in path.read_text()}
    assert importers == set(known.split("|"))
    others = [path for path in (REPO / "src/clearspot").rglob("*.py") if path.parent.name != "report"]
    importing = [path.name for path in others if re.search(r"(from|import) clearspot\.report", path.read_text())]
    assert importing in ([], ["cli.py"])


def test_every_module_names_the_code_that_it_runs() -> None:
    modules = sorted((REPO / "modules/local").rglob("main.nf"))
    assert modules
    for module in modules:
        text = module.read_text()
        assert text.count("# clearspot ${task.ext.code_version}") == 2, module
        assert not re.search(r"\bparams\.(?!json)", text), module
