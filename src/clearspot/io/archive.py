"""Safe unpacking of an outs folder that came as an archive."""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Literal

from clearspot.errors import BadInputError
from clearspot.io.naming import ARCHIVE, PART_ARCHIVE
from clearspot.io.reading import bad, require_file

MAX_BYTES = 500 * 1024**3
"""Unpacked size beyond which an archive is refused: several times the largest outs folder without its BAM file."""

MAX_MEMBERS = 100_000

_EXPECTED = "a whole .tar, .tar.gz, .tgz or .zip of a Space Ranger outs folder"
_PACK_AGAIN = "pack the outs folder again with 'tar -czhf outs.tar.gz outs', or provide the folder itself"
_SKIPPED_SUFFIXES = (".bam", ".bai", ".cloupe", ".vloupe", ".fastq.gz")
_SKIPPED_NAMES = {"molecule_info.h5"}


@dataclass(frozen=True)
class _Member:
    """One entry of an archive, whatever its format. ``target`` is set for links; ``open`` for files."""

    name: str
    kind: Literal["file", "folder", "link", "other"]
    size: int = 0
    target: str = ""
    open: Callable[[], IO[bytes] | None] = lambda: None


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive that :func:`unpack` reads."""
    return ARCHIVE.search(path.name) is not None


def unpack(archive: Path, into: Path, sample: str, *, max_bytes: int = MAX_BYTES) -> Path:
    """Unpack an archive into a new folder below ``into``.

    Nothing is ever written outside that folder. Links are made last, as links to what was unpacked, so that no file
    is written through a link; files that the pipeline never reads (BAM, Loupe, molecule info) stay packed.

    Parameters
    ----------
    archive
        ``.tar`` (plain, gzip, bzip2, xz) or ``.zip``.
    into
        Existing or new folder.
    sample
        Sample name for messages.
    max_bytes
        Largest total size.

    Returns
    -------
    Path
        The new folder. On an error it is removed again.

    Raises
    ------
    BadInputError
        The archive is cut short or corrupt, too large, or has members or links that point outside it.
    """
    require_file(archive, sample, _EXPECTED)
    into.mkdir(parents=True, exist_ok=True)
    part = PART_ARCHIVE.match(archive.name)
    folder = Path(mkdtemp(prefix=f"{part['part'] if part else 'outs'}-", dir=into))
    try:
        with _readable(archive, sample):
            members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
            _extract(members, folder, archive, sample, min(max_bytes, shutil.disk_usage(into).free))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


@contextmanager
def _readable(archive: Path, sample: str) -> Iterator[None]:
    """Archives can be broken in more ways than their readers have error classes: any error says that one is."""
    try:
        yield
    except BadInputError:
        raise
    except OSError as error:
        raise bad(archive, sample, f"an archive that cannot be unpacked ({error})", _EXPECTED, _PACK_AGAIN) from error
    except Exception as error:
        raise bad(archive, sample, f"an archive that cannot be read ({error})", _EXPECTED, _PACK_AGAIN) from error


def _extract(members: Iterator[_Member], folder: Path, archive: Path, sample: str, max_bytes: int) -> None:
    links: list[tuple[Path, str]] = []
    total = 0
    for number, member in enumerate(members):
        place = _inside(member.name)
        if place is None:
            raise _unsafe(archive, sample, f"a member that points outside the archive ({member.name!r})")
        if place.name.startswith("._") or "__MACOSX" in place.parts:
            continue
        total += member.size
        if total > max_bytes or number >= MAX_MEMBERS:
            limit = f"{max_bytes / 1e9:.3g} GB or {MAX_MEMBERS} members"
            raise _unsafe(archive, sample, f"more than {limit} when unpacked")
        path = folder / place
        if member.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
        elif member.kind == "link":
            links.append((path, member.target))
        elif member.kind == "other":
            raise _unsafe(archive, sample, f"a device or pipe ({member.name!r})")
        elif not _skipped(place.name):
            _write(member, path)
    for path, target in links:
        _make_link(path, target, folder, archive, sample)


def _write(member: _Member, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = member.open()
    if content is not None:
        with content, path.open("wb") as file:
            shutil.copyfileobj(content, file, 1024 * 1024)


def _make_link(path: Path, target: str, folder: Path, archive: Path, sample: str) -> None:
    root = folder.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        resolved = (path.parent / target).resolve(strict=True)
    except (OSError, RuntimeError):
        resolved = None
    if PurePosixPath(target).is_absolute() or (resolved is not None and not resolved.is_relative_to(root)):
        raise _unsafe(archive, sample, f"a link that leaves the archive ({path.name!r} -> {target!r})")
    if resolved is None or path.exists():
        return
    path.symlink_to(resolved)


def _inside(name: str) -> PurePosixPath | None:
    path = PurePosixPath(name.replace("\\", "/"))
    windows_drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or windows_drive or ".." in path.parts:
        return None
    return path


def _skipped(name: str) -> bool:
    return name.endswith(_SKIPPED_SUFFIXES) or name in _SKIPPED_NAMES


def _unsafe(archive: Path, sample: str, found: str) -> BadInputError:
    return bad(archive, sample, f"an archive with {found}", _EXPECTED, _PACK_AGAIN)


def _tar_members(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive, "r:*") as tar:
        for info in tar:
            if info.isdir():
                yield _Member(info.name, "folder")
            elif info.issym():
                yield _Member(info.name, "link", target=info.linkname)
            elif info.islnk():
                # a hard link's target is counted from the archive's root, a symbolic link's from the link
                up = "../" * (len(PurePosixPath(info.name).parts) - 1)
                yield _Member(info.name, "link", target=up + info.linkname)
            elif info.isreg():
                yield _Member(info.name, "file", info.size, open=partial(tar.extractfile, info))
            else:
                yield _Member(info.name, "other")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            if info.is_dir():
                yield _Member(info.filename, "folder")
            elif stat.S_ISLNK(info.external_attr >> 16):
                with packed.open(info) as content:
                    yield _Member(info.filename, "link", target=content.read(4096).decode())
            else:
                yield _Member(info.filename, "file", info.file_size, open=partial(packed.open, info))
