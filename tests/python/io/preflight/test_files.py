"""Rows of the list of bad inputs about which files are there and whether they can be read."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from clearspot.io.ingest import ingest_outs
from tests.helpers.outs_factory import make_outs, make_positions, write_mex, write_positions


def test_sound_folder_passes_without_a_warning(outs, passed):
    record = passed(outs(raw=True).root)
    assert [message.text for message in record.messages if message.level == "warning"] == []
    assert record.metrics["assay"] == "visium"
    assert record.metrics["n_spots"] == 100
    assert record.metrics["n_positions"] == 144
    assert record.metrics["has_raw_matrix"] is True
    assert record.metrics["images"] == "hires, lowres"
    assert record.metrics["image_kind"] == "brightfield"
    assert record.metrics["superres_reason"] == "no full-resolution image"


@pytest.mark.parametrize("chemistry", ["v1", "v2", "hd"])
def test_full_sample_with_its_image_can_be_superresolved(outs, passed, tmp_path: Path, chemistry: str):
    made = outs(chemistry=chemistry, full_image=True)
    record = passed(made.root, image=tmp_path / "full.tif")
    assert record.metrics["superres_possible"] is True
    assert record.metrics["superres_reason"] is None
    assert record.metrics["image_scale"] == 1


def test_row_01_parent_of_outs_is_handled(outs, handled):
    assert "found at outs" in handled(outs().root.parent)


@pytest.mark.parametrize("name", ["outs.tar.gz", "outs.tar"])
def test_row_01_archive_is_handled(outs, handled, tmp_path: Path, name: str):
    made = outs()
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as tar:
        tar.add(made.root, "outs")
    shutil.rmtree(made.root)
    assert f"{name} was unpacked" in handled(tmp_path / name)


def test_row_01_archive_leaves_nothing_unpacked(outs, tmp_path: Path, script):
    made = outs()
    with tarfile.open(tmp_path / "outs.tar", "w") as tar:
        tar.add(made.root, "outs")
    into = tmp_path / "into"
    words = ["--sample", "S1", "--outs", str(tmp_path / "outs.tar"), "--outdir", str(into)]
    assert CliRunner().invoke(script("spaceranger_check").main, words).exit_code == 0
    assert [path.name for path in into.iterdir()] == ["S1.check.json"]


def test_row_01_several_candidates_are_an_error(refusal, tmp_path: Path):
    for name in ("A", "B"):
        make_outs(tmp_path / "both" / name / "outs")
    problem = refusal(tmp_path / "both")
    assert "A/outs, B/outs" in problem.found
    assert problem.expected == "one sample"


def test_row_02_flattened_names_with_prefix_are_handled(outs, passed, tmp_path: Path):
    made = outs(metrics_summary=False)
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in made.root.rglob("*"):
        if path.is_file():
            path.rename(flat / f"GSM123_S1_{path.name}")
    assert passed(flat).metrics["n_spots"] == 100


@pytest.mark.parametrize("gzipped", [True, False])
def test_row_03_mex_folder_alone_is_handled(outs, passed, gzipped: bool):
    made = outs(matrix="mex")
    if not gzipped:
        for path in (made.root / "filtered_feature_bc_matrix").glob("*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
    record = passed(made.root)
    assert record.metrics["umis_in_tissue"] == made.counts[made.in_tissue].sum()


def test_row_04_no_spatial_folder_is_an_error(outs, refusal):
    made = outs()
    shutil.rmtree(made.spatial)
    problem = refusal(made.root)
    assert problem.file == "spatial"
    assert "spatial" in problem.mend


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["tissue_positions_list.csv", "tissue_positions.csv", "tissue_positions.parquet"])
def test_row_05_every_positions_file_is_handled(outs, passed, name: str, header: bool):
    made = outs()
    (made.spatial / "tissue_positions_list.csv").unlink()
    write_positions(made.spatial / name, made.positions, header=header)
    assert passed(made.root).metrics["n_positions_in_tissue"] == 100


def test_row_05_two_positions_files_that_agree_are_handled(outs, handled):
    made = outs()
    write_positions(made.spatial / "tissue_positions.csv", made.positions, header=True)
    assert "several positions files" in handled(made.root)


def test_row_05_two_positions_files_that_disagree_are_an_error(outs, refusal):
    made = outs()
    moved = made.positions.assign(pxl_row_in_fullres=made.positions["pxl_row_in_fullres"] + 500)
    write_positions(made.spatial / "tissue_positions.csv", moved, header=True)
    problem = refusal(made.root)
    assert "positions that differ from" in problem.found
    assert problem.file.startswith("spatial/tissue_positions")


def test_row_08_hd_root_is_recognised(outs, passed):
    record = passed(outs(chemistry="hd", bins=(2, 8, 16)).root)
    assert (record.metrics["assay"], record.metrics["bin_size_um"]) == ("visium_hd", 8)
    assert record.metrics["bins_available"] == "2, 8, 16"


def test_row_08_one_bin_folder_as_root_is_handled(outs, passed):
    made = outs(chemistry="hd", bins=(8, 16))
    record = passed(made.bin_dirs[16])
    assert record.metrics["bin_size_um"] == 16
    assert "square_016um is a single bin size" in "".join(message.text for message in record.messages)


def test_row_09_absent_bin_size_lists_those_there(outs, refusal):
    problem = refusal(outs(chemistry="hd", bins=(8, 16)).root, bin_size_um=2)
    assert problem.found == "bins of 8 µm, 16 µm"
    assert problem.expected == "bins of 2 µm"


def test_row_10_bin_folder_of_another_bin_size_is_an_error(outs, refused):
    made = outs(chemistry="hd", bins=(8,))
    made.bin_dirs[8].rename(made.bin_dirs[8].with_name("square_016um"))
    problems = refused(made.root, bin_size_um=16)
    assert "bin_size_um = 8 in the folder of the 16 µm bins" in problems[0].found
    # the barcodes say so too
    assert "s_008um_" in problems[1].found


def test_row_11_hd_without_microscope_image_is_handled(outs, passed):
    record = passed(outs(chemistry="hd", microns_per_pixel=4.6).root)
    assert record.metrics["superres_possible"] is False
    assert any("without a microscope image" in message.text for message in record.messages)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scramble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:40] = b"\x99" * 40
    path.write_bytes(bytes(content))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize("spoil", [_truncate, _scramble, _empty, _dangle])
@pytest.mark.parametrize(
    ("chemistry", "file"),
    [
        ("v1", "filtered_feature_bc_matrix.h5"),
        ("v1", "spatial/tissue_hires_image.png"),
        ("v1", "spatial/tissue_lowres_image.png"),
        ("v1", "spatial/scalefactors_json.json"),
        ("hd", "spatial/tissue_positions.parquet"),
    ],
)
def test_row_30_broken_file_is_an_error(outs, refusal, chemistry: str, file: str, spoil):
    made = outs(chemistry=chemistry)
    spoil(made.data_dir / file)
    assert refusal(made.root).file.endswith(file)


@pytest.mark.parametrize("spoil", [_truncate, _empty])
def test_row_30_broken_full_image_is_an_error(outs, refusal, tmp_path: Path, spoil):
    made = outs(full_image=True)
    spoil(tmp_path / "full.tif")
    assert refusal(made.root, image=tmp_path / "full.tif").file == "full.tif"


def test_row_30_broken_archive_is_an_error(outs, refusal, tmp_path: Path):
    made = outs()
    with tarfile.open(tmp_path / "outs.tar.gz", "w:gz") as tar:
        tar.add(made.root, "outs")
    _truncate(tmp_path / "outs.tar.gz")
    assert refusal(tmp_path / "outs.tar.gz").file == "outs.tar.gz"


def test_row_30_absent_folder_is_an_error(refusal, tmp_path: Path):
    assert refusal(tmp_path / "none").found == "no such file or folder"


def test_row_30_broken_metrics_summary_is_a_warning(outs, warned):
    made = outs()
    (made.root / "metrics_summary.csv").write_bytes(b"\xff\xfe\0")
    assert "metrics_summary.csv was ignored" in warned(made.root)


def test_row_34_segmented_outputs_beside_the_bins_are_handled(outs, handled):
    made = outs(chemistry="hd")
    (made.root / "segmented_outputs").mkdir()
    assert "segmented_outputs" in handled(made.root)


def test_all_problems_are_found_at_once(outs, refused):
    made = outs()
    positions = made.positions.astype(object)
    positions.iloc[3, 3] = "far"
    write_positions(made.spatial / "tissue_positions_list.csv", positions, header=False)
    (made.spatial / "scalefactors_json.json").write_text(json.dumps({"tissue_hires_scalef": 0.2}))
    _truncate(made.root / "filtered_feature_bc_matrix.h5")
    _truncate(made.spatial / "tissue_lowres_image.png")
    files = {problem.file for problem in refused(made.root)}
    assert files == {
        "spatial/tissue_positions_list.csv",
        "spatial/scalefactors_json.json",
        "filtered_feature_bc_matrix.h5",
        "spatial/tissue_lowres_image.png",
    }


def test_disagreeing_matrices_warn(outs, warned):
    made = outs(matrix="both")
    shutil.rmtree(made.root / "filtered_feature_bc_matrix")
    write_mex(made.root / "filtered_feature_bc_matrix", made.counts[:5], made.positions.index[:5], made.features)
    assert "the .h5 matrix was used" in warned(made.root)


def test_what_passes_is_what_ingest_reads(outs, passed):
    made = outs()
    record = passed(made.root)
    adata, _ = ingest_outs(made.root, "S1")
    counted = record.metrics["n_spots"] - record.metrics["n_spots_without_counts"]
    assert adata.n_obs == counted
    assert np.asarray(adata.layers["counts"].sum()) == record.metrics["umis_in_tissue"]


def test_positions_of_another_sample_are_an_error(outs, refusal, edit_positions):
    made = outs()
    other = make_positions(12, 12, bin_um=None, microns_per_pixel=0.73)
    other.index = other.index[::-1].str.replace("A", "Z")
    edit_positions(made, other)
    assert "no position for" in refusal(made.root).found
