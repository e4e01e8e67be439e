from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from shapely.geometry import Point, box

from geo.dates import parse_edtf
from imagery.model import Detection, DetectionState, Look, NoScene, Outcome
from sites.categories import parse_category
from sites.model import Name, Site, WatchRules
from sites.observation import Expectation, Observation
from watch.ledger import Ledger
from watch.silence import Silence, silences_in

WALL = datetime(2026, 1, 31, 12, 30, 1, tzinfo=UTC)
LOOK = Look(
    "yard",
    "g",
    date(2020, 1, 1),
    "s",
    "p",
    ("x",),
    WALL,
    day_only=False,
    outcome=Outcome.UNCHANGED,
    reason="",
    clear_fraction=1.0,
    frame_clear_fraction=1.0,
    mask_scheme="scl",
    history=9,
    score=1.0,
    threshold=2.0,
)
DETECTION = Detection(
    "det-1",
    "yard",
    "g",
    "s",
    DetectionState.PROBABLE,
    "2020-03-01/2020-03-11",
    date(2020, 3, 1),
    date(2020, 3, 11),
    date(2020, 3, 21),
    2,
    box(0, 0, 1, 1),
    900.0,
    1.5,
    None,
)
NOTE = Observation("built", parse_edtf("2020-02"), "A hall is to be built.", expects=Expectation.CONSTRUCTION)


def site(*notes: Observation, expects: Expectation | None = None) -> Site:
    rules = WatchRules(expects=expects)
    return Site(
        "yard", (Name("Yard"),), parse_category("storage"), Point(0, 0), watch=rules, observations=notes
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Thirty looks from January on, ten days apart; of every three the last is obscured, one differs."""
    found = Ledger.open(tmp_path / "ledger.sqlite")
    with found.transaction() as transaction:
        for number in range(30):
            outcome = Outcome.OBSCURED if number % 3 == 2 else Outcome.UNCHANGED
            outcome = Outcome.LEARNING if number < 2 else Outcome.CHANGED if number == 9 else outcome
            day = LOOK.solar_day + timedelta(days=10 * number)
            look = replace(LOOK, solar_day=day, outcome=outcome)
            transaction.add_look(look, run_id="r", judged_at=WALL)
        windows = [
            NoScene("yard", day, day + timedelta(days=5)) for day in (date(2020, 1, 2), date(2020, 5, 2))
        ]
        transaction.set_no_scenes("yard", windows, run_id="r")
    yield found
    found.close()


def detected(ledger: Ledger, *found: Detection) -> None:
    with ledger.transaction() as transaction:
        transaction.set_detections("yard", "g", "s", found, run_id="r")


def test_what_was_not_seen_is_told_with_how_often_it_was_looked_for(ledger: Ledger) -> None:
    (silence,) = silences_in([site(NOTE)], ledger, needed=16)
    assert silence == Silence(
        "yard",
        "built",
        "construction",
        "2020-02",
        date(2020, 2, 29),
        looks=24,
        clear=16,
        judged=16,
        differing=1,
        last_judged=date(2020, 10, 7),
        no_scene=1,
    )
    assert silences_in([site(NOTE)], ledger, needed=17) == ()
    assert "no change was detected in 16 looks that could tell one since 2020-02-29" in silence.words
    assert "1 of which differed without a detection" in silence.words
    assert silence.to_json()["words"] == silence.words
    for word in ("inactive", "nothing happened", "abandoned", "unchanged"):
        assert word not in silence.words.lower()


@pytest.mark.parametrize(
    ("change", "silent"),
    [
        ({}, False),
        ({"state": DetectionState.RETRACTED}, True),
        ({"first_with": date(2020, 1, 31)}, True),
        ({"first_with": date(2020, 2, 1)}, False),
        ({"id": "dismissed"}, True),
    ],
)
def test_a_detection_since_then_ends_the_silence(
    ledger: Ledger, change: dict[str, object], *, silent: bool
) -> None:
    detected(ledger, replace(DETECTION, **change))  # type: ignore[arg-type]  # fields of a detection
    assert bool(silences_in([site(NOTE)], ledger, needed=6, dismissed={"dismissed"})) is silent


def test_a_site_whose_activity_is_expected_always_counts_since_it_was_last_seen(ledger: Ledger) -> None:
    (always,) = silences_in([site(expects=Expectation.MORE_ACTIVITY)], ledger)
    assert (always.note_id, always.since, always.looks, always.judged) == ("", date(2019, 12, 31), 30, 18)
    detected(ledger, DETECTION)
    (since,) = silences_in([site(expects=Expectation.MORE_ACTIVITY)], ledger)
    assert (since.since, since.looks) == (date(2020, 3, 21), 21)


def test_nothing_is_expected_of_what_is_said_to_be_closed_or_was_never_looked_at(ledger: Ledger) -> None:
    closed = replace(NOTE, id="closed", expects=Expectation.CLOSED)
    later = replace(NOTE, id="later", expects=None, supersedes="built")
    assert silences_in([site(closed), site(), site(NOTE, later)], ledger, needed=1) == ()
    assert silences_in([replace(site(NOTE), id="elsewhere")], ledger, needed=1) == ()
