"""Making sure that an AnnData can be written, before a long computation and not after it."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from clearspot.caller import place_of_section
from clearspot.errors import BadInputError, Problem, is_disk_full
from clearspot.io.plain_text import plain_text
from clearspot.record import Message

if TYPE_CHECKING:
    import anndata as ad

_RESERVED: Final = {"": "unnamed", ".": "_", "..": "__"}
_ALIGNED: Final = ("obsm", "varm", "obsp", "varp", "layers")
_SHOWN: Final = 5


def make_keys_storable(adata: ad.AnnData) -> list[Message]:
    """Rename keys and columns that HDF5 cannot hold, in place: a slash becomes an underscore.

    HDF5 takes a slash for a group inside a group, and anndata reserves ``_index``.

    Parameters
    ----------
    adata
        Its ``obs``, ``var``, ``uns`` (at any depth), ``obsm``, ``varm``, ``obsp``, ``varp`` and ``layers`` are looked
        at.

    Returns
    -------
    A message that names what was renamed; none where nothing was.
    """
    import pandas as pd

    renamed: list[str] = []

    def columns(frame: pd.DataFrame, place: str) -> None:
        names = _safe_names(frame.columns, column=True)
        renamed.extend(f"{place}['{old}'] -> '{new}'" for old, new in names.items())
        if names:
            frame.columns = [names.get(name, name) for name in frame.columns]

    def entries(mapping: MutableMapping[Any, Any], place: str) -> None:
        # anndata 0.13 lists X among the layers, under None
        names = _safe_names(name for name in mapping if not (name is None and place == "layers"))
        renamed.extend(f"{place}['{old}'] -> '{new}'" for old, new in names.items())
        for old, new in names.items():
            mapping[new] = mapping.pop(old)
        for name, value in list(mapping.items()):
            if isinstance(value, pd.DataFrame):
                columns(value, f"{place}['{name}']")
            elif isinstance(value, dict):
                entries(value, f"{place}['{name}']")

    columns(adata.obs, "obs")
    columns(adata.var, "var")
    entries(adata.uns, "uns")
    for name in _ALIGNED:
        entries(getattr(adata, name), name)
    if not renamed:
        return []
    more = len(renamed) - _SHOWN
    shown = ", ".join(renamed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return [Message("handled", f"{len(renamed)} names that are not valid in an .h5ad file were changed: {shown}.")]


def require_writable(adata: ad.AnnData, folder: Path, sample: str) -> None:
    """Refuse a section or a folder that could not be written after the work is done.

    Everything but the matrices is written to a temporary file in the folder.

    Parameters
    ----------
    adata
        What is to be written.
    folder
        Where; made if absent.
    sample
        Sample name, for messages.

    Raises
    ------
    BadInputError
        With the entry that cannot be written, or the folder.
    """
    import anndata as ad

    require_folder(folder, sample)
    shell = ad.AnnData(
        obs=adata.obs.copy(), var=adata.var.copy(), uns=dict(adata.uns), obsm=dict(adata.obsm), varm=dict(adata.varm)
    )
    if adata.raw is not None:
        shell.raw = ad.AnnData(var=adata.raw.var.copy(), obs=adata.obs[[]].copy())
    try:
        with plain_text(), TemporaryDirectory(prefix=".writable-", dir=folder) as temporary:
            shell.write_h5ad(Path(temporary) / "shell.h5ad")
    except Exception as error:
        if is_disk_full(error):
            raise
        reason = " ".join(" ".join([str(error), *getattr(error, "__notes__", ())]).split())[:300]
        raise BadInputError(
            Problem(
                sample,
                place_of_section(f"{sample}.h5ad"),
                f"an entry that cannot be stored in an .h5ad file ({reason})",
                "arrays, tables, numbers and text",
                "Convert or delete that entry.",
            )
        ) from error


def require_folder(folder: Path, sample: str) -> None:
    """Make a folder and make sure that files can be written into it.

    Raises
    ------
    BadInputError
        If that is not so.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".writable-", dir=folder):
            pass
    except OSError as error:
        if is_disk_full(error):
            raise
        raise BadInputError(
            Problem(
                sample,
                str(folder),
                f"a folder without write access ({error.strerror})",
                "a folder for the results",
                "Use another folder, or change its permissions.",
            )
        ) from error


def _safe_names(names: Iterable[Any], *, column: bool = False) -> dict[Any, str]:
    """New names of those that cannot be stored; none of them is that of another entry."""
    names = list(names)
    taken = {name for name in names if isinstance(name, str)}
    changed: dict[Any, str] = {}
    for name in names:
        safe = str(name).replace("/", "_")
        safe = "index_" if column and safe == "_index" else _RESERVED.get(safe, safe)
        if safe == name:
            continue
        free, number = safe, 1
        while free in taken:
            free, number = f"{safe}_{number}", number + 1
        taken.add(free)
        changed[name] = free
    return changed
