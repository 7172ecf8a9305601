"""Reading the AnnData file of a section: one that an earlier step wrote, or one that a user hands over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clearspot.errors import BadInputError, DamagedFileError, Problem

if TYPE_CHECKING:
    import anndata as ad
    import h5py

_SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_ALIGNED: Final = ("obsm", "varm", "obsp", "varp", "layers")
_OUTS: Final = "Read it together with its positions, using spaceranger_ingest.py or squidpy.read.visium."


def read_section(path: Path) -> ad.AnnData:
    """Read a step's ``.h5ad``.

    Steps write whole files or none, so one that cannot be read was damaged afterwards: by a full or failing disk, or by
    hand. It is not the user's data that are at fault, and another attempt finds the same file.

    Raises
    ------
    DamagedFileError
        Whatever went wrong while it was read, with the folder whose removal makes the step run again.
    """
    import anndata as ad  # a second to import, and the scripts' --help should not wait for it

    try:
        return ad.read_h5ad(path)
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        place = path.resolve()
        raise DamagedFileError(
            f"file     {place}\n"
            f"found    {place.stat().st_size} bytes that cannot be read ({reason})\n"
            "expected the complete AnnData file of an earlier step\n"
            f"to fix   delete the folder {place.parent} and run the same command with -resume to repeat the step"
        ) from error


def read_users_section(path: Path | str, sample: str) -> ad.AnnData:
    """Read the ``.h5ad`` that a user hands over.

    Keys with a slash, which HDF5 takes for groups, are read as they were meant.

    Parameters
    ----------
    path
        The file.
    sample
        Sample name, for messages.

    Raises
    ------
    BadInputError
        If it is no AnnData file that can be read: what it seems to be, and what to do with it.
    """
    import h5py

    path = Path(path)
    if kind := _other_than_hdf5(path):
        raise _bad(path, sample, *kind)
    try:
        with h5py.File(path, "r") as file:
            kind = _other_than_anndata(file)
            nested = [name for name in _ALIGNED if name in file and _has_nested(file[name])]
            if kind is None and nested:
                return _read_nested(file)
        if kind is None:
            import anndata as ad

            return ad.read_h5ad(path)
    except Exception as error:
        raise _bad(path, sample, f"a truncated or damaged file ({_reason(error)})", _COPY_AGAIN) from error
    raise _bad(path, sample, *kind)


_COPY_AGAIN: Final = "Copy or write the file again."


def _bad(path: Path, sample: str, found: str, mend: str) -> BadInputError:
    return BadInputError(Problem(sample, path.name, found, "an AnnData file (.h5ad) of one section", mend))


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _other_than_hdf5(path: Path) -> tuple[str, str] | None:
    """What a path is and what to do with it, where it is no HDF5 file."""
    if path.is_dir():
        if (path / ".zgroup").exists() or (path / "zarr.json").exists() or path.suffix == ".zarr":
            return "a Zarr store", "Write it as .h5ad: anndata.read_zarr(...).write_h5ad(...)."
        return "a folder", "Provide a file. The Space Ranger outs folder is an input of the pipeline."
    try:
        with path.open("rb") as file:
            start = file.read(len(_SIGNATURE))
    except OSError as error:
        return f"a file that cannot be read ({error.strerror})", "Check its path and permissions."
    if start == _SIGNATURE:
        return None
    if not start:
        return "an empty file", _COPY_AGAIN
    if start.startswith(b"\x1f\x8b"):
        return "a gzip archive", "Unpack it. An .rds file from R must be converted first."
    if start.startswith(b"PK"):
        return "a zip archive", "Unpack it."
    return "a file that is not HDF5", "Write the section with adata.write_h5ad(...)."


def _other_than_anndata(file: h5py.File) -> tuple[str, str] | None:
    """What an HDF5 file is and what to do with it, where it is no AnnData."""
    if "obs" in file and "var" in file and "mod" not in file:
        return None
    if "mod" in file:
        return "a MuData file", "Write the modality that holds the counts: mdata.mod['rna'].write_h5ad(...)."
    if "matrix" in file and "barcodes" in getattr(file["matrix"], "keys", tuple)():
        return "a feature-barcode matrix of 10x Genomics, without positions", _OUTS
    if "row_attrs" in file and "col_attrs" in file:
        return "a Loom file", "Write it as .h5ad: anndata.read_loom(...).write_h5ad(...)."
    shown = ", ".join(sorted(file)[:5]) or "nothing"
    return f"an HDF5 file with {shown} at its root", "Write the section with adata.write_h5ad(...)."


def _is_plain_group(item: Any) -> bool:
    """Whether an item is a group that HDF5 made of a slash in a key."""
    return hasattr(item, "keys") and "encoding-type" not in item.attrs and "h5sparse_format" not in item.attrs


def _has_nested(group: h5py.Group) -> bool:
    return hasattr(group, "values") and any(_is_plain_group(item) for item in group.values())


def _read_nested(file: h5py.File) -> ad.AnnData:
    import anndata as ad
    from anndata.io import read_elem

    def flat(group: h5py.Group, prefix: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in group.items():
            if _is_plain_group(item):
                found |= flat(item, f"{prefix}{name}/")
            else:
                found[prefix + name] = read_elem(item)
        return found

    parts = {name: flat(file[name]) for name in _ALIGNED if name in file}
    rest = {name: read_elem(file[name]) for name in ("X", "obs", "var", "uns", "raw") if name in file}
    return ad.AnnData(**rest, **parts)
