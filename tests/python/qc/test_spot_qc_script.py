import runpy

import anndata as ad
import pytest
from click.testing import CliRunner

from clearspot.record import StepRecord
from tests.helpers.sections import section


@pytest.fixture
def call(repo, tmp_path):
    """Run the real script on a small section, with the options that conf/modules.config passes."""
    command = runpy.run_path(str(repo / "bin" / "spot_qc.py"))["main"]
    section().write_h5ad(tmp_path / "in.h5ad")
    shipped = "--min-spots 1 --mito-threshold 20.0 --ribo-threshold 0.0 --hb-threshold 100.0 --min-spots-left 50 "
    shipped += "--n-hvgs 3000 --hvg-min-counts 100"

    def run(*extra):
        required = ["--sample", "s", "--h5ad", str(tmp_path / "in.h5ad"), "--outdir", str(tmp_path / "out")]
        return CliRunner().invoke(command, [*required, *shipped.split(), *map(str, extra)]), tmp_path / "out"

    return run


def test_a_good_sample_gets_its_data_and_its_record(call):
    result, out = call()
    assert result.exit_code == 0, result.output
    assert ad.read_h5ad(out / "s.h5ad").obs["qc_pass"].all()
    assert StepRecord.read(out / "s.qc.json").status == "ok"


def test_a_refused_sample_exits_with_65_and_leaves_nothing(call):
    result, out = call("--min-counts", 10**6)
    assert result.exit_code == 65
    assert list(out.iterdir()) == []


def test_the_gate_lets_the_run_go_on_with_a_verdict_and_no_data(call):
    result, out = call("--min-counts", 10**6, "--verdict-only")
    assert result.exit_code == 0, result.output
    assert [path.name for path in out.iterdir()] == ["s.qc.json"]
    record = StepRecord.read(out / "s.qc.json")
    assert record.status == "bad_input"
    assert "qc_min_counts" in record.problems[0].found


def test_genes_of_interest_come_from_a_file(call, tmp_path):
    (tmp_path / "genes.txt").write_text("Gene7\nGene8\n", encoding="utf-8")
    _, out = call("--genes-of-interest", tmp_path / "genes.txt")
    adata = ad.read_h5ad(out / "s.h5ad")
    assert adata.var_names[adata.var["gene_of_interest"]].tolist() == ["Gene7", "Gene8"]
