"""What an exit code of a task means: another attempt, which knows that it is one, or the end of the run."""

from pathlib import Path

import pytest

from tests.helpers.engine import REPO
from tests.helpers.task_scripts import run_script

SCRIPT = """#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in
        --sample) sample=$2 ;;
        --attempt) attempt=$2 ;;
    esac
    shift
done
[ "$attempt" -gt 1 ] || exit "${sample#exits_}"
echo '{}' >"$sample/$sample.dusted.json"
touch versions.yml
"""


@pytest.mark.parametrize(
    ("codes", "attempts", "ends_well"),
    [([75, 104, 137, 143], 2, True), ([1], 1, False), ([65], 1, False), ([139], 1, False)],
    ids=["lost_or_out_of_memory", "fault", "bad_input", "crash"],
)
def test_exit_codes(tmp_path: Path, codes: list[int], attempts: int, ends_well: bool) -> None:
    """75 is out of GPU memory; 104, 137 and 143 are tasks that were lost or killed."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "dusted_denoise.py").write_text(SCRIPT)
    (tools / "dusted_denoise.py").chmod(0o755)
    (tmp_path / "in.h5ad").touch()
    arguments = ("--codes", ",".join(map(str, codes)), "--h5ad", str(tmp_path / "in.h5ad"))
    run = run_script(tmp_path / "launch", REPO / "tests/nf/exit_codes.nf", *arguments, tools=tools)
    assert (run.exit_code == 0) == ends_well, run.log
    samples = {f"exits_{code}" for code in codes}
    assert dict(run.trace.groupby("tag")["attempt"].max()) == dict.fromkeys(samples, attempts)
