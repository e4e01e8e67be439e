"""The built-in series and events: every figure as it was given, every event with its source."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from geo.dates import parse_edtf
from sites.builtin import builtin_files
from sites.catalogue import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from sites.observation import Observation


DOUBTS = {
    "conflict": r"CONFLICT|^KITA/Chosun|^NK News",
    "inconsistent": "INCONSISTENT",
    "ambiguous": "ambiguous|^sic",
    "illustrative": "^illustrative",
    "preliminary": "^preliminary",
    "misprint_elsewhere": "flags as wrong",
    "lower_bound": '^"(beyond|gone above|broke past|going beyond|over|more than|2,000-plus)',
    "upper_bound": "^.slightly under",
    "approximate": "^approximately|~|^.(about|close to|nearly|a little over|approximately|some)|ten-fold",
}
"""What the notes of the given table say, as flags."""


def doubt(row: dict[str, str]) -> str | None:
    for flag, pattern in DOUBTS.items():
        if re.search(pattern, row["note"]):
            return flag
    bound = re.search(r"(lower|upper)_bound$", row["series"])
    return bound[0] if bound and not row["note"] else None


@pytest.fixture(scope="module")
def folder() -> Path:
    return builtin_files()[0].parent


@pytest.fixture(scope="module")
def catalogue(folder: Path) -> Catalogue:
    return Catalogue.read(folder)


@pytest.fixture(scope="module")
def notes(catalogue: Catalogue) -> dict[str, Observation]:
    records = [*catalogue, *catalogue.subjects.values()]
    return {note.id: note for record in records for note in record.observations}


@pytest.fixture(scope="module")
def series(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "series.json").read_bytes())["series"])


@pytest.fixture(scope="module")
def events(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "events.json").read_bytes())["events"])


@pytest.fixture(scope="module")
def figures(test_data: Path) -> list[dict[str, str]]:
    path = test_data / "sites" / "context_series.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_series_hold_the_figures_and_no_others(
    series: list[dict[str, Any]], figures: list[dict[str, str]]
) -> None:
    given = Counter(
        (row["series"], row["place"], row["unit"], row["date"], float(row["value"])) for row in figures
    )
    shipped = Counter(
        (item["quantity"], item["place"], item["unit"], point["date"], float(point["value"]))
        for item in series
        for point in item["points"]
    )
    assert shipped == given
    assert shipped.total() == 169


def test_series_keep_what_makes_a_figure_doubtful(
    series: list[dict[str, Any]], figures: list[dict[str, str]]
) -> None:
    flags = {
        (item["quantity"], item["place"], point["date"], float(point["value"])): point
        for item in series
        for point in item["points"]
    }
    for row in figures:
        point = flags[row["series"], row["place"], row["date"], float(row["value"])]
        assert bool(row["note"]) == ("remark" in point), row
        assert point.get("flag") == doubt(row), row
        assert point.get("remark") != row["note"] or not row["note"]


def test_series_say_where_figures_come_from(
    series: list[dict[str, Any]], figures: list[dict[str, str]]
) -> None:
    sources = {
        source["outlet"] for item in series for source in (point["source"] for point in item["points"])
    }
    assert "same" not in sources
    for item in series:
        for point in item["points"]:
            assert parse_edtf(point["date"]).earliest is not None
    dated = {row["source"][-10:] for row in figures if re.search(r"\d{4}-\d\d-\d\d$", row["source"])}
    published = {
        point["source"]["published"]
        for item in series
        for point in item["points"]
        if "published" in point["source"]
    }
    assert dated <= published


def test_series_have_ids_of_their_own(series: list[dict[str, Any]]) -> None:
    ids = [item["id"] for item in series]
    assert ids == sorted(set(ids))


def test_events_follow_from_notes_and_documents(
    events: list[dict[str, Any]],
    series: list[dict[str, Any]],
    catalogue: Catalogue,
    notes: dict[str, Observation],
) -> None:
    known = {item["id"] for item in series}
    for event in events:
        assert event["sources"], event["id"]
        assert all(site in catalogue for site in event.get("sites", []))
        assert set(event.get("series", [])) <= known
        assert all(notes[note].date.text == event["date"] for note in event.get("notes", []))
        documents = [source["outlet"] for source in event["sources"]] == ["UN Security Council"]
        assert bool(event.get("notes") or event.get("series")) != documents


def test_events_are_ordered_and_linked(events: list[dict[str, Any]]) -> None:
    dates = [parse_edtf(event["date"]).earliest for event in events]
    assert all(date is not None for date in dates)
    assert [event["date"].split("/")[0] for event in events] == sorted(
        event["date"].split("/")[0] for event in events
    )
    pairs = {(event["id"], other) for event in events for other in event.get("contradicts", [])}
    assert pairs == {(other, one) for one, other in pairs}
    assert {"closure", "reopening", "sanctions"} <= {event["kind"] for event in events}
