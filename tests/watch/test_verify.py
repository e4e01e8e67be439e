from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest

from watch.backup import backup
from watch.findings import Grade
from watch.publish import publish
from watch.restore import restore
from watch.verify import VerifyReport, verify
from watch.verify_archive import RECORD_FILE
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]
SITE = "yard"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the workspace of the first test is put by for the others."""
    return tmp_path_factory.mktemp("template") / "w"


@pytest.fixture
def kept(
    template: Path,
    tmp_path: Path,
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
) -> Workspace:
    """Return a workspace after a run with its pages."""
    if not template.exists():
        workspace = make_workspace("first")
        add_scenes(workspace, scenes(days[:8]))
        workspace.run(now=now)
        publish(workspace, now=now)
        workspace.root.rename(template)
    return Workspace.open(shutil.copytree(template, tmp_path / "w"))


def lines(report: VerifyReport) -> list[str]:
    return [str(finding) for finding in report.findings]


def only(report: VerifyReport, grade: Grade, part: str, *words: str) -> None:
    """Hold that there is one finding, of this grade and part, that says these words and what to do."""
    assert len(report.findings) == 1, lines(report)
    finding = report.findings[0]
    assert (finding.grade, finding.part) == (grade, part)
    for word in words:
        assert word in str(finding)
    assert finding.hint
    assert finding.where.file
    assert report.is_well == (grade is Grade.STALE)


def scene_folder(workspace: Workspace) -> Path:
    return sorted((workspace.archive_path / "scenes").glob("*/*/*/"))[3]


def flip(path: Path) -> None:
    """Change one bit in the middle, and neither size nor time."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_whole_workspace_has_no_findings(kept: Workspace, sitewatch: Sitewatch) -> None:
    seen: list[int] = []
    report = verify(kept, progress=lambda done, total, _: seen.append(total - done))
    assert lines(report) == []
    assert report.scenes == 8
    assert seen == [7, 6, 5, 4, 3, 2, 1, 0]
    assert lines(verify(kept, quick=True)) == []
    code, out, _ = sitewatch("verify", "--workspace", str(kept.root))
    assert (code, out) == (0, "Nothing is damaged: 8 scenes read in full, 0 stale or left over.\n")


def test_an_empty_workspace_is_whole(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", builtin=False)
    for quick in (False, True):
        assert lines(verify(workspace, quick=quick)) == []
    assert not list(workspace.archive_path.iterdir())


def test_a_pixel_that_changed_is_found_by_content_and_a_size_at_a_glance(kept: Workspace) -> None:
    verify(kept)
    band = scene_folder(kept) / "red.tif"
    whole = band.read_bytes()
    flip(band)
    assert lines(verify(kept, quick=True)) == []
    only(verify(kept), Grade.DAMAGED, "archive", scene_folder(kept).name)
    # What was found damaged is not noted as well.
    only(verify(kept, quick=True), Grade.STALE, "archive", "1 of 8 scenes", "sitewatch verify")
    band.write_bytes(whole)
    assert lines(verify(kept)) == []
    os.utime(band, ns=(0, 0))
    only(verify(kept, quick=True), Grade.STALE, "archive", "red.tif", "touched")
    band.write_bytes(whole[:-1])
    only(verify(kept, quick=True), Grade.DAMAGED, "archive", "red.tif", "and had")
    band.unlink()
    only(verify(kept, quick=True), Grade.DAMAGED, "archive", "red.tif", "gone")
    only(verify(kept), Grade.DAMAGED, "archive", scene_folder(kept).name)


def test_without_a_record_a_quick_look_says_what_it_rests_on(kept: Workspace) -> None:
    only(verify(kept, quick=True), Grade.STALE, "archive", "8 of 8 scenes")
    (kept.archive_path / RECORD_FILE).write_text("[]")
    only(verify(kept, quick=True), Grade.STALE, "archive", "8 of 8 scenes")


def test_scenes_and_items_that_are_gone_are_missed(kept: Workspace) -> None:
    verify(kept)
    gone = scene_folder(kept)
    item = gone / f"{gone.name}.json"
    data = item.read_bytes()
    item.unlink()
    report = verify(kept)
    assert [finding.grade for finding in report.findings] == [Grade.DAMAGED], lines(report)
    item.write_bytes(data)
    verify(kept)
    shutil.rmtree(gone)
    for quick in (True, False):
        report = verify(kept, quick=quick)
        assert [(each.part, each.grade) for each in report.findings] == [
            ("archive", Grade.STALE),
            ("ledger", Grade.DAMAGED),
        ]
        assert "pruned" in lines(report)[0]
        assert "1 looks rest on scenes" in lines(report)[1]
        assert gone.name in lines(report)[1]
    only(verify(kept), Grade.DAMAGED, "ledger", SITE)


def test_pins_leftovers_stacks_and_states(kept: Workspace, sitewatch: Sitewatch) -> None:
    archive = kept.archive_path
    (archive / "scenes" / ".half.part").write_bytes(b"x")
    only(verify(kept), Grade.STALE, "archive", ".half.part", "prune")
    (archive / "scenes" / ".half.part").unlink()
    stack = next((archive / "stacks" / SITE).glob("*.stack"))
    stack.rename(stack.with_name("0-other.stack"))
    only(verify(kept), Grade.STALE, "archive", "0-other.stack", "lattice")
    (archive / "stacks" / SITE).rename(archive / "stacks" / "elsewhere")
    only(verify(kept), Grade.STALE, "archive", "elsewhere", "no site")
    assert sitewatch("archive", "prune", "--workspace", str(kept.root))[0] == 0
    assert lines(verify(kept)) == []
    (archive / "states" / SITE).mkdir(parents=True)
    state = archive / "states" / SITE / f"{stack.name.split('-')[0]}-x.state"
    state.write_bytes(b"no state")
    only(verify(kept), Grade.STALE, "archive", state.name, "can't be read")
    state.unlink()
    (archive / "grids" / f"{SITE}.json").write_text("{")
    only(verify(kept), Grade.DAMAGED, "archive", f"{SITE}.json", "pins")


@pytest.mark.parametrize("name", ["elevation.json", "elevation.tif"])
def test_heights(kept: Workspace, name: str) -> None:
    folder = kept.archive_path / "elevation" / SITE / "g"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"{}")
    for quick in (False, True):
        verify(kept)
        only(verify(kept, quick=quick), Grade.DAMAGED, "archive", "elevation", "sitewatch pull --elevation")


def test_the_catalogue_its_context_and_its_media(
    kept: Workspace, tmp_path: Path, sitewatch: Sitewatch
) -> None:
    picture = tmp_path / "gate.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
    command = ["notes", "add", SITE, "--date", "2019", "--text", "A gate.", "--media", str(picture)]
    code, _, err = sitewatch(*command, "--workspace", str(kept.root))
    assert code == 0, err
    medium = next((kept.catalogue_path / "media").iterdir())
    flip(medium)
    only(verify(kept), Grade.DAMAGED, "catalogue", medium.name, "not the file", SITE)
    assert lines(verify(kept, quick=True)) == []
    medium.unlink()
    only(verify(kept, quick=True), Grade.DAMAGED, "catalogue", medium.name, "not there")
    file = kept.catalogue_path / "sites.geojson"
    file.write_text(file.read_text().replace("storage", "stronghold"))
    report = verify(kept)
    only(report, Grade.DAMAGED, "catalogue", "sites.geojson", "stronghold")


def test_reviews_and_journals_line_by_line(kept: Workspace) -> None:
    reviews = kept.root / "reviews" / "anna.jsonl"
    reviews.write_text("[]\n")
    report = verify(kept)
    only(report, Grade.DAMAGED, "reviews", "anna.jsonl")
    assert report.findings[0].where.line == 1
    reviews.write_text('{"half')
    only(verify(kept), Grade.STALE, "reviews", "anna.jsonl", "cut short")
    reviews.unlink()
    journal = kept.root / "spend.jsonl"
    journal.write_text('{"state": "asked"}\n')
    report = verify(kept)
    only(report, Grade.DAMAGED, "journals", "spend.jsonl")
    assert report.findings[0].where.line == 1
    journal.write_text('not json\n{"a": 1}\n')
    only(verify(kept), Grade.DAMAGED, "journals", "spend.jsonl", "line 1")


def test_a_ledger_on_a_server_is_held_against_the_archive_as_well(
    kept: Workspace, postgresql: str, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", postgresql)
    served = Workspace.open(kept.root)
    served.run(now=now)
    assert lines(verify(served)) == []
    gone = scene_folder(kept)
    shutil.rmtree(gone)
    report = verify(served)
    assert [(each.part, each.grade) for each in report.findings] == [
        ("archive", Grade.STALE),
        ("ledger", Grade.DAMAGED),
    ]
    assert gone.name in lines(report)[1]
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", postgresql.rpartition("/")[0] + "/nowhere")
    only(verify(Workspace.open(kept.root)), Grade.DAMAGED, "ledger", "nowhere")


def execute(workspace: Workspace, *statements: str) -> None:
    with closing(sqlite3.connect(workspace.ledger_path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_the_ledger_against_itself_archive_and_catalogue(
    kept: Workspace,
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
) -> None:
    add_scenes(kept, scenes(days))
    kept.run(now=now)
    publish(kept, now=now)
    assert lines(verify(kept)) == []
    with kept.ledger() as ledger:
        detection = ledger.detections(SITE)[0]
    execute(kept, f"delete from looks where solar_day = '{detection.first_with}'")
    report = verify(kept)
    only(report, Grade.DAMAGED, "ledger", detection.id, str(detection.first_with), "sitewatch ledger rebuild")
    kept.run(now=now)
    said = {"at": "2021-01-01T00:00:00Z", "by": "anna", "verdict": "dismiss", "site": SITE, "because": "snow"}
    decisions = [said | {"detection": each} for each in (detection.id, "det-of-old")]
    (kept.reviews_path / "anna.jsonl").write_text("".join(json.dumps(each) + "\n" for each in decisions))
    only(verify(kept), Grade.STALE, "reviews", "det-of-old", "dismiss by anna", "--orphans")
    (kept.reviews_path / "anna.jsonl").unlink()
    assert lines(verify(kept)) == []
    execute(
        kept,
        "update looks set site_id = 'nowhere' where solar_day < '2018-05-01'",
        "insert into examined select 'nowhere', since, until from examined",
    )
    only(verify(kept), Grade.STALE, "ledger", "nowhere", "2 rows")
    execute(kept, "update looks set site_id = 'yard'", "update looks set outcome = 'Perhaps'")
    only(verify(kept), Grade.DAMAGED, "ledger", "Perhaps")


@pytest.mark.parametrize("quick", [False, True])
def test_a_ledger_with_a_damaged_page(kept: Workspace, *, quick: bool) -> None:
    verify(kept)
    execute(kept, "pragma journal_mode=delete")
    data = bytearray(kept.ledger_path.read_bytes())
    page = int.from_bytes(data[16:18], "big")
    data[-page:] = b"\xff" * page
    kept.ledger_path.write_bytes(data)
    report = verify(kept, quick=quick)
    assert {(each.part, each.grade) for each in report.findings} == {("ledger", Grade.DAMAGED)}
    kept.ledger_path.write_bytes(b"no ledger at all" * 500)
    only(verify(kept, quick=quick), Grade.DAMAGED, "ledger", "ledger.sqlite", "sitewatch ledger rebuild")


def test_pages_against_their_manifest(kept: Workspace, now: datetime) -> None:
    page = kept.public_path / "index.html"
    manifest = kept.public_path / "manifest.json"
    verify(kept)
    first = manifest.read_bytes()
    flip(page)
    assert lines(verify(kept, quick=True)) == []
    only(verify(kept), Grade.DAMAGED, "pages", "index.html", "sitewatch map")
    page.write_text("x")
    only(verify(kept, quick=True), Grade.DAMAGED, "pages", "and had")
    page.unlink()
    only(verify(kept), Grade.DAMAGED, "pages", "gone")
    publish(kept, now=now)
    assert manifest.read_bytes() == first
    manifest.write_text("[]")
    only(verify(kept), Grade.DAMAGED, "pages", "manifest.json")
    manifest.unlink()
    only(verify(kept), Grade.STALE, "pages", "without a manifest")


def test_a_workspace_restored_without_its_scenes_says_so(
    kept: Workspace, tmp_path: Path, now: datetime
) -> None:
    backup(kept, tmp_path / "b.tar")
    again = Workspace.open(restore(tmp_path / "b.tar", tmp_path / "again").root)
    report = verify(again)
    assert report.is_well
    assert [finding.part for finding in report.findings] == ["archive", "ledger"]
    assert "8 of them your own" in lines(report)[0]
    shutil.copytree(kept.archive_path / "scenes", again.archive_path / "scenes")
    only(verify(again), Grade.STALE, "archive", "wanted.json", "Delete the list")
    backup(kept, tmp_path / "c.tar", with_archive=True)
    whole = Workspace.open(restore(tmp_path / "c.tar", tmp_path / "whole").root)
    publish(whole, now=now)
    assert lines(verify(whole)) == []


def test_the_command_exits_with_what_it_found(kept: Workspace, sitewatch: Sitewatch) -> None:
    flip(scene_folder(kept) / "nir.tif")
    code, out, _ = sitewatch("verify", "--workspace", str(kept.root))
    assert code == 1
    first, last = out.splitlines()
    assert first.startswith("damaged: archive: ")
    assert last == "1 damaged, 0 stale or left over."
    code, out, _ = sitewatch("verify", "--quick", "--json", "--workspace", str(kept.root))
    document = json.loads(out)
    assert code == 0
    assert (document["damaged"], document["findings"][0]["grade"]) == (0, "stale")


def test_a_folder_that_may_not_be_written_is_verified_all_the_same(
    kept: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _data: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("watch.verify_archive.write_bytes", refuse)
    only(verify(kept), Grade.STALE, "archive", "can't be noted")
