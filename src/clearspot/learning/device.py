"""Where a model runs, and in which precision."""

from __future__ import annotations

import torch

from clearspot.caller import by_caller
from clearspot.errors import DeviceNotAvailableError
from clearspot.learning.precision import Precision


def resolve_device(name: str) -> torch.device:
    """Device of that name; ``auto`` is the CPU.

    Raises
    ------
    DeviceNotAvailableError
        If the requested GPU is unavailable. There is no silent fallback to the CPU.
    """
    try:
        device = torch.device("cpu" if name == "auto" else name)
    except RuntimeError as error:
        raise DeviceNotAvailableError(f"{name!r} is not a device: use cpu, cuda or cuda:N") from error
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise DeviceNotAvailableError(f"{name!r} is not supported: use cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= count:
        here, task = " or the driver", ", the driver, the container's GPU option (--gpus all, --nv) or the scheduler"
        raise DeviceNotAvailableError(
            f"{name} is not available: PyTorch finds {count} GPUs. Run with device cpu, or check the PyTorch build"
            f"{by_caller(here, here, task)}."
        )
    return device


def resolve_precision(precision: Precision, device: torch.device) -> torch.dtype:
    """Type of the dense products: for ``auto`` bfloat16 where the device multiplies it natively."""
    if precision == "auto":
        precision = "bf16" if _multiplies_bf16(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
