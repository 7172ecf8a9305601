"""The registry of steps against the modules, the scripts and the file names of the library."""

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from clearspot import keys
from clearspot.contract.steps import RECORDED, STEPS, Step, get_step
from clearspot.record import StepRecord

S = "{sample}"

FILES = {
    "samplesheet": [keys.VALID_SAMPLESHEET_NAME],
    "check": [],
    "reference": [keys.reference_name(S), keys.reference_histology_name(S)],
    "ingest": [keys.h5ad_name(S)],
    "qc": [keys.h5ad_name(S)],
    "graph": [keys.h5ad_name(S)],
    "dusted": [
        keys.h5ad_name(S), keys.denoised_name(S), f"{keys.MODELS_FOLDER}/{keys.dusted_checkpoint_name(S)}",
    ],
    "domains": [keys.h5ad_name(S), f"{keys.LOUPE_FOLDER}/*.csv"],
    "histology": [keys.histology_name(S)],
    "superres_pretrain": [keys.PRETRAINED_NAME],
    "superres_train": [f"{keys.MODELS_FOLDER}/{keys.diffst_checkpoint_name(S)}"],
    "superres": [keys.superres_name(S), f"{keys.SUPERRES_MAPS_FOLDER}/*"],
    "study": [
        keys.h5ad_name(S), "*.csv", f"{keys.LOUPE_FOLDER}/*.csv",
        f"{keys.MODELS_FOLDER}/{keys.dusted_checkpoint_name(S)}",
    ],
    "study_report": [keys.report_name(S), keys.METRICS_NAME],
    "study_spatialdata": [keys.spatialdata_name(S)],
    "spatialdata": [
        keys.spatialdata_name(S), keys.vitessce_name(S), keys.tissuumaps_name(S), keys.tissue_tiff_name(S),
    ],
    "sample_report": [keys.report_name(S), keys.METRICS_NAME],
    "cohort_report": [keys.MULTIQC_REPORT_NAME, "multiqc_data", keys.QC_SUMMARY_NAME],
}  # fmt: skip


def module_of(repo: Path, step: Step) -> str:
    """Text of the module that holds a step's process."""
    texts = [path.read_text() for path in (repo / "modules" / "local").rglob("main.nf")]
    (found,) = [text for text in texts if re.search(rf"^process {step.process} \{{", text, flags=re.MULTILINE)]
    return found


def outputs_of(module: str) -> list[str]:
    """Patterns of a module's output files, as the registry writes them; versions left out."""
    block = module.split("output:")[1].split("script:")[0]
    patterns = [quoted[0] or quoted[1] for quoted in re.findall(r"""path\(?\s*(?:"([^"]+)"|'([^']+)')""", block)]
    names = [pattern.removeprefix("${meta.id}/").replace("${meta.id}", S) for pattern in patterns]
    return [name for name in names if name != "versions.yml"]


def test_steps_stand_once_each_in_the_order_in_which_they_run() -> None:
    names = [step.name for step in STEPS]
    assert names == [
        "samplesheet", "check", "reference", "ingest", "qc", "graph", "dusted", "domains", "histology",
        "superres_pretrain", "superres_train", "superres", "study", "study_report", "study_spatialdata",
        "spatialdata", "sample_report", "cohort_report",
    ]  # fmt: skip
    for attribute in ("process", "script", "title", "does"):
        assert len({getattr(step, attribute) for step in STEPS}) == len(STEPS), attribute


def test_every_process_of_the_modules_is_a_step(repo: Path) -> None:
    texts = [path.read_text() for path in (repo / "modules" / "local").rglob("main.nf")]
    processes = [name for text in texts for name in re.findall(r"^process (\w+) \{", text, flags=re.MULTILINE)]
    # SIMULATE makes the input of a test, and is no step of a sample
    assert sorted(processes) == sorted(["SIMULATE", *(step.process for step in STEPS)])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_steps_module_runs_its_script(repo: Path, step: Step) -> None:
    assert step.script in module_of(repo, step)
    assert os.access(repo / "bin" / step.script, os.X_OK)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_steps_files_have_the_names_of_the_library(step: Step) -> None:
    assert list(step.outputs) == FILES[step.name]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_steps_module_hands_out_the_steps_files(repo: Path, step: Step) -> None:
    stated = [*step.outputs, *([] if step.record is None else [step.record])]
    handed = outputs_of(module_of(repo, step))
    assert [name for name in stated if not any(fnmatchcase(name, pattern) for pattern in handed)] == []
    both = [(name, pattern) for name in stated for pattern in handed]
    matched = {pattern for name, pattern in both if fnmatchcase(name, pattern) or fnmatchcase(pattern, name)}
    assert sorted(set(handed) - matched) == []


@pytest.mark.parametrize("step", RECORDED)
def test_a_record_has_the_name_that_the_registry_says(step: str) -> None:
    stated = get_step(step).record
    assert stated is not None
    assert keys.record_name("s1", step) == stated.replace("{sample}", "s1")


def test_the_record_of_the_samplesheet_is_the_cohorts() -> None:
    assert keys.record_name(keys.COHORT, "samplesheet") == f"{keys.COHORT}.samplesheet.json"


def test_a_step_without_record_has_no_name_for_one() -> None:
    with pytest.raises(ValueError, match="sample_report writes no record"):
        keys.record_name("s1", "sample_report")


@pytest.mark.parametrize("step", ["quality", "sample_report"])
def test_there_is_no_record_of_a_step_that_writes_none(step: str) -> None:
    with pytest.raises(ValueError, match=f"no step '{step}' writes a record"):
        StepRecord("s1", step)
