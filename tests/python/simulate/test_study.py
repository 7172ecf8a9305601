"""Simulated sections of one study."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot.cli import main
from clearspot.io.samplesheet import read_samplesheet
from clearspot.simulate.cohort import simulate_cohort
from clearspot.simulate.genes import PROGRAMS
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.study import SimulatedStudy

ROOT = Path(__file__).parents[3]

PLANTED = SimulatedStudy(
    "demo", ("control", "treated"), n_batches=2, batch_sd=0.5, donor_sd=0.1, de_fraction=0.2, lfc=1.0
)


@pytest.fixture(scope="module")
def panel():
    return make_phantom(1, width_um=500, n_genes=300, panel_seed=7).panel


def test_phantoms_of_a_study_share_their_genes_and_not_their_tissue():
    one, other = (make_phantom(seed, width_um=500, n_genes=60, panel_seed=7) for seed in (1, 2))
    pd.testing.assert_frame_equal(one.panel.var, other.panel.var)
    np.testing.assert_array_equal(one.panel.loadings, other.panel.loadings)
    assert (one.tissue.region != other.tissue.region).any()


def test_a_panel_seed_that_is_the_phantoms_own_changes_nothing():
    one, other = (make_phantom(1, width_um=500, n_genes=60, panel_seed=seed) for seed in (None, 1))
    np.testing.assert_array_equal(one.panel.loadings, other.panel.loadings)
    np.testing.assert_array_equal(one.programs, other.programs)


def test_conditions_and_batches_are_crossed():
    facts = [PLANTED.facts(index) for index in range(8)]
    pairs = [(one.batch, one.condition) for one in facts]
    assert len(set(pairs)) == 4
    assert all(pairs.count(pair) == 2 for pair in pairs)
    assert len({one.donor for one in facts}) == 8


def test_factors_are_those_planted(panel):
    made = [PLANTED.panel(panel, 7, index) for index in range(4)]
    batch = np.stack([one.var["batch_factor"] for one in made])
    np.testing.assert_array_equal(batch[0], batch[1])
    np.testing.assert_array_equal(batch[2], batch[3])
    assert np.log(batch[0] / batch[2]).std() == pytest.approx(0.5 * np.sqrt(2), rel=0.1)
    condition = np.stack([one.var["condition_factor"] for one in made])
    assert (condition[0] == 1).all()
    np.testing.assert_array_equal(condition[1], condition[3])
    assert [(condition[1] == value).sum() for value in (0.5, 1, 2)] == [30, 240, 30]
    for one in made:
        product = one.var["batch_factor"] * one.var["donor_factor"] * one.var["condition_factor"]
        np.testing.assert_allclose(one.loadings, panel.loadings * product.to_numpy())


def test_genes_can_change_in_one_program(panel):
    study = SimulatedStudy("demo", ("a", "b"), de_fraction=0.1, lfc=2, de_program="myocyte")
    made = study.panel(panel, 7, 1)
    changed = (made.loadings != panel.loadings).any(axis=1)
    assert [PROGRAMS[row] for row in np.flatnonzero(changed)] == ["myocyte"]


def test_without_effects_nothing_changes(panel):
    made = SimulatedStudy("demo", ("a", "b"), n_batches=2).panel(panel, 7, 3)
    np.testing.assert_array_equal(made.loadings, panel.loadings)


@pytest.mark.parametrize(
    ("options", "found"),
    [({"de_program": "tumour"}, "no program 'tumour'"), ({"conditions": ("a", "a")}, "must differ"),
     ({"batch_sd": -1}, "no negative spread")],
)  # fmt: skip
def test_impossible_studies_are_refused(options, found):
    with pytest.raises(ValueError, match=found):
        SimulatedStudy("demo", **options)


def test_the_samplesheet_and_the_truth_tell_what_was_planted(tmp_path: Path):
    files = simulate_cohort(
        tmp_path, n_samples=2, n_genes=60, width_um=500, um_per_px=8.0, image=False, truth_bins=(), study=PLANTED
    )
    sheet = pd.read_csv(tmp_path / "samplesheet.csv")
    assert sheet[["study", "batch", "donor", "condition"]].to_numpy().tolist() == [
        ["demo", "batch_1", "donor_1", "control"],
        ["demo", "batch_1", "donor_2", "treated"],
    ]
    rows = read_samplesheet(tmp_path / "samplesheet.csv", ROOT / "assets" / "schema_input.json")
    assert [row.condition for row in rows] == ["control", "treated"]
    one, other = (ad.read_h5ad(file.truth / "truth_spots.h5ad") for file in files)
    assert one.var_names.equals(other.var_names)
    assert (one.var["condition_factor"] == 1).all()
    assert set(other.var["condition_factor"].round(3)) == {0.5, 1, 2}


def test_options_of_a_study_need_one(tmp_path: Path):
    refused = CliRunner().invoke(main, ["simulate", str(tmp_path / "out"), "--batch-sd", "0.5"])
    assert refused.exit_code == 2
    assert "batch_sd" in refused.output
    assert "--study" in refused.output
