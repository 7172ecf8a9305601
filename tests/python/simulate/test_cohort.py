import csv

from clearspot.simulate.cohort import preset, simulate_cohort


def test_samples_differ_and_the_sheet_names_them(tmp_path):
    files = simulate_cohort(
        tmp_path, chemistries=("v1", "hd"), n_samples=2, n_genes=40, width_um=512, um_per_px=8.0, truth_bins=()
    )
    with (tmp_path / "samplesheet.csv").open(newline="") as sheet:
        rows = list(csv.DictReader(sheet))
    assert [row["sample"] for row in rows] == ["phantom_1", "phantom_2"]
    assert [row["bin_size_um"] for row in rows] == ["", "8"]
    for row, sample in zip(rows, files, strict=True):
        assert tmp_path / row["spaceranger_dir"] == sample.outs
        assert (tmp_path / row["image"]).is_file()
    assert (files[0].outs / "spatial").is_dir()
    assert (files[1].outs / "binned_outputs").is_dir()


def test_presets_fit_their_slides():
    for chemistry in ("v1", "v2", "hd"):
        for name in ("test", "section"):
            size = preset(name, chemistry)
            if chemistry == "hd":
                assert size.width_um % 16 == 0
            assert size.width_um <= 6700
