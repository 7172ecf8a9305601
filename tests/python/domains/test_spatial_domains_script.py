import runpy

import anndata as ad
import pytest
from click.testing import CliRunner

from clearspot.record import StepRecord
from tests.helpers.denoised_sections import denoised_section


@pytest.fixture
def call(repo, tmp_path):
    """Run the real script on a small section, with the options that conf/modules.config passes."""
    command = runpy.run_path(str(repo / "bin" / "spatial_domains.py"))["main"]
    denoised_section().write_h5ad(tmp_path / "in.h5ad")

    def run(*options):
        required = ["--sample", "s", "--h5ad", str(tmp_path / "in.h5ad"), "--outdir", str(tmp_path / "out")]
        shipped = ["--resolution", "1.0", "--moran-n-genes", "10", "--moran-n-perms", "5", "--seed", "0"]
        return CliRunner().invoke(command, [*required, *shipped, *options]), tmp_path / "out"

    return run


def test_data_record_and_tables_are_written(call):
    result, out = call("--method", "gmm")
    assert result.exit_code == 0, result.output
    assert StepRecord.read(out / "s.domains.json").metrics["main"] == "domain_gmm"
    assert ad.read_h5ad(out / "s.h5ad").obs["domain_gmm"].notna().sum() > 100
    assert sorted(path.name for path in (out / "loupe").iterdir()) == ["s_domains.csv", "s_qc.csv"]


def test_the_number_of_domains_can_be_given(call):
    result, out = call("--method", "gmm", "--n-domains", "3")
    assert result.exit_code == 0, result.output
    assert StepRecord.read(out / "s.domains.json").metrics["n_domains"] == 3
