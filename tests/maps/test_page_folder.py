from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path

import pytest

from maps.errors import PageError
from maps.page_folder import Swapped, is_inner, replacing_pages
from maps.page_manifest import MANIFEST_FILE, fault_of, read_manifest


def publish(folder: Path, pages: dict[str, str]) -> Swapped:
    with replacing_pages(folder) as made:
        for path, text in pages.items():
            made.write(path, text)
    return made.swapped


def tree(folder: Path) -> dict[str, str]:
    """Return the files of a folder but for the manifest."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_FILE
    }


def listed(folder: Path) -> list[str]:
    rows = read_manifest(folder)
    assert rows is not None
    assert [fault_of(folder, row) for row in rows] == [""] * len(rows)
    return [row.path for row in rows]


FIRST = {
    "index.html": "all; Made with sitewatch",
    "sites/a.html": "a",
    "sites/b.html": "b",
    "data/x.csv": "1",
}


def test_a_publication_lists_what_it_wrote(tmp_path: Path) -> None:
    done = publish(tmp_path / "public", FIRST)
    assert tree(tmp_path / "public") == FIRST
    assert listed(tmp_path / "public") == sorted(FIRST)
    assert done == Swapped(tuple(sorted(FIRST)))


def test_only_what_changed_is_written_again_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    os.utime(tmp_path / "sites/a.html", (1, 1))
    second = {"index.html": "all", "sites/a.html": "a", "sites/c.html": "c"}
    done = publish(tmp_path, second)
    assert tree(tmp_path) == second
    assert done == Swapped(("index.html", "sites/c.html"), 1, ("data/x.csv", "sites/b.html"))
    assert (tmp_path / "sites/a.html").stat().st_mtime == 1
    assert not (tmp_path / "data").exists()
    assert listed(tmp_path) == sorted(second)


def test_files_of_others_are_never_touched(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    theirs = {"feed.xml": "words", "health.html": "fine", "sites/mine.html": "mine", "data/own.csv": "own"}
    for path, text in theirs.items():
        (tmp_path / path).write_text(text)
    done = publish(tmp_path, {"index.html": "alone"})
    assert tree(tmp_path) == theirs | {"index.html": "alone"}
    assert done.removed == ("data/x.csv", "sites/a.html", "sites/b.html")


def test_a_page_that_somebody_changed_is_left_and_named(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    (tmp_path / "sites/a.html").write_text("a, with a remark")
    done = publish(tmp_path, {"index.html": "alone"})
    assert done.left == ("sites/a.html",)
    assert tree(tmp_path) == {"index.html": "alone", "sites/a.html": "a, with a remark"}
    assert listed(tmp_path) == ["index.html"]


def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    before = (tmp_path / MANIFEST_FILE).read_bytes()
    with pytest.raises(RuntimeError), replacing_pages(tmp_path) as made:
        made.write("index.html", "half")
        raise RuntimeError
    assert tree(tmp_path) == FIRST
    assert (tmp_path / MANIFEST_FILE).read_bytes() == before


@pytest.mark.parametrize("path", ["index.html", "data/x.csv"])
def test_what_no_publication_wrote_is_not_written_over(tmp_path: Path, path: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / path).write_text("a letter")
    with pytest.raises(PageError, match="no page of ours"):
        publish(tmp_path, FIRST)
    assert tree(tmp_path) == {path: "a letter"}


def test_a_file_of_others_is_not_written_over_in_a_folder_of_ours(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    (tmp_path / "data" / "mine.csv").write_text("mine")
    with pytest.raises(PageError, match=r"mine\.csv.*no page of ours"):
        publish(tmp_path, FIRST | {"data/mine.csv": "ours"})
    assert tree(tmp_path) == FIRST | {"data/mine.csv": "mine"}


def test_pages_of_a_version_without_a_manifest_are_ours(tmp_path: Path) -> None:
    publish(tmp_path, FIRST)
    (tmp_path / MANIFEST_FILE).unlink()
    second = {"index.html": "new; Made with sitewatch", "data/x.csv": "2"}
    publish(tmp_path, second)
    # What nobody lists any more stays: nobody can tell whose it is.
    assert tree(tmp_path) == second | {"sites/a.html": "a", "sites/b.html": "b"}


def test_after_a_crash_between_two_renames_the_next_publication_puts_all_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, FIRST)
    real, calls = Path.replace, []

    def dies(self: Path, target: Path) -> Path:
        if target.suffix in {".html", ".csv"}:
            calls.append(target)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, {"index.html": "2", "sites/new.html": "new", "sites/other.html": "other"})
    monkeypatch.undo()
    assert (tmp_path / "sites/new.html").exists()
    third = {"index.html": "3"}
    publish(tmp_path, third)
    assert tree(tmp_path) == third


def test_a_manifest_that_points_outside_removes_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "letter.txt"
    outside.write_text("dear")
    public = tmp_path / "public"
    publish(public, {"index.html": "1; Made with sitewatch"})
    (public / "link").symlink_to(tmp_path)
    own = json.loads((public / MANIFEST_FILE).read_text())["files"]
    digest = own[0] | {"bytes": 4}
    digest["sha256"] = hashlib.sha256(b"dear").hexdigest()
    rows = [digest | {"path": path} for path in ("../letter.txt", str(outside), "link/letter.txt")]
    (public / MANIFEST_FILE).write_text(json.dumps({"files": own + rows}))
    publish(public, {"index.html": "2"})
    assert outside.read_text() == "dear"


def test_two_publications_at_once_are_refused(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(PageError, match="being published"):
        publish(tmp_path, FIRST)
    os.close(descriptor)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_publication_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".pages.abc.part/sites").mkdir(parents=True)
    publish(tmp_path, FIRST)
    assert not list(tmp_path.glob(".pages*"))


def test_another_library_writes_its_file_itself(tmp_path: Path) -> None:
    def again() -> Swapped:
        with replacing_pages(tmp_path) as made:
            made.write("index.html", "1")
            made.stage("data/sites.gpkg").write_bytes(b"rows")
        return made.swapped

    assert again().written == ("data/sites.gpkg", "index.html")
    assert again() == Swapped((), 2)
    assert (tmp_path / "data/sites.gpkg").read_bytes() == b"rows"


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../../x", "a\\b", "c:x", MANIFEST_FILE])
def test_pages_stay_in_their_folder(tmp_path: Path, path: str) -> None:
    assert not is_inner(path) or path == MANIFEST_FILE
    with pytest.raises(PageError), replacing_pages(tmp_path) as made:
        made.write(path, "x")


def test_two_pages_of_one_path_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="two pages"), replacing_pages(tmp_path) as made:
        made.write("a.html", "1")
        made.write("a.html", "2")
