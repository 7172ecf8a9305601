import runpy

import anndata as ad
import pytest
from click.testing import CliRunner

from clearspot.record import StepRecord
from tests.helpers.sections import section


@pytest.fixture
def call(repo, tmp_path):
    """Run the real script on a small section, with the options that conf/modules.config passes."""
    command = runpy.run_path(str(repo / "bin" / "spatial_graph.py"))["main"]
    adata = section()
    adata.X = adata.layers["counts"].astype("float32")
    adata.write_h5ad(tmp_path / "in.h5ad")

    def run(*options):
        required = ["--sample", "s", "--h5ad", str(tmp_path / "in.h5ad"), "--outdir", str(tmp_path / "out")]
        return CliRunner().invoke(command, [*required, *options]), tmp_path / "out"

    return run


def test_the_shipped_options_give_the_hexagon(call):
    result, out = call("--method", "radius", "--n-neighbors", "6")
    assert result.exit_code == 0, result.output
    assert StepRecord.read(out / "s.graph.json").metrics["median_degree"] == 6
    assert ad.read_h5ad(out / "s.h5ad").obsp["spatial_connectivities"].nnz > 0


def test_a_radius_shorter_than_the_pitch_isolates_every_spot(call):
    result, out = call("--method", "radius", "--radius", "10")
    assert result.exit_code == 0, result.output
    assert StepRecord.read(out / "s.graph.json").metrics["n_isolates"] == 168
