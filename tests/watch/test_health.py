from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watch.errors import WorkspaceError
from watch.health import GRACE, HEALTH_FILE, MAX_WRONG, Health, Pulse, pulse, read_health, write_health

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_health(tmp_path) is None
    health = Health().begun(NOW).ended(NOW + HOUR, 3, next_due=NOW + GRACE, wrong=("yard: ü",))
    write_health(tmp_path, health)
    assert read_health(tmp_path) == health
    assert '"last_start": "2026-01-31T12:00:00Z"' in (tmp_path / HEALTH_FILE).read_text()
    assert [path.name for path in tmp_path.iterdir()] == [HEALTH_FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"last_end": 3}', '{"last_end": "2026-01-31T12:00:00"}'])
def test_a_damaged_file_is_named_and_never_taken_for_health(tmp_path: Path, text: str) -> None:
    (tmp_path / HEALTH_FILE).write_text(text)
    with pytest.raises(WorkspaceError) as caught:
        read_health(tmp_path)
    assert caught.value.where.file == str(tmp_path / HEALTH_FILE)


def test_success_is_remembered_through_failures() -> None:
    health = Health().ended(NOW, 0, next_due=NOW + 24 * HOUR).begun(NOW + HOUR).ended(NOW + HOUR, 1)
    assert health.last_success == NOW
    assert health.next_due == NOW + 24 * HOUR


def test_no_more_lines_than_a_person_reads() -> None:
    health = Health().ended(NOW, 3, wrong=tuple(f"s{number}" for number in range(100)))
    assert len(health.wrong) == MAX_WRONG
    assert health.wrong[-1] == f"and {100 - MAX_WRONG + 1} more"


WELL = Health().begun(NOW).ended(NOW, 0, next_due=NOW + 24 * HOUR)


@pytest.mark.parametrize(
    ("health", "later", "holder", "how", "words"),
    [
        (WELL, HOUR, "", Pulse.WELL, "next due 2026-02-01 12:00 UTC"),
        (WELL, 24 * HOUR + GRACE, "", Pulse.WELL, "all of it went well"),
        (WELL, 24 * HOUR + GRACE + HOUR, "", Pulse.SILENT, "silent since 2026-01-31 12:00 UTC"),
        (WELL.begun(NOW + HOUR), 2 * HOUR, "process 7", Pulse.WELL, "under way (process 7)"),
        (WELL.begun(NOW + HOUR), 2 * HOUR, "", Pulse.UNWELL, "cut off"),
        (WELL.ended(NOW, 3, wrong=("yard: torn", "b: c")), HOUR, "", Pulse.UNWELL, "yard: torn (and 1 more"),
        (
            WELL.ended(NOW, 1, wrong=("disk full",)),
            HOUR,
            "",
            Pulse.SILENT,
            "exit code 1: disk full; last success",
        ),
        (WELL, -HOUR, "", Pulse.UNWELL, "clock was set back"),
        (Health(), HOUR, "", Pulse.UNWELL, "no run"),
    ],
)
def test_the_pulse(health: Health, later: timedelta, holder: str, how: Pulse, words: str) -> None:
    state, said = pulse(health, NOW + later, holder)
    assert state is how
    assert words in said
