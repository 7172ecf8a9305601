"""Several processes that train one model on one section: each takes some of the tiles, and gradients are summed.

PyTorch's ``DistributedDataParallel`` does the exchange. The first process goes on to denoise and write; the others are
done when training is.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, start_processes
from torch.nn.parallel import DistributedDataParallel

from clearspot.caller import Caller, current_caller
from clearspot.dusted.model import Dusted
from clearspot.dusted.objective import Objective
from clearspot.errors import (
    EXIT_BAD_INPUT,
    EXIT_GPU_OUT_OF_MEMORY,
    EXIT_NO_DEVICE,
    BadInputError,
    Problem,
    exit_codes,
)
from clearspot.io.atomic import atomic_path

_EXIT_CODES: Final = (EXIT_GPU_OUT_OF_MEMORY, EXIT_BAD_INPUT, EXIT_NO_DEVICE)
_REFUSAL: Final = "refusal-{}.json"


@dataclass(frozen=True)
class Team:
    """One process among those that train together.

    Parameters
    ----------
    rank
        Its number; 0 is the one that writes.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1


def current_team() -> Team:
    """The processes that ``torch.distributed`` knows of; this one alone where it has not been started."""
    if not (dist.is_available() and dist.is_initialized()):
        return Team()
    return Team(dist.get_rank(), dist.get_world_size())


def launched_by_torchrun() -> bool:
    """Whether ``torchrun`` (or a scheduler in its manner) has started this process beside others."""
    return "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def device_of_rank(device: str, local_rank: int) -> str:
    """``cuda`` means one GPU a process; anything else is the same for all."""
    return f"cuda:{local_rank}" if device == "cuda" else device


@contextmanager
def joined(device: str, **where: Any) -> Iterator[Team]:
    """Meet the other processes, and part from them at the end.

    Parameters
    ----------
    device
        Where this one computes: GPUs talk by NCCL, processors by Gloo.
    where
        ``init_method``, ``rank`` and ``world_size``; nothing under ``torchrun``, which sets the environment.
    """
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", **where)
    try:
        yield current_team()
    finally:
        dist.destroy_process_group()


def same_for_all(value: Any) -> Any:
    """What the first process has, on every process."""
    if current_team().size == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def run_processes(function: Callable[..., None], processes: int, *arguments: Any) -> None:
    """Call ``function(rank, processes, init_method, *arguments)`` in as many new processes of this machine.

    Raises
    ------
    BadInputError
        If one of them refused its input.
    SystemExit
        With the exit code of the process that failed with another one that means something; its message is on the
        standard error already.
    """
    with TemporaryDirectory(prefix="clearspot-") as folder:
        context = start_processes(
            _started, (current_caller(), function, processes, folder, *arguments), processes, join=False
        )
        try:
            while not context.join():
                pass
        except ProcessExitedException as error:
            code = _meaningful_exit_code(context)
            if code is None:
                raise
            refusals = sorted(Path(folder).glob(_REFUSAL.format("*")))
            if code == EXIT_BAD_INPUT and refusals:
                problems = json.loads(refusals[0].read_text(encoding="utf-8"))
                raise BadInputError([Problem(**problem) for problem in problems]) from error
            raise SystemExit(code) from error


def _started(
    rank: int, caller: Caller, function: Callable[..., None], processes: int, folder: str, *arguments: Any
) -> None:
    """What a new process does: its errors keep their exit codes, and a refusal is left for the caller to raise."""
    with exit_codes(caller):
        try:
            function(rank, processes, (Path(folder) / "meeting").as_uri(), *arguments)
        except BadInputError as error:
            with atomic_path(Path(folder) / _REFUSAL.format(rank)) as partial:
                partial.write_text(json.dumps([problem.as_dict() for problem in error.problems]), encoding="utf-8")
            raise SystemExit(EXIT_BAD_INPUT) from error


def _meaningful_exit_code(context: ProcessContext) -> int | None:
    """The others fail too when one does, so the first to be seen need not be the one at fault."""
    codes = [process.exitcode for process in context.processes]
    return next((code for code in _EXIT_CODES if code in codes), None)


class _Parallel(DistributedDataParallel):
    """The model as the objective uses it."""

    @property
    def heads(self) -> Any:
        """The output layer, which the loss reads beside the forward pass."""
        return self.module.heads


def in_parallel(model: Dusted) -> "_Parallel":
    """The model in the form whose gradients are summed over all processes."""
    parallel = _Parallel(model)
    # DDP averages by default, but the shares of tiles add up: the section's mean is already in each of them
    parallel.register_comm_hook(None, _sum_gradients)
    return parallel


@dataclass
class TeamObjective(Objective):
    """The tiles of one process, with the gradient of everybody's after the last of them.

    Parameters
    ----------
    parallel
        The model that all processes train, see :func:`in_parallel`.
    """

    parallel: _Parallel | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._loss_so_far = self._score_so_far = 0.0

    def backward(self, model: Dusted, number: int) -> tuple[float, float]:  # noqa: ARG002  (its parallel form learns)
        """Add one tile's share of the gradient, and everybody's with the last.

        Returns
        -------
        The section's loss and held-out score with the last tile, 0 before: sums over tiles are the section's, the same
        to the bit in every process, so that all keep the same best state and stop together.
        """
        last = number == len(self.tiles) - 1
        with nullcontext() if last else self.parallel.no_sync():  # type: ignore[union-attr]
            loss, score = super().backward(self.parallel, number)  # type: ignore[arg-type]
        self._loss_so_far += loss
        self._score_so_far += score
        if not last:
            return 0.0, 0.0
        totals = torch.tensor([self._loss_so_far, self._score_so_far], dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        self._loss_so_far = self._score_so_far = 0.0
        return float(totals[0]), float(totals[1])

    def score(self, model: Dusted) -> float:
        """The section's held-out score, the same in every process."""
        total = torch.tensor(super().score(model), dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return float(total)


# DDP reads this function's annotations, so they must not be strings: no `from __future__ import annotations` here.
def _sum_gradients(
    _: None,
    bucket: dist.GradBucket,  # type: ignore[name-defined]
) -> torch.futures.Future[torch.Tensor]:
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda future: future.value()[0])
