"""A model that learns from references once, and sections that start from it."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from clearspot import keys
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference import from_cells
from clearspot.diffst.data.reference_view import (
    SpotGeometry,
    lattices_of_spots,
    padded_reference,
    pseudo_spots,
    reference_views,
)
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.output.api import sample_section, superresolve, train
from clearspot.diffst.output.command import train_file
from clearspot.diffst.output.pretraining import pretrain_on
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import load_checkpoint
from clearspot.diffst.training.held_out_blocks import GUARD_UM, block_of
from clearspot.errors import BadInputError
from clearspot.io.atomic import write_h5ad
from tests.helpers.cell_references import GENES, make_reference
from tests.helpers.diffst_sections import make_section

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, n_programs=3, holdout=0.1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A pretrained model, and its record."""
    path = tmp_path_factory.mktemp("model") / keys.PRETRAINED_NAME
    return path, pretrain_on({"a": make_reference(), "b": make_reference(seed=2)}, path, params=PARAMS, progress=False)


def start(folder, path, params=PARAMS):
    adata, image = make_section()
    return superresolve(adata, image, out=folder, sample="s1", params=params, start_from=path, progress=False)


def test_pseudo_spots_measure_what_lies_under_them():
    reference = padded_reference(make_reference(image=False), tuple(GENES))
    whole = replace(reference, counts=sp.csr_array(np.rint(reference.counts.toarray() * 10)))
    spots = pseudo_spots("x", whole, SpotGeometry(), seed=0, lattice=0)
    expected = spots.operator @ whole.counts.toarray()
    assert np.array_equal(spots.counts.data, np.rint(spots.counts.data))
    assert_allclose(spots.counts.sum(), expected.sum(), rtol=0.02)
    assert (spots.counts.toarray() <= (spots.operator > 0) @ whole.counts.toarray()).all()
    other = pseudo_spots("x", whole, SpotGeometry(), seed=0, lattice=1)
    assert not np.isin(spots.xy_px[:, 0], other.xy_px[:, 0]).any()


def test_a_reference_is_shown_as_spots_would_have_seen_it():
    reference = padded_reference(make_reference(image=False), tuple(GENES))
    programs = Programs(tuple(GENES), np.full((2, len(GENES)), 1 / len(GENES), np.float32))
    lattices = [pseudo_spots("x", reference, SpotGeometry(), 0, number) for number in range(2)]
    views = reference_views("x", reference, lattices, pitch_um=100.0, programs=programs, n_features=9)
    assert len(views) == 2
    view = views[1]
    assert (view.shape[0] % 8, view.shape[1] % 8) == (0, 0)
    assert_allclose(view.fine_counts.toarray(), reference.counts.toarray())
    seen = view.operator @ (view.truth * view.scale[:, None, None]).reshape(2, -1).T.astype(np.float64)
    shown = view.operator @ (view.conditions[0].base * view.scale[:, None, None]).reshape(2, -1).T.astype(np.float64)
    assert_allclose(shown.sum(), seen.sum(), rtol=0.1)


def test_networks_of_pairs_are_shown_the_spots_without_the_section_s_fit_to_its_image():
    reference = padded_reference(make_reference(image=True), tuple(GENES))
    programs = Programs(tuple(GENES), np.full((2, len(GENES)), 1 / len(GENES), np.float32))
    spots = [pseudo_spots("x", reference, SpotGeometry(), 0, 0)]
    wanted = {"pitch_um": 100.0, "programs": programs, "n_features": 9}
    shown, blind = (
        reference_views("x", one, spots, **wanted)[0].conditions[0]
        for one in (reference, replace(reference, histology=None))
    )
    assert_allclose(shown.seen, blind.seen)
    assert not np.allclose(shown.base, blind.base)


def test_a_model_says_what_it_learned_from(model):
    path, record = model
    card = load_checkpoint(path)["card"]
    assert [one["name"] for one in card["references"]] == ["a", "b"]
    assert (card["bin_um"], card["pitch_um"], card["n_genes"]) == (20.0, 100.0, 13)
    first = card["references"][0]
    assert first["genes"] == 13
    assert first["stain"] is not None
    assert first["held_out"].keys() == {
        f"{score}_{way}" for score in ("pearson", "deviance") for way in ("model", "plain", "gene_head")
    }
    assert record.metrics["n_references_with_image"] == 2
    assert_allclose(
        record.metrics["pearson_model"],
        np.median([one["held_out"]["pearson_model"] for one in card["references"]]),
        atol=1e-4,
    )


def test_training_sees_nothing_of_the_held_out_block(tmp_path):
    """Other counts in the block and its guard, and only there: the same model to the last bit, and other scores."""
    reference = make_reference()
    block, seen = block_of(reference.tissue, reference.grid.bin_um, PARAMS.holdout)
    assert block.any()
    assert not (block & seen).any()
    guard = np.flatnonzero(block.any(axis=1)).min() - np.flatnonzero(seen.any(axis=1)).max()
    assert guard * reference.grid.bin_um > GUARD_UM
    lowest = (
        np.repeat(np.arange(reference.grid.n_rows), reference.grid.n_cols) >= np.flatnonzero(block.any(axis=1)).min()
    )
    changed = reference.counts.toarray()
    changed[lowest] = changed[lowest][:, ::-1]
    kept = []
    for number, counts in enumerate((reference.counts, sp.csr_array(changed))):
        path = tmp_path / f"{number}.pt"
        pretrain_on({"a": replace(reference, counts=counts)}, path, params=PARAMS, progress=False)
        kept.append(load_checkpoint(path))
    assert kept[0]["results"]["losses"] == kept[1]["results"]["losses"]
    for name, value in kept[0]["model"].items():
        assert_array_equal(value.numpy(), kept[1]["model"][name].numpy(), err_msg=name)
    scores = [one["card"]["references"][0]["held_out"] for one in kept]
    assert scores[0]["pearson_model"] != scores[1]["pearson_model"]


def test_a_small_reference_has_no_held_out_block():
    tissue = np.ones((30, 30), dtype=bool)
    block, seen = block_of(tissue, 20.0, 0.2)
    assert not block.any()
    assert_array_equal(seen, tissue)


def test_a_section_starts_from_the_model(model, tmp_path):
    path, _ = model
    result = start(tmp_path, path)
    assert result.training.metrics["n_references"] == 2
    assert "Training started from a model trained on a, b." in [message.text for message in result.training.messages]
    assert "loss_diffusion_final" not in result.training.metrics  # stage 2 stays as it was pretrained
    kept = load_checkpoint(tmp_path / keys.diffst_checkpoint_name("s1"))
    begun = load_checkpoint(path)
    denoiser = [name for name in begun["model"] if name.startswith("denoiser.")]
    assert denoiser
    for name in denoiser:
        assert_array_equal(kept["model"][name].numpy(), begun["model"][name].numpy())
    assert kept["card"] == begun["card"]
    found = ad.read_h5ad(result.path)
    assert np.isfinite(found.layers[keys.SUPERRES_MEAN]).all()


def test_the_parts_of_the_default_serve_a_section_too(tmp_path):
    """The settings of the tests have every part; the defaults leave out those that did not improve maps."""
    off = ("disentangle", "cross_attention", "gene_graph", "pixels")
    default = DiffstParams()
    assert not any(getattr(default, part) for part in off)
    params = replace(PARAMS, **dict.fromkeys(off, False))
    path = tmp_path / keys.PRETRAINED_NAME
    pretrain_on({"a": make_reference(), "b": make_reference(seed=2)}, path, params=params, progress=False)
    parts = ("genes.", "pixels.", "attention", "modulates")
    assert [name for name in load_checkpoint(path)["model"] if any(part in name for part in parts)] == []
    found = ad.read_h5ad(start(tmp_path, path, params).path)
    assert np.isfinite(found.layers[keys.SUPERRES_MEAN]).all()


def test_what_a_section_adapts_is_kept_only_where_held_out_spots_gain(model, tmp_path):
    """Steps that ruin the model are undone: the weights are those it started with."""
    path, _ = model
    start(tmp_path, path, replace(PARAMS, lr_adapt=1e-12, holdout=0.3))
    kept, begun = load_checkpoint(tmp_path / "s1.diffst.pt")["model"], load_checkpoint(path)["model"]
    for name, value in begun.items():
        if name.startswith("mean.") and name != "mean.power":
            assert_allclose(kept[name].numpy(), value.numpy(), atol=1e-8, err_msg=name)


def test_a_model_from_one_run_serves_another_without_references(model, tmp_path):
    path, _ = model
    (tmp_path / "lab").mkdir()
    handed = tmp_path / "lab" / "other_name.pt"
    handed.write_bytes(path.read_bytes())
    result = start(tmp_path, handed)
    again = sample_section(
        make_section()[0], None, tmp_path / "s1.diffst.pt", tmp_path / "lab", sample="s1", params=PARAMS, progress=False
    )
    assert ad.read_h5ad(again.path).shape == ad.read_h5ad(result.path).shape


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bin_um": 10.0}, "trained with bins of 20 µm, but the section has bins of 10 µm"),
        ({"genes": ("gene1", "gene2")}, "the model has 2 of the section's genes, fewer than its 3 programs"),
    ],
)
def test_a_section_that_is_unlike_the_references_is_refused(model, tmp_path, changes, words):
    with pytest.raises(BadInputError, match=words):
        start(tmp_path, model[0], replace(PARAMS, **changes))
    assert not (tmp_path / "s1.superres.h5ad").exists()


def test_a_sample_is_trained_alone_where_the_model_does_not_fit_if_that_is_wanted(model, tmp_path):
    adata, _ = make_section()
    write_h5ad(adata, tmp_path / "s1.h5ad")
    settings = {"preset": "test", "genes": "all", "threads": 1, "n_programs": 3, "bin_um": 10.0, "start_from": model[0]}
    with pytest.raises(BadInputError, match="trained with bins of 20 µm"):
        train_file(tmp_path / "s1.h5ad", None, tmp_path, "s1", **settings)
    record = train_file(tmp_path / "s1.h5ad", None, tmp_path, "s1", alone_if_unfit=True, **settings)
    assert "n_references" not in record.metrics
    assert any(
        message.text.startswith("The model was trained on this sample alone, not from") for message in record.messages
    )
    del adata.uns[keys.UNS][keys.MICRONS_PER_PIXEL]
    write_h5ad(adata, tmp_path / "s1.h5ad")
    with pytest.raises(BadInputError, match="an unknown pixel size"):
        train_file(tmp_path / "s1.h5ad", None, tmp_path, "s1", alone_if_unfit=True, **settings)


def test_a_section_takes_the_bins_of_the_model(model, tmp_path):
    result = start(tmp_path, model[0], replace(PARAMS, factor=10))
    assert result.record.metrics["bin_um"] == 20.0


def test_superresolve_pretrains_on_references(tmp_path):
    adata, image = make_section()
    result = superresolve(
        adata, image, out=tmp_path, sample="s1", params=PARAMS, references={"x": make_reference()}, progress=False
    )
    assert (tmp_path / keys.PRETRAINED_NAME).is_file()
    assert result.training.metrics["n_references"] == 1


def test_references_without_images_teach_expression_alone(tmp_path):
    record = pretrain_on({"x": make_reference(image=False)}, tmp_path / "m.pt", params=PARAMS, progress=False)
    assert record.metrics["n_references_with_image"] == 0
    assert any("trained without histology" in message.text for message in record.messages)


def test_references_that_do_not_go_together_are_refused_or_left_out(tmp_path):
    references = {"fits": make_reference(), "other": make_reference(["A", "B"])}
    with pytest.raises(BadInputError, match="0 genes shared by all references"):
        pretrain_on(references, tmp_path / "m.pt", params=PARAMS, progress=False)
    assert not (tmp_path / "m.pt").exists()
    record = pretrain_on(references, tmp_path / "m.pt", params=PARAMS, skip_bad_references=True, progress=False)
    assert record.metrics["n_references"] == 1
    assert [message.level for message in record.messages if "reference other" in message.text] == ["warning"]


def test_a_reference_with_too_little_tissue_is_refused(tmp_path):
    small = make_reference(n_cells=3)
    with pytest.raises(BadInputError, match=r"tissue for \d+ spots"):
        pretrain_on({"x": small}, tmp_path / "m.pt", params=PARAMS, progress=False)


def test_a_lattice_that_misses_a_small_reference_is_left_out():
    """Tissue for 16 spots of the first lattice, and for fewer of some of the others."""
    reference = padded_reference(make_reference(image=False), tuple(GENES))
    first = pseudo_spots("x", reference, SpotGeometry(), 0, 0)
    row, column = np.divmod(np.arange(reference.grid.n_bins), reference.grid.n_cols)
    place = first.xy_px[np.argsort(((first.xy_px - first.xy_px.mean(axis=0)) ** 2).sum(axis=1))[:16]]
    bins = (reference.grid.centres_px()[:, None] - place[None]) ** 2
    near = (bins.sum(axis=2) < 30.0**2).any(axis=1)
    tissue = np.zeros(reference.grid.shape, dtype=bool)
    tissue[row[near], column[near]] = True
    small = replace(reference, tissue=tissue)
    found = lattices_of_spots("x", small, SpotGeometry(), 0, 8)
    assert 1 <= len(found) < 8
    assert all(len(one.xy_px) >= 16 for one in found)
    assert_array_equal(found[0].xy_px, pseudo_spots("x", small, SpotGeometry(), 0, 0).xy_px)


@pytest.mark.real
def test_a_xenium_crop_serves_as_reference(shared_data, tmp_path):
    cells = ad.read_h5ad(shared_data / "xenium_crops" / "bulbasaur.h5ad")
    xy = np.asarray(cells.obsm["spatial"])
    corner = (xy < xy.min(axis=0) + 640).all(axis=1)
    grid = FineGrid.covering(xy[corner], 1.0, 20.0, 20.0)
    counts = sp.csr_array(cells.X)[corner]
    reference = from_cells(xy[corner], cells.obs["area_um2"].to_numpy()[corner], counts, cells.var_names, grid)
    pretrain_on({"x": reference}, tmp_path / "m.pt", params=PARAMS, progress=False)
    adata, _ = make_section()
    adata.var_names = cells.var_names[np.argsort(-counts.sum(axis=0))[: adata.n_vars]]
    record = train(
        adata, None, tmp_path / "s.pt", sample="s1", params=PARAMS, start_from=tmp_path / "m.pt", progress=False
    )
    assert np.isfinite(record.metrics["loss_mean_final"])
