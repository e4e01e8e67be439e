"""The record of a site before a detector, read back from the JSON that `watch.evaluate.plain` makes of it."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from imagery.change.tracks import Alarm, Change, SiteTrack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def track_of(record: Mapping[str, Any]) -> SiteTrack:
    """Return the record of a site; what JSON could not say (NaN) is NaN again."""
    change = record["change"]
    return SiteTrack(
        site_id=record["site_id"],
        site_years=record["site_years"],
        days=tuple(map(date.fromisoformat, record["days"])),
        scores=_numbers(record["scores"]),
        alarms=tuple(map(_alarm, record["alarms"])),
        change=None if change is None else _change(change),
        stratum=record["stratum"],
        group=record["group"],
        history_looks=record["history_looks"],
        alone=_numbers(record.get("alone", ())),
    )


def _change(record: Mapping[str, Any]) -> Change:
    first, last = (date.fromisoformat(record[name]) for name in ("first_day", "last_day"))
    return Change(first, last, record["area_m2"], _number(record["contrast"]), record["kind"])


def _alarm(record: Mapping[str, Any]) -> Alarm:
    return Alarm(
        day=date.fromisoformat(record["day"]),
        probable=_day(record["probable"]),
        confirmed=_day(record["confirmed"]),
        retracted=_day(record["retracted"]),
        score=_number(record["score"]),
        bracket=_days(record["bracket"]),
        date_interval=_days(record["date_interval"]),
        area_m2=record["area_m2"],
        area_interval_m2=_areas(record["area_interval_m2"]),
        p=record["p"],
        later=_numbers(record.get("later", ())),
        on_change=record["on_change"],
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _days(texts: Sequence[str] | None) -> tuple[date, date] | None:
    return None if texts is None else (date.fromisoformat(texts[0]), date.fromisoformat(texts[1]))


def _areas(values: Sequence[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def _numbers(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(map(_number, values))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
