import io

import pytest

from clearspot.dusted.progress import Progress
from clearspot.dusted.training import TrainingState


def after(epochs, score=False):
    state = TrainingState(epoch=epochs, loss=[0.5] * epochs)
    state.score = [0.1] * epochs if score else []
    return state


def shown(epochs, start=0, score=False):
    stream = io.StringIO()
    with Progress(epochs, start, stream) as progress:
        for epoch in range(start + 1, epochs + 1):
            progress(after(epoch, score))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("epochs", [1, 7, 100, 500])
def test_a_log_gets_a_few_lines_and_the_last_epoch(epochs):
    lines = shown(epochs)
    assert 1 <= len(lines) <= 22
    assert f"epoch {epochs}/{epochs}" in lines[-1]
    assert "100 %" in lines[-1]
    assert "epochs/s" in lines[0]
    assert "loss 0.50000" in lines[0]


def test_held_out_score_is_shown_where_there_is_one():
    assert "held-out 0.10000" in shown(3, score=True)[0]
    assert "held-out" not in shown(3)[0]


def test_resumed_run_goes_on_counting():
    lines = shown(100, start=60)
    assert "epoch 61/100" in lines[0]
    assert len(lines) <= 10


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    with Progress(5, stream=stream) as progress:
        for epoch in range(1, 6):
            progress(after(epoch))
    assert "dusted" in stream.getvalue()
    assert "5/5" in stream.getvalue()
