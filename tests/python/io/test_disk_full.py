"""A full disk is told by an exit code of its own, whatever class of error says so."""

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from clearspot.errors import GpuOutOfMemoryError, exit_codes

HDF5 = "Can't synchronously write data (file write failed: errno = 28, error message = 'No space left on device')"


@pytest.fixture(autouse=True)
def _ends_like_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", sys.exit)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, "quota"),
        OSError(HDF5),
        RuntimeError(HDF5),
    ],
)
def test_full_disk(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, exit_codes():
        raise error
    assert ended.value.code == 73
    assert "No space left" in capsys.readouterr().err


def test_full_disk_behind_another_error() -> None:
    error = ValueError("could not write the layer")
    error.__cause__ = OSError(HDF5)
    with pytest.raises(SystemExit) as ended, exit_codes():
        raise error
    assert ended.value.code == 73


@pytest.mark.parametrize("error", [ValueError("No space left on device"), OSError(errno.EACCES, "-"), KeyError("x")])
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)), exit_codes():
        raise error


def test_no_word_where_there_is_no_room_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(SystemExit) as ended, exit_codes():
        raise OSError(HDF5)
    assert ended.value.code == 73
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("error", "said"), [(OSError(HDF5), 0), (OSError("other"), 1)])
def test_what_cannot_be_closed_on_a_full_disk_is_not_told_one_by_one(
    error: Exception, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    with exit_codes():
        sys.unraisablehook(SimpleNamespace(exc_value=error))
    assert len(told) == said


def test_out_of_gpu_memory_is_told_as_such() -> None:
    with pytest.raises(SystemExit) as ended, exit_codes():
        raise GpuOutOfMemoryError("tile of 512 spots")
    assert ended.value.code == 75
