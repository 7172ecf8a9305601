import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from numpy.testing import assert_array_equal
from scipy import sparse

from clearspot import keys
from clearspot.cli import main as clearspot_command
from clearspot.diffst.data.reference import from_cells
from clearspot.diffst.data.reference_file import prepare_reference, read_reference, write_reference
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.errors import BadInputError


@pytest.fixture
def reference():
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 300, (200, 2))
    grid = FineGrid.covering(xy, 1.0, 20.0, 20.0, multiple=1)
    return from_cells(xy, np.full(200, 60.0), sparse.csr_array(rng.poisson(2.0, (200, 3))), pd.Index(list("abc")), grid)


def test_a_prepared_reference_is_read_as_it_was(reference, tmp_path):
    path = tmp_path / keys.reference_name("x")
    write_reference(reference, path)
    back = read_reference(path, 20.0)
    assert back.grid == reference.grid
    assert list(back.genes) == list(reference.genes)
    assert_array_equal(back.tissue, reference.tissue)
    assert_array_equal(back.counts.toarray(), reference.counts.toarray())


def test_finer_bins_than_the_sections_are_refused(reference, tmp_path):
    path = tmp_path / keys.reference_name("x")
    write_reference(reference, path)
    with pytest.raises(BadInputError, match="bins of 25 µm"):
        read_reference(path, 25.0)


def test_visium_hd_outs_are_laid_onto_bins(tmp_path):
    arguments = ["simulate", str(tmp_path), "--chemistry", "hd", "--no-image", "--width-um", "512", "--genes", "200"]
    assert CliRunner().invoke(clearspot_command, arguments).exit_code == 0
    record = prepare_reference(tmp_path / "phantom_1" / "outs", tmp_path, "hd", bin_um=16.0)
    assert (record.step, record.status) == ("reference", "ok")
    assert record.metrics["reference_kind"] == "Visium HD"
    assert read_reference(tmp_path / keys.reference_name("hd"), 16.0).counts.sum() == pytest.approx(
        record.metrics["total_counts"], rel=1e-4
    )


def test_a_folder_that_is_neither_is_refused_and_leaves_no_file(tmp_path):
    (tmp_path / "outs").mkdir()
    with pytest.raises(BadInputError):
        prepare_reference(tmp_path / "outs", tmp_path, "x", bin_um=16.0)
    assert [path.name for path in tmp_path.iterdir()] == ["outs"]


def test_spots_are_no_reference(tmp_path):
    section = ad.AnnData(obs=pd.DataFrame(index=["s"]), var=pd.DataFrame(index=["a"]))
    section.layers[keys.COUNTS] = sparse.csr_matrix(np.ones((1, 1)))
    section.uns[keys.UNS] = {keys.MICRONS_PER_PIXEL: 1.0}
    section.write_h5ad(tmp_path / "spots.h5ad")
    with pytest.raises(BadInputError, match="smaller than spots"):
        read_reference(tmp_path / "spots.h5ad", 16.0)
