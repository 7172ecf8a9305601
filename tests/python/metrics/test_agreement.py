import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.metrics import agreement
from clearspot.metrics.agreement import label_agreement, neighbour_agreement, silhouette


def test_the_same_partition_agrees_whatever_its_names():
    found = label_agreement(["a", "a", "b", "b"], [1, 1, 0, 0])
    assert found == {"ari": 1.0, "nmi": 1.0, "homogeneity": 1.0, "n_spots": 4}


def test_homogeneity_asks_whether_labels_are_pure_not_whether_classes_are_whole():
    assert label_agreement(["a", "a", "b", "b"], [0, 1, 2, 3])["homogeneity"] == pytest.approx(1.0)
    assert label_agreement([0, 1, 2, 3], ["a", "a", "b", "b"])["homogeneity"] == pytest.approx(0.5)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_spots_without_a_label_are_left_out(missing):
    found = label_agreement(["a", "a", missing, "b"], ["x", "x", "y", missing])
    assert (found["ari"], found["n_spots"]) == (1.0, 2)


def test_nothing_in_common_is_missing_and_not_zero():
    assert label_agreement([None, "a"], ["x", None])["ari"] is None


def test_silhouette_of_two_tight_groups():
    space = np.array([[0.0], [0.1], [10.0], [10.1]])
    assert silhouette(space, np.array([0, 0, 1, 1])) > 0.9
    assert silhouette(space, np.array([0, 1, 0, 1])) < 0


@pytest.mark.parametrize("codes", [[0, 0, 0], [0, 1, 2]])
def test_silhouette_needs_two_labels_with_company(codes):
    assert silhouette(np.arange(3.0)[:, None], np.array(codes)) is None


def test_silhouette_of_many_spots_is_that_of_a_draw(monkeypatch):
    rng = np.random.default_rng(0)
    codes = np.arange(400) % 2
    space = codes[:, None] * 10 + rng.normal(size=(400, 3))
    whole = silhouette(space, codes)
    monkeypatch.setattr(agreement, "_SILHOUETTE_SPOTS", 100)
    assert silhouette(space, codes) == pytest.approx(whole, abs=0.05)


def test_neighbours_that_agree():
    path = csr_matrix([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert neighbour_agreement(path, np.array([0, 0, 1])) == 0.5


def test_without_edges_there_is_no_agreement():
    assert neighbour_agreement(csr_matrix((3, 3)), np.array([0, 0, 1])) is None
