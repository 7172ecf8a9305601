"""Folders, names, links and file systems as they happen: what is staged, and that it reads as the folder itself does."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from clearspot.errors import BadInputError
from clearspot.io.layout import OutsLayout, find_outs

from .engine import REPO
from .scripts import run_script

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
    "a b", "run[2024]", "a{1,2}", "(x)", "star*", "what?", "dollar$HOME", "it's", 'say "x"', "semi;colon", "tick`x`",
    "per%20cent", "hash#1", "tilde~", "back\\slash", "amp&", "Größe", "試料", "-dash", "pipe|<x>", "plus+=,@:!^",
)  # fmt: skip


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
    (loop / "spatial/spatial").symlink_to(".")
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
    write(several, *(f"GSM{i:07d}_kidney_section_filtered_feature_bc_matrix.h5" for i in range(2500)))
    yield "a manifest above 128 KiB", Case(folder, "several", several)


def _layouts(folder: Path) -> Iterator[tuple[str, Case]]:
    def case(name: str, outs: Path, bin_size_um: int | None = None) -> tuple[str, Case]:
        return name, Case(folder, outs.relative_to(folder).as_posix(), outs, bin_size_um)

    yield case("parent of outs", write(folder / "run", *(f"outs/{place}" for place in (*VISIUM, *UNUSED))))
    yield case("matrix as MEX", write(folder / "mex", *MEX, *SPATIAL, *UNUSED))
    genome = [place.replace(".gz", "").replace("matrix/", "matrices/GRCh38/", 1).replace("features", "genes") for place in MEX]
    yield case("MEX below a genome", write(folder / "genome", *(p.replace("feature_bc", "gene_bc") for p in genome), *SPATIAL))
    flat = [f"GSM1_A_{place.removeprefix('spatial/')}.gz" for place in SPATIAL]
    yield case("prefixed and flattened", write(folder / "geo", *flat, "GSM1_A_filtered_feature_bc_matrix.h5", "README.txt"))
    lists = [f"GSM1_A_{Path(place).name}" for place in MEX]
    yield case("prefixed MEX", write(folder / "geo_mex", *flat, *lists))
    yield case("prefixed folder", write(folder / "geo_folder", "S1_filtered_feature_bc_matrix.h5", *(f"S1_{p}" for p in SPATIAL)))
    yield case("spatial in spatial", write(folder / "twice", VISIUM[0], *(f"spatial/{place}" for place in SPATIAL)))
    yield case("HD", write_hd(folder / "hd", 2, 8, 16))
    yield case("HD at 16 um", write_hd(folder / "hd16", 2, 8, 16), 16)
    yield case("HD without binned_outputs", write_hd(folder / "hd_flat", 8).joinpath("binned_outputs"))
    yield case("HD beside cells", write(write_hd(folder / "hd_cells", 8), "segmented_outputs/filtered_feature_cell_matrix.h5"))
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
            "where": case.where,
            "bin_size_um": case.bin_size_um,
            "zip": str(case.zip) if case.zip else None,
        }
        for name, case in cases.items()
    ]
    table = tmp_path_factory.mktemp("cases") / "cases.json"
    table.write_text(json.dumps(rows))
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
        return Path(os.path.relpath(path, unpack_to if path.is_relative_to(unpack_to) else layout.root))

    return replace(
        layout,
        root=Path(),
        **{
            name: relative(getattr(layout, name))
            for name in ("spatial_dir", "matrix_filtered", "matrix_raw", "matrix_alternative", "scalefactors", "metrics_summary")
        },
        positions=tuple(relative(path) for path in layout.positions),
        images={name: relative(path) for name, path in layout.images.items()},
        messages=(),
    )


def test_probe(staged, cases):
    for name, s in staged.items():
        print(repr(name), s.read, sorted(s.places)[:30], len(s.places))
    assert 0
