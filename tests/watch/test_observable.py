from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.dates import parse_edtf
from imagery.change.card import Card
from imagery.change.detectable_words import Sizes
from imagery.model import Look, Outcome
from sites.observation import Measurement, Observation, ObservationKind
from watch.cli.looks import look_json
from watch.observable import Shown, Verdict, claimed_side_m, observability, shown_by
from watch.publish import publish
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]

ROOF = "a bright roof (red +0.15, nir +0.10)"
MARKET = Measurement("footprint", "m", (17.0, 12.0))


def note(
    measurement: Measurement | None = MARKET, kind: ObservationKind = ObservationKind.IMAGERY
) -> Observation:
    return Observation("n1", parse_edtf("2015-05-25/2016-06-27"), "A market.", kind, measurement=measurement)


def series(half_m: float, nine_m: float, title: str = "Sentinel-2", gsd_m: float = 10.0) -> Shown:
    return Shown(title, gsd_m, Sizes(4, ROOF, half_m, nine_m))


def look(day: date, platform: str, series: str, **parts: Any) -> Look:  # noqa: ANN401 - fields of any type
    values: dict[str, Any] = {
        "site_id": "yard",
        "grid_id": "g",
        "solar_day": day,
        "series": series,
        "platform": platform,
        "scene_ids": ("s",),
        "acquired": datetime(day.year, day.month, day.day, tzinfo=UTC),
        "day_only": True,
        "outcome": Outcome.LEARNING,
        "reason": "too few",
        "clear_fraction": 1.0,
        "frame_clear_fraction": 1.0,
        "mask_scheme": "scl",
        "history": 0,
        "score": None,
        "threshold": None,
    }
    return Look(**(values | parts))


@pytest.mark.parametrize(
    ("measurement", "side_m"),
    [
        (MARKET, math.sqrt(204)),
        (Measurement("footprint", "m", 20.0), 20.0),
        (Measurement("area", "ha", 1.0), 100.0),
        (Measurement("roof", "m2", low=50.0, high=400.0), 20.0),
        (Measurement("roof", "m2", low=50.0), None),
        (Measurement("length", "m", 800.0), None),
        (Measurement("height", "m", 12.0), None),
        (Measurement("railcars", "cars", 12.0), None),
        (Measurement("floor area", "m2", 12.0), None),
        (Measurement("box", "m", (1.0, 2.0, 3.0)), None),
        (Measurement("footprint", "m", (0.0, 3.0)), None),
    ],
)
def test_only_sizes_of_things_are_claims(measurement: Measurement, side_m: float | None) -> None:
    assert claimed_side_m(note(measurement)) == (None if side_m is None else pytest.approx(side_m))


def test_only_notes_on_imagery_claim() -> None:
    for kind in set(ObservationKind) - {ObservationKind.IMAGERY}:
        assert observability(note(kind=kind), [series(50, 80)]) is None
    assert observability(note(None), [series(50, 80)]) is None


def test_a_claim_below_what_is_seen_half_of_the_time_is_not_observable_and_not_wrong() -> None:
    label = observability(note(), [series(22, 31)])
    assert label is not None
    assert label.verdict is Verdict.NOT_OBSERVABLE
    assert label.words == (
        "not observable in the looks kept here: 17 x 12 m is as large as a square of 14 m; the Sentinel-2 "
        f"looks of this place show 22 m and more at least half of the time, of {ROOF} in 4 clear looks. "
        "The note may rest on finer imagery"
    )
    assert label.to_json()["limit_m"] == 22


def test_a_claim_that_is_seen_most_of_the_time_is_borderline_and_one_that_is_seen_has_no_label() -> None:
    label = observability(note(), [series(12, 31)])
    assert label is not None
    assert label.verdict is Verdict.BORDERLINE
    assert observability(note(), [series(10, 14)]) is None


def test_the_series_that_shows_most_counts() -> None:
    assert observability(note(), [series(90, math.inf, "Landsat OLI", 30.0), series(10, 14)]) is None


def test_what_no_size_shows_is_said_without_a_number() -> None:
    label = observability(note(), [series(math.inf, math.inf)])
    assert label is not None
    assert "show no size that was tried" in label.reason
    assert label.to_json()["limit_m"] is None


@pytest.mark.parametrize(
    ("gsd_m", "verdict"), [(10.0, Verdict.BORDERLINE), (30.0, Verdict.NOT_OBSERVABLE), (3.0, None)]
)
def test_without_such_figures_the_pixels_decide(gsd_m: float, verdict: Verdict | None) -> None:
    label = observability(note(), [Shown("A sensor", gsd_m), Shown("Landsat TM", 30.0)])
    assert (None if label is None else label.verdict) == verdict


def test_a_place_without_looks_says_nothing_of_its_notes() -> None:
    assert observability(note(), []) is None


@given(
    sides=st.tuples(st.floats(1, 200), st.floats(1, 200)),
    half=st.floats(5, 80),
    more=st.floats(1, 3),
    larger=st.floats(1, 3),
)
def test_a_larger_claim_is_never_less_observable(
    sides: tuple[float, float], half: float, more: float, larger: float
) -> None:
    order = [Verdict.NOT_OBSERVABLE, Verdict.BORDERLINE, None]
    shown = [series(half, half * more)]
    small, large = (
        observability(note(Measurement("footprint", "m", (sides[0] * by, sides[1]))), shown)
        for by in (1, larger)
    )
    ranks = [order.index(None if each is None else each.verdict) for each in (small, large)]
    assert ranks[0] <= ranks[1]


def test_looks_are_told_by_series_and_radar_shows_no_building() -> None:
    looks = [
        look(date(2024, 1, 3), "sentinel-2b", "sentinel-2"),
        look(date(2024, 1, 1), "landsat-8", "landsat-oli"),
        look(date(2024, 1, 2), "sentinel-1a", "sentinel-1"),
        look(date(2024, 1, 4), "a-balloon", "a-balloon"),
    ]
    assert [(each.title, each.gsd_m) for each in shown_by(looks)] == [
        ("Landsat OLI", 30.0),
        ("Sentinel-2", 10.0),
    ]


def sized(half_m: float | None) -> Card:
    seen = {"side_m": half_m, "low_m": half_m, "high_m": half_m, "at_most": False}
    numbers = {"half": seen, "nine": seen, "shares": [0.5]}
    section = {"what": ROOF, "trials": 96, "sides_m": [10.0], "looks": {"4": numbers}}
    return Card("Unchanged", ("nothing stands out",), (), {"detectable": section})


def test_the_latest_look_that_tells_a_size_speaks_for_its_series() -> None:
    looks = [
        look(date(2024, 1, 5), "sentinel-2a", "sentinel-2"),
        look(date(2024, 1, 3), "sentinel-2b", "sentinel-2", card=sized(21.0)),
        look(date(2024, 1, 1), "sentinel-2a", "sentinel-2", card=sized(33.0)),
    ]
    assert shown_by(looks) == (Shown("Sentinel-2", 10.0, Sizes(4, ROOF, 21.0, 21.0)),)
    assert look_json(looks[1])["detectable"] == {"half_m": 21.0, "nine_m": 21.0, "looks": 4, "what": ROOF}
    assert look_json(looks[0])["detectable"] is None
    nothing = look(date(2024, 1, 1), "sentinel-2a", "sentinel-2", card=sized(None))
    assert look_json(nothing)["detectable"]["half_m"] is None


def test_lists_and_pages_carry_the_label_and_the_analysts_file_stays(
    make_workspace: Callable[[str], Workspace], sitewatch: Sitewatch
) -> None:
    workspace = make_workspace("w")
    file = workspace.catalogue_path / "sites.geojson"
    document = json.loads(file.read_bytes())
    document["features"][0]["properties"]["observations"] = [
        {
            "id": "n1",
            "date": "2015-05-25/2016-06-27",
            "text": "A market was built.",
            "kind": "imagery",
            "measurement": {"quantity": "footprint", "value": [17, 12], "unit": "m"},
        },
        {"id": "n2", "date": "2017", "text": "It is busy."},
    ]
    file.write_text(json.dumps(document))
    before = file.read_bytes()
    with workspace.ledger() as ledger, ledger.transaction() as transaction:
        judged_at = datetime(2024, 1, 2, tzinfo=UTC)
        transaction.add_look(
            look(date(2024, 1, 1), "landsat-7", "landsat-tm"), run_id="r", judged_at=judged_at
        )

    folder = ["--workspace", str(workspace.root)]
    listed = json.loads(sitewatch("notes", "list", *folder, "--json")[1])
    assert [each.get("observable", {}).get("verdict") for each in listed] == ["not observable", None]
    assert "0.2 pixels of Landsat TM" in listed[0]["observable"]["reason"]
    text = " ".join(sitewatch("notes", "list", *folder)[1].split())
    assert "not observable in the looks kept here" in text

    shown = json.loads(sitewatch("sites", "show", "yard", *folder, "--json")[1])
    assert list(shown["observable"]) == ["n1"]
    assert "observable" not in json.dumps(shown["properties"])
    assert (
        "(not observable in the looks kept here: 17 x 12 m" in sitewatch("sites", "show", "yard", *folder)[1]
    )

    page = publish(workspace, now=datetime(2024, 1, 2, tzinfo=UTC))
    assert list(page.view.entries[0].labels) == ["n1"]
    dossier = page.index.parent / "sites" / "yard.html"
    assert "Not observable in the looks kept here" in dossier.read_text()
    assert file.read_bytes() == before
