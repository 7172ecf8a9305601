"""Files made to mislead a reader: each is refused by a message, soon, and without taking the memory that it claims."""

from __future__ import annotations

import gzip
import io
import json
import resource
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clearspot.errors import BadInputError
from clearspot.io.archive import unpack
from clearspot.io.image import read_downscaled, read_rgb
from clearspot.io.matrix import read_matrix
from clearspot.io.metrics_summary import read_metrics_summary
from clearspot.io.positions import read_positions
from clearspot.io.samplesheet import read_samplesheet
from clearspot.io.scalefactors import read_scalefactors
from tests.helpers.outs_factory import make_outs

REPO = Path(__file__).resolve().parents[3]
MAX_GROWTH = 600 * 1024**2

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def _little_memory() -> Iterator[None]:
    """Fail a test during which the process grew by more than a reader of a small file may need."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MAX_GROWTH


@pytest.fixture
def h5(tmp_path: Path) -> Path:
    """A sound matrix to spoil."""
    outs = make_outs(tmp_path / "outs", n_rows=6, n_cols=6, n_genes=8).root
    return outs / "filtered_feature_bc_matrix.h5"


def _replace(group: h5py.Group, name: str, **how: object) -> None:
    del group[name]
    group.create_dataset(name, **how)


def _huge(name: str) -> Callable[[h5py.Group], None]:
    return lambda group: _replace(group, name, shape=(10**12,), dtype="i8", chunks=(10**6,), compression="gzip")


SPOILT_H5: dict[str, Callable[[h5py.Group], None]] = {
    **{f"{name} of a trillion entries": _huge(name) for name in ("data", "indices", "indptr", "barcodes")},
    "ids of a trillion features": lambda group: _huge("id")(group["features"]),
    "shape with no number": lambda group: _replace(group, "shape", data=np.array([b"a", b"b"])),
    "shape of one side": lambda group: _replace(group, "shape", data=[8]),
    "negative indices": lambda group: group["indices"].write_direct(np.full(group["indices"].shape, -1, dtype="i8")),
    "counts that are text": lambda group: _replace(group, "data", data=np.array([b"x"] * group["data"].shape[0])),
    "counts that are not numbers": lambda group: _replace(group, "data", data=np.full(group["data"].shape, np.nan)),
    "counts beyond 32 bits": lambda group: _replace(group, "data", data=np.full(group["data"].shape, 2**40)),
    "data that is a group": lambda group: (group.pop("data"), group.create_group("data")),
    "a link to another file": lambda group: group.__setitem__("data2", h5py.ExternalLink("/etc/passwd", "/x")),
    "data in another file": lambda group: _replace(
        group, "data", shape=(4,), dtype="i4", external=[("/etc/passwd", 0, 16)]
    ),
    "a link to itself": lambda group: (group.pop("data"), group.__setitem__("data", h5py.SoftLink("/matrix/data"))),
}


@pytest.mark.parametrize("spoil", SPOILT_H5.values(), ids=SPOILT_H5.keys())
def test_misleading_h5_is_refused(h5: Path, spoil: Callable[[h5py.Group], None]) -> None:
    with h5py.File(h5, "r+") as file:
        spoil(file["matrix"])
    with pytest.raises(BadInputError):
        read_matrix(h5, "S1")


def _png(width: int, height: int) -> bytes:
    """A PNG's header that claims a size, with hardly any pixels after it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [30_000, 31_000, 2**31 - 1])
@pytest.mark.parametrize("reader", [read_rgb, lambda path, sample: read_downscaled(path, sample, 100)])
def test_png_that_claims_more_than_it_holds_is_refused(tmp_path: Path, side: int, reader: Callable) -> None:
    (tmp_path / "tissue_hires_image.png").write_bytes(_png(side, side))
    with pytest.raises(BadInputError):
        reader(tmp_path / "tissue_hires_image.png", "S1")


def test_gzipped_image_that_unpacks_to_very_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearspot.io.image.MAX_UNPACKED_BYTES", 1024**2)
    (tmp_path / "image.png.gz").write_bytes(gzip.compress(b"\0" * 200 * 1024**2, 1))
    with pytest.raises(BadInputError, match="when unpacked"):
        read_rgb(tmp_path / "image.png.gz", "S1")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"tissue_hires_scalef": 1' + "0" * 400 + "}",
        '{"tissue_hires_scalef": 1e999}',
        '{"tissue_hires_scalef": NaN}',
        '{"tissue_hires_scalef": {"a": 1}}',
        '{"tissue_hires_scalef": "0.1"}',
        '"text"',
        "{}",
    ],
)
def test_misleading_scale_factors_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scalefactors_json.json").write_text(text)
    with pytest.raises(BadInputError):
        read_scalefactors(tmp_path / "scalefactors_json.json", "S1")


@pytest.mark.parametrize(
    "text",
    [
        "barcode,in_tissue,In_Tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\nA,1,1,0,0,1,1\n",
        "A,1,1e300,0,1,1\n",
        "A,1,99999999999,0,1,1\n",
        "A,1,0,0,inf,1\n",
        "A,1,0,0,0x10,1\n",
        "barcode\nA\n",
        "\0\0\0\0",
        "A," * 100_000,
        '"' + "A" * 1_000_000,
    ],
)
def test_misleading_positions_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tissue_positions.csv").write_text(text)
    with pytest.raises(BadInputError):
        read_positions(tmp_path / "tissue_positions.csv", "S1")


@pytest.mark.parametrize("odd", [[[1, 2]], [{"a": 1}], [None], [b"\xff"], []])
def test_parquet_of_other_types_is_refused(tmp_path: Path, odd: list[object]) -> None:
    names = ["barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres"]
    pq.write_table(pa.table({name: pa.array(odd) for name in names}), tmp_path / "tissue_positions.parquet")
    with pytest.raises(BadInputError):
        read_positions(tmp_path / "tissue_positions.parquet", "S1")


def test_metrics_with_a_short_line_are_read(tmp_path: Path) -> None:
    (tmp_path / "metrics_summary.csv").write_text("Sample ID,Number of Reads,Note\nlib1\n")
    assert read_metrics_summary(tmp_path / "metrics_summary.csv", "S1") == {"Sample ID": "lib1"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sheet.yaml", "\n".join(["- &a0 [x, x]", *(f"- &a{n} [{f'*a{n - 1}, ' * 9}]" for n in range(1, 40))])),
        ("sheet.yaml", "- !!python/object/apply:os.system ['touch made']"),
        ("sheet.yaml", "[" * 5_000),
        ("sheet.json", "[" * 200_000),
        ("sheet.csv", "sample,spaceranger_dir\n" + "a,b\n" * 3_000_000),
        ("sheet.json", '[{"sample": ["a"], "spaceranger_dir": {"b": 1}}]'),
        ("sheet.csv", "sample,spaceranger_dir\n" + "a" * 2_000_000 + ",b\n"),
        ("sheet.csv", 'sample,spaceranger_dir\n"a' + "\n" * 1000),
        ("sheet.csv", "sample," * 5000),
    ],
)
def test_misleading_sheet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInputError):
        read_samplesheet(tmp_path / name, REPO / "assets" / "schema_input.json")
    assert [path.name for path in tmp_path.iterdir()] == [name]


SHELL_WORDS = [
    "$(touch made)",
    "`touch made`",
    "a;touch made",
    "a|b",
    "a&b",
    "a b",
    "a'b",
    'a"b',
    "a\nb",
    "../a",
    "a/b",
    "-a",
    ".",
]


@pytest.mark.parametrize("sample", SHELL_WORDS)
def test_sample_name_that_a_shell_would_read_is_refused(tmp_path: Path, sample: str) -> None:
    (tmp_path / "sheet.json").write_text(json.dumps([{"sample": sample, "spaceranger_dir": "outs"}]))
    with pytest.raises(BadInputError, match="unique name of letters"):
        read_samplesheet(tmp_path / "sheet.json", REPO / "assets" / "schema_input.json")


def _tar(name: bytes, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        member = tarfile.TarInfo("X" * len(name))
        member.type, member.linkname = kind, target
        tar.addfile(member)
    block = bytearray(packed.getvalue())
    block[: len(name)] = name
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block[:512]):06o}\0 ".encode()
    return bytes(block)


@pytest.mark.parametrize(
    "content",
    [
        _tar(b"../../made"),
        _tar(b"/tmp/made"),
        _tar(b"a/../../made"),
        _tar(b"link", tarfile.SYMTYPE, "/etc/passwd"),
        _tar(b"link", tarfile.SYMTYPE, "../../.."),
        _tar(b"link", tarfile.LNKTYPE, "../../outs.tar"),
        _tar(b"pipe", tarfile.FIFOTYPE),
        _tar(b"device", tarfile.CHRTYPE),
    ],
    ids=["parent", "absolute", "through", "link", "link up", "hard link", "pipe", "device"],
)
def test_archive_that_reaches_outside_writes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "outs.tar").write_bytes(content)
    (tmp_path / "work").mkdir()
    with pytest.raises(BadInputError):
        unpack(tmp_path / "outs.tar", tmp_path / "work", "S1")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["outs.tar", "work"]


def test_zip_that_unpacks_to_more_than_allowed_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "outs.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("outs/a", b"\0" * 50_000_000)
    with pytest.raises(BadInputError, match="more than"):
        unpack(tmp_path / "outs.zip", tmp_path / "work", "S1", max_bytes=10_000_000)
    assert list((tmp_path / "work").iterdir()) == []
