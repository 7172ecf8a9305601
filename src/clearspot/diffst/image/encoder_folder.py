"""A folder with a pretrained image model of ``timm``, in the layout of the Hugging Face hub. Nothing is fetched.

``config.json`` has the architecture, its arguments (``model_args``) and what the images it learned from looked like
(``pretrained_cfg``); ``model.safetensors`` has the weights. Pathology foundation models (UNI, Virchow, H-optimus) come
so. Two keys of ``config.json`` are clearspot's own: ``pool`` and ``um_per_px``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clearspot import keys
from clearspot.diffst.image.encoder_config import EncoderConfig, read_encoder_config, shown_name
from clearspot.errors import BadInputError, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

_LAYERS: Final = ("Mlp", "GluMlp", "SwiGLU", "SwiGLUPacked")
_NEEDED: Final = ("timm", "safetensors")
_NAMED: Final = 3


@dataclass(frozen=True)
class EncoderModel:
    """A model in memory.

    Parameters
    ----------
    network
        On the CPU, float32, in evaluation mode; without its classifier.
    config
        What the folder says of it.
    name
        Architecture, and the first 12 digits of a SHA-256 of weights and configuration: the same features have the
        same name.
    """

    network: nn.Module
    config: EncoderConfig
    name: str

    def features(self, patches: Tensor) -> Tensor:
        """Features ``(patches, features)`` of normalised patches ``(patches, 3, side, side)``."""
        import torch

        network: Any = self.network
        tokens: Tensor = network.forward_features(patches)
        pool = self.config.pool or ("class" if _ends_in_class_token(network) else "model")
        if pool == "model":
            pooled: Tensor = network.forward_head(tokens, pre_logits=True)
            return pooled
        if pool == "class":
            return tokens[:, 0]
        mean = tokens[:, network.num_prefix_tokens :].mean(dim=1)
        return mean if pool == "mean" else torch.cat([tokens[:, 0], mean], dim=1)


def read_encoder(folder: Path, sample: str) -> EncoderModel:
    """Read a model, and try it on one patch.

    Parameters
    ----------
    folder
        With ``config.json`` and ``model.safetensors``.
    sample
        Sample name, for messages.

    Raises
    ------
    BadInputError
        If ``timm`` or ``safetensors`` is not installed; a file is absent or broken; the architecture is unknown, does
        not take its arguments or a patch of the size stated; or weights are missing, left over, of other shapes or no
        numbers.
    """
    config = read_encoder_config(folder / keys.ENCODER_CONFIG, sample)
    weights = folder / keys.ENCODER_WEIGHTS
    if not weights.is_file():
        mend = "Provide the weights of the model. See docs/usage.md for how to convert a pytorch_model.bin."
        raise BadInputError(
            Problem(sample, shown_name(weights), "no such file", "the weights in safetensors format", mend)
        )
    timm, safetensors = _libraries(sample, folder)
    from clearspot.learning.checkpoint_file import (
        file_sha256,
    )  # loads torch, which features without a model do not need

    network = _network(timm, config, folder, sample)
    _load(network, weights, safetensors, config, sample)
    stated = json.dumps([config.__dict__, file_sha256(weights)], sort_keys=True, default=str)
    name = f"{config.architecture} {sha256(stated.encode()).hexdigest()[:12]}"
    model = EncoderModel(network.float().eval().requires_grad_(False), config, name)
    _try(model, folder, sample)
    return model


def _libraries(sample: str, folder: Path) -> tuple[Any, Any]:
    try:
        timm, _layers, safetensors = (import_module(name) for name in ("timm", "timm.layers", "safetensors.torch"))
    except ImportError as error:
        found = f"{error.name or error} is not installed"
        mend = "Install clearspot[timm] (see docs/usage.md for containers), or leave the image encoder out."
        raise BadInputError(Problem(sample, folder.name, found, " and ".join(_NEEDED), mend)) from error
    except RuntimeError as error:  # a torchvision that was built for another torch
        mend = "Install the versions of timm and torchvision that match the installed torch."
        raise BadInputError(Problem(sample, folder.name, f"timm cannot be loaded: {error}", "timm", mend)) from error
    return timm, safetensors


def _network(timm: Any, config: EncoderConfig, folder: Path, sample: str) -> nn.Module:
    name = shown_name(folder / keys.ENCODER_CONFIG)
    if not timm.is_model(config.architecture):
        found, mend = f"architecture {config.architecture}", "Correct the name, or install a newer timm."
        raise BadInputError(Problem(sample, name, found, f"an architecture supported by timm {timm.__version__}", mend))
    arguments = dict(config.arguments)
    if isinstance(layer := arguments.get("mlp_layer"), str):
        # timm takes activations by their names, but this layer only as a class, which JSON cannot hold
        if layer not in _LAYERS:
            mend = "Correct the name in model_args."
            raise BadInputError(Problem(sample, name, f"mlp_layer {layer}", f"one of {', '.join(_LAYERS)}", mend))
        arguments["mlp_layer"] = getattr(timm.layers, layer)
    try:
        network: nn.Module = timm.create_model(config.architecture, pretrained=False, **arguments)
    except Exception as error:  # timm and its models raise many kinds
        found = f"arguments not accepted by {config.architecture}: {type(error).__name__}: {str(error)[:200]}"
        mend = "Correct model_args, which are passed to timm to create the model."
        raise BadInputError(Problem(sample, name, found, "model_args of this architecture", mend)) from error
    return network


def _load(network: nn.Module, path: Path, safetensors: Any, config: EncoderConfig, sample: str) -> None:
    """Load weights; all must be there and no others, since a model with random parts says nothing about it."""
    mend = "Provide config.json and model.safetensors of the same model."
    try:
        weights = safetensors.load_file(str(path))
    except Exception as error:  # safetensors raises an error of its own beside OSError and ValueError
        found = f"weights that cannot be read: {type(error).__name__}: {str(error)[:200]}"
        raise BadInputError(Problem(sample, shown_name(path), found, "a complete safetensors file", mend)) from error
    expected = network.state_dict()
    unfit = {
        "missing": sorted(expected.keys() - weights.keys()),
        "not part of this model": sorted(weights.keys() - expected.keys()),
        "of a different shape": [
            f"{name} ({_shape(weights[name])}, expected {_shape(expected[name])})"
            for name in sorted(expected.keys() & weights.keys())
            if weights[name].shape != expected[name].shape
        ],
        "not finite": [name for name in sorted(weights) if not weights[name].isfinite().all()],
    }
    if any(unfit.values()):
        found = "; ".join(f"{len(names)} tensors {what}: {_listed(names)}" for what, names in unfit.items() if names)
        raise BadInputError(Problem(sample, shown_name(path), found, f"the weights of {config.architecture}", mend))
    network.load_state_dict(weights)


def _try(model: EncoderModel, folder: Path, sample: str) -> None:
    """Run one patch, so that an input size the model does not accept is reported before an image is read."""
    import torch

    name, config = shown_name(folder / keys.ENCODER_CONFIG), model.config
    if config.pool not in (None, "model") and not _has_tokens(model.network, config.pool):
        found = f"pool {config.pool}, and a model without such tokens"
        raise BadInputError(Problem(sample, name, found, "a pool available in the model", "Leave pool out."))
    try:
        with torch.no_grad():
            found_shape = model.features(torch.zeros(1, 3, config.side, config.side)).shape
    except Exception as error:  # as above
        found = f"input_size {config.side}, which the model does not accept: {type(error).__name__}: {str(error)[:200]}"
        mend = "Set input_size and img_size in model_args to the same value."
        raise BadInputError(Problem(sample, name, found, "the size of the model's input", mend)) from error
    if len(found_shape) != 2:
        found = f"a model that returns features of shape {tuple(found_shape)} per patch"
        expected = "one vector per patch"
        raise BadInputError(Problem(sample, name, found, expected, "Set pool to class, class_mean or mean."))


def _ends_in_class_token(network: Any) -> bool:
    return getattr(network, "cls_token", None) is not None and network.global_pool in ("", "token")


def _has_tokens(network: Any, pool: str | None) -> bool:
    has_class = getattr(network, "cls_token", None) is not None
    return hasattr(network, "num_prefix_tokens") and (has_class or pool == "mean")


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape) or "a number"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
