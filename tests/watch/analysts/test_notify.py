from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from imagery.model import Detection, DetectionState, Look, Outcome
from watch.decisions import Decision, Verdict
from watch.errors import JournalError, TemplateError, WorkspaceBusyError
from watch.health import Health, write_health
from watch.lock import NOTIFY_LOCK_FILE, writing
from watch.news import Kind, News
from watch.notify import Delivered, Means, notify
from watch.reviews import write_decision
from watch.told import NOTIFIED_FILE, read_told
from watch.workspace import Workspace

NOW = datetime(2021, 6, 1, 6, tzinfo=UTC)
Put = Callable[..., None]
Give = Callable[[Workspace, str], Workspace]
Sitewatch = Callable[..., tuple[int, str, str]]


class Said(list[str]):
    """What went to standard output."""

    def write(self, text: str) -> None:
        self.append(text)


def tell(workspace: Workspace, after_days: float = 0.0, said: Said | None = None) -> Delivered:
    means = Means(environment={}, write=(Said() if said is None else said).write)
    return notify(workspace, now=NOW + timedelta(days=after_days), means=means)


def news(done: Delivered) -> list[tuple[str, str]]:
    (sink,) = done.sinks
    assert not sink.failure
    return [(each.kind.value, each.state) for digest in sink.digests for each in digest.alerts]


def test_a_state_is_told_once_and_every_later_one_once(
    watched: Workspace, detection: Detection, put: Put
) -> None:
    said = Said()
    put(watched, [detection])
    assert news(tell(watched, 0, said)) == [("change", "probable")]
    assert "Yard: probable change" in said[0]
    assert tell(watched, 1).sinks[0].digests == ()
    put(watched, [replace(detection, state=DetectionState.CONFIRMED)])
    assert news(tell(watched, 4)) == [("change", "confirmed")]
    put(watched, [])
    assert news(tell(watched, 8)) == [("change", "withdrawn")]
    assert news(tell(watched, 12)) == []
    put(watched, [replace(detection, state=DetectionState.RETRACTED)])
    assert news(tell(watched, 12.5)) == [("change", "retracted")]


def test_what_waits_for_the_cooldown_is_told_in_its_latest_state(
    watched: Workspace, detection: Detection, put: Put
) -> None:
    put(watched, [detection])
    tell(watched)
    second = replace(detection, id="det-b")
    put(watched, [detection, second])
    assert news(tell(watched, 1)) == []
    put(watched, [detection, replace(second, state=DetectionState.CONFIRMED)])
    assert news(tell(watched, 2.9)) == []
    assert news(tell(watched, 3)) == [("change", "confirmed")]


def test_muted_sites_and_dismissed_detections_are_silent_until_that_ends(
    watched: Workspace, detection: Detection, put: Put
) -> None:
    put(watched, [detection])
    mute = Decision(Verdict.MUTE, "anna", NOW, "yard", until=date(2021, 6, 20))
    write_decision(watched.reviews_path, mute)
    (sink,) = tell(watched).sinks
    assert [each.kind for each in sink.digests[0].news] == [Kind.QUIET]
    assert sink.digests[0].held == 0
    assert news(tell(watched, 18)) == []
    write_decision(watched.reviews_path, Decision(Verdict.DISMISS, "bo", NOW, "yard", detection.id, "dust"))
    assert news(tell(watched, 20)) == []
    write_decision(
        watched.reviews_path, Decision(Verdict.CONFIRM, "anna", NOW, "yard", detection.id, note="n")
    )
    said = Said()
    assert news(tell(watched, 21, said)) == [("change", "probable")]
    assert "dismissed by bo (dust)" in said[0]
    assert "confirmed by anna" in said[0]


def test_a_quiet_week_gives_one_sign_of_life(watched: Workspace) -> None:
    said = Said()
    tell(watched, 0, said)
    assert said[0].startswith("Sites watched from orbit: no news, 1 clear of 3 looks\n")
    assert "Longest blind span: yard, 25 days from 2021-05-01 to 2021-05-26." in said[0]
    assert [bool(tell(watched, days).sinks[0].digests) for days in (1, 6.9, 7, 8)] == [
        False,
        False,
        True,
        False,
    ]


def test_quiet_can_be_switched_off(watched: Workspace, with_settings: Give) -> None:
    workspace = with_settings(watched, "[notify]\nquiet_days = 0\n")
    assert tell(workspace).sinks[0].digests == ()


def test_a_clock_that_was_set_back_neither_silences_nor_floods(
    watched: Workspace, detection: Detection, put: Put
) -> None:
    put(watched, [detection])
    tell(watched, 400)
    put(watched, [replace(detection, state=DetectionState.CONFIRMED)])
    assert news(tell(watched, 0)) == [("change", "confirmed")]
    assert [bool(tell(watched, days).sinks[0].digests) for days in (1, 2, 7, 8)] == [
        False,
        False,
        True,
        False,
    ]


def test_failed_images_and_missing_activity_are_told(
    watched: Workspace, put: Put, make_look: Callable[..., Look]
) -> None:
    put(watched, [], [make_look(date(2021, 5, 31), Outcome.FAILED, reason="cut short")])
    said = Said()
    assert news(tell(watched, 0, said)) == [("failure", "failing")]
    assert "The image of 2021-05-31 (landsat) can't be looked at: cut short" in said[0]
    assert news(tell(watched, 0.5)) == []
    put(watched, [], [make_look(date(2021, 6, 1))])
    assert news(tell(watched, 1)) == [("failure", "well")]


def test_every_sink_has_its_own_account(
    watched: Workspace, detection: Detection, put: Put, with_settings: Give
) -> None:
    put(watched, [detection])
    tell(watched)
    workspace = with_settings(watched, '[notify]\nstdout = true\nfile = "words/log.txt"\n')
    done = tell(workspace, 1)
    assert [(each.sink, len(each.digests)) for each in done.sinks] == [("stdout", 0), ("file", 1)]
    assert "Yard: probable change" in (watched.root / "words" / "log.txt").read_text()


def test_the_feed_is_made_of_what_was_told(
    watched: Workspace, detection: Detection, put: Put, with_settings: Give
) -> None:
    workspace = with_settings(watched, '[notify]\nfeed = true\nfeed_url = "https://example.org/feed.xml"\n')
    feed = watched.public_path / "feed.xml"
    put(watched, [detection])
    tell(workspace)
    first = feed.read_bytes()
    assert first.count(b"<entry>") == 1
    tell(workspace, 1)
    assert feed.read_bytes() == first
    put(watched, [replace(detection, state=DetectionState.CONFIRMED)])
    tell(workspace, 5)
    assert feed.read_bytes().count(b"<entry>") == 2
    assert feed.read_bytes().index(b"confirmed change") < feed.read_bytes().index(b"probable change")


def test_templates_say_it_in_the_users_words(watched: Workspace, detection: Detection, put: Put) -> None:
    put(watched, [detection])
    folder = watched.root / "templates"
    folder.mkdir()
    (folder / "subject.txt").write_text("{{ news|length }} at {{ title }}\n")
    (folder / "digest.txt").write_text(
        "{% for each in news %}{{ each.site_id }}: {{ each.state }}{% endfor %}\n"
    )
    said = Said()
    tell(watched, 0, said)
    assert said == ["1 at Sites watched from orbit\n\nyard: probable\n"]
    (folder / "digest.txt").write_text("{{ nothing }}")
    put(watched, [])
    with pytest.raises(TemplateError, match=r"digest\.txt: can't be filled in: 'nothing' is undefined"):
        tell(watched, 9)
    assert read_told(watched.root / NOTIFIED_FILE)["stdout"].pending == ()


class Killed(BaseException):
    """Raised where a process would have died."""


class Faults:
    """Dies at one of the calls that write; half of what is written there is on the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        self.calls, self._at = 0, at
        for name in ("write", "fsync", "ftruncate", "replace", "rename"):
            monkeypatch.setattr(os, name, self._faulty(name, getattr(os, name)))

    def _faulty(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            self.calls += 1
            if self.calls == self._at:
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(bytes(arguments[1])) // 2])  # type: ignore[call-overload]
                raise Killed
            return real(*arguments)

        return call


def test_killed_at_any_write_every_word_comes_and_comes_once(
    make_workspace: Callable[[str], Workspace],
    detection: Detection,
    put: Put,
    make_look: Callable[..., Look],
    with_settings: Give,
) -> None:
    def made(name: str) -> Workspace:
        workspace = make_workspace(name)
        put(workspace, [detection], [make_look(date(2021, 5, 26))])
        return with_settings(workspace, '[notify]\nfile = "log.txt"\nfeed = true\nstdout = true\n')

    undisturbed = made("undisturbed")
    tell(undisturbed)
    log, feed = (
        (undisturbed.root / "log.txt").read_bytes(),
        (undisturbed.public_path / "feed.xml").read_bytes(),
    )
    for at in range(1, 60):
        workspace, said = made(f"w{at}"), Said()
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, at)
            try:
                tell(workspace, 0, said)
            except Killed:
                pass
            else:
                assert faults.calls < at
                break
        tell(workspace, 0, said)
        tell(workspace, 0, said)
        assert (workspace.root / "log.txt").read_bytes() == log
        assert (workspace.public_path / "feed.xml").read_bytes() == feed
        # A terminal can't be asked whether it has it: never lost, and twice only after a kill in between.
        assert len(set(said)) == 1
        assert len(said) <= 2
    else:
        pytest.fail("there are more than 60 writes")
    assert at > 12


def test_two_at_once_one_is_told_to_wait(watched: Workspace) -> None:
    with writing(watched.root, NOTIFY_LOCK_FILE), pytest.raises(WorkspaceBusyError):
        tell(watched)
    with writing(watched.root):
        assert tell(watched).sinks[0].digests


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"sink": "stdout"}',
        '{"sink": "stdout", "done": "word-1"}',
        '{"sink": 1, "begun": 2, "digest": 3}',
    ],
)
def test_a_damaged_journal_is_refused_before_anything_is_told_twice(watched: Workspace, line: str) -> None:
    (watched.root / NOTIFIED_FILE).write_text(f"{line}\n")
    said = Said()
    with pytest.raises(JournalError, match=r"notified\.jsonl, line 1"):
        tell(watched, 0, said)
    assert said == []


def test_more_news_than_one_digest_holds_comes_with_the_next(
    watched: Workspace, detection: Detection, put: Put, with_settings: Give
) -> None:
    workspace = with_settings(watched, "[notify]\ncooldown_days = 0\nitems = 3\n")
    put(watched, [replace(detection, id=f"det-{number:04}") for number in range(350)])
    said = Said()
    assert len(news(tell(workspace, 0, said))) == 300
    assert "... and 297 more" in said[0]
    assert "50 more wait for a later word." in said[0]
    assert len(news(tell(workspace, 0.1))) == 50
    assert news(tell(workspace, 0.2)) == []


def test_the_command_says_what_it_told_and_how_it_ended(
    watched: Workspace, detection: Detection, put: Put, with_settings: Give, sitewatch: Sitewatch
) -> None:
    put(watched, [detection])
    where = ("--workspace", str(watched.root), "--now", "2021-06-01")
    code, out, _ = sitewatch("notify", "--dry-run", "--fail-on-alert", *where)
    assert code == 0
    assert out.startswith("would tell stdout: Yard: probable change")
    code, out, _ = sitewatch("notify", "--fail-on-alert", *where)
    assert code == 1
    assert "Yard: probable change" in out
    code, out, _ = sitewatch("notify", "--fail-on-alert", *where)
    assert (code, out) == (0, "")
    with_settings(watched, '[notify]\nfile = "log.txt"\n')
    code, out, err = sitewatch("notify", "--json", *where)
    assert code == 0
    (report,) = json.loads(out)
    assert report["digests"][0]["news"][0]["subject"] == detection.id
    assert "told file: Yard: probable change" in err
    (watched.root / "log.txt").unlink()
    (watched.root / "log.txt").mkdir()
    put(watched, [])
    code, out, err = sitewatch("notify", "--workspace", str(watched.root), "--now", "2021-06-09")
    assert code == 3
    assert "not told file: " in err


def test_news_ids_are_known_by_their_content() -> None:
    one = News(Kind.CHANGE, "det-a", "probable", "a")
    assert one.id == replace(one, title="b", lon=1.0).id
    assert one.id != replace(one, said_before=1).id


def test_every_path_of_a_file_stays_inside(watched: Workspace, with_settings: Give, tmp_path: Path) -> None:
    workspace = with_settings(watched, '[notify]\nfile = "log.txt"\n')
    (watched.root / "log.txt").symlink_to(tmp_path / "outside")
    assert "cannot be written" in tell(workspace).sinks[0].failure
    assert not (tmp_path / "outside").exists()


def test_a_quiet_terminal_loses_no_word(
    watched: Workspace, detection: Detection, put: Put, sitewatch: Sitewatch
) -> None:
    put(watched, [detection])
    where = ("--workspace", str(watched.root), "--now", "2021-06-01")
    assert sitewatch("notify", "--quiet", *where) == (0, "", "")
    assert "Yard: probable change" in sitewatch("notify", *where)[1]


def test_a_run_that_fails_is_news_and_so_is_the_next_that_works(watched: Workspace) -> None:
    begun = Health().begun(NOW)
    write_health(watched.root, begun.ended(NOW, 1, wrong=("the disk is full",)))
    said = Said()
    assert news(tell(watched, 0, said)) == [("failure", "failing")]
    assert "Last run 2021-06-01 06:00 UTC, exit code 1: the disk is full" in said[0]
    assert news(tell(watched, 0.1)) == []
    write_health(watched.root, begun.ended(NOW, 0))
    assert news(tell(watched, 0.2)) == [("failure", "well")]


def test_run_sends_word_afterwards(
    make_workspace: Callable[[str], Workspace], with_settings: Give, sitewatch: Sitewatch
) -> None:
    workspace = with_settings(make_workspace("w"), '[notify]\nfile = "log.txt"\n')
    where = ("--workspace", str(workspace.root))
    code, out, _ = sitewatch("run", "--notify", "--json", "--now", "2021-06-01", *where)
    assert code == 0
    (report,) = json.loads(out)["told"]
    assert report["digests"][0]["news"][0]["kind"] == "quiet"
    assert "is not known" in (workspace.root / "log.txt").read_text()
    assert "told" not in json.loads(sitewatch("run", "--json", "--now", "2021-06-01", *where)[1])


def test_an_unattended_run_that_fails_as_a_whole_still_sends_word(
    watched: Workspace, with_settings: Give, sitewatch: Sitewatch
) -> None:
    workspace = with_settings(watched, '[notify]\nfile = "log.txt"\n')
    item = watched.archive_path / "scenes" / "landsat-7" / "2021" / "s1" / "s1.json"
    item.parent.mkdir(parents=True)
    item.write_text("{")
    code, _, err = sitewatch("run", "--due", "--notify", "--workspace", str(workspace.root))
    assert code != 0
    assert "s1.json" in err
    assert "The watch: failing" in (workspace.root / "log.txt").read_text()
