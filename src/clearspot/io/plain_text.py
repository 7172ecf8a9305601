"""Text in files as every reader of AnnData knows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plain_text() -> Iterator[None]:
    """Within the block, anndata writes text as plain arrays.

    With pandas 3 it would write a group of values and a mask, which anndata before 0.11, readers in R and viewers do
    not know. Text with missing values is refused, as it always was with pandas 2.
    """
    import anndata as ad  # a second to import

    with ad.settings.override(allow_write_nullable_strings=False):
        yield
