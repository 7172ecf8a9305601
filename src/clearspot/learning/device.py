"""Where a model runs, in which precision, and how much fits there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch

from clearspot.errors import DeviceNotAvailableError, GpuOutOfMemoryError
from clearspot.learning.precision import Precision

_CGROUP: Final = Path("/sys/fs/cgroup")
_SHARE_OF_FREE_MEMORY: Final = 0.35
_LARGEST_CPU_TILE_BYTES: Final = 4 * 2**30
SMALLEST_TILE: Final = 256
"""Spots; cutting further costs more halo than it saves memory."""


def resolve_device(name: str) -> torch.device:
    """Device of that name; ``auto`` is the CPU.

    Raises
    ------
    DeviceNotAvailableError
        If a GPU was asked for and is not there. There is no silent fall-back to the CPU.
    """
    try:
        device = torch.device("cpu" if name == "auto" else name)
    except RuntimeError as error:
        raise DeviceNotAvailableError(f"{name!r} is no device: use cpu, cuda or cuda:N") from error
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise DeviceNotAvailableError(f"{name!r} is not supported: use cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= count:
        raise DeviceNotAvailableError(
            f"{name} was asked for, and PyTorch sees {count} GPUs here. Run with device cpu, or mend the driver, the "
            "container's GPU option (--gpus all, --nv) or the scheduler's request."
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


def spots_that_fit(n_genes: int, hidden: int, device: torch.device) -> int:
    """Number of spots whose tile fits into the free memory with room to spare.

    Counted are the dense input, the hidden layers with their gradients, and the counts above zero (a tenth of all).
    """
    bytes_per_spot = 4 * n_genes + 64 * hidden + 2 * n_genes
    if device.type == "cuda":
        budget = _SHARE_OF_FREE_MEMORY * torch.cuda.mem_get_info(device)[0]
    else:
        budget = min(_SHARE_OF_FREE_MEMORY * _free_cpu_memory(), _LARGEST_CPU_TILE_BYTES)
    return max(SMALLEST_TILE, int(budget / bytes_per_spot))


def _free_cpu_memory() -> float:
    """Bytes that are free here: on the machine, or in the container if that is less."""
    free = float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except OSError:
        return free
    return free if limit == "max" else min(free, float(int(limit) - used))


@contextmanager
def gpu_memory_errors() -> Iterator[None]:
    """Turn PyTorch's out-of-memory error into the one that is retried with smaller tiles."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GpuOutOfMemoryError(
            f"{error}\nUse smaller tiles: --max-spots-per-tile (dusted_tile_spots in the pipeline, which halves them "
            "by itself when it tries again)."
        ) from error
