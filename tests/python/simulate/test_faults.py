"""Slides spoilt on purpose: each fault does what it says, to nothing else, and the truth says so."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from clearspot.cli import main
from clearspot.io.ingest import ingest_outs
from clearspot.simulate.choices import FAULTS
from clearspot.simulate.faults import Fault, Faults
from clearspot.simulate.phantom import Phantom, make_phantom
from clearspot.simulate.spaceranger import SampleFiles, write_outs

pytestmark = pytest.mark.filterwarnings("ignore")

IMAGE_FAULTS = ("blurred", "overexposed", "pale")


@pytest.fixture(scope="module")
def tissue() -> Phantom:
    return make_phantom(3, width_um=1200, n_genes=160)


@pytest.fixture(scope="module")
def make(tissue: Phantom, tmp_path_factory: pytest.TempPathFactory):
    def made(*faults: Fault, chemistry: str = "v1") -> SampleFiles:
        folder = tmp_path_factory.mktemp("slide")
        phantom = make_phantom(5, width_um=640, n_genes=60) if chemistry == "hd" else tissue
        options = {"um_per_px": 4.0, "image": False, "mex": False, "bin_sizes": (8,)}
        return write_outs(phantom, folder, chemistry=chemistry, faults=faults, **options)

    return made


@pytest.fixture(scope="module")
def good(make) -> SampleFiles:
    return make()


def read(files: SampleFiles) -> ad.AnnData:
    return ingest_outs(files.outs, "s")[0]


def counts(files: SampleFiles) -> pd.Series:
    adata = read(files)
    return pd.Series(np.asarray(adata.layers["counts"].sum(axis=1)).ravel(), adata.obs_names)


def places(files: SampleFiles) -> pd.DataFrame:
    adata = read(files)
    um = adata.uns["clearspot"]["microns_per_pixel"]
    return pd.DataFrame(adata.obsm["spatial"] * um, index=adata.obs_names)


def truth(files: SampleFiles) -> dict:
    return json.loads((files.truth / "faults.json").read_text())


def picture(files: SampleFiles) -> np.ndarray:
    return np.asarray(Image.open(files.outs / "spatial" / "tissue_hires_image.png")).astype(float)


def stated(files: SampleFiles) -> pd.Series:
    return pd.read_csv(files.outs / "metrics_summary.csv").iloc[0]


def test_a_good_slide_has_no_word_of_faults(good: SampleFiles):
    assert not (good.truth / "faults.json").exists()
    assert "spoilt" not in (good.truth / "README").read_text()


@pytest.mark.parametrize(("strength", "um"), [("weak", 150), ("middle", 300), ("strong", 600)])
def test_shifted_moves_all_positions_and_nothing_else(make, good: SampleFiles, strength: str, um: float):
    files = make(Fault("shifted", strength))
    by = places(files) - places(good)
    np.testing.assert_allclose(np.hypot(by[0], by[1]), um, atol=6)  # whole pixels of 4 um
    assert (counts(files) == counts(good)).all()
    assert (picture(files) == picture(good)).all()
    assert truth(files)["shifted"]["distance_um"] == um


@pytest.mark.parametrize("kind", ["mirrored", "rotated"])
def test_a_symmetry_keeps_distances_and_the_middle(make, good: SampleFiles, kind: str):
    files = make(Fault(kind))
    before, after = places(good).to_numpy(), places(files).to_numpy()
    np.testing.assert_allclose(
        np.linalg.norm(before - before[0], axis=1), np.linalg.norm(after - after[0], axis=1), atol=12
    )
    turned = np.linalg.det(np.linalg.lstsq(before - before.mean(axis=0), after - after.mean(axis=0), rcond=None)[0])
    assert turned == pytest.approx(-1 if kind == "mirrored" else 1, abs=0.05)
    assert np.abs(before - after).max() > 100


@pytest.mark.parametrize(("strength", "share"), [("weak", 0.3), ("strong", 1.0)])
def test_shuffled_exchanges_profiles_of_spots_under_tissue(make, good: SampleFiles, strength: str, share: float):
    before, after = counts(good), counts(make(Fault("shuffled", strength)))
    assert sorted(before) == sorted(after)
    assert (before != after).mean() == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(("kind", "left"), [("dead_region", 0.1), ("torn", 0.6), ("dried", 0.75)])
def test_a_region_is_damaged_and_named_in_the_truth(make, good: SampleFiles, kind: str, left: float):
    files = make(Fault(kind, "strong"))
    named = pd.read_csv(files.truth / "fault_regions.csv")
    before, after = counts(good), counts(files).reindex(counts(good).index, fill_value=0)
    inside = before.index.isin(named["barcode"])
    assert 0.05 < inside.mean() < 0.6
    assert (after[~inside] == before[~inside]).all()
    assert after[inside].sum() < left * before[inside].sum()
    assert truth(files)[kind]["strength"] == "strong"


@pytest.mark.parametrize("kind", ["torn", "dried"])
def test_damaged_tissue_has_few_kinds_of_molecules_and_much_mitochondrial_rna(make, good: SampleFiles, kind: str):
    files = make(Fault(kind, "strong"))
    barcodes = pd.read_csv(files.truth / "fault_regions.csv")["barcode"]

    def shares(adata: ad.AnnData) -> tuple[float, float]:
        part = adata[adata.obs_names.isin(barcodes)]
        matrix = part.layers["counts"]
        mt = part.var_names.str.startswith("MT-")
        return matrix[:, mt].sum() / matrix.sum(), np.diff(matrix.indptr).mean()

    (mt_before, genes_before), (mt_after, genes_after) = shares(read(good)), shares(read(files))
    assert mt_after > 2 * mt_before
    assert genes_after < 0.8 * genes_before


@pytest.mark.parametrize("chemistry", ["v1", "hd"])
def test_bleeding_carries_counts_off_the_tissue(make, chemistry: str):
    def outside(files: SampleFiles) -> float:
        return ingest_outs(files.outs, "s")[1].metrics["fraction_umi_outside_tissue"]

    before, *after = (
        outside(make(*faults, chemistry=chemistry))
        for faults in ((), *([Fault("bleeding", strength)] for strength in ("weak", "middle", "strong")))
    )
    assert [before, *after] == sorted([before, *after])
    assert after[-1] > before + 0.05


def test_low_sequencing_thins_counts_and_states_bad_figures(make, good: SampleFiles):
    files = make(Fault("low_sequencing", "strong"))
    assert counts(files).sum() == pytest.approx(0.08 * counts(good).sum(), rel=0.1)
    bad, fine = stated(files), stated(good)
    assert bad["Q30 Bases in RNA Read"] == 0.35
    assert bad["Valid Barcodes"] == 0.41
    assert bad["Mean Reads per Spot"] < 0.2 * fine["Mean Reads per Spot"]
    assert list(bad.index) == list(fine.index)


def test_low_counts_leaves_space_rangers_reads_alone(make, good: SampleFiles):
    files = make(Fault("low_counts", "strong"))
    assert counts(files).sum() == pytest.approx(0.03 * counts(good).sum(), rel=0.15)
    assert stated(files)["Q30 Bases in RNA Read"] == stated(good)["Q30 Bases in RNA Read"]


def test_faults_of_the_picture_leave_the_counts_alone(make, good: SampleFiles):
    pictures = {}
    for kind in IMAGE_FAULTS:
        files = make(Fault(kind, "strong"))
        assert (counts(files) == counts(good)).all()
        pictures[kind] = picture(files)
    fine = picture(good)

    def detail(image: np.ndarray) -> float:
        return float(np.abs(np.diff(image.mean(axis=2), axis=1)).mean())

    assert detail(pictures["blurred"]) < 0.5 * detail(fine)
    assert (pictures["overexposed"] == 255).mean() > 0.8
    assert pictures["pale"].std() < 0.2 * fine.std()
    assert abs(np.percentile(pictures["pale"], 99) - np.percentile(fine, 99)) < 5


def test_a_blur_by_strips_is_the_blur_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    from clearspot.simulate import fault_pictures

    image = np.random.default_rng(0).integers(0, 255, (300, 40, 3), dtype=np.uint8)
    whole, strips = image.copy(), image.copy()
    fault_pictures.spoil_picture(whole, "blurred", 1, 2.0)
    monkeypatch.setattr(fault_pictures, "_STRIP", 64)
    fault_pictures.spoil_picture(strips, "blurred", 1, 2.0)
    assert np.abs(whole.astype(int) - strips).max() <= 1


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_can_be_made_of_every_chemistry(make, kind: str):
    for chemistry in ("v2", "hd"):
        files = make(Fault(kind, "strong"), chemistry=chemistry)
        assert set(truth(files)) == {kind}
        assert read(files).n_obs > 0


def test_the_same_seed_spoils_in_the_same_way(make):
    one, two = make(Fault("dead_region")), make(Fault("dead_region"))
    assert (counts(one) == counts(two)).all()


def test_a_mix_is_written_down_whole(tmp_path: Path):
    options = ["--width-um", "640", "--genes", "60", "--no-image", "--fault", "shifted", "--fault", "pale"]
    result = CliRunner().invoke(main, ["simulate", str(tmp_path), *options, "--fault-strength", "weak"])
    assert result.exit_code == 0, result.output
    said = json.loads((tmp_path / "phantom_1" / "truth" / "faults.json").read_text())
    assert {kind: figures["strength"] for kind, figures in said.items()} == {"shifted": "weak", "pale": "weak"}
    assert "simulated fault: shifted" in (tmp_path / "phantom_1" / "truth" / "README").read_text()


def test_a_fault_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("lost")
    with pytest.raises(ValueError, match="unknown strength"):
        Fault("pale", "very")
    with pytest.raises(ValueError, match="duplicated fault"):
        Faults([Fault("pale"), Fault("pale", "weak")])
