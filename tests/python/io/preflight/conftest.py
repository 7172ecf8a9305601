"""Outs folders to spoil, and the gate's own script to judge them."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot.caller import called_from
from clearspot.errors import Problem
from clearspot.io.preflight import check_outs
from clearspot.record import StepRecord
from tests.helpers.outs_factory import MadeOuts, make_counts, make_outs, write_h5, write_images, write_positions


@pytest.fixture(autouse=True)
def _of_the_pipeline():
    """Only the pipeline checks its input beforehand: messages speak of its parameters and its samplesheet."""
    with called_from("pipeline"):
        yield


@pytest.fixture(scope="session")
def script(repo: Path) -> Callable[[str], SimpleNamespace]:
    """Load a script of ``bin`` by its name."""
    return lambda name: SimpleNamespace(**runpy.run_path(str(repo / "bin" / f"{name}.py")))


@pytest.fixture
def outs(tmp_path: Path) -> Callable[..., MadeOuts]:
    """Write ``<tmp_path>/outs``; options as those of ``make_outs``."""

    def _outs(**options: Any) -> MadeOuts:
        return make_outs(tmp_path / "outs", **options)

    return _outs


@pytest.fixture
def lopsided(outs: Callable[..., MadeOuts]) -> Callable[..., MadeOuts]:
    """Write outs whose tissue lies in one corner, so that no turned or mirrored image fits as well."""

    def _lopsided(**options: Any) -> MadeOuts:
        made = outs(n_rows=24, n_cols=16, **options)
        positions = made.positions.copy()
        column = positions["array_col"] // (1 if made.bin_dirs else 2)
        positions["in_tissue"] = (positions["array_row"].between(2, 10) & column.between(1, 5)).astype(np.int32)
        made = replace(made, positions=positions, counts=make_counts(positions, len(made.features)))
        rewrite(made)
        write_images(made.spatial, made, ["hires", "lowres"])
        return made

    return _lopsided


def rewrite(made: MadeOuts) -> None:
    """Write positions and filtered matrix again, after a change."""
    (file,) = made.spatial.glob("tissue_positions*")
    write_positions(file, made.positions, header="list" not in file.name)
    rows = made.in_tissue
    write_h5(
        made.data_dir / "filtered_feature_bc_matrix.h5", made.counts[rows], made.positions.index[rows], made.features
    )


@pytest.fixture(name="rewrite")
def _rewrite() -> Callable[[MadeOuts], None]:
    return rewrite


@pytest.fixture
def edit_positions() -> Callable[[MadeOuts, pd.DataFrame], None]:
    """Replace the positions file's content."""

    def _edit(made: MadeOuts, positions: pd.DataFrame) -> None:
        (file,) = made.spatial.glob("tissue_positions*")
        write_positions(file, positions, header="list" not in file.name)

    return _edit


@pytest.fixture
def passed() -> Callable[..., StepRecord]:
    """Check a folder that must pass."""

    def _passed(path: Path, **options: Any) -> StepRecord:
        record = check_outs(path, "S1", **options)
        assert record.problems == []
        assert record.status == "ok"
        return record

    return _passed


@pytest.fixture
def handled(passed: Callable[..., StepRecord]) -> Callable[..., str]:
    """Check a folder that must pass, and return what was said to be handled."""

    def _handled(path: Path, **options: Any) -> str:
        return "\n".join(m.text for m in passed(path, **options).messages if m.level == "handled")

    return _handled


@pytest.fixture
def warned(passed: Callable[..., StepRecord]) -> Callable[..., str]:
    """Check a folder that must pass, and return the warnings."""

    def _warned(path: Path, **options: Any) -> str:
        return "\n".join(m.text for m in passed(path, **options).messages if m.level == "warning")

    return _warned


@pytest.fixture
def refused(tmp_path: Path, script: Callable[[str], SimpleNamespace]) -> Callable[..., list[Problem]]:
    """Check a folder that must be refused: by the script with exit 65, all problems told, and nothing written."""

    def _refused(path: Path, **options: Any) -> list[Problem]:
        record = check_outs(path, "S1", **options)
        assert record.status == "bad_input"
        into = tmp_path / "refused"
        words = ["--sample", "S1", "--outs", str(path), "--outdir", str(into)]
        for name, value in options.items():
            flag = f"--{name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
        result = CliRunner().invoke(script("spaceranger_check").main, words)
        assert result.exit_code == 65
        assert list(into.iterdir()) == []
        for problem in record.problems:
            assert problem.sample == "S1"
            assert all(problem.as_dict().values())
            assert problem.found in result.stderr
            assert problem.mend in result.stderr
        return record.problems

    return _refused


@pytest.fixture
def refusal(refused: Callable[..., list[Problem]]) -> Callable[..., Problem]:
    """Like ``refused``, where exactly one thing is wrong."""

    def _refusal(path: Path, **options: Any) -> Problem:
        (problem,) = refused(path, **options)
        return problem

    return _refusal
