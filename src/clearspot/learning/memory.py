"""Memory: what is free, what this process has taken, and the error where it does not suffice."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import torch

from clearspot.errors import GpuOutOfMemoryError

_CGROUP: Final = Path("/sys/fs/cgroup")
_STATUS: Final = Path("/proc/self/status")


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far.

    Linux hands the figure of ``getrusage`` on to the processes that a large one starts, so its own is read where there
    is one.
    """
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def free_memory_bytes(device: torch.device) -> float:
    """Bytes that are free: on the GPU, or on the machine (in the container if that is less)."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    free = float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
    except OSError:
        return free
    return free if limit == "max" else min(free, float(int(limit) - used))


@contextmanager
def gpu_memory_errors(option: str) -> Iterator[None]:
    """Turn PyTorch's out-of-memory error into the one that is retried with smaller tiles.

    Parameters
    ----------
    option
        What makes the tiles smaller, for the message.

    Raises
    ------
    GpuOutOfMemoryError
        If the GPU's memory did not suffice.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GpuOutOfMemoryError(f"{error}\nUse smaller tiles: {option}.") from error
