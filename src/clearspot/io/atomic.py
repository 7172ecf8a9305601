"""Files that are whole or absent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from clearspot.io.plain_text import plain_text

if TYPE_CHECKING:
    # anndata takes a second to import, and the scripts that only write JSON never need it
    import anndata as ad


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place once the block ends without an error.

    The temporary file keeps the target's suffixes, so that writers which look at them behave. It lives in a
    temporary folder of the same parent, because only a rename inside one file system is atomic.
    """
    path = Path(path)
    folder = Path(mkdtemp(prefix=".partial-", dir=path.parent))
    partial = folder / path.name
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        folder.rmdir()


def write_h5ad(adata: ad.AnnData, path: Path | str) -> None:
    """Write an AnnData file with gzip compression, whole or not at all."""
    with plain_text(), atomic_path(path) as partial:
        adata.write_h5ad(partial, compression="gzip")
