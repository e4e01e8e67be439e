from __future__ import annotations

import getpass
import json
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.evidence import Evidence, Scored
from imagery.change.null import null_of, stratum
from imagery.model import Detection, DetectionState
from sites.catalogue import Catalogue
from watch.decisions import Decision, Verdict, read_decision
from watch.dismissed import dismissed, dismissed_null
from watch.errors import ReviewError
from watch.queue import Filters, orphans, queue
from watch.reviewer import find_reviewer
from watch.reviews import read_reviews, reviewer_file, write_decision

NOON = datetime(2021, 6, 1, 12, tzinfo=UTC)
ID = "det-0123456789ab"


def decision(verdict: Verdict = Verdict.DISMISS, **changes: Any) -> Decision:  # noqa: ANN401 - fields
    usual: dict[Verdict, dict[str, Any]] = {
        Verdict.DISMISS: {"detection_id": ID, "because": "dust"},
        Verdict.CONFIRM: {"detection_id": ID, "note": ID},
        Verdict.MUTE: {"until": date(2021, 7, 1)},
        Verdict.RETRACT: {"detection_id": ID},
    }
    fields: dict[str, Any] = {"verdict": verdict, "by": "anna", "at": NOON, "site_id": "yard"}
    return Decision(**fields | usual[verdict] | changes)


def test_every_kind_of_decision_survives_its_line() -> None:
    for verdict in Verdict:
        assert read_decision(json.loads(json.dumps(decision(verdict).to_json()))) == decision(verdict)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"verdict": "adore"}, "verdict"),
        ({"by": "  "}, "by"),
        ({"by": "a\nb"}, "by"),
        ({"by": "\u202eanna"}, "by"),
        ({"by": "x" * 121}, "by"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2021-06-01T12:00:00"}, "at"),
        ({"site": "../../etc"}, "site"),
        ({"site": ""}, "site"),
        ({"detection": "DET 1"}, "detection"),
        ({"because": ""}, "because"),
        ({"because": "\x1b[2J"}, "because"),
        ({"because": "x" * 200_000}, "because"),
        ({"because": 3}, "because"),
        ({"until": "2021-07-01"}, "until"),
        ({"verdict": "mute", "until": "soon"}, "until"),
        ({"verdict": "confirm", "because": ""}, "note"),
        ({"state": "confirmed"}, "line"),
    ],
)
def test_a_line_that_is_no_decision_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ReviewError) as caught:
        read_decision(decision().to_json() | changes)
    assert caught.value.where.field == field


def test_a_bad_line_costs_itself_and_names_file_and_line(tmp_path: Path) -> None:
    write_decision(tmp_path, decision())
    file = tmp_path / "anna.jsonl"
    with file.open("ab") as stream:
        stream.write(b'{"verdict":"confirm"}\n{"by":"bo"')
    reviews = read_reviews(tmp_path)
    assert [each.by for each in reviews.decisions] == ["anna"]
    (fault,) = reviews.faults
    assert (fault.where.file, fault.where.line) == (str(file), 2)
    assert write_decision(tmp_path, decision(because="snow"))
    assert read_reviews(tmp_path).standing(ID).words == "dismissed by anna (snow)"


def test_lines_in_another_reviewers_file_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "bo.jsonl").write_text(json.dumps(decision().to_json()) + "\n")
    reviews = read_reviews(tmp_path)
    assert reviews.decisions == ()
    assert "stand in another's file" in str(reviews.faults[0])


@given(st.lists(st.text(min_size=1, max_size=40), unique=True, min_size=2, max_size=6))
def test_different_names_never_share_a_file(names: list[str]) -> None:
    files = [reviewer_file(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    assert all("/" not in file and not file.startswith(".") and len(file) < 80 for file in files)


def test_the_last_word_of_each_reviewer_holds_and_two_may_disagree(tmp_path: Path) -> None:
    assert write_decision(tmp_path, decision())
    assert not write_decision(tmp_path, decision(at=NOON + timedelta(hours=1)))
    assert write_decision(tmp_path, decision(Verdict.CONFIRM, by="bo"))
    standing = read_reviews(tmp_path).standing(ID)
    assert standing.word == "disputed"
    assert standing.words == "dismissed by anna (dust); confirmed by bo"
    assert write_decision(tmp_path, decision(Verdict.RETRACT, at=NOON + timedelta(hours=2)))
    assert read_reviews(tmp_path).standing(ID).word == "confirmed"
    with pytest.raises(ReviewError, match="has said nothing"):
        write_decision(tmp_path, decision(Verdict.RETRACT, by="chol"))
    assert read_reviews(tmp_path).standing("det-other").word == "open"


def test_a_clock_that_was_set_back_does_not_turn_the_order(tmp_path: Path) -> None:
    write_decision(tmp_path, decision())
    write_decision(tmp_path, decision(because="snow", at=NOON - timedelta(days=30)))
    assert read_reviews(tmp_path).standing(ID).words == "dismissed by anna (snow)"


def test_a_mute_ends_by_itself_or_by_a_word(tmp_path: Path) -> None:
    write_decision(tmp_path, decision(Verdict.MUTE))
    reviews = read_reviews(tmp_path)
    assert reviews.muted_until(["yard"], date(2021, 6, 30)) == date(2021, 7, 1)
    assert reviews.muted_until(["new-yard", "yard"], date(2021, 6, 30)) == date(2021, 7, 1)
    assert reviews.muted_until(["yard"], date(2021, 7, 1)) is None
    write_decision(tmp_path, decision(Verdict.RETRACT, detection_id=""))
    assert read_reviews(tmp_path).muted_until(["yard"], date(2021, 6, 30)) is None


def test_the_queue_goes_by_evidence_and_leaves_out_what_is_settled(
    tmp_path: Path, detection: Detection
) -> None:
    found = [
        replace(detection, id="det-weak", magnitude=1.1),
        replace(detection, id="det-strong", magnitude=9.0),
        replace(detection, id="det-likely", p_value=0.01),
        replace(detection, id="det-sure", state=DetectionState.CONFIRMED),
        replace(detection, id="det-gone", state=DetectionState.RETRACTED),
        replace(detection, id="det-quiet", site_id="other"),
        replace(detection, id=ID, magnitude=20.0),
    ]
    write_decision(tmp_path, decision())
    write_decision(tmp_path, decision(Verdict.MUTE, site_id="other"))
    reviews = read_reviews(tmp_path)
    everything = queue(found, reviews, Catalogue.of([]), today=date(2021, 6, 2))
    assert [each.detection.id for each in everything] == [
        "det-sure", "det-likely", ID, "det-strong", "det-quiet", "det-weak", "det-gone",
    ]  # fmt: skip
    shown = [each.detection.id for each in everything if Filters().lets(each)]
    assert shown == ["det-sure", "det-likely", "det-strong", "det-weak"]
    assert everything[0].age_days == 30
    dismissed_only = Filters(words=frozenset({"dismissed"}))
    assert [each.detection.id for each in everything if dismissed_only.lets(each)] == [ID]
    assert [each.state for each in found] == [each.state for each in found]
    assert [each.detection_id for each in orphans(reviews.decisions, [])] == [ID]
    assert orphans(reviews.decisions, found) == ()


def test_what_all_reviewers_dismissed_joins_the_null(tmp_path: Path, detection: Detection) -> None:
    scored = Evidence("listed", 30.0, is_reflectance=True, raised=Scored(detection.first_with, 12, 7.5))
    raised = replace(detection, evidence=scored)
    write_decision(tmp_path, decision())
    (found,) = dismissed([raised], read_reviews(tmp_path))
    assert (found.score, found.history, found.because) == (7.5, 12, ("dust",))
    key = stratum("listed", detection.first_with, 12)
    quiet = null_of([(key, 1.0)] * 99, source="simulated", min_scores=50)
    before = quiet.p_value(7.0, key)
    merged = quiet.merged(dismissed_null([found], min_scores=50))
    after = merged.p_value(7.0, key)
    assert before is not None
    assert after is not None
    assert (before.p, after.p) == (1 / 100, 2 / 101)
    assert merged.source == "dismissed by analysts + simulated"
    assert dismissed_null([replace(found, evidence=None)], min_scores=50).tails == {}
    write_decision(tmp_path, decision(Verdict.CONFIRM, by="bo"))
    assert dismissed([raised], read_reviews(tmp_path)) == ()


def test_a_reviewer_is_named_by_option_setting_git_or_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    monkeypatch.setenv("LOGNAME", "chol")
    assert getpass.getuser() == "chol"
    assert str(find_reviewer(tmp_path, given="anna", setting="bo")) == "anna (--by)"
    assert str(find_reviewer(tmp_path, given=None, setting="bo")) == "bo ([review] reviewer)"
    assert str(find_reviewer(tmp_path, given=None, setting="")) == "chol (user name)"
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.name", "Dana"], check=True)
    assert str(find_reviewer(tmp_path, given=None, setting="")) == "Dana (git)"
