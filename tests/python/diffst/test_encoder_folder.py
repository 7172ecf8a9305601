"""Folders of pretrained image models: features as their cards make them, and what is refused."""

import json
import re
import shutil
import socket
import sys
from copy import deepcopy

import pytest
import torch

from clearspot.diffst.image.encoder_folder import read_encoder
from clearspot.errors import BadInputError

from .encoder_folders import IMAGENET, KINDS, network_of, write_folder


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("something was to be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One folder of each kind."""
    pytest.importorskip("timm", reason="timm is not installed: clearspot[timm]")
    folder = tmp_path_factory.mktemp("encoders")
    for name, content in KINDS.items():
        write_folder(folder / name, content)
    return folder


def copied(made, tmp_path, kind="virchow", **changed):
    """A folder of its own, with other values in its configuration."""
    folder = tmp_path / "mine"
    shutil.copytree(made / kind, folder)
    content = deepcopy(KINDS[kind])
    for key, value in changed.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    return written(folder, content)


def written(folder, content):
    (folder / "config.json").write_text(json.dumps(content))
    return folder


def refused(folder):
    with pytest.raises(BadInputError) as caught:
        read_encoder(folder, "s1")
    (problem,) = caught.value.problems
    assert problem.sample == "s1"
    return problem


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_models_card(made, offline, kind):
    content = KINDS[kind]
    side = content["pretrained_cfg"]["input_size"][1]
    patches = torch.randn((3, 3, side, side), generator=torch.Generator().manual_seed(1))

    found = read_encoder(made / kind, "s1").features(patches)

    with torch.no_grad():
        expected = network_of(content)(patches)
    if kind == "virchow":
        # of its card: the class token, and the mean of the patch tokens behind it and four registers
        assert expected.shape == (3, 1 + 4 + 4, 32)
        expected = torch.cat([expected[:, 0], expected[:, 5:].mean(1)], dim=-1)
    torch.testing.assert_close(found, expected)
    assert found.shape == (3, 64 if kind == "virchow" else 32)
    assert found.std() > 0.1


def test_random_weights_are_not_left_in_any_layer(made):
    network = read_encoder(made / "hoptimus", "s1").network
    assert not any(parameter.requires_grad for parameter in network.parameters())
    for name, value in network_of(KINDS["hoptimus"]).state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


def test_weights_in_half_precision_are_computed_with_in_single(made, tmp_path):
    folder = copied(made, tmp_path, "uni")
    write_folder(folder, KINDS["uni"], network_of(KINDS["uni"]).half())
    model = read_encoder(folder, "s1")
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}


def test_a_classifier_has_its_features_before_the_classes(made, tmp_path):
    content = {
        "architecture": "resnet18",
        "num_classes": 5,
        "model_args": {},
        "pretrained_cfg": {"input_size": [3, 64, 64], **IMAGENET},
    }
    network = write_folder(tmp_path / "resnet", content)
    patches = torch.randn(2, 3, 64, 64)
    found = read_encoder(tmp_path / "resnet", "s1").features(patches)
    with torch.no_grad():
        torch.testing.assert_close(network.fc(found), network(patches))
    assert found.shape == (2, 512)
    assert refused(written(tmp_path / "resnet", content | {"pool": "class"})).found.startswith("pool class")


def test_the_same_model_has_the_same_name_wherever_it_lies(made, tmp_path):
    name = read_encoder(made / "virchow", "s1").name
    assert name.startswith("vit_huge_patch14_224 ")
    assert read_encoder(copied(made, tmp_path), "other").name == name
    assert read_encoder(written(tmp_path / "mine", KINDS["virchow"] | {"pool": "class"}), "s1").name != name
    network = network_of(KINDS["virchow"])
    network.cls_token.data += 0.01
    write_folder(tmp_path / "mine", KINDS["virchow"], network)
    assert read_encoder(tmp_path / "mine", "s1").name != name


CONFIGURATIONS = {
    "an unknown architecture": ({"architecture": "vit_of_tomorrow"}, "architecture vit_of_tomorrow"),
    "an address of the hub": ({"architecture": "hf-hub:MahmoodLab/UNI"}, "architecture hf-hub:MahmoodLab/UNI"),
    "no architecture": ({"architecture": None}, "architecture None"),
    "an argument that nobody knows": ({"model_args": {"depht": 2}}, "TypeError"),
    "an argument that would fetch": ({"model_args": {"pretrained": True}}, "TypeError"),
    "an argument of another type": ({"model_args": {"depth": "two"}}, "arguments not accepted by vit_huge_patch14_224"),
    "an unknown layer": ({"model_args": {"mlp_layer": "os.system"}}, "mlp_layer os.system"),
    "an unknown activation": ({"model_args": {"act_layer": "Sigh"}}, "KeyError: 'sigh'"),
    "the size of another model": ({"pretrained_cfg": {"input_size": [3, 56, 56]}}, "input_size 56"),
    "a size that is no square": ({"pretrained_cfg": {"input_size": [3, 28, 56]}}, "input_size [3, 28, 56]"),
    "no mean": ({"pretrained_cfg": {"mean": None}}, "mean None"),
    "standard deviations of 0": ({"pretrained_cfg": {"std": [0, 1, 1]}}, "std [0.0, 1.0, 1.0]"),
    "an unknown pool": ({"pool": "attention"}, "pool 'attention'"),
    "an unknown interpolation": ({"pretrained_cfg": {"interpolation": "sinc"}}, "interpolation 'sinc'"),
    "a pixel of a kilometre": ({"um_per_px": 1e9}, "um_per_px 1000000000.0"),
    "tokens that are not pooled": ({"pool": "model"}, "features of shape (1, 9, 32)"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_wrong_configuration_is_refused_with_words(made, tmp_path, offline, case):
    changed, words = CONFIGURATIONS[case]
    problem = refused(copied(made, tmp_path, **changed))
    assert problem.file == "mine/config.json"
    assert words in problem.found


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\udcff"])
def test_a_configuration_that_is_no_json_object_is_refused(made, tmp_path, text):
    folder = copied(made, tmp_path)
    (folder / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    assert "JSON" in refused(folder).found


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_an_absent_file_is_named(made, tmp_path, name):
    folder = copied(made, tmp_path)
    (folder / name).unlink()
    problem = refused(folder)
    assert (problem.file, problem.found) == (f"mine/{name}", "no such file")


def cut(folder, weights):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def without_two(folder, weights):
    del weights["norm.weight"], weights["blocks.1.ls1.gamma"]


def with_another(folder, weights):
    weights["head.weight"] = torch.zeros(5, 32)


def of_another_shape(folder, weights):
    weights["pos_embed"] = torch.zeros(1, 17, 32)


def not_finite(folder, weights):
    weights["norm.bias"][3] = float("nan")


WEIGHTS = {
    cut: "weights that cannot be read: SafetensorError",
    without_two: "2 tensors missing: blocks.1.ls1.gamma, norm.weight",
    with_another: "1 tensors not part of this model: head.weight",
    of_another_shape: "1 tensors of a different shape: pos_embed (1 x 17 x 32, expected 1 x 5 x 32)",
    not_finite: "1 tensors not finite: norm.bias",
}


@pytest.mark.parametrize("change", WEIGHTS, ids=lambda change: change.__name__)
def test_weights_that_do_not_fit_are_refused_and_named(made, tmp_path, change):
    from safetensors.torch import load_file, save_file

    folder = copied(made, tmp_path, "uni")
    path = folder / "model.safetensors"
    weights = {name: value.clone() for name, value in load_file(str(path)).items()}
    change(folder, weights)
    if change is not cut:
        save_file(weights, str(path))
    problem = refused(folder)
    assert problem.file == "mine/model.safetensors"
    assert WEIGHTS[change] in problem.found


def test_all_that_does_not_fit_is_told_at_once(made, tmp_path):
    folder = copied(made, tmp_path, "virchow")
    shutil.copy(made / "uni" / "model.safetensors", folder)
    found = refused(folder).found
    assert "tensors missing: reg_token" in found
    assert "tensors of a different shape: " in found


@pytest.mark.parametrize("absent", ["timm", "safetensors"])
def test_what_is_not_installed_is_told_by_name(monkeypatch, tmp_path, absent):
    written(tmp_path, KINDS["uni"])
    (tmp_path / "model.safetensors").touch()
    for name in ("timm", "timm.layers", "safetensors", "safetensors.torch"):
        module = None if name.split(".")[0] == absent else type(sys)(name)
        monkeypatch.setitem(sys.modules, name, module)
    problem = refused(tmp_path)
    assert re.fullmatch(rf"{absent}(\.torch)? is not installed", problem.found)
    assert "clearspot[timm]" in problem.mend
