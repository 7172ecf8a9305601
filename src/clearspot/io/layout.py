"""Finding the files of a Space Ranger outs folder, whatever its version, nesting and naming."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clearspot.caller import by_caller
from clearspot.errors import BadInputError, Problem
from clearspot.io import naming
from clearspot.io.bins import PREFERRED_BIN_UM, choose_bin
from clearspot.io.cell_files import CellFiles, CellFolder, find_cell_folder
from clearspot.io.outs_folder import Folder
from clearspot.io.reading import bad, open_binary
from clearspot.io.sample_folder import OUTS, only_sample, open_path
from clearspot.record import Message

Assay = Literal["visium", "visium_hd"]
Unit = Literal["bins", "cells"]


@dataclass(frozen=True)
class OutsLayout:
    """Where everything of one sample lies.

    Parameters
    ----------
    root
        The outs folder (HD: the folder that holds ``binned_outputs``).
    assay
        ``visium`` for every assay with round spots, ``visium_hd`` for square bins.
    bin_size_um
        HD: side of the bins that the other fields refer to; ``None`` for cells.
    bins_available
        HD: sides of the bins that are there.
    spatial_dir
        Folder of positions and scale factors.
    matrix_filtered, matrix_raw
        An ``.h5`` file, else a MEX folder, else (flattened MEX) its ``*matrix.mtx`` file. At least one is set.
    matrix_alternative
        The MEX form of the matrix that an ``.h5`` file was preferred to.
    positions
        Every positions file that is there; at least one, and none for cells, whose places are their outlines.
    scalefactors, metrics_summary
        Those files.
    images
        ``hires``, ``lowres``, ``detected_tissue``, ``aligned_tissue``, ``aligned_fiducials``, ``cytassist``.
    messages
        What was odd and how it was handled.
    cells
        Files of segmented cells, where the matrix is of cells.
    """

    root: Path
    assay: Assay
    bin_size_um: int | None
    bins_available: tuple[int, ...]
    spatial_dir: Path
    matrix_filtered: Path | None
    matrix_raw: Path | None
    matrix_alternative: Path | None
    positions: tuple[Path, ...]
    scalefactors: Path | None
    images: dict[str, Path]
    metrics_summary: Path | None
    messages: tuple[Message, ...]
    cells: CellFiles | None = None

    @property
    def unit(self) -> Literal["spots", "bins", "cells"]:
        """What the matrix has counts of."""
        return "cells" if self.cells else "spots" if self.bin_size_um is None else "bins"

    @property
    def matrix(self) -> Path:
        """The matrix to analyse: the filtered one, else the raw one."""
        matrix = self.matrix_filtered or self.matrix_raw
        if matrix is None:
            raise ValueError("a layout has at least one matrix")
        return matrix


def find_outs(
    path: Path,
    sample: str,
    *,
    bin_size_um: int | None = None,
    unit: Unit = "bins",
    unpack_to: Path | None = None,
) -> OutsLayout:
    """Find the files of one sample.

    Parameters
    ----------
    path
        Outs folder, a folder above it, one HD bin folder, or an archive of any of these.
    sample
        Sample name for messages.
    bin_size_um
        HD: side of the bins to use; by default that of the path, if it names one, else as
        :func:`clearspot.io.bins.choose_bin` chooses.
    unit
        HD: read ``bins``, or the ``cells`` that Space Ranger 4 segmented. Other assays have spots whatever it says.
    unpack_to
        Folder for what is unpacked. Needed only where something comes as an archive.

    Returns
    -------
    OutsLayout
        With at least one matrix, one positions file (cells: their outlines) and a spatial folder. Their content is not
        looked at.

    Raises
    ------
    BadInputError
        Nothing is there, several samples are there, a part is missing, or the bin size is absent.
    """
    path = Path(path)
    try:
        return _find(path, sample, bin_size_um, unit, unpack_to)
    except PermissionError as error:
        found, mend = f"no permission to look into {error.filename}", "check the read permissions"
        raise BadInputError(Problem(sample, str(path), found, OUTS, mend)) from error


def _find(path: Path, sample: str, bin_size_um: int | None, unit: Unit, unpack_to: Path | None) -> OutsLayout:
    messages: list[Message] = []
    top = open_path(path, sample, unpack_to, messages)
    if unit == "cells":
        return _cell_layout(find_cell_folder(top, path, sample), bin_size_um, sample, messages)
    folder = only_sample(top, path, sample, unpack_to, messages)
    if folder.path != path:
        messages.append(Message("handled", f"The outs folder was found at {_relative(folder.path, top.path)}."))
    named_bin = _bin_of(folder.path)
    if folder.is_hd_root() or named_bin is not None:
        return _hd_layout(folder, named_bin, bin_size_um, sample, messages)
    return _visium_layout(folder, bin_size_um, sample, messages)


def _visium_layout(folder: Folder, bin_size_um: int | None, sample: str, messages: list[Message]) -> OutsLayout:
    spatial = folder.spatial()
    scalefactors = spatial.first(naming.SCALEFACTORS) if spatial else None
    bin_um = _stated_bin_size(scalefactors)
    if bin_size_um is not None and bin_um is None:
        messages.append(Message("warning", f"bin_size_um = {bin_size_um} was ignored, because this is not Visium HD."))
    if bin_um is not None and bin_size_um not in (None, bin_um):
        raise _bin_absent(folder, sample, bin_size_um, (bin_um,))
    return _layout(
        folder,
        folder,
        sample,
        messages,
        assay="visium" if bin_um is None else "visium_hd",
        bin_size_um=bin_um,
        bins=() if bin_um is None else (bin_um,),
    )


def _hd_layout(
    folder: Folder, named_bin: int | None, bin_size_um: int | None, sample: str, messages: list[Message]
) -> OutsLayout:
    root = folder
    if named_bin is not None:
        messages.append(Message("handled", f"{folder.path.name} is a single bin size of a Visium HD sample."))
        root = Folder(folder.path.parent)
    if root.path.name == naming.BINNED:
        root = Folder(root.path.parent)
    places = root.bins()
    wanted = named_bin if bin_size_um is None else bin_size_um
    used = choose_bin(places, wanted)
    if used is None:
        raise _bin_absent(folder, sample, wanted, tuple(sorted(places)))
    if named_bin not in (None, used):
        messages.append(Message("handled", f"bin_size_um = {used}: {places[used].name} was used"))
    if wanted is None and used != PREFERRED_BIN_UM:
        others = f"; other values for bin_size_um: {_listed(set(places) - {used})}" if len(places) > 1 else ""
        messages.append(
            Message("handled", f"There are no bins of {PREFERRED_BIN_UM} µm; bins of {used} µm were used{others}.")
        )
    if naming.SEGMENTED in root.names():
        other = by_caller("unit='cells'", "--unit cells", "unit 'cells' in the samplesheet")
        messages.append(
            Message(
                "handled", f"The output also has {naming.SEGMENTED}; bins were read. To read its cells, use {other}."
            )
        )
    return _layout(
        Folder(places[used]),
        root,
        sample,
        messages,
        assay="visium_hd",
        bin_size_um=used,
        bins=tuple(sorted(places)),
    )


def _cell_layout(found: CellFolder, bin_size_um: int | None, sample: str, messages: list[Message]) -> OutsLayout:
    cells = found.files(sample)
    spatial = found.segmented.spatial()
    assert spatial is not None  # files() has looked
    if bin_size_um is not None:
        messages.append(Message("handled", f"bin_size_um = {bin_size_um} was ignored, because cells are read."))
    filtered = found.matrix("filtered")
    if filtered is None:
        messages.append(Message("handled", "Only the raw matrix of cells is available; all its cells were used."))
    return OutsLayout(
        root=found.root.path,
        assay="visium_hd",
        bin_size_um=None,
        bins_available=tuple(sorted(found.root.bins())) if found.root.is_hd_root() else (),
        spatial_dir=spatial.path,
        matrix_filtered=filtered,
        matrix_raw=found.matrix("raw"),
        matrix_alternative=None,
        positions=(),
        scalefactors=spatial.first(naming.SCALEFACTORS),
        images=_images(found.root.spatial()) | _images(spatial),
        metrics_summary=found.segmented.first(naming.METRICS_SUMMARY) or found.root.first(naming.METRICS_SUMMARY),
        messages=tuple(messages),
        cells=cells,
    )


def _bin_absent(folder: Folder, sample: str, wanted: int | None, there: tuple[int, ...]) -> BadInputError:
    found = ", ".join(f"{um} µm" for um in there) or "none"
    expected = "at least one folder square_XXXum" if wanted is None else f"bins of {wanted} µm"
    mend = f"set bin_size_um to one of: {_listed(there)}" if there else "provide the complete HD outs folder"
    return bad(folder.path / naming.BINNED, sample, f"bins of {found}", expected, mend)


def _listed(sizes: Collection[int]) -> str:
    return ", ".join(map(str, sorted(sizes)))


def _layout(
    folder: Folder,
    root: Folder,
    sample: str,
    messages: list[Message],
    *,
    assay: Assay,
    bin_size_um: int | None,
    bins: tuple[int, ...],
) -> OutsLayout:
    filtered, alternative = folder.matrix("filtered")
    raw, raw_alternative = folder.matrix("raw")
    if filtered is None and raw is not None:
        places = "spots" if bin_size_um is None else "bins"
        messages.append(Message("handled", f"Only the raw matrix is available; its {places} under tissue were used."))
        alternative = raw_alternative
    spatial = folder.spatial()
    problems = []
    if filtered is None and raw is None:
        expected = "filtered_feature_bc_matrix.h5 or its MEX folder"
        problems.append(Problem(sample, folder.path.name, "no count matrix", expected, "copy the whole outs folder"))
    if spatial is None:
        problems.append(
            Problem(
                sample,
                "spatial",
                f"no folder spatial in {folder.path.name}",
                "the folder spatial with tissue_positions and scalefactors_json.json",
                "provide the outs folder with both, or copy spatial of the same run next to the matrix",
            )
        )
        raise BadInputError(problems)
    positions = spatial.every(naming.POSITIONS)
    if not positions:
        problems.append(
            Problem(
                sample,
                "spatial/tissue_positions.csv",
                "no positions file",
                "tissue_positions.csv, tissue_positions_list.csv or tissue_positions.parquet",
                "copy it from the folder spatial of the same Space Ranger run",
            )
        )
    if problems:
        raise BadInputError(problems)
    return OutsLayout(
        root=root.path,
        assay=assay,
        bin_size_um=bin_size_um,
        bins_available=bins,
        spatial_dir=spatial.path,
        matrix_filtered=filtered,
        matrix_raw=raw,
        matrix_alternative=alternative,
        positions=tuple(positions),
        scalefactors=spatial.first(naming.SCALEFACTORS),
        images=_images(root.spatial()) | _images(spatial),
        metrics_summary=folder.first(naming.METRICS_SUMMARY) or root.first(naming.METRICS_SUMMARY),
        messages=tuple(messages),
    )


def _images(spatial: Folder | None) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in spatial.every(naming.IMAGE) if spatial else ():
        match = naming.IMAGE.match(path.name)
        if match:
            found.setdefault(naming.IMAGE_KINDS.get(match["kind"], match["kind"]), path)
    return found


def _bin_of(folder: Path) -> int | None:
    match = naming.BIN_FOLDER.match(folder.name)
    return int(match["um"]) if match else None


def _stated_bin_size(scalefactors: Path | None) -> int | None:
    """Bin size that the scale factors state: a bin folder under another name is still Visium HD."""
    if scalefactors is None:
        return None
    try:
        with open_binary(scalefactors) as file:
            return int(json.load(file)["bin_size_um"])
    except Exception:
        return None  # a broken file is reported by the reader of the scale factors


def _relative(path: Path, start: Path) -> str:
    return str(path.relative_to(start)) if path.is_relative_to(start) else path.name
