import io

import pytest

from clearspot.caller import called_from
from clearspot.learning.progress import Progress, Watched


class Terminal(io.StringIO):
    def isatty(self):
        return True


def lines(steps, start=0, **options):
    stream = io.StringIO()
    with Progress("mean", steps, start, stream=stream, **options) as progress:
        for _ in range(start, steps):
            progress.step("loss 0.50000")
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("epochs", [1, 7, 100, 500])
def test_a_log_gets_a_few_lines_and_the_last_epoch(epochs):
    found = lines(epochs, unit="epoch")
    assert 1 <= len(found) <= 21
    assert f"epoch {epochs}/{epochs}" in found[-1]
    assert "100 %" in found[-1]
    assert "epochs/s" in found[0]
    assert "loss 0.50000" in found[0]


def test_resumed_run_goes_on_counting():
    found = lines(100, start=60)
    assert "step 61/100" in found[0]
    assert len(found) <= 10


def progress_on_the_standard_error(caller, capsys):
    with called_from(caller), Progress("mean", 40) as progress:
        for _ in range(40):
            progress.step("loss 0.50000")
    return capsys.readouterr().err


def test_a_call_from_python_gets_a_bar_and_a_script_its_lines(capsys):
    bar = progress_on_the_standard_error("python", capsys)
    assert "40/40" in bar
    assert "%|" in bar
    assert bar.count("\n") <= 1
    lines = progress_on_the_standard_error("pipeline", capsys)
    assert lines.count("\n") == 21
    assert "step 40/40  loss 0.50000" in lines


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with Progress("mean", 5, stream=stream) as progress:
        for _ in range(5):
            progress.step()
    assert "mean" in stream.getvalue()
    assert "5/5" in stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["log", "terminal"])
def test_silent_where_it_is_not_wanted(stream):
    with Progress("mean", 1, shown=False, stream=stream) as progress:
        progress.step()
    assert stream.getvalue() == ""


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by hand."""
    now = [0.0]
    monkeypatch.setattr("clearspot.learning.progress.time.perf_counter", lambda: now[0])
    return now


def test_long_steps_say_each_minute_how_far_they_are(clock):
    stream = io.StringIO()
    with Progress("dusted", 100, unit="epoch", stream=stream) as progress:
        for tile in range(1, 31):
            clock[0] += 10
            progress.within(f"tile {tile}/30")
        progress.step("loss 0.5")
        for _ in range(3):
            clock[0] += 61
            progress.step("loss 0.4")
    found = stream.getvalue().splitlines()
    assert found[:5] == [f"dusted   0 %  epoch 1/100  tile {tile}/30" for tile in (6, 12, 18, 24, 30)]
    assert [line[14:].split("  ")[0] for line in found[5:]] == [f"epoch {epoch}/100" for epoch in (1, 2, 3, 4)]


def test_a_long_loop_says_each_minute_how_far_it_is(clock):
    stream, silent = io.StringIO(), io.StringIO()
    for out, shown in ((stream, True), (silent, False)):
        tiles = Watched("abcdefg", "denoised values: tile", shown=shown, stream=out)
        assert len(tiles) == 7
        for _ in tiles:
            clock[0] += 25
    assert stream.getvalue().splitlines() == ["denoised values: tile 3/7", "denoised values: tile 6/7"]
    assert silent.getvalue() == ""
