"""The library's version.

Modules take it from here and not from the package itself, which names the public functions and so knows every other.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("clearspot")
except PackageNotFoundError:  # pragma: no cover - only when src/ is put on the path without installing
    __version__ = "0+unknown"
