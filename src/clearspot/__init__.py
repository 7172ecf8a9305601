"""clearspot: cleaner and finer expression from Space Ranger output."""

from importlib.metadata import PackageNotFoundError, version

from clearspot.threads import let_waiting_threads_sleep

# OpenMP reads its settings when it is loaded, so before anything that loads it.
let_waiting_threads_sleep()

try:
    __version__ = version("clearspot")
except PackageNotFoundError:  # pragma: no cover - only when src/ is put on the path without installing
    __version__ = "0+unknown"
