"""What the profiles ask of container engines, schedulers and clouds. None of them is here: their tools are stood in for
by scripts that run the task, and where that cannot be, Nextflow's reading of the configuration is looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from clearspot.contract.steps import STEPS
from tests.helpers.benchmark_modules import benchmark_modules
from tests.helpers.engine import REPO, Run, environment, run_pipeline
from tests.helpers.task_scripts import run_script, wrapper

ENGINES = {
    "docker": ("docker", ["run -i", "-u $(id -u):$(id -g)", "--gpus all"]),
    "podman": ("podman", ["run -i", "-u $(id -u):$(id -g)", "--userns=keep-id", "--device nvidia.com/gpu=all"]),
    "singularity": ("singularity", ["exec", "--nv"]),
    "apptainer": ("apptainer", ["exec", "--nv"]),
}
"""Profile: its tool, and what the tool must be told for a task with a GPU."""

QUEUES = {
    "docker,lsf": "lsf",
    "podman,sge": "sge",
    "singularity,pbs": "pbs",
    "apptainer,pbspro": "pbspro",
    "charliecloud,awsbatch": "awsbatch",
    "docker,googlebatch,gpu": "google-batch",
    "singularity,k8s,gpu": "k8s",
}
"""Profiles: the executor that they must choose."""

# Containers end with `/bin/bash -c "..."`: what would run inside runs here.
ENGINE = '#!/bin/bash\ncase "$1" in run|exec) exec "${@: -3}" ;; esac\n'
SUBMIT_FILE = '#!/bin/bash\nbash "${@: -1}" >/dev/null 2>&1 </dev/null &\necho $$\n'
SUBMIT_STDIN = '#!/bin/bash\ncat >job.sh\nbash job.sh >/dev/null 2>&1 </dev/null &\necho "Job <$$> is submitted"\n'
NOTHING = "#!/bin/bash\n"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of scripts that stand in for engines and schedulers."""
    folder = tmp_path_factory.mktemp("tools")
    scripts = {tool: ENGINE for tool, _ in ENGINES.values()}
    scripts |= {"qsub": SUBMIT_FILE, "bsub": SUBMIT_STDIN, "qstat": NOTHING, "bjobs": NOTHING}
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def engine_runs(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One task with a GPU in each container engine."""
    folder = tmp_path_factory.mktemp("engines")

    def run(profile: str) -> Run:
        # one file is an image to each of them; only Singularity and Apptainer would look for it
        image = ("--container_image", str(REPO / "clearspot.sif"))
        script = REPO / "tests/nf/one_gpu_task.nf"
        return run_script(folder / profile, script, "-profile", f"{profile},gpu", *image, tools=tools)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(ENGINES, pool.map(run, ENGINES), strict=True))


@pytest.mark.parametrize("profile", ENGINES)
def test_gpu_profile_gives_the_container_its_gpu(profile: str, engine_runs: dict[str, Run]) -> None:
    run = engine_runs[profile]
    assert run.exit_code == 0, run.log
    tool, expected = ENGINES[profile]
    (line,) = [
        line for line in wrapper(run.trace["workdir"][0]).splitlines() if re.search(rf"\b{tool} (run|exec) ", line)
    ]
    assert [word for word in expected if word not in line] == []
    # the label asks for 8, which a small machine does not have
    assert int(run.trace["cpus"].iloc[0]) == min(8, os.cpu_count() or 1)


def test_gpu_profile_asks_grid_schedulers_for_a_gpu(tools: Path, tmp_path: Path) -> None:
    settings = ("-c", str(REPO / "tests/nf/gpu_schedulers.config"))
    run = run_script(tmp_path, REPO / "tests/nf/gpu_schedulers.nf", *settings, "-profile", "gpu", tools=tools)
    assert run.exit_code == 0, run.log
    heads = {row.step: wrapper(row.workdir) for row in run.trace.itertuples()}
    cpus = int(run.trace["cpus"].iloc[0])
    megabytes = {step: re.search(r"(?:rusage\[mem=|mem_free=|:mem=)(\d+)", text) for step, text in heads.items()}
    assert "#BSUB -gpu num=1" in heads["ON_LSF"]
    assert megabytes["ON_LSF"] is not None
    assert "#$ -l gpu=1" in heads["ON_SGE"]
    assert f"#$ -pe smp {cpus}" in heads["ON_SGE"]
    assert megabytes["ON_SGE"] is not None
    assert f"#PBS -l nodes=1:ppn={cpus}:gpus=1" in heads["ON_PBS"]
    assert re.search(r"#PBS -l mem=\d+", heads["ON_PBS"])
    assert re.search(rf"#PBS -l select=1:ncpus={cpus}:mem=\d+mb:ngpus=1", heads["ON_PBSPRO"])


MEASURED = REPO / "benchmarks/resources/results.csv"
OF_ONE_SIZE = ("SAMPLESHEET_CHECK", "SPACERANGER_CHECK", "COHORT_REPORT")
"""They run before a sample's size is known, or once for all samples."""


@pytest.fixture(scope="module")
def requests(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What tasks of each label ask of a scheduler with GPUs, for samples of several sizes: the trace."""
    folder = tmp_path_factory.mktemp("requests")
    sheet = folder / "sizes.csv"
    sizes = pd.read_csv(MEASURED)[["size", "n_spots", "n_genes", "n_entries"]].drop_duplicates(ignore_index=True)
    # a whole Visium slide, Visium HD in bins of 16 um and of 8 um
    sizes.loc[len(sizes)] = ["visium", 4992, 18085, 30_000_000]
    sizes.loc[len(sizes)] = ["hd16", 150_000, 18085, 200_000_000]
    sizes.loc[len(sizes)] = ["hd8", 600_000, 18085, 400_000_000]
    sizes.to_csv(sheet, index=False)
    settings = ("-c", str(REPO / "tests/nf/gpu_schedulers.config"), "-profile", "lsf,gpu", "--sizes", str(sheet))
    run = run_script(folder, REPO / "tests/nf/requests.nf", *settings, tools=tools)
    assert run.exit_code == 0, run.log
    return run.trace


@pytest.fixture(scope="module")
def asked(requests: pd.DataFrame) -> pd.DataFrame:
    """Gigabytes by the size of the sample."""
    table = requests.pivot(index="tag", columns="step", values="memory")
    return table.map(lambda text: float(text.removesuffix(" GB")))


@pytest.fixture(scope="module")
def hours(requests: pd.DataFrame) -> pd.DataFrame:
    """Hours by the size of the sample, as the scheduler is told."""
    limits = [re.search(r"#BSUB -W (\d+):(\d+)", wrapper(folder)) for folder in requests["workdir"]]
    told = [int(limit[1]) + int(limit[2]) / 60 for limit in limits if limit is not None]
    return requests.assign(hours=told).pivot(index="tag", columns="step", values="hours")


def test_requests_follow_the_sample_with_a_gpu_too(asked: pd.DataFrame) -> None:
    # docs/resources.md: the dense layer, and at most 1.25 GiB of it, and 60 bytes a count
    dense, counts = (
        pd.Series({"visium": 4 * 4992 * 18085, "hd16": 1.25 * 2**30, "hd8": 1.25 * 2**30}) / 2**30,
        60 * pd.Series({"visium": 3e7, "hd16": 2e8, "hd8": 4e8}) / 2**30,
    )
    expected = pd.DataFrame({"MODEL": 6 + 4 * dense + counts, "STEP": 2 + 3 * dense + counts})
    found = asked.loc[expected.index]
    pd.testing.assert_frame_equal(found, expected, atol=0.1, check_like=True, check_names=False)


def test_a_task_asks_for_what_was_measured_and_not_much_more(asked: pd.DataFrame) -> None:
    measured = pd.read_csv(MEASURED)
    sample = measured[~measured["process"].isin(OF_ONE_SIZE)]
    model = sample["process"] == "DUSTED_DENOISE"
    gib = pd.DataFrame({"size": sample["size"], "label": model.map({True: "MODEL", False: "STEP"})})
    gib["peak"] = sample["peak_mb"] * 1e6 / 2**30
    highest = gib.pivot_table(index="size", columns="label", values="peak", aggfunc="max")
    asked_for = asked.loc[highest.index, highest.columns]
    unknown = highest.isna()
    assert not unknown.all().any()
    assert ((highest < 0.8 * asked_for) | unknown).all(axis=None), (highest, asked_for)
    # a queue that is asked for far too much makes everyone wait
    assert ((highest > asked_for / 10) | unknown).all(axis=None), (highest, asked_for)


def test_a_task_asks_for_the_time_that_was_measured_and_not_for_days(hours: pd.DataFrame) -> None:
    measured = pd.read_csv(MEASURED)
    sample = measured[~measured["process"].isin(OF_ONE_SIZE)]
    model = sample["process"] == "DUSTED_DENOISE"
    needed = pd.DataFrame({"size": sample["size"], "label": model.map({True: "MODEL", False: "STEP"})})
    with benchmark_modules("resources") as module:
        # all epochs of the default preset, on one core
        needed["hours"] = module("measured").with_training(sample)["cpu_seconds"] / 3600
    longest = needed.pivot_table(index="size", columns="label", values="hours", aggfunc="max")
    told = hours.loc[longest.index, longest.columns]
    unknown = longest.isna()
    assert not unknown.all().any()
    assert ((2 * longest < told) | unknown).all(axis=None), (longest, told)
    # a whole slide of Visium HD ends within a night, and so do most queues
    assert (hours.loc[["visium", "hd16", "hd8"]] < 12).all(axis=None), hours


def nextflow(*arguments: str) -> str:
    """What Nextflow prints."""
    command = [str(REPO / "tools/nextflow/launch"), *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def configurations() -> dict[str, str]:
    """`nextflow config` of engines with schedulers and clouds."""
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda profiles: nextflow("config", str(REPO), "-flat", "-profile", profiles), QUEUES)
        return dict(zip(QUEUES, texts, strict=True))


@pytest.mark.parametrize("profiles", QUEUES)
def test_profiles_choose_engine_and_executor(profiles: str, configurations: dict[str, str]) -> None:
    lines = configurations[profiles].splitlines()
    assert f"process.executor = '{QUEUES[profiles]}'" in lines
    assert f"{profiles.split(',')[0]}.enabled = true" in lines
    assert any(line.startswith("executor.queueSize = ") for line in lines)
    # the retries of conf/base.config hold in every one of them
    assert "process.maxRetries = 2" in lines


def test_images_of_the_pipeline_and_of_an_institution(tmp_path: Path) -> None:
    (tmp_path / "nfcore_custom.config").write_text("process { withName: SPOT_QC { container = 'institute/qc:1' } }\n")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample,spaceranger_dir\n")
    inputs = ("--input", str(sheet), "--outdir", str(tmp_path), "--custom_config_base", str(tmp_path))
    printed = nextflow("inspect", str(REPO), "-profile", "docker,gpu", *inputs, "--skip_superres", "false")
    images = {
        entry["name"].split(":")[-1]: entry["container"]
        for entry in json.loads(printed[printed.index("{") :])["processes"]
    }
    assert images.pop("SPOT_QC") == "institute/qc:1"
    on_gpu = {name for name, image in images.items() if image == "clearspot:0.1.0-gpu"}
    assert on_gpu == {
        "DUSTED_DENOISE", "STUDY_INTEGRATE", "DIFFUSION_PRETRAIN", "DIFFUSION_TRAIN", "DIFFUSION_SAMPLE",
    }  # fmt: skip
    assert {images[name] for name in images.keys() - on_gpu} == {"clearspot:0.1.0"}


def test_an_address_of_configurations_is_left_alone_offline(tmp_path: Path) -> None:
    run = run_pipeline(tmp_path, "--help", "--custom_config_base", "https://configurations.invalid/here")
    assert run.exit_code == 0, run.log


def test_steps_that_a_sample_can_do_without_are_labelled_so() -> None:
    labelled = {
        re.search(r"process (\w+)", text)[1]
        for text in (module.read_text() for module in (REPO / "modules/local").rglob("main.nf"))
        if "label 'error_ignore'" in text
    }
    assert labelled == {step.process for step in STEPS if step.scope != "reference" and not step.required}


def test_every_process_has_a_label_that_sets_its_resources() -> None:
    known = set(re.findall(r"withLabel: (\w+)", (REPO / "conf/base.config").read_text()))
    modules = sorted((REPO / "modules/local").rglob("main.nf"))
    assert modules
    for module in modules:
        labels = set(re.findall(r"^ +label '(\w+)'", module.read_text(), flags=re.MULTILINE))
        assert labels, module
        assert labels <= known, module
