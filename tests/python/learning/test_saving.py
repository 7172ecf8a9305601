import time

import pytest

from clearspot.learning.saving import CheckpointClock


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"every": 4}, [4, 8, 12]),
        ({"minutes": 5.0}, [5, 10]),
        ({"minutes": 5.0, "every": 3}, [3, 6, 9, 12]),
        ({"minutes": 2.0, "every": 3}, [2, 4, 6, 8, 10, 12]),
        ({"minutes": 0.0}, list(range(1, 14))),
    ],
)
def test_steps_of_a_minute_each(monkeypatch, given, expected):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clock, kept = CheckpointClock(**given), []
    for step in range(1, 14):
        now += 60
        if clock.due(step):
            kept.append(step)
            clock.restart(step)
    assert kept == expected
