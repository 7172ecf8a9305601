"""The script of the step: files that it writes, and what it leaves behind of bad data."""

import re
import shutil
import subprocess
import sys

import anndata as ad
import h5py

from clearspot.errors import EXIT_BAD_INPUT
from clearspot.record import StepRecord
from tests.helpers.outs_factory import make_outs


def run_script(repo, *arguments):
    return subprocess.run(
        [sys.executable, repo / "bin" / "spaceranger_ingest.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_script_writes_data_and_record(repo, tmp_path):
    made = make_outs(tmp_path / "run" / "outs", chemistry="hd", bins=(8, 16))
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "run")
    done = run_script(
        repo,
        "--sample",
        "s1",
        "--outs",
        archive,
        "--bin-size-um",
        16,
        "--microns-per-pixel",
        0.7,
        "--outdir",
        tmp_path / "o",
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["s1.h5ad", "s1.ingest.json"]
    adata = ad.read_h5ad(tmp_path / "o" / "s1.h5ad")
    assert adata.obs_names[0].startswith("s_016um_")
    assert adata.shape == (int(made.in_tissue.sum()), 30)
    record = StepRecord.read(tmp_path / "o" / "s1.ingest.json")
    assert record.metrics["microns_per_pixel"] == 0.7
    assert record.params["bin_size_um"] == 16


def test_script_leaves_nothing_behind_for_bad_data(repo, tmp_path):
    made = make_outs(tmp_path / "outs")
    with h5py.File(made.root / "filtered_feature_bc_matrix.h5", "r+") as h5:
        h5["matrix/data"][0] = -1
    done = run_script(repo, "--sample", "s1", "--outs", made.root, "--outdir", tmp_path / "o")
    assert done.returncode == EXIT_BAD_INPUT
    assert re.search(r"sample +s1\nfile +filtered_feature_bc_matrix.h5\nfound +negative entries", done.stderr)
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "o").iterdir())
