from __future__ import annotations

import pytest
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from geo.area import geodesic_area_m2
from geo.dates import parse_edtf
from geo.errors import CoordinateError
from sites.categories import HALF_WIDTH_M, Category, parse_category
from sites.errors import SiteError
from sites.model import Name, Retirement, Site
from sites.observation import Evidence, Measurement, Media, Observation, Source, derived_id
from sites.watching import WatchMode

PYONGYANG = Point(125.75, 39.02)


def make(**fields: object) -> Site:
    values: dict[str, object] = {
        "id": "a",
        "names": (Name("A market"),),
        "category": Category.MARKET,
        "geometry": PYONGYANG,
    }
    return Site(**(values | fields))  # type: ignore[arg-type]  # tests pass what they like


def note(**fields: object) -> Observation:
    values: dict[str, object] = {"id": "n1", "date": parse_edtf("2016"), "text": "A market was built."}
    return Observation(**(values | fields))  # type: ignore[arg-type]  # tests pass what they like


@pytest.mark.parametrize(
    "bad", ["", "A", "-a", "a b", "../a", "a/b", "a" * 65, "con", "nul", "com1", "ä", "a\n"]
)
def test_refuses_ids_that_are_paths_or_devices(bad: str) -> None:
    with pytest.raises(SiteError) as caught:
        make(id=bad)
    assert caught.value.where.field == "id"


def test_a_half_width_for_every_category() -> None:
    assert set(HALF_WIDTH_M) == set(Category)
    assert parse_category("market") is Category.MARKET


@pytest.mark.parametrize(
    ("text", "offer"), [("markets", "'market'"), ("Power Plant", "'power_station'"), ("brigde", "'bridge'")]
)
def test_names_the_nearest_category(text: str, offer: str) -> None:
    with pytest.raises(SiteError, match=offer):
        parse_category(text)


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({}, WatchMode.SQUARE),
        ({"coordinate_accuracy_m": 150.0}, WatchMode.SQUARE),
        ({"coordinate_accuracy_m": 151.0}, WatchMode.SEARCH),
        ({"coordinate_accuracy_m": 1999.0}, WatchMode.SEARCH),
        ({"coordinate_accuracy_m": 2000.0}, WatchMode.TOO_VAGUE),
        ({"geometry": None}, WatchMode.UNPLACED),
        ({"footprint": PYONGYANG.buffer(0.001), "coordinate_accuracy_m": 9000.0}, WatchMode.FOOTPRINT),
        ({"geometry": box(125, 39, 125.01, 39.01)}, WatchMode.FOOTPRINT),
        ({"retired": Retirement(parse_edtf("2020"), "built over")}, WatchMode.RETIRED),
    ],
)
def test_the_place_decides_how_it_is_watched(fields: dict[str, object], mode: WatchMode) -> None:
    site = make(**fields)
    assert site.watch_mode is mode
    assert site.is_watched == (mode.value in {"footprint", "square", "search"})
    assert site.watch_reason.startswith("watched" if site.is_watched else "not watched")


def test_area_of_a_point_is_its_square_and_of_a_vague_one_its_circle() -> None:
    area, vague = make().area, make(coordinate_accuracy_m=600.0).area
    assert area is not None and vague is not None
    assert geodesic_area_m2(area) == pytest.approx(300**2, rel=1e-5)
    assert geodesic_area_m2(vague) == pytest.approx(1200**2, rel=1e-5)
    assert make(geometry=None).area is None


def test_area_of_a_line_is_widened_by_the_half_width() -> None:
    line = LineString([(124.38, 40.11), (124.40, 40.12)])
    area = make(geometry=line, category=Category.BRIDGE).area
    assert area is not None
    length_m = geodesic_area_m2(area)
    # A stadium: length times width plus a circle, whose arcs have 16 sides a quarter.
    assert length_m == pytest.approx(2033.1 * 1000 + 3.1365 * 500**2, rel=2e-3)


def test_point_lies_inside_an_outline_that_its_centre_misses() -> None:
    ring = Polygon([(0, 0), (4, 0), (4, 4), (3, 4), (3, 1), (1, 1), (1, 4), (0, 4)])
    point = make(geometry=ring).point
    assert point is not None and ring.contains(point) and not ring.contains(ring.centroid)
    assert make(geometry=None).point is None


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (MultiPoint([(0, 0)]), "cannot be a MultiPoint"),
        (Polygon(), "empty"),
        (Point(), "empty"),
        (Point(39.0, 125.7), "look swapped"),
        (Point(200, 10), "off the Earth"),
        (Point(float("nan"), 10), "off the Earth"),
        (Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "Self-intersection"),
        (LineString([(179, 0), (-179, 0)]), "antimeridian"),
        (Point(0, 0).buffer(1, quad_segs=2501), "too many"),
    ],
)
def test_refuses_geometry_that_is_no_place(geometry: object, words: str) -> None:
    with pytest.raises(CoordinateError, match=words) as caught:
        make(geometry=geometry)
    assert caught.value.where.field == "geometry"


@pytest.mark.parametrize(
    "fields",
    [
        {"names": ()},
        {"province": "a\x00b"},
        {"description": "x" * 100_001},
        {"coordinate_accuracy_m": 0.0},
        {"coordinate_accuracy_m": float("nan")},
        {"grade": "8"},
        {"former_ids": ("A",)},
        {"footprint": PYONGYANG},
        {"observations": (note(), note())},
    ],
)
def test_refuses_a_site_that_breaks_a_rule(fields: dict[str, object]) -> None:
    with pytest.raises(SiteError):
        make(**fields)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reliability": "G"}, "reliability"),
        ({"credibility": "0"}, "credibility"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"archive_url": "//example.org"}, "archive_url"),
        ({"outlet": " "}, "outlet"),
        ({"title": "\x1b[2J"}, "title"),
    ],
)
def test_refuses_a_source_by_field(fields: dict[str, str], field: str) -> None:
    with pytest.raises(SiteError) as caught:
        Source(**({"outlet": "Daily NK"} | fields))  # type: ignore[arg-type]  # all are texts
    assert caught.value.where.field == field


def test_measurement_needs_a_number_and_an_ordered_range() -> None:
    assert Measurement("railcars", "railcars", low=30, high=50).low == 30
    for value, low, high in [(None, None, None), (float("inf"), None, None), (1, 5, 3)]:
        with pytest.raises(SiteError):
            Measurement("railcars", "railcars", value, low=low, high=high)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.png", "a\\b.png", "C:x.png", ""])
def test_media_stay_inside_the_workspace(path: str) -> None:
    with pytest.raises(SiteError):
        Media(file=path)
    with pytest.raises(SiteError):
        Media()


def test_evidence_is_of_a_known_kind() -> None:
    with pytest.raises(SiteError):
        Evidence("hearsay", "x")


def test_a_note_does_not_speak_of_itself() -> None:
    with pytest.raises(SiteError):
        note(supersedes="n1")
    with pytest.raises(SiteError):
        note(contradicts=("n1",))


def test_derived_note_ids_follow_the_content() -> None:
    assert derived_id("2016", "A market.") == derived_id("2016", "A market.")
    assert derived_id("2016", "A market.") != derived_id("2017", "A market.")


def test_sites_are_equal_by_value_and_hashable() -> None:
    assert make() == make()
    assert len({make(), make(), make(id="b")}) == 2
