"""Every reader of a user's file reads changed bytes or says what is wrong with the file; no other error comes out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clearspot.errors import BadInputError, Problem
from clearspot.io.archive import unpack
from clearspot.io.image import probe_image, read_downscaled
from clearspot.io.matrix import read_barcode_totals, read_matrix
from clearspot.io.metrics_summary import read_metrics_summary
from clearspot.io.positions import read_positions
from clearspot.io.samplesheet import read_samplesheet
from clearspot.io.scalefactors import read_scalefactors
from tests.helpers.outs_factory import make_outs

REPO = Path(__file__).resolve().parents[3]
SCHEMA = REPO / "assets" / "schema_input.json"

TEXTS = ("scalefactors_json.json", "metrics_summary.csv", "sheet.csv", "sheet.yaml", "sheet.json")

fuzzed = settings(max_examples=60, deadline=None, derandomize=True)


def _image(path: Path, sample: str) -> None:
    probe_image(path, sample)
    read_downscaled(path, sample, 64)


def _matrix(path: Path, sample: str) -> None:
    read_barcode_totals(path, sample)
    read_matrix(path, sample)


def _archive(path: Path, sample: str) -> None:
    place = path.parent / "unpacked"
    try:
        unpack(path, place, sample, max_bytes=10_000_000)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _sheet(path: Path, sample: str) -> None:
    read_samplesheet(path, SCHEMA)


READERS: dict[str, Callable[[Path, str], Any]] = {
    "matrix.h5": _matrix,
    "matrix.mtx.gz": _matrix,
    "barcodes.tsv.gz": lambda path, sample: _matrix(path.with_name("matrix.mtx.gz"), sample),
    "features.tsv.gz": lambda path, sample: _matrix(path.with_name("matrix.mtx.gz"), sample),
    "tissue_positions_list.csv": read_positions,
    "tissue_positions.csv.gz": read_positions,
    "tissue_positions.parquet": read_positions,
    "scalefactors_json.json": read_scalefactors,
    "metrics_summary.csv": read_metrics_summary,
    "tissue_hires_image.png": _image,
    "tissue_hires_image.jpg": _image,
    "tissue_hires_image.png.gz": _image,
    "image.tif": _image,
    "image_deflate.tif": _image,
    "outs.tar.gz": _archive,
    "outs.tar": _archive,
    "outs.zip": _archive,
    "sheet.csv": _sheet,
    "sheet.tsv": _sheet,
    "sheet.yaml": _sheet,
    "sheet.json": _sheet,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A sound file of each kind."""
    folder = tmp_path_factory.mktemp("sound")
    outs = make_outs(folder / "outs", matrix="both", n_rows=6, n_cols=6, n_genes=8).root
    files = {path.name: path.read_bytes() for path in outs.rglob("*") if path.is_file()}
    files["matrix.h5"] = files["filtered_feature_bc_matrix.h5"]
    files["tissue_positions.csv.gz"] = gzip.compress(files["tissue_positions_list.csv"])
    files["tissue_hires_image.png.gz"] = gzip.compress(files["tissue_hires_image.png"])
    positions = pd.read_csv(io.BytesIO(files["tissue_positions_list.csv"]), header=None)
    positions.columns = ["barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"]
    positions.to_parquet(folder / "positions")
    files["tissue_positions.parquet"] = (folder / "positions").read_bytes()
    pixels = np.random.default_rng(0).integers(0, 256, (48, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "image.jpg")
    files["tissue_hires_image.jpg"] = (folder / "image.jpg").read_bytes()
    for name, options in (("image.tif", {}), ("image_deflate.tif", {"tile": (16, 16), "compression": "deflate"})):
        tifffile.imwrite(folder / name, pixels, photometric="rgb", **options)
        files[name] = (folder / name).read_bytes()
    for name, mode in (("outs.tar.gz", "w:gz"), ("outs.tar", "w")):
        with tarfile.open(folder / name, mode) as tar:
            tar.add(outs / "spatial", "outs/spatial")
        files[name] = (folder / name).read_bytes()
    with zipfile.ZipFile(folder / "outs.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted((outs / "spatial").iterdir()):
            packed.write(path, f"outs/{path.name}")
    files["outs.zip"] = (folder / "outs.zip").read_bytes()
    rows = [{"sample": "s1", "spaceranger_dir": "a/outs", "image": "a.tif"}, {"sample": "s2", "spaceranger_dir": "b"}]
    files["sheet.json"] = json.dumps(rows).encode()
    files["sheet.yaml"] = (
        b"- sample: s1\n  spaceranger_dir: a/outs\n- {sample: s2, spaceranger_dir: b, bin_size_um: 8}\n"
    )
    for name, separator in (("sheet.csv", ","), ("sheet.tsv", "\t")):
        text = io.StringIO()
        writer = csv.DictWriter(text, ["sample", "spaceranger_dir", "image"], delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
        files[name] = text.getvalue().encode()
    return {name: files[name] for name in READERS}


@pytest.fixture
def place(tmp_path: Path, sound: dict[str, bytes]) -> Path:
    """Folder of the sound files, one of which is to be changed."""
    for name, content in sound.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@st.composite
def changes(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """One of: cut short, bits flipped, a stretch overwritten, a stretch repeated, bytes put in."""
    kind = draw(st.sampled_from(["cut", "flip", "overwrite", "repeat", "insert"]))
    where, length = draw(st.floats(0, 1)), draw(st.integers(1, 64))
    added = draw(st.one_of(st.binary(min_size=1, max_size=32), st.sampled_from([b"\0" * 32, b"\xff" * 32, b"9" * 32])))
    flips = draw(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=8))

    def change(content: bytes) -> bytes:
        at = round(where * len(content))
        if kind == "cut":
            return content[:at]
        if kind == "flip":
            changed = bytearray(content)
            for place, bit in flips:
                changed[int(place * len(content))] ^= 1 << bit
            return bytes(changed)
        if kind == "overwrite":
            return content[:at] + added + content[at + len(added) :]
        if kind == "repeat":
            return content[:at] + content[at : at + length] * 3 + content[at + length :]
        return content[:at] + added + content[at:]

    return change


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", READERS)
def test_changed_file_is_read_or_refused(place: Path, sound: dict[str, bytes], name: str) -> None:
    refused = []

    @fuzzed
    @given(change=changes())
    def examine(change: Callable[[bytes], bytes]) -> None:
        (place / name).write_bytes(change(sound[name]))
        try:
            READERS[name](place / name, "S1")
        except BadInputError as error:
            refused.extend(error.problems)

    READERS[name](place / name, "S1")
    examine()
    assert refused
    assert all(isinstance(problem, Problem) and all(problem.as_dict().values()) for problem in refused)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", TEXTS)
def test_any_text_is_read_or_refused(place: Path, name: str) -> None:
    refused = []

    @fuzzed
    @given(text=st.text(max_size=200))
    def examine(text: str) -> None:
        (place / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            READERS[name](place / name, "S1")
        except BadInputError as error:
            refused.extend(error.problems)

    examine()
    assert refused
    assert all(all(problem.as_dict().values()) for problem in refused)
