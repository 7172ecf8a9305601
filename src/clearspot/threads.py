"""CPU threads: how many there may be, and that those which wait leave the core to others.

An OpenMP thread that waits for the next piece of work spins for some milliseconds before it sleeps. Beside other work,
and under a container's CPU quota, that time is taken from threads that compute: an epoch of DUSTED then costs several
times its CPU seconds.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path, PurePosixPath
from typing import Final

_SETTINGS: Final = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""What a user may have set about waiting: standard, GNU's and Intel's (and LLVM's) OpenMP."""

_DEFAULTS: Final = {"GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "1"}
"""Some 30 us, in which the next operation of a model begins on a quiet machine; and 1 ms, the smallest above none."""

_CGROUP: Final = Path("/sys/fs/cgroup")
_GROUP_OF_PROCESS: Final = Path("/proc/self/cgroup")

_loaded_before = False
"""Whether PyTorch, and its OpenMP with it, was loaded before the defaults could be set."""


def let_waiting_threads_sleep() -> None:
    """Set the environment in which OpenMP's waiting threads soon sleep, unless the user has set any of it."""
    global _loaded_before
    if any(name in os.environ for name in _SETTINGS):
        return
    _loaded_before = "torch" in sys.modules
    os.environ.update(_DEFAULTS)


def available_cpus() -> int:
    """CPUs that this process may use: by its affinity, and by the quota of its control group (a container's limit)."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cpus, *(ceil(quota) for quota in _quotas())]))


def _quotas() -> Iterator[float]:
    """CPU quotas of the process's control group and those above it, in CPUs, of both versions of control groups."""
    for line in _lines(_GROUP_OF_PROCESS):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = _CGROUP / "cpu" if controllers else _CGROUP
        inside = PurePosixPath(path.lstrip("/"))
        for group in {mount, *(mount / part for part in (inside, *inside.parents))}:
            limit = " ".join(_lines(group / "cpu.max")).split()
            limit = limit or [" ".join(_lines(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period")]
            with suppress(ValueError, IndexError, ZeroDivisionError):  # "max", or no such file
                quota = float(limit[0]) / float(limit[1])
                if quota > 0:  # -1: no limit
                    yield quota


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


@contextmanager
def cpu_threads(wanted: int | None) -> Iterator[None]:
    """Let PyTorch use this many CPU threads inside the block; they sleep when they wait.

    Parameters
    ----------
    wanted
        Threads. ``None``: as many as PyTorch takes by itself, and no more than :func:`available_cpus`.
    """
    import torch

    before = torch.get_num_threads()
    threads = wanted or min(before, available_cpus())
    torch.set_num_threads(threads)
    try:
        with _more_threads_than_cpus(threads):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _more_threads_than_cpus(threads: int) -> Iterator[None]:
    """Make GNU OpenMP see more threads than CPUs, if it was loaded too early to set its wait policy.

    Its documentation (``GOMP_SPINCOUNT``): waiting threads hardly spin "if there are more OpenMP threads than available
    CPUs". So a thread of its own holds a team that only sleeps. Needless where the environment was set in time, and
    nothing happens where PyTorch uses another OpenMP.
    """
    run_team = _gnu_parallel() if _loaded_before and threads > 1 else None
    if run_team is None:
        yield
        return
    finished = threading.Event()
    ready = threading.Event()
    sleepers = max(2, len(os.sched_getaffinity(0)) - threads + 2)

    def hold() -> None:
        run_team(ctypes.CDLL(None).free, None, sleepers, 0)  # free(NULL) in every thread: nothing
        ready.set()
        finished.wait()

    holder = threading.Thread(target=hold, name="clearspot-openmp", daemon=True)
    holder.start()
    ready.wait()
    try:
        yield
    finally:
        finished.set()
        holder.join()


def _gnu_parallel() -> ctypes._NamedFuncPointer | None:
    """``GOMP_parallel(function, data, threads, flags)`` of the OpenMP that PyTorch is linked to, if that is GNU's."""
    import torch

    try:
        function = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")).GOMP_parallel
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    function.restype = None
    return function
