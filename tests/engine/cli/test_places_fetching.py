"""The archive that a place sends is a report, or it leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kamiyo_verify.cli.places import fetching
from kamiyo_verify.cli.places.fetching import BadArchive, unpack

Add = Callable[[tarfile.TarFile], None]


def file(name: str, content: bytes = b"x", **more: object) -> Add:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        for key, value in more.items():
            setattr(member, key, value)
        archive.addfile(member, io.BytesIO(content))

    return add


def special(name: str, kind: bytes, target: str = "") -> Add:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)

    return add


def archive(*adds: Add, kind: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as made:
        for add in adds:
            add(made)
    stream.seek(0)
    return stream


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_report_is_unpacked_with_its_folders(kind: int, tmp_path: Path) -> None:
    stream = archive(
        special("fra", tarfile.DIRTYPE),
        file("fra/verdict.json", b"{}"),
        special("fra/shots", tarfile.DIRTYPE),
        file("fra/shots/ü.png", mode=0o6777, uid=0, uname="root"),
        kind=kind,
    )
    unpack(stream, "fra", tmp_path / "fra")

    assert everything(tmp_path) == {"fra", "fra/verdict.json", "fra/shots", "fra/shots/ü.png"}
    assert (tmp_path / "fra" / "shots" / "ü.png").stat().st_mode & 0o7111 == 0


HOSTILE: dict[str, tuple[Add, ...]] = {
    "absolute": (file("/srv/evil"),),
    "above": (file("../evil"),),
    "above, from within": (file("fra/../../evil"),),
    "beside": (file("frankfurt/verdict.json"),),
    "symbolic link": (special("fra/x", tarfile.SYMTYPE, "/etc/passwd"),),
    "symbolic link within": (file("fra/a"), special("fra/x", tarfile.SYMTYPE, "a")),
    "link of the folder": (special("fra", tarfile.SYMTYPE, "/"), file("fra/evil")),
    "hard link": (special("fra/x", tarfile.LNKTYPE, "/etc/passwd"),),
    "device": (special("fra/x", tarfile.CHRTYPE),),
    "pipe": (special("fra/x", tarfile.FIFOTYPE),),
    "control character": (file("fra/\x1b[31m"),),
    "backslash": (file("fra/..\\evil"),),
    "long name": (file("fra/" + "x" * 500),),
    "file over a folder": (special("fra/x", tarfile.DIRTYPE), file("fra/x")),
    "file under a file": (file("fra/x"), file("fra/x/y")),
    "nothing": (),
    "late": (file("fra/verdict.json"), file("/srv/evil")),
}


@pytest.mark.parametrize("adds", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_whatever_else_an_archive_holds_leaves_nothing_behind(
    adds: tuple[Add, ...], kind: int, tmp_path: Path
) -> None:
    with pytest.raises((BadArchive, OSError)):
        unpack(archive(*adds, kind=kind), "fra", tmp_path / "at" / "fra")
    assert everything(tmp_path) == {"at"}


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", b"\0" * 1024, bytes(range(256)) * 40],
    ids=["empty", "text", "zeros", "any"],
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadArchive):
        unpack(io.BytesIO(content), "fra", tmp_path / "fra")
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("end", [0.3, 0.6, 0.9])
def test_an_archive_that_breaks_off_is_refused(end: float, tmp_path: Path) -> None:
    whole = archive(
        file("fra/evidence.jsonl", b"x" * 5_000), file("fra/verdict.json", b"y" * 5_000)
    ).getvalue()
    content = whole[: int(11_000 * end)]
    with pytest.raises(BadArchive):
        unpack(io.BytesIO(content), "fra", tmp_path / "fra")
    assert everything(tmp_path) == set()


def test_an_archive_is_bounded_in_bytes_and_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = archive(file("fra/x", b"x" * 300_000))
    with pytest.raises(BadArchive, match="too large"):
        unpack(large, "fra", tmp_path / "fra", most_bytes=100_000)
    monkeypatch.setattr(fetching, "MOST_FILES", 10)
    with pytest.raises(BadArchive, match="more than 10 files"):
        unpack(archive(*(file(f"fra/{number}") for number in range(11))), "fra", tmp_path / "fra")
    assert everything(tmp_path) == set()


class Endless(io.RawIOBase):
    """One file that never ends."""

    def __init__(self) -> None:
        member = tarfile.TarInfo("fra/x")
        member.size = 1 << 40
        self._head = member.tobuf(tarfile.GNU_FORMAT)

    def read(self, size: int = -1, /) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head + bytes(size - len(head))


def test_a_file_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="too large"):
        unpack(Endless(), "fra", tmp_path / "fra", most_bytes=1_000_000)  # type: ignore[arg-type]
    assert everything(tmp_path) == set()
