import json
import os
import subprocess
import sys

import pytest
import torch

from clearspot import threads
from clearspot.threads import available_cpus, cpu_threads

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def started(code, **environment):
    """What a Python program prints as JSON, in an environment without settings of OpenMP but these."""
    clean = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


SHOW = f"import clearspot, json, os; print(json.dumps({{n: os.environ.get(n) for n in {WAITING!r}}}))"


def test_waiting_threads_sleep_wherever_clearspot_is_imported():
    assert started(SHOW) == {"OMP_WAIT_POLICY": None, "GOMP_SPINCOUNT": "3000", "KMP_BLOCKTIME": "1"}


@pytest.mark.parametrize("name", WAITING)
def test_a_users_setting_is_left_alone(name):
    assert started(SHOW, **{name: "7"}) == {other: "7" if other == name else None for other in WAITING}


TEAM = """
import json, os
{first}
import clearspot
import torch
from clearspot.threads import cpu_threads
tasks = lambda: len(os.listdir("/proc/self/task"))
torch.set_num_threads(2)
torch.ones(1_000_000).add_(1)
before = tasks()
with cpu_threads(2):
    torch.ones(1_000_000).add_(1)
    inside = tasks()
print(json.dumps(inside - before))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("first", "environment", "more"),
    [
        ("import torch", {}, True),
        ("", {}, False),
        ("import torch", {"GOMP_SPINCOUNT": "300000"}, False),
        ("import torch", {"OMP_WAIT_POLICY": "active"}, False),
    ],
)
def test_a_team_that_sleeps_is_kept_only_where_the_setting_came_too_late(first, environment, more):
    # With more threads than CPUs, GNU's OpenMP spins a hundred times and not 300,000 times.
    found = started(TEAM.format(first=first), **environment)
    assert (found >= len(os.sched_getaffinity(0))) if more else found == 0


def test_threads_are_as_before_after_the_block():
    before = torch.get_num_threads()
    with cpu_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_no_more_threads_than_cpus_by_default(monkeypatch):
    monkeypatch.setattr(threads, "available_cpus", lambda: 1)
    with cpu_threads(None):
        assert torch.get_num_threads() == 1
    with cpu_threads(2):
        assert torch.get_num_threads() == 2


QUOTAS = [
    ("0::/\n", {"cpu.max": "150000 100000"}, 2),
    ("0::/\n", {"cpu.max": "max 100000"}, 64),
    ("0::/slice/task\n", {"slice/cpu.max": "300000 100000", "slice/task/cpu.max": "max 100000"}, 3),
    ("0::/slice/task\n", {"slice/cpu.max": "300000 100000", "slice/task/cpu.max": "50000 100000"}, 1),
    ("4:cpu,cpuacct:/job\n", {"cpu/job/cpu.cfs_quota_us": "400000", "cpu/job/cpu.cfs_period_us": "100000"}, 4),
    ("4:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
    ("3:memory:/\n", {"cpu.max": "100000 100000"}, 64),
    ("", {}, 64),
]


@pytest.mark.parametrize(("group", "files", "cpus"), QUOTAS)
def test_the_quota_of_a_control_group_is_a_limit(tmp_path, monkeypatch, group, files, cpus):
    (tmp_path / "cgroup").write_text(group)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    monkeypatch.setattr(threads, "_CGROUP", tmp_path)
    monkeypatch.setattr(threads, "_GROUP_OF_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert available_cpus() == cpus
