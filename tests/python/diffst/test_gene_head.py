"""The gene head: what it is shown, what it learns, and how far it moves a map."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from numpy.testing import assert_allclose, assert_array_equal

from clearspot import keys
from clearspot.diffst.data.gene_inputs import gene_inputs, n_inputs, surroundings
from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference_view import SpotGeometry, padded_reference, pseudo_spots, reference_views
from clearspot.diffst.generate.gene_detail import STRENGTHS, GeneDetail
from clearspot.diffst.networks.gene_head import GeneHead
from clearspot.diffst.output.api import superresolve
from clearspot.diffst.output.pretraining import pretrain_on
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import load_checkpoint
from clearspot.diffst.training.gene_head_stage import MOST_GENES, head_genes, lesson, train_gene_head
from clearspot.learning.divergence import TrainingDivergedError
from clearspot.metrics.maps import gene_pearson
from tests.helpers.cell_references import GENES, make_reference
from tests.helpers.diffst_sections import make_section

CPU = torch.device("cpu")
PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, n_programs=3, holdout=0.1)
SHOWN = tuple(GENES)


@pytest.fixture(scope="module")
def seen():
    """A reference as spots see it, its view and its spots."""
    reference = padded_reference(make_reference(), SHOWN)
    programs = Programs(SHOWN, np.full((2, len(SHOWN)), 1 / len(SHOWN), np.float32))
    spots = [pseudo_spots("x", reference, SpotGeometry(), 0, 0)]
    view = reference_views("x", reference, spots, pitch_um=100.0, programs=programs, n_features=9)[0]
    return reference, view, spots[0]


def inputs_of(seen, genes=SHOWN, visible=None):
    _, view, spots = seen
    image = surroundings(view.histology, view.grid.bin_um)
    return gene_inputs(view, spots.counts, SHOWN, genes, image=image, visible=visible)


def test_a_bin_is_shown_its_image_and_the_mean_of_every_gene_around_it(seen):
    _, view, spots = seen
    inputs = inputs_of(seen)
    shown = inputs.of(np.arange(view.grid.n_bins))
    assert shown.shape == (view.grid.n_bins, n_inputs(9, len(SHOWN)))
    assert_allclose(shown[:, :9], view.histology.fine.reshape(9, -1).T.astype(np.float32), atol=1e-3)
    density = np.exp(shown[:, -len(SHOWN) :]) - 0.1
    nearest = view.grid.centres_px()[:, None] - spots.xy_px[None]
    bin_at_spot = np.argmin((nearest**2).sum(axis=2), axis=0)
    measured = spots.counts.toarray() / inputs.area[:, None] / inputs.scale
    assert np.median(gene_pearson(measured, density[bin_at_spot])) > 0.8


def test_hidden_spots_are_not_shown(seen):
    _, view, spots = seen
    visible = np.random.default_rng(0).random(len(spots.xy_px)) < 0.5
    changed = spots.counts.toarray()
    changed[~visible] += 100
    bins = np.arange(view.grid.n_bins)
    reference, _, _ = seen
    before = inputs_of(seen, visible=visible).of(bins)
    after = inputs_of((reference, view, replace(spots, counts=sp.csr_matrix(changed))), visible=visible).of(bins)
    assert_array_equal(before, after)
    assert not np.allclose(before, inputs_of(seen).of(bins))


def test_a_gene_that_the_section_lacks_says_nothing(seen):
    _, view, _ = seen
    shown = inputs_of(seen, (*SHOWN[:2], "unknown")).of(np.arange(view.grid.n_bins))
    assert_allclose(shown[:, -1], np.log(1.1), rtol=1e-5)
    assert shown[:, -2].std() > 0


def trained(seen, **options):
    _, view, spots = seen
    torch.manual_seed(0)
    head = GeneHead(n_inputs(9, len(SHOWN)), len(SHOWN))
    taught = lesson(view, [spots], SHOWN, SHOWN)
    losses = train_gene_head(head, [taught], options.get("seed", 0), CPU, lambda loss: None)
    return head, taught, losses


def test_it_learns_the_bins_of_a_reference(seen):
    head, taught, losses = trained(seen)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    with torch.no_grad():
        rate = torch.exp(head(torch.from_numpy(taught.lattices[0].of(taught.bins)))).numpy()
    assert np.median(gene_pearson(taught.truth[taught.bins].toarray(), rate)) > 0.2


def test_the_same_seed_gives_the_same_head(seen):
    first, second, other = trained(seen), trained(seen), trained(seen, seed=1)
    assert first[2] == second[2]
    assert first[2] != other[2]


def test_a_diverged_training_is_told(seen):
    _, view, spots = seen
    broken = replace(view, fine_counts=view.fine_counts * np.inf)
    with pytest.raises(TrainingDivergedError, match="gene head"):
        train_gene_head(
            GeneHead(n_inputs(9, 13), 13), [lesson(broken, [spots], SHOWN, SHOWN)], 0, CPU, lambda loss: None
        )


def test_a_head_has_no_more_than_its_most_abundant_genes():
    reference = make_reference(n_cells=300)
    assert head_genes([reference], SHOWN) == SHOWN
    many = [f"g{number}" for number in range(MOST_GENES + 3)]
    counts = np.ones((reference.grid.n_bins, len(many)), dtype=np.float32)
    counts[:, [0, 5, 9]] = 0.5
    found = head_genes([replace(reference, counts=sp.csr_array(counts))], many)
    assert set(many) - set(found) == {"g0", "g5", "g9"}
    assert list(found) == sorted(found, key=many.index)


def detail_of(seen, strength, columns=None):
    head, _, _ = trained(seen)
    covered = np.asarray(seen[1].operator.sum(axis=0)).ravel()
    columns = np.arange(len(SHOWN)) if columns is None else columns
    return GeneDetail(head, inputs_of(seen), columns, covered=covered, strength=strength, device=CPU), covered


def test_the_map_becomes_a_weighted_geometric_mean_with_the_same_totals(seen):
    n_bins = seen[1].grid.n_bins
    expected = np.random.default_rng(3).gamma(2.0, 1.0, (n_bins, len(SHOWN))).astype(np.float32)
    genes = slice(0, len(SHOWN))
    detail, covered = detail_of(seen, 0.5)
    assert_array_equal(detail(genes, expected, 0.0).round(5), 1)
    half, whole = (expected * detail(genes, expected, weight) for weight in (0.5, 1.0))
    for moved in (half, whole):
        assert_allclose(covered @ moved, covered @ expected, rtol=1e-4)
    # up to a factor for each gene, half way is the geometric mean of both ends
    ratio = half / np.sqrt(expected * whole)
    away = expected > 0.5
    assert_allclose((ratio / np.median(ratio, axis=0))[away], 1, atol=0.05)
    assert_array_equal(detail(genes, expected), detail(genes, expected, 0.5))


def test_a_gene_that_the_head_does_not_know_stays(seen):
    columns = np.arange(len(SHOWN))
    columns[4] = -1
    detail, _ = detail_of(seen, 0.5, columns)
    expected = np.ones((seen[1].grid.n_bins, 3), dtype=np.float32)
    factor = detail(slice(3, 6), expected)
    assert_array_equal(factor[:, 1], 1)
    assert factor[:, 0].std() > 0
    assert factor[:, 2].std() > 0


def start(folder, model, **changes):
    adata, image = make_section()
    settings = replace(PARAMS, **changes)
    return superresolve(adata, image, out=folder, sample="s1", params=settings, start_from=model, progress=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A pretrained model."""
    path = tmp_path_factory.mktemp("model") / keys.PRETRAINED_NAME
    record = pretrain_on({"a": make_reference()}, path, params=PARAMS, progress=False)
    assert record.metrics["seconds_gene_head"] > 0
    assert np.isfinite(record.metrics["pearson_gene_head"])
    return path


def inverted(path, target):
    """The model with a head that says the opposite."""
    content = torch.load(path, weights_only=True)
    for name in ("head.last.weight", "head.last.bias"):
        content["model"][name] = -5 * content["model"][name]
    torch.save(content, target)
    return target


@pytest.fixture(scope="module")
def results(model, tmp_path_factory):
    """A section with the model as it is, and with a head that says the opposite."""
    right, wrong = tmp_path_factory.mktemp("right"), tmp_path_factory.mktemp("wrong")
    return start(right, model), start(wrong, inverted(model, wrong / "m.pt"))


def test_a_section_uses_the_head_of_its_model_and_leaves_out_one_that_is_wrong(model, results):
    helped, wrong = results
    assert load_checkpoint(model)["sizes"]["head_genes"] == list(SHOWN)
    assert load_checkpoint(helped.path.parent / "s1.diffst.pt")["sizes"]["head_genes"] == list(SHOWN)
    assert helped.record.metrics["gene_head_weight"] in STRENGTHS[1:]
    assert wrong.record.metrics["gene_head_weight"] == 0
    said = [message.text for message in wrong.record.messages]
    assert "The gene head is not used, because hidden spots of this sample are not predicted better with it." in said


def test_the_head_changes_the_maps_of_the_genes_that_it_knows(results):
    with_head, without = (ad.read_h5ad(result.path) for result in results)
    ratio = with_head.layers[keys.SUPERRES_MEAN] / without.layers[keys.SUPERRES_MEAN]
    changed = set(with_head.var_names[np.abs(ratio - 1).max(axis=0) > 1e-3])
    assert changed
    assert changed <= set(SHOWN)
    assert len(changed) == results[0].record.metrics["n_genes_of_head"]
    assert results[1].record.metrics["n_genes_of_head"] == 0


@pytest.mark.parametrize("changes", [{"gene_head": False}, {"image": False}])
def test_there_is_none_if_it_is_turned_off_or_no_reference_has_an_image(tmp_path, changes):
    image = changes.pop("image", True)
    path = tmp_path / "m.pt"
    pretrain_on({"a": make_reference(image=image)}, path, params=replace(PARAMS, **changes), progress=False)
    content = load_checkpoint(path)
    assert not content["sizes"]["head_genes"]
    assert not [name for name in content["model"] if name.startswith("head.")]
    assert "gene_head_weight" not in {
        name for name, value in start(tmp_path, path).record.metrics.items() if value is not None
    }


def test_a_section_without_an_image_does_without_the_head(model, tmp_path):
    adata, _ = make_section()
    result = superresolve(adata, None, out=tmp_path, sample="s1", params=PARAMS, start_from=model, progress=False)
    assert result.record.metrics["gene_head_weight"] == 0
    said = [message.text for message in result.record.messages]
    assert "The gene head is not used, because it needs an image." in said
