"""What an image encoder sees in a section: patches at its scale, features that mean the same in every section."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clearspot.diffst.data.embedding import Embedding
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder import COMPONENTS, Encoder
from clearspot.diffst.image.encoder_config import EncoderConfig
from clearspot.diffst.image.encoder_folder import EncoderModel
from clearspot.diffst.image.histology import FEATURES, embed, no_image
from clearspot.diffst.image.image_samples import GridImage
from clearspot.diffst.image.same_features import require_same_features
from clearspot.learning.checkpoint_file import CheckpointError
from tests.helpers.encoder_folders import KINDS, write_folder

GRID = FineGrid(16.0, 16, 24, (0.0, 0.0), 1.0)
"""Tiles of 4 x 4 bins, 64 um: 4 rows, 6 columns."""


class Stub(torch.nn.Module):
    """Gives the darkest value and the mean of each colour."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward_features(self, patches):
        self.seen.append(patches)
        flat = patches.flatten(2)
        return torch.cat([flat.amin(2), flat.mean(2)], dim=1).repeat(1, 3)

    def forward_head(self, features, pre_logits):
        assert pre_logits
        return features


def stub_encoder(side=224, um_per_px=0.5, mean=(0.0, 0.0, 0.0), sd=(1.0, 1.0, 1.0)):
    config = EncoderConfig("stub", {}, side, mean, sd, "bilinear", None, um_per_px)
    network = Stub()
    return Encoder(EncoderModel(network, config, "stub 0123"), threads=1), network


def two_tissues(columns=192):
    picture = np.full((256, 384, 3), 220, np.uint8)
    picture[:, :columns, 1] = 60
    return picture + np.random.default_rng(0).integers(0, 20, picture.shape).astype(np.uint8)


def image_of(picture, grid=GRID):
    return GridImage(picture, (1.0, 1.0), grid)


def tiles_of(maps):
    return maps[:, ::4, ::4]


@pytest.mark.parametrize(
    ("x", "reached"),
    [(2 * 64 + 32, {2}), (2 * 64 + 10, {1, 2}), (2 * 64 + 23, {1, 2}), (2 * 64 + 25, {2}), (2 * 64 + 41, {2, 3})],
)
def test_a_patch_reaches_as_far_as_the_models_pixels_say(x, reached):
    # 224 pixels of 0.5 um are 112 um: 24 um beyond each side of the tile
    picture = np.full((256, 384, 3), 255, np.uint8)
    picture[2 * 64 + 32, x] = 0
    encoder, _ = stub_encoder()
    tiles = tiles_of(encoder.maps(image_of(picture), GRID))[0]
    unlike = np.argwhere(~np.isclose(tiles, np.median(tiles)))
    assert {(row, column) for row, column in unlike.tolist()} == {(2, column) for column in reached}


def test_patches_are_normalised_resized_and_seen_some_at_a_time():
    encoder, network = stub_encoder(side=32, um_per_px=2.0, mean=(0.5, 0.4, 0.3), sd=(0.2, 0.1, 0.5))
    picture = np.full((256, 384, 3), (255, 51, 0), np.uint8)
    encoder.maps(image_of(picture), GRID)
    seen = torch.cat(network.seen)
    assert seen.shape == (24, 3, 32, 32)
    assert max(len(part) for part in network.seen) <= 16
    np.testing.assert_allclose(seen[0].mean((1, 2)), [(1 - 0.5) / 0.2, (0.2 - 0.4) / 0.1, (0 - 0.3) / 0.5], rtol=1e-4)


def test_beyond_the_image_nothing_is_looked_at():
    encoder, network = stub_encoder()
    maps = tiles_of(encoder.maps(image_of(two_tissues()[:, :250]), GRID))
    assert sum(len(part) for part in network.seen) == 4 * 4
    assert np.all(maps[:, :, 4:] == 0)
    assert np.abs(maps[:, :, :4]).max() > 0.1


def test_tissue_has_the_same_features_in_sections_with_other_shares_of_it():
    contrasts = []
    for columns in (128, 256):
        encoder, _ = stub_encoder(side=64, um_per_px=1.0)
        tiles = tiles_of(encoder.maps(image_of(two_tissues(columns)), GRID))
        edge = columns // 64
        contrasts.append(tiles[:, :, :edge].mean((1, 2)) - tiles[:, :, edge:].mean((1, 2)))
    assert np.corrcoef(*contrasts)[0, 1] > 0.95


def test_features_stand_behind_the_others_with_the_encoders_name(tmp_path):
    encoder, _ = stub_encoder()
    histology = embed(image_of(two_tissues()), GRID, encoder)
    assert histology.n_features == len(FEATURES) + COMPONENTS
    plain = embed(image_of(two_tissues()), GRID)
    np.testing.assert_array_equal(histology.fine[: len(FEATURES)], plain.fine)
    assert (histology.encoder, plain.encoder) == ("stub 0123", "")
    Embedding(histology, GRID, 1.0).write(tmp_path / "s.histology.npz")
    assert Embedding.read(tmp_path / "s.histology.npz").histology.encoder == "stub 0123"
    assert histology.coarsened(2, (8, 16)).encoder == "stub 0123"


@pytest.mark.parametrize("kind", KINDS)
def test_a_foundation_models_features_tell_tissues_apart(tmp_path, kind):
    pytest.importorskip("timm", reason="timm is not installed: clearspot[timm]")
    write_folder(tmp_path / kind, KINDS[kind])
    found = embed(image_of(two_tissues()), GRID, Encoder.open(tmp_path / kind, "s1"))
    seen = found.fine[len(FEATURES) :].astype(float)
    left, right = seen[:, :, :8], seen[:, :, 16:]
    apart = np.abs(left.mean((1, 2)) - right.mean((1, 2))) / np.maximum(left.std((1, 2)), right.std((1, 2)))
    assert apart.max() > 4


@pytest.mark.parametrize(
    ("model", "section", "words"),
    [
        (
            "uni 1",
            "",
            "trained with the image encoder uni 1, but the features of the section have no image encoder: set",
        ),
        (
            "",
            "uni 1",
            "no image encoder, but the features of the section have the image encoder uni 1: leave image_encoder",
        ),
        ("uni 1", "uni 2", "the image encoder uni 1, but the features of the section have the image encoder uni 2"),
    ],
)
def test_features_of_another_encoder_are_refused(model, section, words):
    histology = replace(no_image((8, 8)), encoder=section)
    with pytest.raises(CheckpointError, match=words):
        require_same_features(histology, histology.n_features, model)
    require_same_features(histology, histology.n_features, section)
