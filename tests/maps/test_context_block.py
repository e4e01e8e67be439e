"""Figures and events along time: as their sources give them."""

from __future__ import annotations

from geo.dates import parse_edtf
from maps.context_block import context_block
from maps.timeline import day_number
from maps.view import NO_CONTEXT, Context
from sites.context import Event, Figure, Flag, Happened, Series
from sites.observation import Source

PAPER = Source("Paper", title="Prices", published=parse_edtf("2016-03"), url="https://example.org/p")
OTHER = Source("Other", url=None)


def test_figures_stand_by_date_with_flag_and_source() -> None:
    points = (
        Figure(parse_edtf("2016-03"), 5000.0, PAPER, Flag.LOWER_BOUND, "at least"),
        Figure(parse_edtf("2016-01"), 4800.5, OTHER),
        Figure(parse_edtf("2016-01"), 4700.0, PAPER),
    )
    (series,) = context_block(Context((Series("rice", "rice_price", "Hyesan", "KPW/kg", points),)))["series"]
    assert (series["quantity"], series["place"], series["unit"]) == ("rice price", "Hyesan", "KPW/kg")
    assert [point[4] for point in series["points"]] == [4800.5, 4700.0, 5000.0]
    first, *_, last = series["points"]
    january = parse_edtf("2016-01").earliest
    assert january is not None
    assert first[:2] == [day_number(january), 30]
    assert last[3:] == ["2016-03", 5000.0, 0, "lower bound", "at least"]
    assert [source["words"] for source in series["sources"]] == ["Paper, Prices, 2016-03", "Other"]
    assert series["sources"][0]["url"] == "https://example.org/p"


def test_an_event_says_whether_it_happened() -> None:
    event = Event("shut", parse_edtf("2020-01~"), "border_closed", "It closes.", (PAPER,), Happened.NO)
    (told,) = context_block(Context(events=(event,)))["events"]
    assert (told["kind"], told["happened"], told["days"][3]) == ("border closed", "no", "2020-01~")


def test_no_context_is_two_empty_lists() -> None:
    assert context_block(NO_CONTEXT) == {"series": [], "events": []}
