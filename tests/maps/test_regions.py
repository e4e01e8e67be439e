from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from shapely.geometry import Point

from geo.errors import InputError
from imagery.change.bounds import rate
from imagery.model import Detection, Look, Outcome
from maps import regions as module
from maps.provinces import PROVINCES
from maps.regions import By, Regions
from maps.tally import What
from maps.view import SiteEntry
from sites.categories import Category
from sites.model import Name, Site


@pytest.fixture
def places(valley: Site, make_look: Callable[..., Look], detection: Detection) -> list[SiteEntry]:
    bare = replace(valley, country="PRK", observations=())
    looks = tuple(
        make_look("mill", date(2010, month, 4), Outcome.UNCHANGED if month % 2 else Outcome.OBSCURED)
        for month in range(1, 13)
    )
    found = replace(detection, site_id="mill")
    return [
        SiteEntry(
            replace(bare, id="mill", province="Rason", county="Rajin"), looks=looks, detections=(found,)
        ),
        SiteEntry(
            replace(bare, id="pier", province="라선시", category=Category.PORT, names=(Name("Rajin Port"),))
        ),
        SiteEntry(replace(bare, id="zone", province=None, geometry=Point(125.75, 39.03))),
        SiteEntry(valley),
        SiteEntry(replace(bare, id="lost", province=None, geometry=None)),
    ]


@pytest.mark.parametrize("by", list(By))
def test_groups_hold_every_site_once(places: list[SiteEntry], by: By) -> None:
    groups = Regions.of(places).groups(by)
    assert np.array_equal(np.sum([group.chosen for group in groups], axis=0), np.ones(5))
    assert len({group.spec for group in groups}) == len(groups)


def test_provinces_without_a_site_are_listed_and_strangers_are_shown(places: list[SiteEntry]) -> None:
    rows = {row.group.label: row.watched.sites for row in Regions.of(places).table(By.PROVINCE)}
    assert set(rows) == {each.name for each in PROVINCES} | {"Colorado", "No province known"}
    assert (rows["Rason"], rows["Pyongyang"], rows["Chagang"]) == (2, 1, 0)
    assert (rows["Colorado"], rows["No province known"]) == (1, 1)


def test_a_rate_stands_on_looks_that_could_judge_or_is_not_told(places: list[SiteEntry]) -> None:
    rows = {row.group.label: row for row in Regions.of(places).table(By.PROVINCE)}
    rason = rows["Rason"]
    assert (rason.watched.sites, rason.watched.seen, rason.watched.looks, rason.watched.judged) == (
        2,
        1,
        12,
        6,
    )
    years = (date(2010, 11, 4) - date(2010, 1, 4)).days / 365.25
    assert rason.detected == rate(1, years)
    assert rason.per_100_looks == pytest.approx(100 / 6)
    assert rows["Pyongyang"].detected is None
    assert rows["Pyongyang"].per_100_looks is None
    assert rows["Pyongyang"].counts[What.DETECTIONS].count == 0


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Rason", {"mill", "pier"}),
        ("나선", {"mill", "pier"}),
        ("province=rason", {"mill", "pier"}),
        ("Rajin", {"mill", "pier"}),
        ("county=Najin", {"mill", "pier"}),
        ("Rason+port", {"pier"}),
        ("category=port", {"pier"}),
        ("Port + Pyongyang", set()),
        ("Colorado", {"valley"}),
    ],
)
def test_a_group_is_found_by_its_words_and_by_its_own_spec(
    places: list[SiteEntry], text: str, ids: set[str]
) -> None:
    regions = Regions.of(places)
    group = regions.group(text)
    assert {places[k].site.id for k in np.flatnonzero(group.chosen)} == ids
    assert np.array_equal(regions.group(group.spec).chosen, group.chosen)


def test_a_county_that_only_names_tell_says_so(places: list[SiteEntry]) -> None:
    assert Regions.of(places).group("Rajin").remark == "1 of 2 sites are in Rajin by their own name alone."


@pytest.mark.parametrize("text", ["Rasonx", "", "+", "planet=Rason", "county=Rason", "<script>"])
def test_what_nothing_is_called_is_refused(places: list[SiteEntry], text: str) -> None:
    with pytest.raises(InputError, match="is called"):
        Regions.of(places).group(text)


def test_many_strange_provinces_make_no_more_groups_than_are_kept(
    valley: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_GROUPS", 3)
    entries = [SiteEntry(replace(valley, id=f"s{k}", province=f"P{k}")) for k in range(5)]
    groups = Regions.of(entries).groups(By.PROVINCE)[len(PROVINCES) :]
    assert [(group.label, int(group.chosen.sum())) for group in groups] == [
        ("P0", 1),
        ("P1", 1),
        ("P2", 1),
        ("No province known, or another", 2),
    ]
