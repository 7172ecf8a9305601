import pytest

from clearspot.dusted.params import DustedParams


def test_paper_preset_is_the_paper():
    p = DustedParams.preset("paper")
    assert (p.likelihood, p.alpha, p.lr, p.epochs, p.hidden, p.latent) == ("zinb", 1.5, 1e-4, 500, 512, 30)
    assert (p.weight_decay, p.clip_norm, p.reduction_ratio) == (1e-4, 5.0, 16)
    assert (p.schedule, p.patience, p.holdout) == ("constant", None, 0.0)
    assert p.tied_weights
    assert p.latent_elu
    assert not p.gene_intercept


def test_none_leaves_the_presets_value():
    assert DustedParams.preset("default", lr=None, seed=3) == DustedParams.preset("default", seed=3)
    assert DustedParams.preset("default", lr=0.5).lr == 0.5


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"likelihood": "poisson"}, "nb, zinb"),
        ({"holdout": 1.0}, "at least 0 and below 1"),
        ({"epochs": 0}, "at least 1"),
        ({"lr": -1.0}, "above 0"),
        ({"precision": "fp8"}, "fp32"),
        ({"spots_per_step": 0}, "at least 1"),
    ],
)
def test_values_that_make_no_sense_are_refused(change, word):
    with pytest.raises(ValueError, match=word):
        DustedParams.preset("default", **change)


def test_unknown_names_are_refused():
    with pytest.raises(TypeError, match="epoch"):
        DustedParams.preset("default", epoch=3)
    with pytest.raises(ValueError, match="default, paper"):
        DustedParams.preset("best")


def test_presets_share_the_papers_architecture():
    paper, default = DustedParams.preset("paper"), DustedParams()
    for name in ("alpha", "tied_weights", "heads", "gene_attention", "reduction_ratio"):
        assert getattr(default, name) == getattr(paper, name)
