import numpy as np
import pytest
import scipy.sparse as sp

from clearspot.dusted.evaluation import (
    MIN_COUNTS_FOR_CORRELATION,
    HeldOutScore,
    compare_held_out,
    gene_average,
    neighbour_average,
    own_count,
)
from clearspot.dusted.section import gene_rates
from clearspot.dusted.thinning import thin_counts


def scored(predicted, observed, size, blocks=1):
    score = HeldOutScore(predicted.shape[1])
    for part in np.array_split(np.arange(len(predicted)), blocks):
        score.add(predicted[part], observed[part], size[part])
    return score


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    mean = rng.gamma(2.0, 1.0, (40, 5))
    return mean, rng.poisson(mean) * 1.0, rng.uniform(0.5, 2.0, 40)


def test_deviance_is_poissons(example):
    mean, y, size = example
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = 2 * (np.where(y > 0, y * np.log(y / mean), 0) - (y - mean))
    score = scored(mean, y, size)
    assert score.deviance == pytest.approx(expected.mean())
    np.testing.assert_allclose(score.gene_deviance, expected.mean(axis=0))


def test_correlation_is_pearsons_of_rates(example):
    mean, y, size = example
    found = scored(mean, y, size).gene_correlation
    expected = [np.corrcoef(mean[:, g] / size, y[:, g] / size)[0, 1] for g in range(5)]
    np.testing.assert_allclose(found, expected)


def test_blocks_add_up(example):
    mean, y, size = example
    one, many = scored(mean, y, size), scored(mean, y, size, blocks=7)
    assert many.deviance == pytest.approx(one.deviance)
    np.testing.assert_allclose(many.gene_correlation, one.gene_correlation)


def test_correlation_is_missing_for_rare_and_for_constant_genes(example):
    mean, y, size = example
    y[:, 0] = 0
    y[: MIN_COUNTS_FOR_CORRELATION - 1, 0] = 1
    mean[:, 1] = size
    found = scored(mean, y, size).gene_correlation
    assert np.isnan(found[[0, 1]]).all()
    assert np.isfinite(found[2:]).all()


def test_truth_beats_constant(example):
    mean, y, size = example
    flat = np.full_like(mean, y.mean())
    assert scored(mean, y, size).deviance < scored(flat, y, size).deviance


def test_neighbour_average_in_plain_loops(section_of):
    section = section_of()
    counts = section.counts.toarray().astype(float)
    rate = counts.sum(axis=0) / section.size_factor.sum()
    found = neighbour_average(section, np.array([0, 17, section.n_spots - 1]), gene_rates(section))
    for row, spot in enumerate([0, 17, section.n_spots - 1]):
        around = [spot, *section.graph[spot].indices]
        expected = (counts[around].sum(axis=0) + rate) / (section.size_factor[around].sum() + 1)
        np.testing.assert_allclose(found[row], expected * section.size_factor[spot], rtol=1e-5)


def test_gene_average_keeps_every_genes_total(section_of):
    section = section_of()
    predicted = gene_average(section, np.arange(section.n_spots), gene_rates(section))
    np.testing.assert_allclose(predicted.sum(axis=0), np.asarray(section.counts.sum(axis=0)).ravel(), rtol=1e-5)


def test_comparison_scales_all_to_the_held_out_depth(section_of):
    section = section_of()
    kept, held_out = thin_counts(section.counts, 0.25, seed=0)
    spots = np.arange(section.n_spots)
    training = section.__class__(**(section.__dict__ | {"counts": kept}))
    own = neighbour_average(training, spots, gene_rates(training))
    comparison = compare_held_out(iter([(spots[:20], own[:20]), (spots[20:], own[20:])]), training, held_out, 1 / 3)
    assert comparison.dusted.deviance == pytest.approx(comparison.neighbours.deviance)
    assert comparison.dusted.gene_counts.sum() == held_out.sum()


def test_a_spots_own_count_with_one_pseudo_spot(section_of):
    section = section_of()
    rates = gene_rates(section)
    found = own_count(section, np.array([3]), rates)
    size = section.size_factor[3]
    np.testing.assert_allclose(found[0], (section.counts[3].toarray()[0] + rates) / (size + 1) * size, rtol=1e-5)


def test_a_gene_gains_only_against_the_best_of_the_other_predictions(section_of):
    section = section_of()
    kept, held_out = thin_counts(section.counts, 0.25, seed=0)
    spots = np.arange(section.n_spots)
    training = section.__class__(**(section.__dict__ | {"counts": kept}))
    predictions = (neighbour_average, gene_average, own_count)
    for predict in predictions:
        block = (spots, predict(training, spots, gene_rates(training)))
        assert compare_held_out(iter([block]), training, held_out, 1 / 3).gene_gain.max() <= 1e-9
    knowing = (spots, 3 * held_out.toarray())
    assert compare_held_out(iter([knowing]), training, held_out, 1 / 3).gene_gain.min() > 0


def test_thinning_splits_counts_without_loss():
    counts = sp.random(200, 30, density=0.3, random_state=0, format="csr", dtype=np.float32)
    counts.data = np.ceil(counts.data * 9)
    kept, held_out = thin_counts(counts, 0.2, seed=1)
    assert ((kept + held_out) != counts).nnz == 0
    assert kept.data.min() >= 1
    assert held_out.sum() / counts.sum() == pytest.approx(0.2, abs=0.02)
    again, _ = thin_counts(counts, 0.2, seed=1)
    assert (again != kept).nnz == 0
    other, _ = thin_counts(counts, 0.2, seed=2)
    assert (other != kept).nnz > 0
