"""Several sections in one model: factors of a section, tiles within one, and one section as before."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from clearspot.dusted.evaluation import gene_average, own_count
from clearspot.dusted.from_anndata import Source
from clearspot.dusted.params import DustedParams
from clearspot.dusted.parts import part_of, spot_batches
from clearspot.dusted.run import Run
from clearspot.dusted.section import Section, StudySections, gene_rates
from clearspot.dusted.tiles import make_tiles

SMALL = DustedParams(hidden=8, latent=4, reduction_ratio=4, threads=1, epochs=3)
CPU = torch.device("cpu")


def two(section: Section, factors: np.ndarray) -> Section:
    """The section and a copy of it whose counts are multiplied by the second row of ``factors``."""
    times = np.rint(factors[1])
    return replace(
        section,
        counts=sp.csr_matrix(sp.vstack([section.counts, section.counts @ sp.diags(times)]), dtype=np.float32),
        input_scale=np.tile(section.input_scale, 2),
        size_factor=np.tile(section.size_factor, 2),
        graph=sp.csr_matrix(sp.block_diag([section.graph, section.graph])),
        positions=np.vstack([section.positions, section.positions + np.array([1e6, 0])]),
        study=StudySections(np.repeat([0, 1], section.n_spots), factors.astype(np.float32)),
    )


def source(section: Section) -> Source:
    return Source(section, np.arange(section.n_spots), np.arange(section.n_genes))


@pytest.fixture
def factors(section_of) -> np.ndarray:
    n_genes = section_of(SMALL).n_genes
    return np.vstack([np.ones(n_genes), np.random.default_rng(0).integers(1, 4, n_genes)])


def test_the_input_is_what_it_would_be_without_the_factors(section_of, factors: np.ndarray) -> None:
    one = section_of(SMALL)
    both = two(one, factors)
    alone = one.expression(slice(None)).toarray()
    np.testing.assert_allclose(both.expression(slice(None)).toarray(), np.vstack([alone, alone]), rtol=1e-5)
    spots = np.array([1, one.n_spots + 1])
    np.testing.assert_allclose(both.expression(spots).toarray(), alone[[1, 1]], rtol=1e-5)
    np.testing.assert_allclose(gene_rates(both), gene_rates(one), rtol=1e-5)


def test_baselines_have_the_factors(section_of, factors: np.ndarray) -> None:
    one = section_of(SMALL)
    both, rates = two(one, factors), gene_rates(one)
    first, second = np.arange(one.n_spots), np.arange(one.n_spots, 2 * one.n_spots)
    for predict in (gene_average, own_count):
        np.testing.assert_allclose(predict(both, second, rates), predict(both, first, rates) * factors[1], rtol=1e-5)


def test_tiles_lie_within_sections(section_of) -> None:
    section = two(section_of(SMALL), np.ones((2, section_of(SMALL).n_genes)))
    code = section.study.code
    tiles = make_tiles(section.graph, section.positions, 20, code)
    assert len(tiles) > 2
    assert all(np.unique(code[tile.spots]).size == 1 for tile in tiles)
    assert np.sort(np.concatenate([tile.core for tile in tiles])).tolist() == list(range(section.n_spots))


def test_batches_lie_within_sections_and_keep_their_factors(section_of, factors: np.ndarray) -> None:
    section = two(section_of(SMALL), factors)
    batches = spot_batches(section.positions, 20, section.code)
    assert np.sort(np.concatenate(batches)).tolist() == list(range(section.n_spots))
    for batch in batches:
        part = part_of(section, [batch], 20)
        assert np.unique(part.section.code).size == 1
        expected = section.expression(part.spots).toarray()
        np.testing.assert_array_equal(part.section.expression(slice(None)).toarray(), expected)


def test_a_study_is_trained_on_in_batches(section_of, factors: np.ndarray) -> None:
    both = two(section_of(SMALL), factors)
    run = Run(source(both), "s", replace(SMALL, spots_per_step=30, epochs=6), CPU)
    model, state, _ = run.train(None, None, None, progress=False)
    assert np.isfinite(state.loss).all()
    compared = run.compare(model)
    assert compared.dusted.deviance < compared.constant.deviance


def test_factors_of_one_change_nothing(section_of) -> None:
    one = section_of(SMALL)
    alike = replace(
        one,
        study=StudySections(np.zeros(one.n_spots, int), np.ones((1, one.n_genes), np.float32)),
    )
    found = []
    for section in (one, alike):
        run = Run(source(section), "s", SMALL, CPU)
        model, state, _ = run.train(None, None, None, progress=False)
        found.append((state.loss, run.compare(model).dusted.deviance))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-5)


def test_both_sections_are_explained_as_one_is(section_of, factors: np.ndarray) -> None:
    one = section_of(SMALL)
    both = two(one, factors)
    run = Run(source(both), "s", SMALL, CPU)
    assert len(run.tiles) == 2
    model, state, _ = run.train(None, None, None, progress=False)
    assert np.isfinite(state.loss).all()
    compared = run.compare(model)
    assert compared.dusted.deviance < compared.constant.deviance
    flat = replace(both, study=replace(both.study, factors=np.ones_like(both.study.factors)))
    plain = Run(source(flat), "s", SMALL, CPU)
    assert compared.constant.deviance < plain.compare(plain.train(None, None, None, False)[0]).constant.deviance


def test_without_intercepts_there_is_nothing_to_correct(section_of) -> None:
    paper = DustedParams.preset("paper", hidden=8, latent=4, threads=1)
    one = section_of(paper)
    parts = StudySections(np.zeros(one.n_spots, int), np.ones((1, one.n_genes), np.float32))
    with pytest.raises(ValueError, match="gene_intercept"):
        Run(source(replace(one, study=parts)), "s", paper, CPU)
