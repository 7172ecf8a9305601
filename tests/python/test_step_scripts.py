"""What all scripts of steps have in common: shared options, refusals, versions, and a fast --help."""

import json
import platform
import runpy
import subprocess
import sys

import anndata as ad
import click
import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from clearspot.contract.steps import STEPS, get_step
from clearspot.errors import BadInputError, Problem
from clearspot.record import StepRecord
from clearspot.step_script import step_command

CAN_REFUSE = [step for step in STEPS if step.record is not None and not (step.scope == "run" and step.required)]
PROBLEM = Problem("s1", "in.h5ad", "nothing", "counts", "Give counts.")
HEAVY = {"torch", "scanpy", "squidpy", "anndata", "pandas", "numpy", "scipy", "sklearn", "spatialdata", "skimage"}


def refuse(script):
    raise BadInputError(PROBLEM)


def crash(script):
    raise RuntimeError("a bug")


def warn(script):
    record = StepRecord(script.sample, script.step.name)
    record.note("warning", "Look at this.")
    script.write(record)


def problems_in_the_record(script):
    script.write(StepRecord("s1", "graph", status="bad_input", metrics={"n_isolates": 3}, problems=[PROBLEM]))


@pytest.fixture
def call(tmp_path):
    """Run a step of the given body."""

    def run(body, *arguments, step="graph"):
        out = tmp_path / "out"
        sample = [] if get_step(step).scope == "run" else ["--sample", "s1"]
        done = CliRunner().invoke(step_command(step)(body), [*sample, "--outdir", str(out), *arguments])
        return done, sorted(path.name for path in out.iterdir())

    return run


def test_record_is_written_and_messages_are_shown(call, tmp_path):
    done, files = call(warn)
    assert (done.exit_code, files) == (0, ["s1.graph.json"])
    assert done.stderr == "warning: Look at this.\n"


@pytest.mark.parametrize("body", [refuse, problems_in_the_record])
def test_refused_input_exits_with_65_and_writes_nothing(call, body):
    done, files = call(body, "--versions", "versions.yml")
    assert (done.exit_code, files) == (65, [])
    assert "Give counts." in done.stderr


@pytest.mark.parametrize(("body", "metrics"), [(refuse, {}), (problems_in_the_record, {"n_isolates": 3})])
def test_verdict_only_makes_a_refusal_a_record(call, tmp_path, body, metrics):
    done, files = call(body, "--verdict-only", "--versions", str(tmp_path / "versions.yml"))
    assert (done.exit_code, files) == (0, ["s1.graph.json"])
    record = StepRecord.read(tmp_path / "out/s1.graph.json")
    assert (record.step, record.status, record.metrics, record.problems) == ("graph", "bad_input", metrics, [PROBLEM])
    assert "Give counts." in done.stderr
    assert (tmp_path / "versions.yml").is_file()


def test_verdict_only_hides_no_other_error(call):
    done, files = call(crash, "--verdict-only")
    assert (done.exit_code, files) == (1, [])
    assert isinstance(done.exception, RuntimeError)


def test_only_the_first_process_of_torchrun_writes(call, monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "0")
    done, files = call(refuse, "--verdict-only", "--versions", str(tmp_path / "versions.yml"))
    assert (done.exit_code, files) == (0, [])
    assert not (tmp_path / "versions.yml").exists()


def test_a_step_of_the_whole_run_cannot_go_on_without_its_input(call):
    done, files = call(refuse, step="samplesheet")
    assert (done.exit_code, files) == (65, [])
    assert call(refuse, "--verdict-only", step="samplesheet")[0].exit_code == 2


def test_versions_are_stated_under_the_name_of_the_process(call, tmp_path):
    call(warn, "--versions", str(tmp_path / "versions.yml"))
    stated = yaml.safe_load((tmp_path / "versions.yml").read_text())
    assert list(stated) == ["SPATIAL_GRAPH"]
    assert list(stated["SPATIAL_GRAPH"]) == ["python", "clearspot", *get_step("graph").software]
    assert stated["SPATIAL_GRAPH"]["python"] == platform.python_version()


def scripts(repo):
    return {step: runpy.run_path(str(repo / "bin" / step.script))["main"] for step in STEPS}


def test_every_script_with_a_record_can_give_the_verdict_only(repo):
    for step, command in scripts(repo).items():
        names = {option.name for option in command.params}
        assert ("verdict_only" in names) == (step in CAN_REFUSE), step.name
        assert "outdir" in names
        assert "versions" in names


def test_every_option_has_a_help_that_is_a_sentence_or_label(repo):
    for step, command in scripts(repo).items():
        for option in command.params:
            assert isinstance(option, click.Option)
            assert option.help, (step.name, option.name)
            assert option.help[0].isupper(), option.help
            assert not option.help.startswith(("Of ", "Its ", "Their ")), option.help


def test_help_imports_nothing_heavy(repo):
    program = (
        "import runpy, sys\n"
        "for path in sys.argv[1:]:\n"
        "    sys.argv = [path, '--help']\n"
        "    try:\n        runpy.run_path(path, run_name='__main__')\n    except SystemExit:\n        pass\n"
        "    print('LOADED', path, *sys.modules)"
    )
    paths = [str(repo / "bin" / name) for name in (*(step.script for step in STEPS), "stub_record.py")]
    done = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=True)
    loaded = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert [path for path, *_ in loaded] == paths
    heavy = {path: sorted({name.split(".")[0] for name in modules} & HEAVY) for path, *modules in loaded}
    assert heavy == {path: [] for path in paths}


def stub(repo, *arguments):
    command = runpy.run_path(str(repo / "bin" / "stub_record.py"))["main"]
    return CliRunner().invoke(command, list(map(str, arguments)))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_stub_record_of_every_step_is_an_empty_one(repo, tmp_path, step):
    sample = [] if step.scope == "run" else ["--sample", "s1"]
    done = stub(repo, "--step", step.name, *sample, "--outdir", tmp_path, "--versions", tmp_path / "versions.yml")
    assert done.exit_code == 0, done.output
    assert list(yaml.safe_load((tmp_path / "versions.yml").read_text())) == [step.process]
    written = [path.name for path in tmp_path.iterdir() if path.name != "versions.yml"]
    assert written == ([] if step.record is None else [step.record_name("s1")])
    for name in written:
        assert StepRecord.read(tmp_path / name) == StepRecord("cohort" if step.scope == "run" else "s1", step.name)


def test_stub_record_takes_metrics_as_json(repo, tmp_path):
    metrics = ["--metric", "superres_possible=true", "--metric", "n_spots=12", "--metric", 'assay="visium"']
    assert stub(repo, "--step", "check", "--sample", "s1", "--outdir", tmp_path, *metrics).exit_code == 0
    written = json.loads((tmp_path / "s1.check.json").read_text())["metrics"]
    assert written == {"superres_possible": True, "n_spots": 12, "assay": "visium"}


@pytest.mark.parametrize("metric", ["n_spots", "n_spots=many", "=3"])
def test_stub_record_refuses_a_metric_that_is_no_pair(repo, tmp_path, metric):
    done = stub(repo, "--step", "check", "--sample", "s1", "--outdir", tmp_path, "--metric", metric)
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_stub_record_of_a_sample_needs_its_name(repo, tmp_path):
    assert stub(repo, "--step", "check", "--outdir", tmp_path).exit_code == 2


# further options of each script, with an input that it refuses
NO_SECTION = "--h5ad {h5ad}"
REFUSED = {
    "check": "--outs {empty}",
    "ingest": "--outs {empty}",
    "reference": "--outs {empty}",
    "qc": NO_SECTION + " --min-counts 1000000",
    "graph": NO_SECTION,
    "dusted": NO_SECTION,
    "domains": NO_SECTION,
    "histology": NO_SECTION + " --image {image}",
    "superres_pretrain": "--reference {h5ad}",
    "superres_train": NO_SECTION,
    "superres": NO_SECTION + " --checkpoint {image}",
    "study": "--sections {empty}",
    "study_spatialdata": NO_SECTION + " --sections {empty}",
    "spatialdata": NO_SECTION,
}


def test_every_step_that_can_refuse_is_tried():
    assert set(REFUSED) == {step.name for step in CAN_REFUSE}


@pytest.mark.parametrize("name", REFUSED)
def test_every_step_refuses_with_a_record_and_nothing_else(repo, tmp_path, monkeypatch, name):
    """The real script on input that no step can use: counts that are not whole, all spots at one place."""
    # these two take whatever the steps before them let through
    monkeypatch.setattr("clearspot.domains.run.find_domains", lambda *_, **__: refuse(None))
    monkeypatch.setattr("clearspot.export.spatialdata_zarr.write_spatialdata", lambda *_, **__: refuse(None))
    (tmp_path / "empty").mkdir()
    (tmp_path / "image.png").write_bytes(b"no image")
    adata = ad.AnnData(np.full((6, 4), 0.5, np.float32), layers={"counts": np.full((6, 4), 0.5, np.float32)})
    adata.obsm["spatial"] = np.zeros((6, 2))
    adata.write_h5ad(tmp_path / "in.h5ad")
    places = {"h5ad": tmp_path / "in.h5ad", "empty": tmp_path / "empty", "image": tmp_path / "image.png"}
    arguments = [word.format(**places) for word in REFUSED[name].split()]
    command = runpy.run_path(str(repo / "bin" / get_step(name).script))["main"]
    out = tmp_path / "out"
    sample = [] if get_step(name).scope == "run" else ["--sample", "s1"]
    done = CliRunner().invoke(command, [*sample, "--outdir", str(out), *arguments, "--verdict-only"])
    assert done.exit_code == 0, done.output
    files = [path.name for path in out.rglob("*") if path.is_file()]
    assert files == [get_step(name).record_name("s1")]
    record = StepRecord.read(out / files[0])
    assert (record.step, record.status) == (name, "bad_input")
    assert record.problems
