"""Archives are unpacked whole, into their own folder, or not at all."""

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from clearspot.errors import BadInputError
from clearspot.io.archive import unpack


def tar_of(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_tar_of_every_compression_is_unpacked(tmp_path, name, mode):
    archive = tar_of(tmp_path / name, ("outs/spatial/x.csv", b"1,2"), mode=mode)
    folder = unpack(archive, tmp_path / "to", "s")
    assert (folder / "outs/spatial/x.csv").read_bytes() == b"1,2"


def test_zip_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("outs/x.csv", "1,2")
    assert (unpack(tmp_path / "a.zip", tmp_path / "to", "s") / "outs/x.csv").read_text() == "1,2"


@pytest.mark.parametrize("name", ["../evil", "outs/../../evil", "/evil", "C:\\evil", "..\\evil"])
def test_member_that_leaves_the_archive_is_refused_in_tar(tmp_path, name):
    archive = tar_of(tmp_path / "a.tar.gz", ("outs/fine", b"x"), (name, b"x"))
    with pytest.raises(BadInputError, match="points outside"):
        unpack(archive, tmp_path / "deep" / "to", "s")
    assert not list(tmp_path.rglob("*evil*"))


def test_member_that_leaves_the_archive_is_refused_in_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("../evil", "x")
    with pytest.raises(BadInputError, match="points outside"):
        unpack(tmp_path / "a.zip", tmp_path / "deep" / "to", "s")
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../../../../etc/passwd"])
def test_link_that_leaves_the_archive_is_refused_in_tar(tmp_path, target):
    with pytest.raises(BadInputError, match="link that leaves"):
        unpack(tar_of(tmp_path / "a.tar", link("outs/x", target), mode="w"), tmp_path / "to", "s")


def test_link_that_leaves_the_archive_is_refused_in_zip(tmp_path):
    info = zipfile.ZipInfo("outs/x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(BadInputError, match="link that leaves"):
        unpack(tmp_path / "a.zip", tmp_path / "to", "s")


def test_file_is_not_written_through_a_link(tmp_path):
    (tmp_path / "outside").mkdir()
    archive = tar_of(tmp_path / "a.tar", link("door", str(tmp_path / "outside")), ("door/evil", b"x"), mode="w")
    with pytest.raises(BadInputError):
        unpack(archive, tmp_path / "to", "s")
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_link_inside_the_archive_is_followed(tmp_path, kind):
    target = "../real/x" if kind == tarfile.SYMTYPE else "real/x"
    archive = tar_of(tmp_path / "a.tar", link("outs/x", target, kind), ("real/x", b"1"), mode="w")
    assert (unpack(archive, tmp_path / "to", "s") / "outs/x").read_bytes() == b"1"


def test_device_is_refused(tmp_path):
    info = tarfile.TarInfo("outs/null")
    info.type = tarfile.CHRTYPE
    with pytest.raises(BadInputError, match="device"):
        unpack(tar_of(tmp_path / "a.tar", info, mode="w"), tmp_path / "to", "s")


def test_archive_that_grows_too_large_is_refused(tmp_path):
    archive = tar_of(tmp_path / "a.tar.gz", ("x", bytes(2_000_000)))
    with pytest.raises(BadInputError, match="when unpacked"):
        unpack(archive, tmp_path / "to", "s", max_bytes=1_000_000)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_truncated_archive_is_refused_and_leaves_nothing(tmp_path, kind):
    archive = tmp_path / f"a.{kind}{'.gz' if kind == 'tar' else ''}"
    if kind == "tar":
        tar_of(archive, ("x", os.urandom(100_000)))
    else:
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("x", os.urandom(100_000))
    archive.write_bytes(archive.read_bytes()[:50_000])
    with pytest.raises(BadInputError, match="archive that cannot be"):
        unpack(archive, tmp_path / "to", "s")
    assert not list((tmp_path / "to").iterdir())


def test_bam_and_apple_double_files_stay_packed(tmp_path):
    members = [
        ("outs/possorted_genome_bam.bam", b"1"),
        ("outs/._x.h5", b"1"),
        ("__MACOSX/x", b"1"),
        ("outs/x.h5", b"1"),
    ]
    folder = unpack(tar_of(tmp_path / "a.tar.gz", *members), tmp_path / "to", "s")
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["x.h5"]
