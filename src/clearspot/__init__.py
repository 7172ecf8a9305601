"""clearspot: cleaner and finer expression from Space Ranger output."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("clearspot")
except PackageNotFoundError:  # pragma: no cover - only when src/ is put on the path without installing
    __version__ = "0+unknown"
