"""Folders of small image models with random weights, of the three kinds that pathology foundation models are."""

import json
from pathlib import Path

import torch

SMALL = {"embed_dim": 32, "depth": 2, "num_heads": 2}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
HOPTIMUS = {"mean": [0.707223, 0.578729, 0.703617], "std": [0.211883, 0.230117, 0.177517]}

KINDS = {
    # UNI: LayerScale, class token
    "uni": {
        "architecture": "vit_large_patch16_224",
        "num_classes": 0,
        "global_pool": "token",
        "model_args": {"img_size": 32, "init_values": 1.0, "dynamic_img_size": True, **SMALL},
        "pretrained_cfg": {"input_size": [3, 32, 32], "interpolation": "bilinear", **IMAGENET},
    },
    # Virchow 2: registers, SwiGLU, class token with the mean of the patch tokens
    "virchow": {
        "architecture": "vit_huge_patch14_224",
        "num_classes": 0,
        "model_args": {
            **{"img_size": 28, "init_values": 1e-5, "mlp_ratio": 5.3375, "reg_tokens": 4, "global_pool": ""},
            **{"mlp_layer": "SwiGLUPacked", "act_layer": "SiLU", **SMALL},
        },
        "pretrained_cfg": {"input_size": [3, 28, 28], **IMAGENET},
        "pool": "class_mean",
    },
    # H-optimus: registers and SwiGLU are the architecture's own
    "hoptimus": {
        "architecture": "vit_giant_patch14_reg4_dinov2",
        "num_classes": 0,
        "model_args": {"img_size": 28, "init_values": 1e-5, **SMALL},
        "pretrained_cfg": {"input_size": [3, 28, 28], **HOPTIMUS},
    },
}


def network_of(content):
    """The model as its card makes it, with random weights in every layer."""
    import timm

    arguments = dict(content["model_args"])
    if arguments.get("mlp_layer") == "SwiGLUPacked":
        arguments |= {"mlp_layer": timm.layers.SwiGLUPacked, "act_layer": torch.nn.SiLU}
    network = timm.create_model(
        content["architecture"], pretrained=False, num_classes=content["num_classes"], **arguments
    )
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return network.eval()


def write_folder(folder: Path, content, network=None):
    """A folder as the Hugging Face hub lays it out; the network that its weights are of."""
    from safetensors.torch import save_file

    network = network_of(content) if network is None else network
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    save_file(network.state_dict(), str(folder / "model.safetensors"))
    return network
