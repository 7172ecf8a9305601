"""Reading the AnnData file that an earlier step wrote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clearspot.errors import DamagedFileError

if TYPE_CHECKING:
    import anndata as ad


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
            "expected the AnnData file that an earlier step wrote whole\n"
            f"to mend  delete the folder {place.parent} and run the same command with -resume: its step runs again"
        ) from error
