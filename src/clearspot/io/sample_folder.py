"""Which folder is the sample's: what the user named, opened or unpacked, and the only outs folder in or below it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clearspot.caller import by_caller
from clearspot.errors import BadInputError, Problem
from clearspot.io import naming
from clearspot.io.archive import is_archive, unpack
from clearspot.io.outs_folder import Folder, find_candidates, find_cells
from clearspot.record import Message

OUTS: Final = "a Space Ranger outs folder (or an archive of it) with a count matrix and its spatial folder"
"""What is expected."""

_LINE_EACH: Final = "use one row of the samplesheet for each sample, with its own folder"


def open_path(path: Path, sample: str, unpack_to: Path | None, messages: list[Message]) -> Folder:
    """Open a folder, or unpack an archive into ``unpack_to`` and add a message."""
    if path.is_dir():
        return Folder(path)
    if path.is_file() and is_archive(path):
        messages.append(Message("handled", f"{path.name} was unpacked."))
        return Folder(unpack(path, _unpacking_place(path, unpack_to), sample))
    if path.is_symlink() and not path.exists():
        found, mend = f"a link to {path.readlink()}, which does not exist", "mount or copy the linked folder"
    elif path.exists():
        found = "a single file that is not an archive"
        mend = f"provide the outs folder instead, for example {path.parent}"
    else:
        found = "no such file or folder"
        mend = by_caller("correct the path", "correct the path", "correct spaceranger_dir in the samplesheet")
    raise BadInputError(Problem(sample, str(path), found, OUTS, mend))


def _unpacking_place(archive: Path, unpack_to: Path | None) -> Path:
    if unpack_to is None:
        raise ValueError(f"{archive.name} is an archive: set unpack_to to a folder")
    return unpack_to


def only_sample(top: Folder, path: Path, sample: str, unpack_to: Path | None, messages: list[Message]) -> Folder:
    """Return the one folder of a sample in or below ``top``, its parts unpacked where they are archives."""
    candidates = find_candidates(top)
    parts = [] if any(folder.has_spatial() for folder in candidates) else top.part_archives()
    if parts:
        unpacked = []
        for archive in parts:
            unpacked.append(unpack(archive, _unpacking_place(archive, unpack_to), sample))
            messages.append(Message("handled", f"{archive.name} was unpacked."))
        candidates = find_candidates(top.joined(unpacked))
    if len(candidates) > 1:
        names = ", ".join(sorted(folder.label(top.path) for folder in candidates))
        raise BadInputError(
            Problem(
                sample,
                str(path),
                f"{len(candidates)} samples: {names}",
                "one sample",
                by_caller("read each from its own folder", "use one folder per sample", _LINE_EACH),
            )
        )
    if not candidates:
        raise _no_matrix(top, path, sample)
    return candidates[0]


def _no_matrix(top: Folder, path: Path, sample: str) -> BadInputError:
    expected = "filtered_feature_bc_matrix.h5 or its MEX folder"
    cells = find_cells(top)
    if cells is not None and cells.is_segmented():
        found = "a cell segmentation of Space Ranger 4 (segmented_outputs) without bins"
        expected = "the counts of the bins: the folder binned_outputs"
        mend = (
            "provide the folder outs of this Space Ranger run, which contains binned_outputs next to "
            "segmented_outputs; if binned_outputs is missing, copy it again or rerun Space Ranger"
        )
    elif cells is not None:
        found = "the output folder of a Xenium run"
        mend = (
            "provide Visium or Visium HD output; Xenium samples can only be used to train super-resolution, with "
            "role 'reference'"
        )
    elif any(naming.PROBE_H5.match(name) for name in top.names()):
        found = "only raw_probe_bc_matrix.h5, which contains probe counts"
        mend = "add filtered_feature_bc_matrix.h5 of the same Space Ranger run"
    elif top.has_spatial():
        found = "a spatial folder but no count matrix"
        mend = "add filtered_feature_bc_matrix.h5 or the folder filtered_feature_bc_matrix"
    else:
        entries = ", ".join(sorted(top.names())[:8]) or "nothing"
        found = f"no count matrix in this folder or its subfolders, which contain {entries}"
        mend = "provide the folder outs written by Space Ranger"
    return BadInputError(Problem(sample, str(path), found, expected, mend))
