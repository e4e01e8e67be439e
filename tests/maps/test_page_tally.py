"""What the page counts beside what the command counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from geo.dates import Span, parse_edtf
from imagery.model import Detection, DetectionState, Look, Outcome
from maps.comparison import Step, periods_of
from maps.offline import read_text
from maps.provinces import PROVINCES
from maps.regions import By, Regions
from maps.regions_block import regions_block
from maps.tally import What
from maps.timeline import times_block
from maps.view import Context, MapView, SiteEntry
from sites.context import Figure, Flag, Series
from sites.model import Site
from sites.observation import Expectation, Observation, Source

SCRIPTS = ("times.js", "rates.js", "tally.js")
DATES = (
    "2011",
    "2012-03",
    "2010/2014",
    "2013/..",
    "../2012",
    "2012-07-04~",
    "2009-12-31/2010-01-01",
    "201X",
    "2014-02/",
)

COUNT = """
const { site: judgedSites, first: judgedFirst, last: judgedLast } = block.judged;
const facts = { ...block, judgedSites, judgedFirst, judgedLast };
const rows = recordsFrom(unpackTimes(given), facts);
const { edges, labels } = periodEdges([dayNumber("2009-01-01"), dayNumber("2015-12-31")], step);
const counted = Object.fromEntries(Object.keys(COUNTS).map((what) => {
  const found = countRows(rows(what), groups, 2, edges);
  const columns = ["count", "sure", "possible", "sites"];
  return [what, Object.fromEntries(columns.map((key) => [key, [...found[key]]]))];
}));
JSON.stringify({ labels, counted, years: [...siteYears(facts, groups, 2, edges)] });
"""


@pytest.fixture
def entries(valley: Site, make_look: Callable[..., Look], detection: Detection) -> list[SiteEntry]:
    rng = np.random.default_rng(5)
    made = []
    for number in range(40):
        picked = rng.choice(len(DATES), size=rng.integers(0, 6), replace=False)
        notes = tuple(
            Observation(
                f"n{k}",
                parse_edtf(DATES[k]),
                "An investment." if k % 3 == 0 else "Words.",
                expects=(None, Expectation.CONSTRUCTION, Expectation.CLOSED)[k % 3],
                supersedes=f"n{picked[0]}" if k == picked[-1] and len(picked) > 1 else None,
            )
            for k in picked
        )
        days = [
            date(2009, 1, 9) + timedelta(days=int(day))
            for day in sorted(rng.integers(0, 2500, rng.integers(0, 9)))
        ]
        looks = tuple(
            make_look(f"s{number}", day, list(Outcome)[int(rng.integers(5))]) for day in dict.fromkeys(days)
        )
        found = tuple(
            replace(
                detection,
                id=f"d{number}{k}",
                site_id=f"s{number}",
                state=list(DetectionState)[int(rng.integers(4))],
                last_without=day,
                first_with=day + timedelta(days=int(rng.integers(1, 500))),
            )
            for k, day in enumerate(days[:2])
        )
        site = replace(
            valley,
            id=f"s{number}",
            country="PRK",
            province=("Rason", "Chagang", None, "Nowhere")[number % 4],
            county="Rajin" if number % 5 else None,
            observations=notes,
        )
        made.append(SiteEntry(site, looks=looks, detections=found))
    return made


def counted(entries: list[SiteEntry], groups: list[int], step: Step) -> Any:  # noqa: ANN401 - JSON
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), tuple(entries))
    engine = MiniRacer()
    engine.eval("\n".join(read_text("page", name) for name in SCRIPTS))
    engine.eval(
        f"const given = {json.dumps(times_block(view))}; const block = {json.dumps(regions_block(view))};"
    )
    engine.eval(
        f"const groups = Int16Array.from({json.dumps(groups)}); const step = {json.dumps(str(step))};"
    )
    return json.loads(str(engine.eval(COUNT)))


@pytest.mark.parametrize("step", list(Step))
def test_the_page_counts_as_the_command_does(entries: list[SiteEntry], step: Step) -> None:
    groups = [number % 3 - 1 for number in range(len(entries))]
    found = counted(entries, groups, step)
    tally = Regions.of(entries).tally
    periods = periods_of(Span(date(2009, 1, 1), date(2015, 12, 31)), step)
    assert found["labels"] == [each.label for each in periods]
    for group in (0, 1):
        chosen = np.array(groups) == group
        for number, period in enumerate(periods):
            at = group * len(periods) + number
            for what in found["counted"]:
                rows, expected = found["counted"][what], tally.count(What(what), chosen, period.span)
                told = rows["count"][at], rows["sure"][at], rows["possible"][at]
                assert told == (expected.count, expected.sure, expected.possible), (what, period.label)
            watched = tally.watched(chosen, period.span)
            assert found["years"][at] == pytest.approx(watched.site_years)
            assert found["counted"]["judged"]["sites"][at] == watched.seen
            assert found["counted"]["looks"]["sites"][at] == watched.looked


def test_the_block_places_every_site_as_the_command_does(entries: list[SiteEntry]) -> None:
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), tuple(entries))
    block = regions_block(view)
    names = [*(each.name for each in PROVINCES), *block["strangers"], "No province known"]
    for by, codes, labels in (
        (By.PROVINCE, block["unit"], names),
        (By.COUNTY, block["county"], [*block["counties"], "No county known"]),
    ):
        for group in Regions.of(entries).groups(by):
            wanted = labels.index(group.label)
            wanted = -1 if wanted == len(labels) - 1 else wanted
            assert np.array_equal(np.array(codes) == wanted, group.chosen), group.label
    assert block["how"] == {"name": 20, "point": 0, "near": 0, "none": 20}
    assert regions_block(view) == block


def test_figures_of_provinces_are_kept_where_more_than_one_has_them() -> None:
    source = Source("Daily NK")
    rice = [
        Series(
            f"rice-{place}", "rice_price", place, "KPW/kg", (Figure(parse_edtf("2016"), value, source, flag),)
        )
        for place, value, flag in (
            ("Pyongyang", 5000.0, None),
            ("N. Pyongan", 5100.0, Flag.APPROXIMATE),
            ("Hyesan", 5200.0, None),
        )
    ]
    alone = Series(
        "fx", "fx_usd_market", "Pyongyang", "KPW/USD", (Figure(parse_edtf("2016"), 8000.0, source),)
    )
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), (), context=Context((*rice, alone)))
    (kept,) = regions_block(view)["series"]
    assert (kept["quantity"], kept["unit"]) == ("rice price", "KPW/kg")
    assert [(PROVINCES[row[0]].id, row[4], row[5], row[6]) for row in kept["figures"]] == [
        ("pyongyang", "2016", 5000.0, ""),
        ("north-pyongan", "2016", 5100.0, "approximate"),
    ]
