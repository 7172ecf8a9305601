"""Odd folders, names, links and file systems: what is staged, and that it reads as the folder itself does."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from clearspot import keys
from clearspot.contract.run_names import RUN_NAMES
from clearspot.errors import BadInputError
from clearspot.io.layout import OutsLayout, find_outs
from tests.helpers.engine import REPO, Run, run_pipeline
from tests.helpers.task_scripts import run_script

SPATIAL = (
    "spatial/tissue_positions.csv",
    "spatial/scalefactors_json.json",
    "spatial/tissue_hires_image.png",
    "spatial/tissue_lowres_image.png",
    "spatial/detected_tissue_image.jpg",
    "spatial/aligned_fiducials.jpg",
)
VISIUM = ("filtered_feature_bc_matrix.h5", "raw_feature_bc_matrix.h5", "metrics_summary.csv", *SPATIAL)
MEX = tuple(f"filtered_feature_bc_matrix/{name}.gz" for name in ("matrix.mtx", "barcodes.tsv", "features.tsv"))
UNUSED = (
    "possorted_genome_bam.bam",
    "web_summary.html",
    "cloupe.cloupe",
    "molecule_info.h5",
    "analysis/clustering/clusters.csv",
    "spatial/spatial_enrichment.csv",
    ".hidden_filtered_feature_bc_matrix.h5",
)
ODD_NAMES = (
    "a b", "run[2024]", "a{1}", "(x)", "star*", "what?", "it's", 'say "x"', "semi;colon", "tick`x`",
    "per%20cent", "hash#1", "tilde~", "back\\slash", "amp&", "Größe", "試料", "-dash", "pipe|<x>", "plus+=,@:!^",
)  # fmt: skip
LONG_MANIFEST = "a manifest above 128 KiB"


@dataclass(frozen=True)
class Case:
    """One sample: where its sheet lies and what the sheet says, and the folder that is meant."""

    sheet_folder: Path | str
    where: str
    meant: Path
    bin_size_um: int | None = None
    zip: Path | None = None


@dataclass(frozen=True)
class Staged:
    """What a task got: the path to read, and the places of all files below the folder outs."""

    read: Path
    places: set[str]


def write(folder: Path, *places: str) -> Path:
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}" if path.suffix == ".json" else place)
    return folder


def write_hd(folder: Path, *sides: int) -> Path:
    for side in sides:
        bins = folder / "binned_outputs" / f"square_{side:03d}um"
        write(bins, "filtered_feature_bc_matrix.h5", "filtered_feature_cell_matrix.h5", *SPATIAL)
        (bins / "spatial" / "scalefactors_json.json").write_text(json.dumps({"bin_size_um": side}))
    return write(folder, "spatial/cytassist_image.tiff", "metrics_summary.csv", "feature_slice.h5")


def _links(folder: Path) -> Iterator[tuple[str, Case]]:
    loop = write(folder / "loop/outs", *VISIUM)
    (loop / "up").symlink_to("..")
    yield "a link to the parent in outs", Case(folder, str(loop), loop)
    above = write(folder / "above/run/outs", *VISIUM).parent
    (above / "up").symlink_to("..")
    (above / "again").symlink_to("outs")
    (above / "here").symlink_to(".")
    yield "links to the parent and to outs beside outs", Case(folder, str(above), above / "outs")
    (folder / "linked").symlink_to(write(folder / "target", *VISIUM))
    yield "outs is a link", Case(folder, "linked", folder / "target")
    dangling = write(folder / "dangling", *VISIUM[1:])
    (dangling / "filtered_feature_bc_matrix.h5").symlink_to("/nowhere/matrix.h5")
    yield "a link that leads nowhere", Case(folder, "dangling", dangling)


def _many(folder: Path) -> Iterator[tuple[str, Case]]:
    crowded = write(folder / "crowded", *VISIUM, *MEX, *UNUSED)
    write(crowded, *(f"tile_{i:04d}.tif" for i in range(2000)), *(f"spatial/cell_{i:04d}.csv" for i in range(2000)))
    yield "4000 files beside the matrices", Case(folder, "crowded", crowded)
    several = folder / "several"
    write(several, *(f"GSM{i:07d}_{'kidney_' * 28}filtered_feature_bc_matrix.h5" for i in range(600)))
    yield LONG_MANIFEST, Case(folder, "several", several)


def _layouts(folder: Path) -> Iterator[tuple[str, Case]]:
    def case(name: str, outs: Path, bin_size_um: int | None = None) -> tuple[str, Case]:
        return name, Case(folder, outs.relative_to(folder).as_posix(), outs, bin_size_um)

    yield case("parent of outs", write(folder / "run", *(f"outs/{place}" for place in (*VISIUM, *UNUSED))))
    yield case("matrix as MEX", write(folder / "mex", *MEX, *SPATIAL, *UNUSED))
    genome = [
        place.replace(".gz", "").replace("matrix/", "matrices/GRCh38/", 1).replace("features", "genes") for place in MEX
    ]
    yield case(
        "MEX below a genome", write(folder / "genome", *(p.replace("feature_bc", "gene_bc") for p in genome), *SPATIAL)
    )
    flat = [f"GSM1_A_{place.removeprefix('spatial/')}.gz" for place in SPATIAL]
    yield case(
        "prefixed and flattened", write(folder / "geo", *flat, "GSM1_A_filtered_feature_bc_matrix.h5", "README.txt")
    )
    lists = [f"GSM1_A_{Path(place).name}" for place in MEX]
    yield case("prefixed MEX", write(folder / "geo_mex", *flat, *lists))
    yield case(
        "prefixed folder",
        write(folder / "geo_folder", "S1_filtered_feature_bc_matrix.h5", *(f"S1_{p}" for p in SPATIAL)),
    )
    yield case("spatial in spatial", write(folder / "twice", VISIUM[0], *(f"spatial/{place}" for place in SPATIAL)))
    yield case("HD", write_hd(folder / "hd", 2, 8, 16))
    yield case("HD at 16 um", write_hd(folder / "hd16", 2, 8, 16), 16)
    yield case(
        "HD without binned_outputs", (write_hd(folder / "hd_whole", 8) / "binned_outputs").rename(folder / "hd_flat")
    )
    yield case(
        "HD beside cells", write(write_hd(folder / "hd_cells", 8), "segmented_outputs/filtered_feature_cell_matrix.h5")
    )
    archive = write(folder / "parts", "filtered_feature_bc_matrix.h5") / "S1_spatial.zip"
    with zipfile.ZipFile(archive, "w") as content:
        for place in SPATIAL:
            content.writestr(place, "{}")
    yield case("spatial as an archive", folder / "parts")


def _unread(folder: Path) -> Iterator[tuple[str, Case]]:
    yield "not there", Case(folder, "absent/outs", folder / "absent/outs")
    yield "no matrix", Case(folder, "empty", write(folder / "empty", "analysis/clusters.csv", "web_summary.html"))
    cells = write(folder / "cells/segmented_outputs", "filtered_feature_cell_matrix.h5", *SPATIAL)
    yield "cells alone", Case(folder, "cells", cells.parent)
    yield "folder of cells", Case(folder, "cells/segmented_outputs", cells)
    yield "HD bins of 24 and 32 um", Case(folder, "custom", write_hd(folder / "custom", 24, 32))
    yield "HD bins of 32 um given", Case(folder, "custom", folder / "custom", 32)


def _in_zip(folder: Path) -> Iterator[tuple[str, Case]]:
    outs = write(folder / "zipped/data/outs", *VISIUM, *UNUSED)
    with zipfile.ZipFile(folder / "bucket.zip", "w") as content:
        for path in sorted(outs.rglob("*")):
            content.write(path, path.relative_to(folder / "zipped"))
    for name, sheet_folder, where in (
        ("in another file system", "/", "data/outs"),
        ("in another file system, one folder up", "/sheets/2024", "../../data/./outs"),
    ):
        yield name, Case(sheet_folder, where, outs, zip=folder / "bucket.zip")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    made: dict[str, Case] = {}
    for make in (_links, _many, _layouts, _unread, _in_zip):
        made |= make(tmp_path_factory.mktemp("samples"))
    odd = tmp_path_factory.mktemp("odd")
    for name in ODD_NAMES:
        sheet_folder = odd / name
        made[name] = Case(sheet_folder, f"sub {name}/outs", write(sheet_folder / f"sub {name}/outs", *VISIUM))
    return made


@pytest.fixture(scope="module")
def staged(cases: dict[str, Case], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Staged]:
    """Every case, taken through the pipeline's own listing and staging in one run."""
    folder = tmp_path_factory.mktemp("staging run [1]")
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "sheet_folder": str(case.sheet_folder),
            "spaceranger_dir": case.where,
            "bin_size_um": case.bin_size_um,
            "zip": str(case.zip) if case.zip else None,
        }
        for name, case in cases.items()
    ]
    table = tmp_path_factory.mktemp("cases") / "cases.json"
    table.write_text(json.dumps(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C")  # the launcher sees to one with these letters
        run = run_script(folder, REPO / "tests/nf/staging.nf", "--cases", str(table), tools=REPO / "bin")
    assert run.exit_code == 0, run.log
    found = {}
    for _, task in run.trace.iterrows():
        outs = Path(task["workdir"]) / "outs"
        read = Path(task["workdir"]) / (Path(task["workdir"]) / "read.txt").read_text().rstrip("\n")
        files = {str(path.relative_to(outs)) for path in outs.rglob("*") if path.is_file()}
        found[task["tag"]] = Staged(read, files)
    assert set(found) == set(cases)
    return found


def _layout(root: Path, bin_size_um: int | None, unpack_to: Path) -> OutsLayout:
    """Layout with paths relative to the folder that was found."""
    layout = find_outs(root, "s", bin_size_um=bin_size_um, unpack_to=unpack_to)

    def relative(path: Path | None) -> Path | None:
        if path is None:
            return None
        if path.is_relative_to(unpack_to):
            return Path(*path.relative_to(unpack_to).parts[1:])  # below a folder of any name
        return path.relative_to(layout.root)

    return replace(
        layout,
        root=Path(),
        **{
            name: relative(getattr(layout, name))
            for name in (
                "spatial_dir",
                "matrix_filtered",
                "matrix_raw",
                "matrix_alternative",
                "scalefactors",
                "metrics_summary",
            )
        },
        positions=tuple(relative(path) for path in layout.positions),
        images={name: relative(path) for name, path in layout.images.items()},
        messages=(),
    )


def _outcome(root: Path, bin_size_um: int | None, unpack_to: Path) -> OutsLayout | str:
    try:
        return _layout(root, bin_size_um, unpack_to)
    except BadInputError as error:
        return error.problems[0].found


def test_what_is_staged_reads_as_the_folder_itself(
    cases: dict[str, Case], staged: dict[str, Staged], tmp_path: Path
) -> None:
    differing = {
        name: (here, there)
        for name, case in cases.items()
        if name != LONG_MANIFEST  # the library needs minutes to name hundreds of samples in one folder
        and (here := _outcome(staged[name].read, case.bin_size_um, tmp_path))
        != (there := _outcome(case.meant, case.bin_size_um, tmp_path))
    }
    assert differing == {}


def test_odd_names_are_staged_whole(staged: dict[str, Staged]) -> None:
    assert [name for name in ODD_NAMES if staged[name].places != set(VISIUM)] == []


def test_only_files_that_are_read_are_staged_each_once(staged: dict[str, Staged]) -> None:
    bins = "binned_outputs/square_{:03d}um"
    other = {f"{bins.format(um)}/spatial/scalefactors_json.json" for um in (2, 8, 16)}
    hd = {"spatial/cytassist_image.tiff", "metrics_summary.csv", *other}
    expected = {
        "a link to the parent in outs": set(VISIUM),
        "links to the parent and to outs beside outs": {f"outs/{place}" for place in VISIUM},
        "4000 files beside the matrices": {*VISIUM, *MEX},
        "parent of outs": {f"outs/{place}" for place in VISIUM},
        "HD": hd | {f"{bins.format(8)}/{place}" for place in (VISIUM[0], *SPATIAL)},
        "HD at 16 um": hd | {f"{bins.format(16)}/{place}" for place in (VISIUM[0], *SPATIAL)},
        "in another file system": set(VISIUM),
        "in another file system, one folder up": set(VISIUM),
    }
    assert {name: staged[name].places for name in expected} == expected


def test_manifest_may_be_longer_than_an_argument(staged: dict[str, Staged]) -> None:
    outs = staged[LONG_MANIFEST].read
    assert (outs.parent / "manifest.json").stat().st_size > 128 * 1024
    assert len(staged[LONG_MANIFEST].places) == 600


def test_link_that_leads_nowhere_is_named_by_its_target(cases: dict[str, Case], staged: dict[str, Staged]) -> None:
    link = staged["a link that leads nowhere"].read / "filtered_feature_bc_matrix.h5"
    assert link.readlink() == cases["a link that leads nowhere"].meant / "filtered_feature_bc_matrix.h5"
    assert not link.exists()


def test_folder_that_is_not_there_is_named_as_it_was_given(cases: dict[str, Case], staged: dict[str, Staged]) -> None:
    assert staged["not there"].read == cases["not there"].meant


def _run_one(folder: Path, name: str, tools: Path) -> Run:
    write(folder / name / "outs", *VISIUM)
    table = folder / "cases.json"
    table.write_text(json.dumps([{"name": "s", "sheet_folder": str(folder), "spaceranger_dir": f"{name}/outs"}]))
    return run_script(folder / "launch", REPO / "tests/nf/staging.nf", "--cases", str(table), tools=tools)


def test_locale_without_these_letters_is_named_before_any_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # without this tool the launcher leaves the locale as it is, as a user's own Nextflow does
    tool = tmp_path / "tools" / "locale"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("LC_ALL", "C")
    run = _run_one(tmp_path, "Größe", tool.parent)
    assert run.exit_code != 0
    assert "has characters that Nextflow cannot encode in the current locale" in run.log
    assert "export LC_ALL=C.UTF-8" in run.log
    assert "Submitted process" not in run.log


@pytest.mark.parametrize("name", ["a{1,2}", "a$HOME"])
def test_name_that_cannot_be_staged_is_said_before_any_task(tmp_path: Path, name: str) -> None:
    run = _run_one(tmp_path, name, REPO / "bin")
    assert run.exit_code != 0
    what = "a variable like $HOME, a list in braces or a line break"
    assert f"characters that Nextflow cannot stage ({what}): {tmp_path}/{name}" in run.log
    assert "Submitted process" not in run.log


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A stub run whose every path is odd."""
    folder = tmp_path_factory.mktemp("odd") / "run [1] {x} (y) Größe *"
    write(folder / "sample [a] (b)/outs", *VISIUM)
    write(folder, "genes [1].txt")
    sheet = folder / "sheet [1].csv"
    sheet.write_text("sample,spaceranger_dir\nsection_1,sample [a] (b)/outs\n")
    files = ("--genes_of_interest", str(folder / "genes [1].txt"))
    arguments = ("-profile", "test", "-stub-run", "--input", str(sheet), *files)
    return run_pipeline(folder / "launch [1]", *arguments, outdir=folder / "results {1} [2] it's")


def test_results_go_to_the_outdir_that_was_given(odd_run: Run) -> None:
    assert odd_run.exit_code == 0, odd_run.log
    assert (odd_run.outdir / "section_1" / "section_1_report.html").is_file()
    assert set(odd_run.trace["status"]) == {"COMPLETED"}


def test_names_that_no_sample_can_have_are_those_beside_the_samples(odd_run: Run) -> None:
    beside = {path.name for path in odd_run.outdir.iterdir()} - {"section_1"}
    not_here = {keys.COHORT, "work", "references", "studies"}  # no reference and no study is named in this run
    assert beside == set(RUN_NAMES) - not_here


@pytest.mark.parametrize("title", ["2024", "it's 5 o'clock"])
def test_title_of_the_report_may_be_a_number_or_have_quotes(tmp_path: Path, title: str) -> None:
    run = run_script(tmp_path, REPO / "tests/nf/cohort_title.nf", "--multiqc_title", title)
    assert run.exit_code == 0, run.log
    arguments = Path(run.trace["workdir"].iloc[0]) / "arguments.txt"
    assert arguments.read_text().splitlines() == ["--title", title]


def test_folder_that_may_not_be_looked_into_is_left_for_the_check_to_name(tmp_path: Path) -> None:
    outs = write(tmp_path / "closed" / "outs", *VISIUM)
    (outs / "spatial").chmod(0)
    tools = tmp_path / "tools"
    tools.mkdir()
    # root may look into every folder, unless it gives that up
    drop = "setpriv --bounding-set=-dac_override,-dac_read_search" if os.geteuid() == 0 else ""
    (tools / "java").write_text(f'#!/bin/sh\nexec {drop} {shutil.which("java")} "$@"\n')
    (tools / "java").chmod(0o755)
    (tools / "link_outs.py").symlink_to(REPO / "bin/link_outs.py")
    run = _run_one(tmp_path, "closed", tools)
    (outs / "spatial").chmod(0o755)
    assert run.exit_code == 0, run.log
    staged = Path(run.trace["workdir"].iloc[0]) / "outs"
    assert (staged / "spatial").readlink() == outs / "spatial"
    assert (staged / "filtered_feature_bc_matrix.h5").is_file()
