from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from shapely.geometry import box
from sqlalchemy.exc import IntegrityError

from imagery.change.card import METHOD, Card
from imagery.model import Detection, DetectionState, Look, NoScene, Outcome, Region
from watch.errors import LedgerError
from watch.ledger import Examined, Ledger
from watch.ledger_history import Change
from watch.ledger_versions import SCHEMA_VERSION

WALL = datetime(2026, 1, 31, 12, 30, 1, tzinfo=UTC)
LOOK = Look(
    site_id="a",
    grid_id="0123456789ab",
    solar_day=date(2020, 5, 1),
    series="landsat-tm",
    platform="landsat-7",
    scene_ids=("s1", "s2"),
    acquired=datetime(2020, 5, 1, 2, 3, 4, tzinfo=UTC),
    day_only=False,
    outcome=Outcome.CHANGED,
    reason="900 m2 over the threshold",
    clear_fraction=0.75,
    frame_clear_fraction=0.5,
    mask_scheme="fmask",
    history=7,
    score=4.5,
    threshold=3.0,
    regions=(Region(box(125.0, 39.0, 125.001, 39.001), 900.0, 1, 1.5, {"red": 0.1}),),
)
DETECTION = Detection(
    id="det-1",
    site_id="a",
    grid_id=LOOK.grid_id,
    series="landsat-tm",
    state=DetectionState.PROBABLE,
    bracket="2020-04-01/2020-05-01",
    last_without=date(2020, 4, 1),
    first_with=date(2020, 5, 1),
    last_with=date(2020, 5, 17),
    looks_with=2,
    geometry=box(125.0, 39.0, 125.001, 39.001),
    area_m2=900.0,
    magnitude=1.5,
    p_value=None,
    direction={"red": 0.1},
)


@pytest.fixture
def ledger(ledger_place: Path | str) -> Iterator[Ledger]:
    found = Ledger.open(ledger_place)
    yield found
    found.close()


def test_looks_come_back_as_they_went_in_and_in_order(ledger: Ledger) -> None:
    earlier = replace(
        LOOK, solar_day=date(2019, 1, 1), outcome=Outcome.OBSCURED, score=None, threshold=None, regions=()
    )
    with ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r", judged_at=WALL)
        transaction.add_look(earlier, run_id="r", judged_at=WALL)
    assert ledger.looks("a") == [earlier, LOOK]
    assert ledger.looks("a", grid_id="other") == []
    assert ledger.all_looks() == {"a": [earlier, LOOK]}


def test_the_method_of_looks_that_were_written_before_it_had_a_column_is_found_on_their_cards(
    ledger_place: Path | str,
) -> None:
    judged = replace(LOOK, card=Card("Changed", (), (), {}))
    bare = replace(LOOK, solar_day=date(2019, 1, 1))
    with closing(Ledger.open(ledger_place)) as ledger:
        with ledger.transaction() as transaction:
            for look in (judged, bare):
                transaction.add_look(look, run_id="r", judged_at=WALL)
        before = ledger.looked("a"), ledger.snapshot()
        assert [each.method for each in before[0]] == [None, METHOD]
        with ledger.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE looks DROP COLUMN method")
            connection.exec_driver_sql("UPDATE meta SET value = '4'")
    assert Ledger.upgrade(ledger_place) == (4, SCHEMA_VERSION)
    with closing(Ledger.open(ledger_place)) as ledger:
        assert (ledger.looked("a"), ledger.snapshot()) == before


def test_a_look_is_there_once(ledger: Ledger) -> None:
    with ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r", judged_at=WALL)
    with pytest.raises(IntegrityError), ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r2", judged_at=WALL)
    assert len(ledger.looks("a")) == 1


def test_a_block_that_fails_writes_nothing(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r", judged_at=WALL)
        raise RuntimeError
    assert ledger.looks("a") == []


def test_detections_follow_the_looks_and_untouched_rows_keep_their_run(ledger: Ledger) -> None:
    other = replace(DETECTION, id="det-2")
    keys = ("a", LOOK.grid_id, "landsat-tm")
    with ledger.transaction() as transaction:
        transaction.set_detections(*keys, [DETECTION, other], run_id="r1")
    confirmed = replace(DETECTION, state=DetectionState.CONFIRMED)
    with ledger.transaction() as transaction:
        transaction.set_detections(*keys, [confirmed, other], run_id="r2")
    assert ledger.detections("a") == [confirmed, other]
    with ledger.transaction() as transaction:
        transaction.set_detections(*keys, [], run_id="r3")
    assert ledger.detections() == []


def test_each_change_of_state_is_kept_with_the_look_that_caused_it(ledger: Ledger) -> None:
    keys = ("a", LOOK.grid_id, "landsat-tm")
    days = [date(2020, 5, day) for day in (1, 9, 17, 25)]
    confirmed, retracted = (
        replace(DETECTION, state=state) for state in (DetectionState.CONFIRMED, DetectionState.RETRACTED)
    )

    def judge(day: date, *found: Detection) -> None:
        with ledger.transaction() as transaction:
            transaction.add_look(replace(LOOK, solar_day=day), run_id="r", judged_at=WALL)
            transaction.set_detections(*keys, found, run_id="r", day=day)

    for day, found in zip(days, ([DETECTION], [DETECTION], [confirmed], []), strict=True):
        judge(day, *found)
    assert ledger.history("det-1") == [
        Change("det-1", days[0], DetectionState.PROBABLE),
        Change("det-1", days[2], DetectionState.CONFIRMED),
        Change("det-1", days[3], None),
    ]
    with ledger.transaction() as transaction:
        transaction.drop_looks(*keys, days[1:])
    judge(days[1], retracted)
    assert [(each.solar_day, each.state) for each in ledger.history("det-1")] == [
        (days[0], DetectionState.PROBABLE),
        (days[1], DetectionState.RETRACTED),
    ]
    assert ledger.history("det-2") == []


def test_empty_windows_and_how_far(ledger: Ledger) -> None:
    first, second = (NoScene("a", date(2020, 1, day), date(2020, 1, day + 5)) for day in (1, 6))
    with ledger.transaction() as transaction:
        transaction.set_no_scenes("a", [first, second], run_id="r")
        transaction.set_examined("a", Examined(date(2020, 1, 1), WALL))
    with ledger.transaction() as transaction:
        transaction.set_no_scenes("a", [second], run_id="r2")
    assert ledger.no_scenes("a") == [second]
    assert ledger.examined() == {"a": Examined(date(2020, 1, 1), WALL)}


def test_equal_ledgers_are_equal_without_their_wall_clocks(tmp_path: Path) -> None:
    snapshots = []
    for run_id in ("one", "two"):
        ledger = Ledger.open(tmp_path / f"{run_id}.sqlite")
        ledger.start_run(run_id, now=WALL, started_at=datetime.now(UTC))
        with ledger.transaction() as transaction:
            transaction.add_look(LOOK, run_id=run_id, judged_at=datetime.now(UTC))
            transaction.set_detections("a", LOOK.grid_id, LOOK.series, [DETECTION], run_id=run_id)
        snapshots.append(ledger.snapshot())
        ledger.close()
    assert snapshots[0] == snapshots[1]
    assert snapshots[0]["looks"]


def test_refuses_what_is_no_ledger_of_this_version(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("this is not a database, whatever its name says" * 50)
    with pytest.raises(LedgerError, match="is not a ledger"):
        Ledger.open(text)
    later = tmp_path / "later.sqlite"
    Ledger.open(later).close()
    with sqlite3.connect(later) as connection:
        connection.execute("UPDATE meta SET value = '99'")
    connection.close()
    with pytest.raises(LedgerError, match="schema version 99"):
        Ledger.open(later)


def test_a_full_disk_is_said_to_be_one_and_costs_nothing(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from datetime import UTC, date, datetime
from imagery.model import NoScene
from watch.errors import LedgerError
from watch.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
windows = [NoScene("a", date.fromordinal(700000 + n), date.fromordinal(700001 + n)) for n in range(20000)]
with ledger.transaction() as transaction:
    transaction.set_no_scenes("a", windows[:10], run_id="r")
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    with ledger.transaction() as transaction:
        transaction.set_no_scenes("a", windows, run_id="r")
except LedgerError as error:
    print(error)
print(len(ledger.no_scenes("a")))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "ledger.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    message, count = done.stdout.splitlines()
    assert "can't be written" in message
    assert count == "10"


def test_cards_intervals_and_flags_come_back_as_they_went_in(ledger: Ledger) -> None:
    card = Card("Changed", ("it stands out",), ("it may be dust",), {"alone": {"score": 4.25, "where": None}})
    look = replace(LOOK, card=card)
    detection = replace(
        DETECTION,
        date_interval_90="2020-04-03/2020-04-29",
        area_interval_m2=(400.5, 1600.25),
        kind="cleared ground (NDVI 0.61 to 0.22)",
        flags=("dust: the surroundings' red rose",),
    )
    with ledger.transaction() as transaction:
        transaction.add_look(look, run_id="r", judged_at=WALL)
        transaction.set_detections("a", LOOK.grid_id, LOOK.series, [detection], run_id="r")
    assert ledger.looks("a") == [look]
    assert ledger.detections("a") == [detection]
