"""The whole model against an independent version in plain numpy, dense matrices and loops, values and gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, gammaln

from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.tiles import make_tiles

CPU = torch.device("cpu")
SETTINGS = {"hidden": 6, "latent": 3, "reduction_ratio": 4}
VARIANTS = [
    {},
    {"likelihood": "nb"},
    {"gene_attention": False},
    {"tied_weights": False},
    {"heads": "attention"},
    {"latent_elu": False},
    {"gene_intercept": True, "normalise_over": "all", "target_sum": None},
    {"loss_reduction": "spot", "likelihood": "nb"},
    {"self_gate": True},
    {"input": "rate", "gene_intercept": True, "normalise_over": "all", "target_sum": None},
    {"mean_link": "elu", "gene_intercept": True},
    {"mean_link": "elu", "gene_intercept": True, "likelihood": "nb"},
]


def elu(v):
    return np.where(v > 0, v, np.expm1(v))


def attention_matrix(projected, v_s, v_r, mask):
    """Equations 2.8 and 2.9 on a dense matrix."""
    e = np.exp(expit((projected @ v_s)[:, None] + (projected @ v_r)[None, :])) * mask
    return e / e.sum(axis=1, keepdims=True)


def gated(attention, p, layer):
    if "self_gates" not in p:
        return attention
    gate = expit(p["self_gates"][layer])
    return gate * np.eye(len(attention)) + (1 - gate) * attention


def numpy_loss(p, section, params):
    """Equations 2.1 to 2.13, as the paper writes them."""
    counts = section.counts.toarray().astype(float)
    x = counts * section.input_scale[:, None].astype(float)
    if params.input == "log":
        x = np.log1p(x)
    else:
        centre = np.average(x, axis=0, weights=section.size_factor).astype(np.float32)
        # like the pooled input, stored in single precision
        scale = (np.float32(1) / np.sqrt(np.maximum(centre, np.float32(1e-3)))).astype(float)
    mask = (section.graph.toarray() > 0) | np.eye(len(x), dtype=bool)
    if params.gene_attention:
        # the pooled input is stored in single precision
        pooled = [v.astype(np.float32).astype(float) for v in (x.mean(axis=0), x.max(axis=0))]
        if params.input == "rate":
            pooled = [v * scale for v in pooled]
        hidden = [
            np.maximum(p["gene_attention.squeeze.weight"] @ v + p["gene_attention.squeeze.bias"], 0) for v in pooled
        ]
        a_gc = expit(sum(p["gene_attention.excite.weight"] @ h + p["gene_attention.excite.bias"] for h in hidden))
        if params.input == "rate":
            x = (x - centre) * scale
        x = x + params.alpha * (a_gc * x)
    projected = x @ p["encoder_outer"]
    outer = attention_matrix(projected, p["scores_outer.receiver"], p["scores_outer.neighbour"], mask)
    outer = gated(outer, p, 0)
    h1 = elu(outer @ projected)
    projected = h1 @ p["encoder_inner"]
    inner = attention_matrix(projected, p["scores_inner.receiver"], p["scores_inner.neighbour"], mask)
    inner = gated(inner, p, 1)
    h2 = inner @ projected
    if params.latent_elu:
        h2 = elu(h2)
    back = p["encoder_inner"].T if params.tied_weights else p["decoder_inner"]
    d1 = elu(inner @ (h2 @ back))
    outputs = []
    for k in range(2 if params.likelihood == "nb" else 3):
        projected = d1 @ p[f"heads.weights.{k}"]
        a = outer
        if params.heads == "attention":
            a = attention_matrix(projected, p[f"heads.scores.{k}.receiver"], p[f"heads.scores.{k}.neighbour"], mask)
        output = a @ projected
        if k == 0 and params.mean_link == "elu":
            output = np.log1p(elu(output))
        outputs.append(output + p.get(f"heads.biases.{k}", 0))
    mu = np.clip(np.exp(outputs[0]), 1e-5, 1e6) * section.size_factor[:, None].astype(float)
    theta = np.clip(np.log1p(np.exp(outputs[1])), 1e-4, 1e4)
    nb = (
        gammaln(counts + theta)
        - gammaln(theta)
        - gammaln(counts + 1)
        + theta * np.log(theta / (theta + mu))
        + counts * np.log(mu / (theta + mu))
    )
    nll = -nb
    if params.likelihood == "zinb":
        pi = expit(outputs[2])
        nll = -np.log(pi * (counts == 0) + (1 - pi) * np.exp(nb))
    return nll.mean() if params.loss_reduction == "mean" else nll.sum(axis=1).mean()


def prepared(section_of, variant):
    params = replace(DustedParams.preset("paper"), **SETTINGS, **variant)
    section = section_of(params)
    model = build_model(section, params, torch.float64).double()
    objective = Objective(section, make_tiles(section.graph, None, 10**6), params, CPU, torch.float64)
    return model, objective, params


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_loss(section_of, variant):
    model, objective, params = prepared(section_of, variant)
    p = {name: tensor.detach().numpy() for name, tensor in model.named_parameters()}
    assert objective.backward(model, 0)[0] == pytest.approx(numpy_loss(p, objective.section, params), rel=1e-6)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_gradient_of_every_parameter(section_of, variant):
    model, objective, params = prepared(section_of, variant)
    objective.backward(model, 0)
    rng = np.random.default_rng(0)
    p = {name: tensor.detach().numpy().copy() for name, tensor in model.named_parameters()}
    for name, parameter in model.named_parameters():
        direction = rng.normal(size=p[name].shape)
        step = 1e-5
        ahead = numpy_loss(p | {name: p[name] + step * direction}, objective.section, params)
        behind = numpy_loss(p | {name: p[name] - step * direction}, objective.section, params)
        slope = float((parameter.grad.numpy() * direction).sum())
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-9), name
