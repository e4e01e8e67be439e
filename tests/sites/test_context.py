from __future__ import annotations

import json
from pathlib import Path

import pytest

from geo.errors import InputError
from sites.builtin import builtin_context_files
from sites.context import EVENT, SERIES, read_events, read_series

BUILTIN = builtin_context_files()[0].parent

FIGURE = {"date": "2020-03", "value": 5000, "source": "Daily NK", "flag": "conflict"}
SERIES_ROW = {"id": "rice", "quantity": "rice_price", "place": "DPRK", "unit": "KPW/kg", "points": [FIGURE]}


def test_the_builtin_figures_are_all_read_and_written_back() -> None:
    series = read_series(BUILTIN)
    assert sum(len(each.points) for each in series) == 169
    written = {each["id"]: each for each in json.loads((BUILTIN / "series.json").read_text())["series"]}
    assert {each.id: SERIES.write(each) for each in series} == written


def test_the_builtin_events_are_all_read_in_order_and_written_back() -> None:
    events = read_events(BUILTIN)
    assert len(events) == 27
    assert [event.date.sort_key() for event in events] == sorted(event.date.sort_key() for event in events)
    assert all(event.sources for event in events)
    written = {each["id"]: each for each in json.loads((BUILTIN / "events.json").read_text())["events"]}
    assert {each.id: EVENT.write(each) for each in events} == written


def test_no_file_means_no_context(tmp_path: Path) -> None:
    assert read_series(tmp_path) == ()
    assert read_events(tmp_path) == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (SERIES_ROW | {"points": []}, "needs a figure"),
        (SERIES_ROW | {"points": [FIGURE | {"date": "March"}]}, r"points\[0\].date"),
        (SERIES_ROW | {"points": [FIGURE | {"flag": "odd"}]}, r"points\[0\].flag"),
        (SERIES_ROW | {"points": [FIGURE | {"value": "5k"}]}, r"points\[0\].value"),
        ({"id": "rice"}, "quantity"),
        ("rice", "series"),
    ],
)
def test_a_faulty_series_is_refused_with_its_place(tmp_path: Path, row: object, message: str) -> None:
    file = tmp_path / "series.json"
    file.write_text(json.dumps({"series": [row]}))
    with pytest.raises(InputError, match=message) as caught:
        read_series(tmp_path)
    assert str(file) in str(caught.value)
    assert "series[0]" in str(caught.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    (tmp_path / "series.json").write_text(json.dumps({"series": [SERIES_ROW, SERIES_ROW]}))
    with pytest.raises(InputError, match="twice"):
        read_series(tmp_path)
