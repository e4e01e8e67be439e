from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from geo.dates import parse_edtf
from imagery.model import Detection, DetectionState, Look
from sites.editing import add_note
from sites.observation import Observation, Source
from watch.confirming import Confirmed, Words, confirm
from watch.decisions import Verdict
from watch.errors import ReviewError
from watch.reviews import read_reviews
from watch.workspace import Workspace

AT = datetime(2021, 6, 1, 12, tzinfo=UTC)
WORDS = Words("A hall of about 180 m was built.", (Source("NK Econ Watch", reliability="B"),))


class Killed(BaseException):
    """Raised where a process would have died."""


def say(workspace: Workspace, words: Words = WORDS, by: str = "anna") -> Confirmed:
    with workspace.ledger() as ledger:
        (detection,), looks = ledger.detections(), ledger.looks("yard")
    return confirm(workspace, detection, looks, words, by=by, at=AT)


def notes(workspace: Workspace) -> tuple[Observation, ...]:
    return tuple(workspace.catalogue().get("yard").observations)


def test_the_note_holds_bracket_area_and_looks(reviewed: Workspace, detection: Detection) -> None:
    done = say(reviewed)
    (note,) = notes(reviewed)
    assert note == done.note
    assert (note.id, note.date.text, note.kind) == (detection.id, detection.bracket, "imagery")
    assert note.author == "anna"
    assert note.measurement is not None
    assert (note.measurement.value, note.measurement.qualifier) == (32_400.0, "probable")
    assert [source.outlet for source in note.sources] == ["NK Econ Watch", "landsat-7", "landsat-7"]
    assert [str(source.published) for source in note.sources[1:]] == ["2021-04-17", "2021-05-03"]
    assert all("SIMULATED" in (source.title or "") for source in note.sources[1:])
    assert [each.kind for each in note.evidence] == ["detection", "look", "look"]
    (decision,) = read_reviews(reviewed.reviews_path).decisions
    assert (decision.verdict, decision.note) == (Verdict.CONFIRM, note.id)
    with reviewed.ledger() as ledger:
        assert ledger.detections() == [detection]  # what the machine judged is as it was


def test_said_twice_is_one_note_and_one_decision(reviewed: Workspace) -> None:
    say(reviewed)
    again = say(reviewed)
    assert not (again.wrote_note or again.wrote_decision)
    assert len(notes(reviewed)) == 1
    assert len(read_reviews(reviewed.reviews_path).decisions) == 1


def test_another_reviewer_and_other_words_never_overwrite(reviewed: Workspace, detection: Detection) -> None:
    say(reviewed)
    other = say(reviewed, Words("A roof, not a hall."), by="bo")
    corrected = say(reviewed, Words("Two halls."))
    assert say(reviewed, Words("Two halls.")).wrote_note is False
    texts = {note.id: note.text for note in notes(reviewed)}
    assert texts[detection.id] == WORDS.text
    assert texts[other.note.id] == "A roof, not a hall."
    assert other.note.supersedes is None
    assert corrected.note.supersedes == detection.id
    assert len(texts) == 3
    assert read_reviews(reviewed.reviews_path).standing(detection.id).words == (
        "confirmed by anna; confirmed by bo"
    )


def test_what_the_machine_retracted_is_not_confirmed(
    reviewed: Workspace, detection: Detection, put: Callable[..., None]
) -> None:
    put(reviewed, [replace(detection, state=DetectionState.RETRACTED)])
    with pytest.raises(ReviewError, match="was retracted"):
        say(reviewed)
    assert notes(reviewed) == ()


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


def test_killed_at_any_write_and_said_again_is_one_note_and_one_decision(
    make_workspace: Callable[[str], Workspace],
    put: Callable[..., None],
    detection: Detection,
    make_look: Callable[..., Look],
) -> None:
    looks = [make_look(detection.last_without), make_look(detection.first_with)]
    undisturbed = make_workspace("undisturbed")
    put(undisturbed, [detection], looks)
    say(undisturbed)
    wanted = notes(undisturbed)
    for at in range(1, 40):
        workspace = make_workspace(f"w{at}")
        put(workspace, [detection], looks)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, at)
            try:
                say(workspace)
            except Killed:
                pass
            else:
                assert faults.calls < at
                break
        say(workspace)
        assert notes(workspace) == wanted
        reviews = read_reviews(workspace.reviews_path)
        assert reviews.faults == ()
        assert [each.verdict for each in reviews.decisions] == [Verdict.CONFIRM]
    else:
        pytest.fail("there are more than 40 writes")
    assert at > 5


def test_a_note_that_an_analyst_wrote_under_that_id_stays(reviewed: Workspace, detection: Detection) -> None:
    catalogue = reviewed.catalogue()
    theirs = Observation(id=detection.id, date=parse_edtf("2020"), text="Mine.", author="chol")
    catalogue.with_records([add_note(catalogue.get("yard"), theirs)]).write()
    done = say(reviewed)
    assert done.note.id != detection.id
    assert theirs in notes(reviewed)
