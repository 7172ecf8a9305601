"""What ``config.json`` in the folder of a pretrained image model says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from clearspot.errors import BadInputError, Problem

Pool = Literal["model", "class", "class_mean", "mean"]
"""What of the tokens is a patch's feature vector: as the model pools, the class token, that and the mean of the patch
tokens behind each other (Virchow), or this mean alone. Registers are never part of it."""

Interpolation = Literal["bilinear", "bicubic"]

UM_PER_PX: Final = 0.5
"""Pixel of the images that pathology models learn from (magnification 20), in micrometres."""


@dataclass(frozen=True)
class EncoderConfig:
    """What ``config.json`` says.

    Parameters
    ----------
    architecture
        Name in ``timm``.
    arguments
        Of the architecture.
    side
        Pixels along a side of an input.
    mean, sd
        Of the colours (0 to 1) in red, green and blue.
    interpolation
        How patches are resized.
    pool
        See :data:`Pool`; None: the class token where the model has one and does not pool otherwise.
    um_per_px
        Micrometres a pixel of the input.
    """

    architecture: str
    arguments: Mapping[str, Any]
    side: int
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    interpolation: Interpolation
    pool: Pool | None
    um_per_px: float


def read_encoder_config(path: Path, sample: str) -> EncoderConfig:
    """Read ``config.json``; errors as :func:`clearspot.diffst.image.encoder_folder.read_encoder`."""
    mend = "Provide the config.json of a timm model, as published on the Hugging Face hub."
    if not path.is_file():
        raise BadInputError(Problem(sample, shown_name(path), "no such file", "a model's configuration", mend))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(content)
    except (OSError, ValueError, RecursionError) as error:  # of reading, decoding and parsing
        found = f"not valid JSON: {error}"
        raise BadInputError(Problem(sample, shown_name(path), found, "a JSON object", mend)) from error
    except _UnfitError as error:
        raise BadInputError(Problem(sample, shown_name(path), error.found, error.expected, mend)) from error


class _UnfitError(Exception):
    def __init__(self, found: str, expected: str):
        super().__init__(found)
        self.found, self.expected = found, expected


def _parsed(content: Any) -> EncoderConfig:
    if not isinstance(content, dict):
        raise _UnfitError("not a JSON object", "a JSON object")
    # older files have everything in one object
    trained = content.get("pretrained_cfg", content)
    arguments = content.get("model_args") or {}
    architecture = content.get("architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _UnfitError(f"architecture {architecture!r}", "the name of a timm model as 'architecture'")
    if not isinstance(trained, dict) or not isinstance(arguments, dict):
        raise _UnfitError("pretrained_cfg or model_args that is not an object", "objects")
    side = _side(trained.get("input_size"))
    mean, sd = (_colours(trained, name) for name in ("mean", "std"))
    if min(sd) <= 0:
        raise _UnfitError(f"std {list(sd)}", "standard deviations above 0")
    interpolation = trained.get("interpolation", "bicubic")
    pool, um_per_px = content.get("pool"), content.get("um_per_px", UM_PER_PX)
    for name, value, choices in (("interpolation", interpolation, Interpolation), ("pool", pool, Pool)):
        if value is not None and value not in get_args(choices):
            raise _UnfitError(f"{name} {value!r}", f"one of {', '.join(get_args(choices))}")
    if not _is_number(um_per_px) or not 0.1 <= um_per_px <= 4:
        raise _UnfitError(f"um_per_px {um_per_px!r}", "µm per pixel of the model's images, 0.1 to 4")
    number = arguments.get("num_classes", content.get("num_classes", trained.get("num_classes")))
    given = {**arguments, "num_classes": number or 0}
    if trained.get("fixed_input_size"):
        given.setdefault("img_size", side)
    return EncoderConfig(architecture, given, side, mean, sd, interpolation or "bicubic", pool, float(um_per_px))


def _side(size: Any) -> int:
    whole = isinstance(size, list) and len(size) == 3 and all(type(one) is int for one in size)
    if not whole or size[0] != 3 or size[1] != size[2] or not 8 <= size[1] <= 2048:
        raise _UnfitError(f"input_size {size}", "[3, side, side] with a side of 8 to 2048 pixels")
    return int(size[1])


def _colours(trained: Mapping[str, Any], name: str) -> tuple[float, ...]:
    values = trained.get(name)
    if not isinstance(values, list) or len(values) != 3 or not all(_is_number(value) for value in values):
        raise _UnfitError(
            f"{name} {values}", f"three numbers as '{name}', one per colour channel of the training images"
        )
    return tuple(float(value) for value in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6


def shown_name(path: Path) -> str:
    """The file in its folder, for messages."""
    return f"{path.parent.name}/{path.name}"
