"""Thirty small samples of which three are bad, by the check alone (`--validate_only`): it is what tells them apart."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.engine import Run, run_pipeline
from tests.helpers.outs_factory import make_outs

NAMES = [f"s{number:02d}" for number in range(30)]
BAD = ["s07", "s18", "s29"]
ODD = {"s01": "a 'quoted' \"name\"; $(touch made) `touch made` & more/outs", "s02": "-rf *"}


@dataclass(frozen=True)
class Cohort:
    """Both settings of `--on_bad_sample`, and the counts of each sample."""

    fail: Run
    skip: Run
    launch_dir: Path
    umis: dict[str, int]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Check all thirty, then go on with the other setting."""
    launch_dir = tmp_path_factory.mktemp("thirty")
    umis = {}
    folders = {name: ODD.get(name, name) for name in NAMES}
    for seed, name in enumerate(NAMES):
        made = make_outs(launch_dir / folders[name], seed=seed)
        umis[name] = int(made.counts[made.in_tissue].sum())
        if name in BAD:
            (made.data_dir / "filtered_feature_bc_matrix.h5").write_bytes(b"")
    sheet = launch_dir / "samplesheet.csv"
    rows = [{"sample": name, "spaceranger_dir": folder} for name, folder in folders.items()]
    pd.DataFrame(rows).to_csv(sheet, index=False)
    arguments = ("-profile", "test", "--input", str(sheet), "--validate_only")
    fail = run_pipeline(launch_dir, *arguments, outdir=launch_dir / "fail")
    skip = (*arguments, "--on_bad_sample", "skip", "-resume")
    return Cohort(fail, run_pipeline(launch_dir, *skip, outdir=launch_dir / "skip"), launch_dir, umis)


def test_fail_names_the_three_and_only_these(cohort: Cohort) -> None:
    assert cohort.fail.exit_code != 0
    assert f"3 sample(s) refused at 'check': {', '.join(BAD)}" in cohort.fail.log
    assert [name for name in NAMES if f"Sample {name} is refused" in cohort.fail.log] == BAD


def test_skip_names_the_three_and_checks_none_again(cohort: Cohort) -> None:
    assert cohort.skip.exit_code == 0, cohort.skip.log
    assert "3 refused" in cohort.skip.log
    assert [name for name in NAMES if re.search(rf"^  {name} +REFUSED +check: ", cohort.skip.log, re.MULTILINE)] == BAD
    assert cohort.skip.steps("CACHED") == {("SPACERANGER_CHECK", name) for name in NAMES}


def test_each_task_read_its_own_sample(cohort: Cohort) -> None:
    tasks = cohort.fail.trace.query("step == 'SPACERANGER_CHECK'").set_index("tag")["workdir"]
    records = {name: json.loads((Path(folder) / f"{name}.check.json").read_text()) for name, folder in tasks.items()}
    assert len(set(cohort.umis.values())) == len(NAMES)
    found = {name: records[name]["metrics"].get("umis_in_tissue") for name in NAMES if name not in BAD}
    assert found == {name: umis for name, umis in cohort.umis.items() if name not in BAD}
    assert {name for name, record in records.items() if record["status"] == "bad_input"} == set(BAD)


def test_no_name_of_a_folder_is_run(cohort: Cohort) -> None:
    assert list(cohort.launch_dir.rglob("made")) == []
