"""Lights of segmented cells, from an outs folder to the verdict: a sound segmentation, and spoilt ones."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from clearspot.io.ingest import ingest_outs
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.report.metrics import SampleRecords
from clearspot.report.rules import RULES
from clearspot.report.verdict import findings
from tests.helpers.cell_outs import write_cell_outs

MATRIX = "segmented_outputs/filtered_feature_cell_matrix.h5"
NUCLEI = "segmented_outputs/nucleus_segmentations.geojson"


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cell_outs(tmp_path_factory.mktemp("cells"))


@pytest.fixture
def spoilt(outs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(outs, tmp_path / "outs"))


def lights(outs: Path) -> dict[str, str]:
    """Light of each rule that holds for cells alone."""
    adata, ingested = ingest_outs(outs, "s", unit="cells")
    checked = run_qc(adata, "s", QCParams(min_counts=1, min_genes=1, hvg_min_counts=0, min_genes_left=2))
    records = SampleRecords("s", {"ingest": ingested, "qc": checked})
    rules = [rule for rule in RULES if rule.of == "cell"]
    return {rule.id: line.light for rule in rules for line in findings(records, [rule])}


def change_counts(path: Path, change) -> None:
    """Replace the counts of the cells, cell by cell."""
    with h5py.File(path, "r+") as file:
        group = file["matrix"]
        parts = [group[name][:] for name in ("data", "indices", "indptr")]
        changed = sp.csc_matrix(change(sp.csc_matrix(tuple(parts), shape=tuple(group["shape"][:]))))
        for name, values in zip(
            ("data", "indices", "indptr"), (changed.data, changed.indices, changed.indptr), strict=True
        ):
            kind = group[name].dtype
            del group[name]
            group.create_dataset(name, data=np.asarray(values, dtype=kind))


def test_a_sound_segmentation_is_not_red(outs: Path) -> None:
    assert "bad" not in lights(outs).values()
    assert lights(outs)["fraction_umi_in_cells"] == "good"


@pytest.mark.parametrize(("kept", "light"), [(0.35, "look"), (0.1, "bad")])
def test_counts_that_lie_outside_the_cells_turn_the_light(spoilt: Path, kept: float, light: str) -> None:
    def thin(counts):
        generator = np.random.default_rng(0)
        counts.data = generator.binomial(counts.data.astype(int), kept)
        counts.eliminate_zeros()
        return counts

    change_counts(spoilt / MATRIX, thin)
    assert lights(spoilt)["fraction_umi_in_cells"] == light


@pytest.mark.parametrize(("share", "light"), [(0.4, "look"), (0.9, "bad")])
def test_cells_without_a_nucleus_turn_the_light(spoilt: Path, share: float, light: str) -> None:
    path = spoilt / NUCLEI
    content = json.loads(path.read_text())
    content["features"] = content["features"][int(share * len(content["features"])) :]
    path.write_text(json.dumps(content))
    assert lights(spoilt)["percent_cells_without_nucleus"] == light


def test_cells_with_hardly_a_count_turn_the_light(spoilt: Path) -> None:
    def first_count(counts):
        lil = sp.csc_matrix(counts.shape, dtype=counts.dtype).tolil()
        for cell in range(counts.shape[1]):
            lil[counts[:, [cell]].nonzero()[0][:3], cell] = 1
        return lil

    change_counts(spoilt / MATRIX, first_count)
    assert lights(spoilt)["median_counts_cell"] == "bad"
