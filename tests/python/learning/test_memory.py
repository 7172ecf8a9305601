import subprocess
import sys

import pytest
import torch

from clearspot.errors import GpuOutOfMemoryError
from clearspot.learning import memory
from clearspot.learning.memory import free_memory_bytes, gpu_memory_errors

CPU = torch.device("cpu")


def test_out_of_gpu_memory_becomes_the_error_that_is_retried_and_names_the_option():
    with (
        pytest.raises(GpuOutOfMemoryError, match=r"out of memory\nUse smaller tiles: --tile\."),
        gpu_memory_errors("--tile"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_free_memory_is_the_containers_where_that_is_less(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    whole = free_memory_bytes(CPU)
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory_bytes(CPU) > 0.5 * whole
    (tmp_path / "memory.max").write_text("1000\n")
    assert free_memory_bytes(CPU) == 700


def test_free_memory_of_a_gpu_is_what_cuda_says(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * 2**30, 8 * 2**30))
    assert free_memory_bytes(torch.device("cuda")) == 5 * 2**30


def test_the_peak_is_that_of_the_process_and_not_of_the_one_that_started_it() -> None:
    """Linux hands the figure of ``getrusage`` on to processes that a large one starts."""
    measure = "from clearspot.learning.memory import peak_memory_bytes; print(peak_memory_bytes())"
    start = (
        "import subprocess, sys; block = b'1' * (1300 << 20);"
        f"subprocess.run([sys.executable, '-c', {measure!r}], check=True, close_fds=False)"
    )
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert 1e7 < int(done.stdout) < 1000 << 20
