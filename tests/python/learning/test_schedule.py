import math

import pytest
import torch

from clearspot.learning.schedule import constant, warm_up_then_cosine, warm_up_times_cosine
from clearspot.nn.optimizer import AdamW

PEAKS = (1e-3, 0.5)


def start(schedule, *steps):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": peak} for peak in PEAKS]
    optimizer = AdamW(groups)
    return optimizer, schedule(optimizer, *steps)


def rates(optimizer, schedule, number):
    """Learning rates of the next steps, over each group's peak; the groups go together."""
    found = []
    for _ in range(number):
        first, second = (group["lr"] / peak for group, peak in zip(optimizer.param_groups, PEAKS, strict=True))
        assert first == pytest.approx(second, rel=1e-12, abs=1e-12)
        found.append(first)
        optimizer.step()
        schedule.step()
    return found


def half_cosine(step, steps):
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def test_constant():
    assert rates(*start(constant), 30) == [1.0] * 30


@pytest.mark.parametrize(("steps", "warm_up"), [(20, 0), (20, 1), (20, 4), (4, 4), (3, 4), (500, 30)])
def test_warm_up_and_then_a_cosine(steps, warm_up):
    length = max(1, steps - warm_up)
    expected = [
        (step + 1) / warm_up if step < warm_up else half_cosine(step - warm_up, length) for step in range(steps)
    ]
    assert rates(*start(warm_up_then_cosine, steps, warm_up), steps) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("steps", "warm_up"), [(6, 20), (20, 20), (240, 20), (4000, 20), (5, 1)])
def test_warm_up_times_a_cosine(steps, warm_up):
    expected = [min(1, (step + 1) / warm_up) * half_cosine(step, steps) for step in range(steps)]
    assert rates(*start(warm_up_times_cosine, steps, warm_up), steps) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("made", [(constant,), (warm_up_then_cosine, 40, 10), (warm_up_times_cosine, 40, 10)])
@pytest.mark.parametrize("broken_off", [5, 10, 25])
def test_resumed_goes_on_to_the_last_bit(made, broken_off, tmp_path):
    unbroken = rates(*start(*made), 40)
    optimizer, schedule = start(*made)
    rates(optimizer, schedule, broken_off)
    torch.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    optimizer, schedule = start(*made)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    assert rates(optimizer, schedule, 40 - broken_off) == unbroken[broken_off:]
