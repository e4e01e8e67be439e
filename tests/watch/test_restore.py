from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import SitewatchError
from watch import restore as restoring
from watch.backup import backup
from watch.backup_manifest import FORMAT, MANIFEST, SCENES
from watch.errors import BackupRefusedError
from watch.restore import restore
from watch.tar_members import EXPANSION_ALLOWANCE_BYTES
from watch.workspace import Workspace

Member = tuple[str, bytes]
SETTINGS: Member = ("workspace/sitewatch.toml", b"title = 'x'\n")
NOTE: Member = ("workspace/catalogue/a.geojson", b'{"type": "FeatureCollection", "features": []}')


def manifest(members: list[Member], /, **changes: Any) -> bytes:  # noqa: ANN401 - JSON values
    rows = [
        {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in members
    ]
    document = {
        "format": FORMAT,
        "format_version": 1,
        "workspace_version": 1,
        "with_archive": False,
        "members": rows,
    }
    return json.dumps(document | changes).encode()


def plain(name: str, size: int, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.type, header.linkname = size, kind, link
    return header


def tar(
    *entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT, first: bytes | None = None
) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        if first is not None:
            archive.addfile(plain(MANIFEST, len(first)), io.BytesIO(first))
        for header, data in entries:
            archive.addfile(header, io.BytesIO(data))
    return stream.getvalue()


def honest(*members: Member, **changes: Any) -> bytes:  # noqa: ANN401 - JSON values
    entries = [(plain(path, len(data)), data) for path, data in members]
    return tar(*entries, first=manifest(list(members), **changes))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Return what restores bytes and holds that a refusal leaves nothing, here or outside."""
    outside = tmp_path / "outside"
    work = outside / "work"
    work.mkdir(parents=True)
    (outside / "precious").write_text("untouched")

    def run(data: bytes) -> None:
        file = tmp_path / "hostile.tar"
        file.write_bytes(data)
        before = sorted(tmp_path.rglob("*"))
        try:
            restore(file, work / "new")
        except BackupRefusedError:
            assert sorted(tmp_path.rglob("*")) == before
            raise

    yield run
    assert (outside / "precious").read_text() == "untouched"


def test_an_honest_one_is_restored(tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(honest(SETTINGS, NOTE))
    (tmp_path / "new").mkdir()
    report = restore(file, tmp_path / "new")
    assert Workspace.open(report.root).settings.title == "x"
    found = sorted(path.relative_to(report.root).as_posix() for path in report.root.rglob("*"))
    assert found == ["archive", "catalogue", "catalogue/a.geojson", "public", "reviews", "sitewatch.toml"]


def test_settings_that_keep_the_ledger_elsewhere_are_said(tmp_path: Path) -> None:
    file, victim = tmp_path / "b.tar", tmp_path / "victim.sqlite"
    for url, words in ((f"sqlite:///{victim}", str(victim)), ("sqlite:///../x", "x"), ("sqlite:///in", "")):
        file.write_bytes(honest(("workspace/sitewatch.toml", f'[ledger]\nurl = "{url}"\n'.encode())))
        report = restore(file, tmp_path / f"new-{len(words)}")
        assert report.ledger_elsewhere.endswith(words)
        assert bool(report.ledger_elsewhere) == bool(words)
    assert not victim.exists()


PATHS = {
    "absolute": ("/etc/cron.d/x", "absolute"),
    "drive": ("C:/x", "absolute"),
    "climbs": ("workspace/catalogue/../../../precious", "climbs"),
    "dot": ("workspace/./sitewatch.toml", "climbs"),
    "empty part": ("workspace//catalogue/x", "climbs"),
    "backslash": ("workspace/catalogue/..\\..\\x", "backslash"),
    "newline": ("workspace/catalogue/a\nb", "control"),
    "long": ("workspace/catalogue/" + "a" * 300, "too long"),
    "deep": ("workspace/catalogue/" + "a/" * 600 + "b", "too long"),
    "top level": ("sitewatch.toml", "no backup holds"),
    "credentials": ("workspace/credentials.toml", "no part"),
    "credentials in capitals": ("workspace/catalogue/CREDENTIALS.toml", "no part"),
    "hook": ("workspace/.git/hooks/pre-commit", "no part"),
    "hidden": ("workspace/catalogue/.bashrc", "no part"),
    "page": ("workspace/public/index.html", "no part"),
    "leftover": ("workspace/catalogue/x.part", "no part"),
    "stack": ("workspace/archive/stacks/x/y.stack", "no part"),
}


@pytest.mark.parametrize("name", PATHS)
def test_hostile_paths_are_refused_even_when_they_are_listed(
    name: str, place: Callable[[bytes], None]
) -> None:
    path, words = PATHS[name]
    with pytest.raises(BackupRefusedError, match=words):
        place(honest(SETTINGS, (path, b"evil")))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("catalogue/a.geojson", "catalogue/a.geojson"),
        ("catalogue/a.geojson", "catalogue/A.geojson"),
        ("catalogue/caf\u00e9", "catalogue/cafe\u0301"),
        ("catalogue/stra\u00dfe", "catalogue/STRASSE"),
        ("catalogue/m", "catalogue/m/x.png"),
        ("catalogue/m/x.png", "catalogue/M"),
        ("catalogue/m/x.png", "catalogue/M/y.png"),
    ],
)
def test_members_that_would_be_one_file_are_refused(
    one: str, other: str, place: Callable[[bytes], None]
) -> None:
    with pytest.raises(BackupRefusedError, match="one file"):
        place(honest(SETTINGS, (f"workspace/{one}", b"1"), (f"workspace/{other}", b"2")))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "pipe"),
        (tarfile.DIRTYPE, "folder"),
        (tarfile.CONTTYPE, "kind b'7'"),
        (b"S", "sparse"),
        (b"V", "kind b'V'"),
    ],
)
def test_only_plain_files_are_taken(kind: bytes, words: str, place: Callable[[bytes], None]) -> None:
    path, data = NOTE
    header = plain(path, 0, kind, "../../../precious")
    with pytest.raises(BackupRefusedError, match=words):
        place(tar((header, b""), first=manifest([(path, data), SETTINGS])))


def entry(member: Member) -> tuple[tarfile.TarInfo, bytes]:
    return plain(member[0], len(member[1])), member[1]


LIES = {
    "not listed": (tar(entry(SETTINGS), entry(NOTE), first=manifest([SETTINGS])), "does not list"),
    "listed and missing": (tar(entry(SETTINGS), first=manifest([SETTINGS, NOTE])), "missing"),
    "another order": (tar(entry(NOTE), entry(SETTINGS), first=manifest([SETTINGS, NOTE])), "does not list"),
    "twice": (tar(entry(SETTINGS), entry(SETTINGS), first=manifest([SETTINGS])), "does not list"),
    "larger": (
        tar(entry((NOTE[0], NOTE[1] * 9)), entry(SETTINGS), first=manifest([NOTE, SETTINGS])),
        "its manifest says",
    ),
    "other bytes": (
        tar(entry((NOTE[0], NOTE[1].swapcase())), entry(SETTINGS), first=manifest([NOTE, SETTINGS])),
        "not those that its manifest",
    ),
    "no manifest": (tar(entry(SETTINGS)), "first member is no manifest"),
    "manifest last": (tar(entry(SETTINGS), entry((MANIFEST, manifest([SETTINGS])))), "first member"),
    "empty": (b"", "too early"),
    "no members": (tar(), "first member"),
    "no settings": (honest(NOTE), "holds no sitewatch.toml"),
    "newer workspace": (honest(("workspace/sitewatch.toml", b"version = 999\n")), "newer sitewatch"),
    "unknown settings": (honest(("workspace/sitewatch.toml", b"surprise = 1\n")), "no such setting"),
    "newer format": (honest(SETTINGS, format_version=2), "format 2"),
    "other format": (honest(SETTINGS, format="zip"), "not the manifest"),
    "no list": (honest(SETTINGS, members=None), "lacks"),
    "no digest": (honest(SETTINGS, members=[{"path": "x", "bytes": 1, "sha256": "0"}]), "no SHA-256"),
    "negative": (honest(SETTINGS, members=[{"path": "x", "bytes": -1, "sha256": "0" * 64}]), "no size"),
    "not JSON": (tar(first=b"{"), "not JSON"),
    "list of scenes": (honest((SCENES, b"[]"), SETTINGS), "no list of scenes"),
    "rows of a ledger": (honest(("ledger-rows.jsonl", b'{"table": "looks"}\n'), SETTINGS), "don't fit"),
    "rows without a version": (honest(("ledger-rows.jsonl", b""), SETTINGS), "don't fit"),
    "rows of another table": (
        honest(("ledger-rows.jsonl", b'{"table": "sqlite_master", "row": {"sql": ""}}\n'), SETTINGS),
        "don't fit",
    ),
    "rows of another version": (
        honest(
            ("ledger-rows.jsonl", b'{"table": "meta", "row": {"key": "schema", "value": "99"}}\n'), SETTINGS
        ),
        "another version",
    ),
    "no tar": (b"PK\x03\x04" + b"x" * 2000, "no tar archive"),
    "more behind it": (honest(SETTINGS) + b"surprise", "after its end"),
    "torn": (honest(SETTINGS, NOTE)[:2000], "too early"),
    "GNU long name": (
        tar(
            entry(("workspace/catalogue/" + "a" * 120, b"")),
            form=tarfile.GNU_FORMAT,
            first=manifest([SETTINGS]),
        ),
        "GNU long name",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_the_manifest_does_not_say_is_refused(name: str, tmp_path: Path) -> None:
    data, words = LIES[name]
    for file, content in ((tmp_path / "b.tar", data), (tmp_path / "b.tgz", gzip.compress(data, mtime=0))):
        file.write_bytes(content)
        with pytest.raises(SitewatchError, match=words) as caught:
            restore(file, tmp_path / "new")
        assert caught.value.exit_code == 2
        assert [path.name for path in tmp_path.iterdir()] == [file.name]
        file.unlink()


def test_pax_records_are_few_and_short(place: Callable[[bytes], None]) -> None:
    path, data = NOTE
    for records, words in (
        ({"linkpath": "/etc/passwd"}, "'linkpath'"),
        ({"GNU.sparse.realsize": "1000000000000"}, "GNU"),
        ({"path": "workspace/" + "x" * 20_000}, "none is that long"),
        ({"size": "-5"}, "number"),
    ):
        header = plain(path, len(data))
        header.pax_headers = records
        with pytest.raises(BackupRefusedError, match=words):
            place(tar((header, data), first=manifest([NOTE, SETTINGS])))
    header = plain(path, len(data))
    header.pax_headers = {"path": "workspace/../../../precious"}
    with pytest.raises(BackupRefusedError, match="does not list"):
        place(tar((header, data), first=manifest([NOTE, SETTINGS])))


def test_a_bomb_is_counted_as_it_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = EXPANSION_ALLOWANCE_BYTES * 4
    listed = [{"path": "workspace/catalogue/a", "bytes": size, "sha256": "0" * 64}]
    first = manifest([], members=listed)
    start = tar(first=first).rstrip(b"\0")
    start += bytes(-len(start) % 512)
    header = plain("workspace/catalogue/a", size).tobuf(tarfile.PAX_FORMAT)
    file = tmp_path / "b.tar.gz"
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(start + header)
        for _ in range(size >> 20):
            stream.write(bytes(2**20))
    written = 0
    real = restoring._place

    def counted(path: Path, *rest: Any) -> None:  # noqa: ANN401 - passed on
        nonlocal written
        try:
            real(path, *rest)
        finally:
            written = path.stat().st_size

    monkeypatch.setattr(restoring, "_place", counted)
    with pytest.raises(BackupRefusedError, match="100 times"):
        restore(file, tmp_path / "new")
    assert written < EXPANSION_ALLOWANCE_BYTES + 100 * file.stat().st_size + 2**21
    assert not (tmp_path / "new").exists()


def test_more_than_the_disk_has_is_refused_before_anything_is_written(place: Callable[[bytes], None]) -> None:
    listed = [{"path": "workspace/catalogue/a", "bytes": 10**18, "sha256": "0" * 64}]
    with pytest.raises(BackupRefusedError, match="are free"):
        place(tar(first=manifest([], members=listed)))


def test_only_into_a_new_or_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(honest(SETTINGS))
    full, link, here = tmp_path / "full", tmp_path / "link", tmp_path / "here"
    full.mkdir()
    here.mkdir()
    (full / "mine").touch()
    link.symlink_to(here)
    monkeypatch.chdir(here)
    for folder, words in (
        (full, "not a new or empty"),
        (full / "mine", "not a new or empty"),
        (link, "a link"),
        (here, "current folder"),
        (tmp_path / "no" / "new", "parent"),
    ):
        with pytest.raises(BackupRefusedError, match=words):
            restore(file, folder)
    assert [path.name for path in full.iterdir()] == ["mine"]
    assert not list(here.iterdir())


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(honest(SETTINGS, NOTE))
    real, calls = os.fsync, 0

    def broken(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="No space left"):
        restore(file, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = tmp_path_factory.mktemp("flips")
    workspace = Workspace.create(folder / "w", builtin=False)
    (workspace.catalogue_path / ("long" * 30 + ".txt")).write_text("x" * 700)
    backup(workspace, folder / "b.tar")
    return folder, (folder / "b.tar").read_bytes()


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_byte_gets_through(real: tuple[Path, bytes], data: st.DataObject) -> None:
    folder, whole = real
    end = len(whole.rstrip(b"\0"))
    position = data.draw(st.integers(0, end - 1))
    flipped = bytearray(whole)
    flipped[position] ^= data.draw(st.integers(1, 255))
    file = folder / "flipped.tar"
    file.write_bytes(flipped)
    before = sorted(folder.iterdir())
    try:
        report = restore(file, folder / "new")
    except SitewatchError as error:
        assert error.exit_code == 2  # noqa: PT017 - either is right, each in its own way
        assert sorted(folder.iterdir()) == before
        return
    # Spaces that pad the manifest and words that nothing rests on may differ; files may not.
    restored = {path.name: path.read_bytes() for path in report.root.rglob("*") if path.is_file()}
    report.root.rename(folder / f"done-{position}-{len(list(folder.iterdir()))}")
    original = (folder / "w").rglob("*")
    wanted = {path.name: path.read_bytes() for path in original if path.is_file()}
    assert {name: restored.get(name) for name in wanted} == wanted
