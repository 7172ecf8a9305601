"""Parameters before any task: names, types, and what they name."""

import json
from pathlib import Path

import pytest

from tests.helpers.engine import REPO, Run, run_pipeline
from tests.helpers.task_scripts import run_script


@pytest.fixture(scope="module")
def wrong(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with everything wrong that can be found before a task."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "a_file").touch()
    (folder / "params.json").write_text(json.dumps({"moran_n_gene": 3, "seed": 1}))
    return run_pipeline(
        folder,
        *("-params-file", str(folder / "params.json"), "--input", str(phantoms / "samplesheet.csv")),
        *("--n_domain", "7", "--skip-superrs", "--zzz=1"),
        *("--diffst_checkpoint", "absent.pt", "--superres_genes", "absent.txt", "--diffst_pretrained", "none.pt"),
        *("--image_encoder", "nowhere/"),
        *("--dusted_checkpoint_dir", "s3://bucket/kept", "--report_thresholds", "elsewhere://bucket/limits.yml"),
        outdir=folder / "a_file" / "results",
    )


@pytest.mark.parametrize(
    "words",
    [
        "There is no parameter --n_domain: did you mean --n_domains?",
        "There is no parameter --skip-superrs: did you mean --skip_superres?",
        "There is no parameter --moran_n_gene: did you mean --moran_n_genes?",
        "There is no parameter --zzz (--help lists every parameter)",
        "There is no file absent.pt (--diffst_checkpoint)",
        "There is no file none.pt (--diffst_pretrained)",
        "--diffst_checkpoint and --diffst_pretrained cannot be combined",
        "There is no file absent.txt (--superres_genes)",
        "There is no file nowhere/config.json (--image_encoder)",
        "There is no file nowhere/model.safetensors (--image_encoder)",
        "The file elsewhere://bucket/limits.yml (--report_thresholds) cannot be accessed: ",
        "--dusted_checkpoint_dir s3://bucket/kept is not on a file system",
        "The results folder is not writable: ",
    ],
)
def test_what_is_wrong_is_said_before_any_task(wrong: Run, words: str) -> None:
    assert wrong.exit_code != 0
    assert words in wrong.log
    assert "Submitted process" not in wrong.log


def test_names_of_a_configuration_are_a_warning_and_a_preview_ends(phantoms: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.config").write_text("params.igenomes_base = 'elsewhere'\n")
    sheet = str(phantoms / "samplesheet.csv")
    run = run_pipeline(tmp_path, "-c", str(tmp_path / "shared.config"), "-preview", "--input", sheet, timeout=120)
    assert run.exit_code == 0, run.log
    assert "The parameter igenomes_base in the configuration is unknown to this pipeline" in run.log
    assert not (run.outdir / "ro-crate-metadata.json").exists()


@pytest.mark.parametrize("setting", [("--domain_method", "gmmm"), ("--qc_mito_threshold", "300")])
def test_bad_values_end_the_run_whatever_is_said_of_bad_samples(
    phantoms: Path, tmp_path: Path, setting: tuple[str, str]
) -> None:
    sheet = str(phantoms / "samplesheet.csv")
    run = run_pipeline(tmp_path, "-stub-run", "--input", sheet, "--on_bad_sample", "skip", *setting)
    assert run.exit_code != 0
    assert " ".join(setting).replace("gmmm", "'gmmm'") in run.log
    assert "Finished" not in run.log


def test_arguments_of_scripts_from_parameters_as_text(tmp_path: Path) -> None:
    parameters = {"n_domains": "7", "domain_refine": "false", "multiqc_title": "2024", "dusted_checkpoint_dir": "kept"}
    words = [word for name, value in parameters.items() for word in (f"--{name}", value)]
    for variables in ({}, {"NXF_DISABLE_PARAMS_TYPE_DETECTION": "true"}):
        run = run_script(tmp_path, REPO / "tests/nf/arguments.nf", *words, variables=variables)
        assert run.exit_code == 0, run.log
        folders = run.trace.set_index("step")["workdir"]
        arguments = {step: (Path(folder) / "arguments.txt").read_text() for step, folder in folders.items()}
        assert "--n-domains 7 " in arguments["SPATIAL_DOMAINS"]
        assert "--refine" not in arguments["SPATIAL_DOMAINS"]
        assert "--projection" not in arguments["DIFFUSION_SAMPLE"]
        assert arguments["COHORT_REPORT"] == "--title '2024'\n"
        # a task runs in a folder of its own
        assert f"--checkpoint-dir '{tmp_path}/kept'" in arguments["DUSTED_DENOISE"]


@pytest.mark.parametrize(("wanted", "given"), [("true", True), ("false", False)])
def test_exact_totals_are_a_parameter(tmp_path: Path, wanted: str, given: bool) -> None:
    run = run_script(tmp_path, REPO / "tests/nf/arguments.nf", "--superres_exact_totals", wanted)
    assert run.exit_code == 0, run.log
    folder = run.trace.set_index("step")["workdir"]["DIFFUSION_SAMPLE"]
    assert (" --projection " in (Path(folder) / "arguments.txt").read_text()) == given


def test_a_run_whose_parameters_are_text(phantoms: Path, tmp_path: Path) -> None:
    flags = ("--skip_superres", "false", "--validate_only", "false", "--skip_multiqc", "true", "--n_domains", "7")
    title = ("--multiqc_title", "2024", "--seed", "1")
    sheet = str(phantoms / "samplesheet.csv")
    variables = {"NXF_DISABLE_PARAMS_TYPE_DETECTION": "true"}
    run = run_pipeline(tmp_path, "-profile", "test", "-stub-run", "--input", sheet, *flags, *title, variables=variables)
    assert run.exit_code == 0, run.log
    assert {"DIFFUSION_SAMPLE", "SPATIAL_DOMAINS"} <= set(run.trace["step"])
    assert "COHORT_REPORT" not in set(run.trace["step"])
    (used,) = (run.outdir / "pipeline_info").glob("params_*.json")
    values = json.loads(used.read_text())
    assert (values["n_domains"], values["seed"], values["skip_multiqc"]) == (7, 1, True)
    assert values["multiqc_title"] == "2024"
