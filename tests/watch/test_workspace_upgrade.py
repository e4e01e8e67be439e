from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watch.errors import WorkspaceBusyError, WorkspaceError
from watch.lock import LOCK_FILE, writing
from watch.settings import SETTINGS_FILE
from watch.versions import CURRENT_VERSION, read_version, with_version
from watch.workspace import GITIGNORE, Workspace
from watch.workspace_upgrade import STEPS, UPGRADES_FOLDER, Step, upgrade

Sitewatch = Callable[..., tuple[int, str, str]]

ANALYSTS = """\
# 시장 목록 - Anna's settings, do not tidy

title = 'Markets'   # ours
statement = \"\"\"
version = 9 is no version here\"\"\"

[run]
  cadence_days=7 # weekly
"""


def old_workspace(root: Path, text: str = ANALYSTS) -> Path:
    root.mkdir()
    (root / "catalogue").mkdir()
    (root / SETTINGS_FILE).write_bytes(text.encode())
    (root / ".gitignore").write_bytes(b"credentials.toml\r\nmine-\xff/\r\n")
    return root


def files(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and path.name != LOCK_FILE)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_a_new_workspace_has_the_present_version_and_nothing_to_upgrade(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", builtin=False)
    before = files(workspace.root)
    report = upgrade(workspace.root)
    assert (report.before, report.after, report.steps) == (CURRENT_VERSION, CURRENT_VERSION, ())
    assert files(workspace.root) == before


def test_an_older_workspace_is_used_as_it_is_and_upgraded_on_demand(tmp_path: Path) -> None:
    root = old_workspace(tmp_path / "w")
    was = files(root)
    assert Workspace.open(root).settings.run.cadence_days == 7
    assert files(root) == was
    report = upgrade(root)
    now = files(root)
    assert (report.before, report.after) == (1, CURRENT_VERSION)
    first, blank, *rest = ANALYSTS.split("\n")
    expected = "\n".join([first, blank, f"version = {CURRENT_VERSION}", *rest])
    assert now[SETTINGS_FILE].decode() == expected
    assert now[".gitignore"].startswith(was[".gitignore"])
    assert b"\r\nledger.sqlite-wal\r\n" in now[".gitignore"]
    assert set(GITIGNORE.split()[-4:]) <= set(now[".gitignore"].decode(errors="ignore").split())
    copies = report.steps[0].copies
    assert copies is not None
    assert files(copies) == was
    assert Workspace.open(root).settings.title == "Markets"
    assert upgrade(root).steps == ()


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    root = old_workspace(tmp_path / "w")
    was = files(root)
    planned = upgrade(root, dry_run=True)
    assert files(root) == was
    assert not (root / LOCK_FILE).exists()
    done = upgrade(root)
    assert [step.changes for step in planned.steps] == [step.changes for step in done.steps]


def test_steps_are_taken_in_order_and_see_what_the_ones_before_did(tmp_path: Path) -> None:
    root = old_workspace(tmp_path / "w")
    third = Step(3, "cadence in a year", {SETTINGS_FILE: lambda text: text.replace("=7", "=9")})
    fourth = Step(4, "and again", {SETTINGS_FILE: lambda text: text.replace("=9", "=11")})
    planned = upgrade(root, dry_run=True, steps=[*STEPS, third, fourth])
    upgrade(root, steps=[*STEPS, third])
    assert read_version(root / SETTINGS_FILE) == 3
    report = upgrade(root, steps=[*STEPS, third, fourth])
    assert [step.to for step in planned.steps] == [2, 3, 4]
    assert [step.to for step in report.steps] == [4]
    text = (root / SETTINGS_FILE).read_text()
    assert "  cadence_days=11 # weekly" in text
    assert planned.steps[-1].changes[-1].after == text
    assert len(list((root / UPGRADES_FOLDER).iterdir())) == 3


def test_a_newer_workspace_is_refused_by_every_command(tmp_path: Path, sitewatch: Sitewatch) -> None:
    root = old_workspace(tmp_path / "w", f"version = {CURRENT_VERSION + 1}\nsetting_of_tomorrow = 1\n")
    was = files(root)
    for command in (["looks", "x"], ["upgrade"], ["upgrade", "--dry-run"]):
        code, _, err = sitewatch(*command, "--workspace", str(root))
        assert code == 2
        assert f"version {CURRENT_VERSION + 1}" in err
        assert "Install a newer sitewatch" in err
    assert files(root) == was


@pytest.mark.parametrize("line", ["version = 'two'", "version = 0", "version = true", "version = 1.0"])
def test_a_version_that_is_none_is_refused_by_name(tmp_path: Path, line: str) -> None:
    root = old_workspace(tmp_path / "w", line + "\n")
    with pytest.raises(WorkspaceError, match="is no version") as caught:
        Workspace.open(root)
    assert caught.value.where.field == "version"


def test_no_variable_overrides_the_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = old_workspace(tmp_path / "w")
    monkeypatch.setenv("SITEWATCH_VERSION", "0.1.0-of-the-container")
    Workspace.open(root)
    assert read_version(root / SETTINGS_FILE) == 1


def test_an_upgrade_waits_for_no_run(tmp_path: Path) -> None:
    root = old_workspace(tmp_path / "w")
    with writing(root), pytest.raises(WorkspaceBusyError):
        upgrade(root)
    assert read_version(root / SETTINGS_FILE) == 1


def test_a_linked_settings_file_stays_a_link(tmp_path: Path) -> None:
    root = old_workspace(tmp_path / "w")
    shared = (root / SETTINGS_FILE).rename(tmp_path / "shared.toml")
    (root / SETTINGS_FILE).symlink_to(shared)
    upgrade(root)
    assert (root / SETTINGS_FILE).is_symlink()
    assert read_version(shared) == CURRENT_VERSION


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "version = 5\n"),
        ("# only words", "version = 5\n# only words"),
        ("version = 1 # said\n", "version = 5 # said\n"),
        ("title = 'a'\nversion=4", "title = 'a'\nversion=5"),
        ("[run]\r\nstacks = true\r\n", "version = 5\r\n[run]\r\nstacks = true\r\n"),
        ("title = '''\nversion = 1\n'''\nversion = 1\n", "title = '''\nversion = 1\n'''\nversion = 5\n"),
        ("title = '''\nversion = 1\n'''\n", "version = 5\ntitle = '''\nversion = 1\n'''\n"),
    ],
)
def test_only_the_version_is_edited(text: str, expected: str) -> None:
    assert with_version(text, 5, "f") == expected


def test_a_version_in_an_unusual_spelling_is_left_to_the_analyst() -> None:
    with pytest.raises(WorkspaceError, match="by hand"):
        with_version('"version" = 1\n', 2, "f")


LINES = st.lists(
    st.sampled_from(["# words", "", "a = 1", "b = '# c'", 'c = """\n[x]\nversion = 3\n"""', "version = 2"]),
    max_size=6,
    unique=True,
)


@given(LINES, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_everything_else_in_the_file_survives(lines: list[str], table: bool, newline: str) -> None:  # noqa: FBT001
    text = "".join(line.replace("\n", newline) + newline for line in lines) + ("[t]" if table else "")
    after = with_version(text, 7, "f")
    assert tomllib.loads(after) == tomllib.loads(text) | {"version": 7}
    kept = [line for line in text.splitlines() if not line.startswith("version")]
    left = iter(after.splitlines())
    assert all(any(line == other for other in left) for line in kept)


KILLED = """
import os, sys
from pathlib import Path
import shutil

from watch.workspace_upgrade import STEPS, Step, upgrade
from watch.settings import SETTINGS_FILE

source, work = Path(sys.argv[1]), Path(sys.argv[2])
third = {SETTINGS_FILE: lambda text: text.replace("cadence_days=7", "cadence_days=8")}
steps = [*STEPS, Step(3, "a third", third)]
real = {name: getattr(os, name) for name in ("replace", "rename", "fsync", "mkdir", "open")}
left = None

def counted(name):
    def call(*arguments, **options):
        global left
        if left is not None:
            left -= 1
            if left < 0:
                os._exit(9)
        return real[name](*arguments, **options)
    return call

for name in real:
    setattr(os, name, counted(name))

for position in range(1000):
    root = work / str(position)
    shutil.copytree(source, root)
    child = os.fork()
    if child == 0:
        left = position
        upgrade(root, steps=steps)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        print(position)
        break
    upgrade(root, steps=steps)
"""


def test_killed_at_any_write_and_taken_again_it_ends_the_same(tmp_path: Path) -> None:
    source = old_workspace(tmp_path / "w")
    was = files(source)
    work = tmp_path / "work"
    work.mkdir()
    command = [sys.executable, "-c", KILLED, str(source), str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kills = int(done.stdout)
    assert kills > 12

    def outcome(position: int) -> dict[str, bytes]:
        found = files(work / str(position))
        return {name: data for name, data in found.items() if "upgrades/" not in name and ".part" not in name}

    undisturbed = outcome(kills)
    assert b"cadence_days=8" in undisturbed[SETTINGS_FILE]
    for position in range(kills):
        assert outcome(position) == undisturbed
        copies = files(work / str(position) / UPGRADES_FOLDER)
        for name, data in was.items():
            assert any(copy.endswith(f"/{name}") and copies[copy] == data for copy in copies)


def test_the_command_shows_what_changes(tmp_path: Path, sitewatch: Sitewatch) -> None:
    root = old_workspace(tmp_path / "w")
    code, out, _ = sitewatch("upgrade", "--dry-run", "--workspace", str(root / "catalogue"))
    assert code == 0
    assert f"+version = {CURRENT_VERSION}" in out
    assert "Nothing was written" in out
    code, out, _ = sitewatch("upgrade", "--workspace", str(root))
    assert code == 0
    assert "Kept as they were" in out
    assert "Nothing to do" in sitewatch("upgrade", "--workspace", str(root))[1]
