import numpy as np
import torch

from clearspot.nn.spatial_graph_attention import (
    AttentionScores,
    edge_scores,
    neighbour_softmax,
    propagate_narrow,
)


def test_scores_are_equation_2_8(neighbourhood, generator):
    s, r = (torch.randn(neighbourhood.n_spots, generator=generator, dtype=torch.float64) for _ in range(2))
    scores = edge_scores(s, r, neighbourhood).numpy()
    for e, (i, j) in enumerate(zip(neighbourhood.receiver.tolist(), neighbourhood.neighbour.tolist(), strict=True)):
        assert np.isclose(scores[e], 1 / (1 + np.exp(-(s[i].item() + r[j].item()))))


def test_softmax_is_equation_2_9_and_sums_to_one(neighbourhood, generator):
    scores = torch.rand(neighbourhood.n_edges, generator=generator, dtype=torch.float64)
    attention = neighbour_softmax(scores, neighbourhood).numpy()
    receiver = neighbourhood.receiver.numpy()
    total = np.bincount(receiver, np.exp(scores.numpy()))
    np.testing.assert_allclose(attention, np.exp(scores.numpy()) / total[receiver], rtol=1e-12)
    np.testing.assert_allclose(np.bincount(receiver, attention), 1, rtol=1e-12)


def test_isolated_spot_attends_to_itself_alone(neighbourhood, generator):
    attention = AttentionScores(4)(torch.randn(neighbourhood.n_spots, 4, generator=generator), neighbourhood)
    assert attention[neighbourhood.receiver == neighbourhood.n_spots - 1].tolist() == [1.0]


def test_scores_before_projection_are_those_after_it(neighbourhood, generator):
    layer = AttentionScores(9).double()
    h = torch.randn(neighbourhood.n_spots, 3, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 9, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(layer(h, neighbourhood, weight), layer(h @ weight, neighbourhood))


def test_sum_and_projection_commute(neighbourhood, generator):
    attention = torch.rand(neighbourhood.n_edges, generator=generator, dtype=torch.float64)
    dense = neighbourhood.matrix(attention).to_dense()
    for n_in, n_out in ((3, 8), (8, 3)):
        h = torch.randn(neighbourhood.n_spots, n_in, generator=generator, dtype=torch.float64)
        weight = torch.randn(n_in, n_out, generator=generator, dtype=torch.float64)
        received = propagate_narrow(h, weight, attention, neighbourhood, torch.float64)
        torch.testing.assert_close(received, dense @ h @ weight)
