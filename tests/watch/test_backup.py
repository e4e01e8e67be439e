from __future__ import annotations

import gzip
import json
import math
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from watch.backup import backup
from watch.backup_manifest import MANIFEST, SCENES
from watch.backup_members import is_kept, without_secrets
from watch.errors import BackupError, BackupRefusedError
from watch.lock import writing
from watch.restore import restore
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]
CANARY = "canary-6f1d"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the workspace of the first test is put by for the others."""
    return tmp_path_factory.mktemp("template") / "w"


@pytest.fixture
def watched(
    template: Path,
    tmp_path: Path,
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
) -> Workspace:
    """Return a workspace after a run, with an analyst's files and secrets in it."""
    if not template.exists():
        workspace = make_workspace("first")
        add_scenes(workspace, scenes(days[:9]))
        workspace.run(now=now)
        workspace.root.rename(template)
    root = shutil.copytree(template, tmp_path / "w")
    (root / "credentials.toml").write_text(f'[sentinelhub]\nclient_secret = "{CANARY}"\n')
    (root / "catalogue" / "media").mkdir()
    (root / "catalogue" / "media" / "시장.png").write_bytes(b"\x89PNG picture")
    (root / "catalogue" / "Credentials.TOML").write_text(CANARY)
    (root / "catalogue" / ".env").write_text(CANARY)
    (root / ".env").write_text(CANARY)
    (root / "key.pem").write_text(CANARY)
    (root / "reviews" / "anna.jsonl").write_text('{"verdict": "confirm"}\n{"torn')
    (root / "spend.jsonl").write_text("")
    (root / "public" / "index.html").write_text(CANARY)
    return Workspace.open(root)


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive}  # type: ignore[union-attr]


def kept(root: Path, *, with_archive: bool) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file())
    paths = ((path.relative_to(root).as_posix(), path) for path in found)
    return {
        name: path.read_bytes()
        for name, path in paths
        if is_kept(name, with_archive=with_archive) and name != "ledger.sqlite"
    }


def test_a_backup_lists_its_members_first_and_holds_no_secret(watched: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "b.tar.gz"
    report = backup(watched, file)
    held = members(file)
    assert next(iter(held)) == MANIFEST
    assert [each["path"] for each in json.loads(held[MANIFEST])["members"]] == list(held)[1:]
    assert CANARY.encode() not in gzip.decompress(file.read_bytes())
    assert not [name for name in held if "credentials" in name.lower() or "public" in name or ".env" in name]
    for name in ("sitewatch.toml", "catalogue/media/시장.png", "reviews/anna.jsonl", "spend.jsonl"):
        assert held[f"workspace/{name}"] == (watched.root / name).read_bytes()
    assert "workspace/archive/grids/yard.json" in held
    assert not [name for name in held if name.endswith(".tif")]
    assert len(json.loads(held[SCENES])["scenes"]) == report.scenes == 9
    assert "credentials.toml: a secret" in report.left_out
    assert "key.pem: no part of a workspace" in report.left_out


@pytest.mark.parametrize("with_archive", [False, True])
def test_what_comes_back_is_equal_byte_for_byte(
    watched: Workspace, tmp_path: Path, now: datetime, *, with_archive: bool
) -> None:
    file = tmp_path / "b.tar"
    backup(watched, file, with_archive=with_archive)
    report = restore(file, tmp_path / "again")
    again = Workspace.open(report.root)
    assert kept(again.root, with_archive=with_archive) == kept(watched.root, with_archive=with_archive)
    with watched.ledger() as one, again.ledger() as other:
        assert one.snapshot() == other.snapshot()
        assert len(other.looks("yard")) == 9
    assert len(report.wanted) == (0 if with_archive else 9)
    if with_archive:
        assert again.archive().verify() == ()
    looks = again.run(now=now).looks
    assert sum(looks.values()) == 0
    second = tmp_path / "second.tar"
    if with_archive:
        backup(again, second, with_archive=True)
        assert members(second)["workspace/archive/catalog.json"]


def test_restored_workspaces_run_and_map(
    watched: Workspace,
    tmp_path: Path,
    sitewatch: Sitewatch,
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
) -> None:
    file, folder = str(tmp_path / "b.tgz"), str(tmp_path / "again")
    code, out, err = sitewatch("backup", file, "--workspace", str(watched.root))
    assert code == 0
    assert "not in it: archive/scenes" in err
    code, _, err = sitewatch("restore", file, folder)
    assert code == 0
    assert "9 of your own files" in err
    # A scene that is new, where those of earlier looks are gone, is judged by what there is.
    add_scenes(Workspace.open(folder), scenes(days[9:10]))
    code, out, _ = sitewatch("run", "--workspace", folder, "--now", "2022-01-01", "--json")
    assert code == 0
    assert json.loads(out)["looks"]["Learning"] == 1
    assert sitewatch("map", "--workspace", folder)[0] == 0
    # And the backup of what was restored still knows all ten.
    code, out, _ = sitewatch("backup", str(tmp_path / "c.tar"), "--workspace", folder, "--json")
    assert len(json.loads(members(tmp_path / "c.tar")[SCENES])["scenes"]) == 10
    assert json.loads(out)["scenes"] == 1


@pytest.mark.parametrize("ending", [".tar", ".tar.gz"])
def test_equal_workspaces_give_equal_bytes(watched: Workspace, tmp_path: Path, ending: str) -> None:
    other = Workspace.open(shutil.copytree(watched.root, tmp_path / "elsewhere" / "v"))
    for path in other.root.rglob("*"):
        path.touch()
    one, two = tmp_path / f"one{ending}", tmp_path / f"two{ending}"
    backup(watched, one, with_archive=True)
    backup(other, two, with_archive=True)
    assert one.read_bytes() == two.read_bytes()


def test_a_backup_during_a_run_holds_the_ledger_of_one_instant(watched: Workspace, tmp_path: Path) -> None:
    with closing(sqlite3.connect(watched.ledger_path)) as writer, writing(watched.root):
        writer.execute("begin immediate")
        writer.execute("delete from looks")
        backup(watched, tmp_path / "b.tar")
        writer.rollback()
    again = Workspace.open(restore(tmp_path / "b.tar", tmp_path / "again").root)
    with again.ledger() as ledger:
        assert len(ledger.looks("yard")) == 9
    assert not (again.root / "ledger.sqlite-wal").exists()


def test_a_journal_may_grow_meanwhile_and_other_files_may_not_change(
    watched: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, notes = watched.root / "spend.jsonl", watched.catalogue_path / "sites.geojson"
    journal.write_text('{"a": 1}\n')
    real = tarfile.TarFile.addfile
    change = journal

    def addfile(self: tarfile.TarFile, header: tarfile.TarInfo, content: object = None) -> None:
        if header.name == MANIFEST:
            change.write_bytes(change.read_bytes() + b'{"b": 2}\n' if change is journal else b"{}")
        real(self, header, content)  # type: ignore[arg-type]

    monkeypatch.setattr(tarfile.TarFile, "addfile", addfile)
    backup(watched, tmp_path / "b.tar")
    assert members(tmp_path / "b.tar")["workspace/spend.jsonl"] == b'{"a": 1}\n'
    change = notes
    with pytest.raises(BackupError, match=r"sites\.geojson: it was changed"):
        backup(watched, tmp_path / "b.tar", replace=True)
    assert members(tmp_path / "b.tar")["workspace/spend.jsonl"] == b'{"a": 1}\n'
    assert not list(tmp_path.glob(".*.part"))


def test_a_backup_never_lies_in_what_it_backs_up(watched: Workspace, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to(watched.root)
    big_disk = tmp_path / "disk"
    watched.archive_path.rename(big_disk)
    watched.archive_path.symlink_to(big_disk)
    for file in (watched.root / "b.tar", tmp_path / "door" / "catalogue" / "b.tar", big_disk / "b.tar"):
        with pytest.raises(BackupRefusedError, match="in what it backs up"):
            backup(watched, file)
    report = backup(watched, tmp_path / "b.tar", with_archive=True)
    assert sum(each.path.endswith(".tif") for each in report.manifest.members) == 27


def test_refuses_names_that_are_taken_or_none_and_links_inside(watched: Workspace, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_bytes(b"the only copy")
    (tmp_path / "l.tar").symlink_to(tmp_path / "nowhere")
    for name, words in {"b.tar": "--replace", "l.tar": "of this name", "b.zip": "not the name"}.items():
        with pytest.raises(BackupRefusedError, match=words):
            backup(watched, tmp_path / name)
    with pytest.raises(BackupRefusedError, match="not there"):
        backup(watched, tmp_path / "no" / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == b"the only copy"
    (watched.catalogue_path / "x.geojson").symlink_to("/etc/passwd")
    with pytest.raises(BackupRefusedError, match=r"x\.geojson: a link"):
        backup(watched, tmp_path / "c.tar")
    assert not (tmp_path / "c.tar").exists()


def test_a_damaged_ledger_is_said_and_nothing_written(watched: Workspace, tmp_path: Path) -> None:
    for path in watched.root.glob("ledger.sqlite*"):
        path.unlink()
    watched.ledger_path.write_bytes(b"not a ledger" * 1000)
    with pytest.raises(BackupError, match="ledger can't be copied"):
        backup(watched, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_a_damaged_item_does_not_keep_analysts_words_from_being_backed_up(
    watched: Workspace, tmp_path: Path
) -> None:
    item = next(watched.archive_path.glob("scenes/*/*/*/*.json"))
    item.write_text("{")
    report = backup(watched, tmp_path / "b.tar")
    assert report.left_out[0].startswith("the list of scenes: ")
    assert item.name in report.left_out[0]
    assert "workspace/catalogue/sites.geojson" in members(tmp_path / "b.tar")


def test_passwords_in_the_settings_are_made_unreadable(watched: Workspace, tmp_path: Path) -> None:
    settings = watched.root / "sitewatch.toml"
    text = settings.read_text()
    settings.write_text(text + f"# ledger: postgresql://anna:{CANARY}@db.example/watch\n")
    report = backup(watched, tmp_path / "b.tar")
    held = members(tmp_path / "b.tar")["workspace/sitewatch.toml"].decode()
    assert CANARY not in held
    assert held.startswith(text)
    assert report.hidden_lines == (len(text.splitlines()) + 1,)


@pytest.mark.parametrize(
    "line",
    [
        f'smtp_password = "{CANARY}"',
        f"token = '{CANARY}'",
        f'  "client_secret" = "{CANARY}" # ours',
        f'notify = ["mailtos://me:{CANARY}@mail.example"]',
    ],
)
def test_what_looks_like_a_secret_is_hidden(line: str) -> None:
    hidden, lines = without_secrets(f"a = 1\r\n{line}\r\nb = 2\r\n")
    assert CANARY not in hidden
    assert lines == (2,)
    assert hidden.startswith("a = 1\r\n")
    assert hidden.endswith("\r\nb = 2\r\n")


@given(st.text(alphabet=st.sampled_from("ab=\"' #\n:/@._token"), max_size=60))
def test_hiding_keeps_the_lines(text: str) -> None:
    hidden, _ = without_secrets(text)
    assert len(hidden.splitlines()) == len(text.splitlines())
    assert without_secrets('base_url = "https://x.example/a:b"\ntoken_url = "https://y"\n')[1] == ()


def test_a_ledger_on_a_server_goes_in_as_rows_and_comes_out_as_a_file(
    watched: Workspace, tmp_path: Path, postgresql: str, sitewatch: Sitewatch, now: datetime
) -> None:
    settings = watched.root / "sitewatch.toml"
    plain = settings.read_text()
    settings.write_text(plain.replace('[ledger]\nurl = ""', f'[ledger]\nurl = "{postgresql}"'))
    assert settings.read_text() != plain
    served = Workspace.open(watched.root)
    served.run(now=now)
    with served.ledger() as ledger, ledger.transaction() as transaction:
        endless = replace(ledger.looks("yard")[0], site_id="far", score=math.inf)
        transaction.add_look(endless, run_id="r", judged_at=now)
    file, folder = tmp_path / "b.tar.gz", tmp_path / "again"
    code, _, err = sitewatch("backup", str(file), "--workspace", str(watched.root))
    password = sa.make_url(postgresql).password
    assert code == 0
    assert "rows of its ledger are in it" in err
    assert str(password) not in err
    assert str(password).encode() not in gzip.decompress(file.read_bytes())
    assert "workspace/ledger.sqlite" not in members(file)
    code, _, err = sitewatch("restore", str(file), str(folder))
    assert code == 0
    assert "empty `url`" in err
    assert str(password) not in err
    (folder / "sitewatch.toml").write_text(plain)
    again = Workspace.open(folder)
    with served.ledger() as one, again.ledger() as other:
        assert one.snapshot() == other.snapshot()
        assert other.looks("far") == one.looks("far")
    assert not (folder / "ledger-rows.jsonl").exists()


def test_progress_counts_every_byte(watched: Workspace, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    report = backup(watched, tmp_path / "b.tar", progress=lambda *each: seen.append(each))
    assert seen[-1][:2] == (report.bytes, report.bytes)
    assert [each[2] for each in seen] == [each.path for each in report.manifest.members]
