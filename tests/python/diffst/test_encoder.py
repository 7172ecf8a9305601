"""Encoders of timm: the library itself is optional, and a stand-in takes its place here."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder import COMPONENTS, Encoder
from clearspot.diffst.image.histology import FEATURES, embed
from clearspot.diffst.image.image_samples import GridImage
from clearspot.errors import BadInputError

GRID = FineGrid(16.0, 16, 24, (0.0, 0.0), 1.0)


@pytest.fixture
def timm(monkeypatch):
    """A library of one architecture: a convolution, and means over the picture."""

    def create_model(name, *, pretrained, num_classes, checkpoint_path):
        assert (pretrained, num_classes) == (False, 0)
        if name != "tiny":
            raise RuntimeError(f"unknown model {name}")
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 12, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        model.load_state_dict(torch.load(checkpoint_path, weights_only=True))
        model.pretrained_cfg = {"input_size": (3, 32, 32), "mean": (0.5, 0.5, 0.5), "std": (0.2, 0.2, 0.2)}
        return model

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "tiny.pt"
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 12, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    torch.save(model.state_dict(), path)
    return path


def test_an_encoder_from_a_local_file_adds_features_that_tell_tissues_apart(timm, weights):
    picture = np.full((256, 384, 3), 220, np.uint8)
    picture[:, :192, 1] = 60
    picture = picture + np.random.default_rng(0).integers(0, 20, picture.shape).astype(np.uint8)
    found = embed(GridImage(picture, (1.0, 1.0), GRID), GRID, Encoder.open(weights, "tiny", "s1"))
    assert found.n_features == len(FEATURES) + COMPONENTS
    first = found.fine[len(FEATURES)].astype(float)
    left, right = first[:, :12], first[:, 12:]
    assert abs(left.mean() - right.mean()) > 4 * max(left.std(), right.std())


def test_an_unknown_architecture_is_told(timm, weights):
    with pytest.raises(BadInputError, match="unknown model"):
        Encoder.open(weights, "other", "s1")


def test_without_timm_the_message_says_so(monkeypatch, weights):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(BadInputError, match="timm is not installed"):
        Encoder.open(weights, "resnet18", "s1")
