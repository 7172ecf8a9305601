"""From a sheet of references to a pretrained model, as the pipeline's two steps do one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from clearspot import keys
from clearspot.errors import BadInputError, Problem
from clearspot.io.samplesheet import SamplesheetRow
from clearspot.io.sheet_text import Entry, read_sheet, sheet_problem
from clearspot.record import StepRecord

REQUIRED: Final = ("sample", "spaceranger_dir")
_PATHS: Final = ("spaceranger_dir", "image", "image_alignment")
_NUMBERS: Final = ("bin_size_um", "microns_per_pixel")


def read_reference_sheet(path: Path) -> list[SamplesheetRow]:
    """Read the references of a samplesheet (CSV, TSV, YAML or JSON); rows whose ``role`` is ``query`` are passed over.

    Raises
    ------
    BadInputError
        With all problems of the sheet: missing columns, duplicated names, missing files.
    """
    sheet = read_sheet(path)
    problems = list(sheet.problems)
    for name in REQUIRED:
        if name not in sheet.columns:
            found, mend = f"no column '{name}' among: {', '.join(sheet.columns)}", f"add the column '{name}'"
            problems.append(sheet_problem(path, None, found, f"the columns {', '.join(REQUIRED)}", mend))
    if problems:
        raise BadInputError(problems)
    rows: list[SamplesheetRow] = []
    entries = [entry for entry in sheet.entries if entry.values.get("role", "reference") == "reference"]
    for entry in entries:
        wrong = list(_problems(path, entry, [row.sample for row in rows]))
        problems += wrong
        if not wrong:
            rows.append(_row(entry))
    if not entries:
        problems.append(
            sheet_problem(
                path, None, "no references", "one row per reference", "add a row with sample and spaceranger_dir"
            )
        )
    if problems:
        raise BadInputError(problems)
    return rows


def pretrain_sheet(
    path: Path, output: Path, *, bin_um: float, image_encoder: str | None = None, **options: Any
) -> list[StepRecord]:
    """Lay the references of a sheet onto bins and train a model on them.

    Parameters
    ----------
    path
        The sheet.
    output
        Model file to write; the record of the training goes beside it, as ``STEM.superres_pretrain.json``.
    bin_um
        Side of the bins.
    image_encoder
        See :class:`clearspot.diffst.params.DiffstParams`.
    options
        ``preset``, ``skip_bad_references`` and fields of :class:`clearspot.diffst.params.DiffstParams`.

    Returns
    -------
    The records of the steps.
    """
    from clearspot.diffst.data.reference_file import prepare_reference
    from clearspot.diffst.output.command import pretrain_files
    from clearspot.diffst.output.pretraining import PRETRAIN_STEP

    rows = read_reference_sheet(path)
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".references-", dir=output.parent) as temporary:
        folder = Path(temporary)
        records = [
            prepare_reference(
                Path(row.spaceranger_dir),
                folder,
                row.sample,
                bin_um=bin_um,
                image=None if row.image is None else Path(row.image),
                image_alignment=None if row.image_alignment is None else Path(row.image_alignment),
                bin_size_um=row.bin_size_um,
                microns_per_pixel=row.microns_per_pixel,
                image_encoder=image_encoder,
                threads=options.get("threads"),
            )
            for row in rows
        ]
        prepared = tuple(folder / keys.reference_name(row.sample) for row in rows)
        records.append(pretrain_files(prepared, folder, bin_um=bin_um, **options))
        (folder / keys.PRETRAINED_NAME).replace(output)
    records[-1].write(output.with_name(f"{output.stem}.{PRETRAIN_STEP}.json"))
    return records


def _problems(path: Path, entry: Entry, seen: list[str]) -> Iterator[Problem]:
    values = entry.values
    sample = str(values.get("sample", path.name))
    for name in REQUIRED:
        if name not in values:
            yield Problem(sample, f"{path.name}, {entry.where}", f"no {name}", f"a {name}", f"fill in {name}")
    if sample in seen:
        yield Problem(sample, f"{path.name}, {entry.where}", "a duplicated name", "unique names", "rename one of them")
    for name in _PATHS:
        if name in values and not Path(str(values[name])).exists():
            found, expected = f"{name} {values[name]}: no such file", "an existing file or folder"
            yield Problem(sample, f"{path.name}, {entry.where}", found, expected, "Correct the path.")
    for name in _NUMBERS:
        try:
            valid = name not in values or float(values[name]) > 0
        except ValueError:
            valid = False
        if not valid:
            found, expected = f"{name} {values[name]}", "a number above 0"
            yield Problem(
                sample, f"{path.name}, {entry.where}", found, expected, "Correct the number, or leave it out."
            )


def _row(entry: Entry) -> SamplesheetRow:
    values = entry.values
    image, alignment = (str(values[name]) if name in values else None for name in _PATHS[1:])
    side, scale = (float(values[name]) if name in values else None for name in _NUMBERS)
    return SamplesheetRow(
        sample=str(values["sample"]),
        spaceranger_dir=str(values["spaceranger_dir"]),
        image=image,
        image_alignment=alignment,
        role="reference",
        bin_size_um=None if side is None else int(side),
        microns_per_pixel=scale,
    )
