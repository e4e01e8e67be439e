from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import shapely
from shapely.geometry import Point, box

from geo.area import geodesic_distance_m, square_around
from geo.dates import parse_edtf
from geo.errors import Where
from imagery.change.card import Card
from imagery.model import Detection, DetectionState, Look, NoScene, Outcome
from maps.blurring import site_ids
from maps.data_block import site_details, view_block
from maps.errors import PageError
from maps.facts import site_facts
from maps.filtered import filtered
from maps.filtered_pictures import may_pass_on
from maps.profile import FULL, PUBLIC, Kind, Profile
from maps.view import Context, MapView, SiteEntry
from maps.words import looks_summary
from sites.categories import Category
from sites.context import Event, Figure, Series
from sites.model import Attribute, Name, Placement, Relation, Site
from sites.observation import Evidence, Media, Observation, Source
from sites.watching import WatchMode

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
OPEN = Profile("open", confirmed_only=False, private_notes=True, authors=True, without_flags=frozenset())
"""A profile that leaves nothing out but what no profile knows."""


def note(name: str, text: str = "A shed.", **parts: object) -> Observation:
    values: dict[str, object] = {"id": name, "date": parse_edtf("2016"), "text": text}
    return Observation(**(values | parts))  # type: ignore[arg-type]  # tests pass what they like


def of(*sites: Site) -> MapView:
    return MapView("Places", MADE, tuple(SiteEntry(site) for site in sites), "Somewhere.")


def site(name: str = "yard", **parts: object) -> Site:
    values: dict[str, object] = {
        "id": name,
        "names": (Name("Yard"),),
        "category": Category.STORAGE,
        "geometry": Point(125.754, 39.03),
    }
    return Site(**(values | parts))  # type: ignore[arg-type]  # tests pass what they like


def only(view: MapView) -> SiteEntry:
    (entry,) = view.entries
    return entry


def test_the_full_profile_leaves_everything_but_private_media(view: MapView) -> None:
    kept, left = filtered(view, FULL)
    assert (kept, left.rows) == (view, ())
    media = (Media(file="a.png", private=True), Media(file="b.png"))
    kept, left = filtered(of(site(observations=(note("n", media=media, private=True),))), FULL)
    assert only(kept).site.observations == (note("n", media=media[1:], private=True),)
    assert left.counts == {"medium": 1}


def test_a_note_made_private_takes_along_what_it_replaces() -> None:
    notes = (
        note("a", "first"),
        note("b", "second", supersedes="a"),
        note("c", "third", supersedes="b", private=True),
        note("d", "other", supersedes="c", contradicts=("a", "e")),
        note("e", "else"),
    )
    kept, left = filtered(of(site(observations=notes)), PUBLIC)
    assert [(each.id, each.supersedes, each.contradicts) for each in only(kept).site.observations] == [
        ("d", None, ("e",)),
        ("e", None, ()),
    ]
    assert [(row.id, row.why) for row in left.rows if row.kind is Kind.NOTE] == [
        ("a", "replaced by a private note"),
        ("b", "replaced by a private note"),
        ("c", "marked private"),
    ]
    assert only(filtered(of(site(observations=notes)), OPEN)[0]).site.observations == notes


@pytest.mark.parametrize(
    ("profile", "stay"),
    [
        (PUBLIC, ["plain"]),
        (OPEN, ["plain", "secret", "told", "gone", "lost"]),
        (replace(OPEN, without_categories=frozenset({Category.MINE})), ["plain", "secret", "told", "gone"]),
        (
            replace(OPEN, without_statuses=frozenset({WatchMode.UNPLACED})),
            ["plain", "secret", "told", "gone"],
        ),
        (replace(OPEN, without_flags=frozenset({"private"})), ["plain", "told", "gone"]),
        (replace(OPEN, without_sites=frozenset({"was-plain", "told"})), ["secret", "gone", "lost"]),
    ],
)
def test_sites_are_left_out_by_category_status_flag_and_id(profile: Profile, stay: list[str]) -> None:
    sites = (
        site("plain", foreign={"private": False, "sensitive": "no"}, former_ids=("was-plain",)),
        site("secret", foreign={"private": True}),
        site("told", feature_foreign={"sensitive": "yes"}),
        site("gone", foreign={"sensitive": 1}),
        site("lost", category=Category.MINE, geometry=None, foreign={"private": "true"}),
    )
    kept, left = filtered(of(*sites), profile)
    assert [entry.site.id for entry in kept.entries] == stay
    assert left.counts.get("site", 0) == len(sites) - len(stay)


def test_relations_name_no_site_that_is_left_out() -> None:
    bridge = site("bridge", relations=(Relation("crosses", "river"), Relation("near", "secret")))
    kept, _ = filtered(of(bridge, site("river"), site("secret", foreign={"private": True})), PUBLIC)
    assert kept.entries[0].site.relations == (Relation("crosses", "river"),)


@pytest.mark.parametrize("state", DetectionState)
@pytest.mark.parametrize("said", ["", "confirmed by anna", "dismissed by bo (haze)"])
def test_only_confirmed_detections_stay(
    valley: Site, detection: Detection, state: DetectionState, said: str
) -> None:
    told = note("told", "A roof.", evidence=(Evidence("detection", "d1"),))
    valley = replace(valley, observations=(*valley.observations, told))
    entry = SiteEntry(
        valley, detections=(replace(detection, state=state),), said={"d1": said} if said else {}
    )
    kept, left = filtered(MapView("t", MADE, (entry,)), PUBLIC)
    stays = state is DetectionState.CONFIRMED and "dismissed" not in said
    assert [each.id for each in only(kept).detections] == (["d1"] if stays else [])
    assert ("told" in {each.id for each in only(kept).site.observations}) is stays
    assert only(kept).said == {}
    assert left.counts.get("detection", 0) == (not stays)


def test_looks_tell_nothing_of_changes_that_are_left_out(
    valley: Site, detection: Detection, make_look: object
) -> None:
    make = make_look
    assert callable(make)
    looks: list[Look] = [
        make(
            "valley",
            date(2010, 7, 4) + timedelta(days=10 * step),
            outcome,
            card=Card(str(outcome), ("SECRET",)),
        )
        for step, outcome in enumerate(Outcome)
    ]
    looks = [replace(look, reason="SECRET at 120 m east, d1") for look in looks]
    for state in (DetectionState.CANDIDATE, DetectionState.CONFIRMED):
        found = replace(detection, state=state)
        kept, _ = filtered(MapView("t", MADE, (SiteEntry(valley, tuple(looks), (), (found,)),)), PUBLIC)
        entry = only(kept)
        assert [look.outcome for look in entry.looks] == list(Outcome)
        assert "SECRET" not in repr(entry.looks)
        changed = next(look for look in entry.looks if look.outcome is Outcome.CHANGED)
        shown = "2010-06-02/2010-07-04" if state is DetectionState.CONFIRMED else "not published"
        assert shown in changed.reason
        # Nothing told never reads as nothing changed.
        words = " ".join(looks_summary(entry))
        assert "later looks confirmed" in words
        assert "No change was seen" not in words


def test_pictures_and_media_stay_with_the_credits_that_are_allowed(view: MapView) -> None:
    allowed = replace(PUBLIC, credits=("usgs",), licences=("CC-BY-4.0",))
    kept, left = filtered(view, allowed)
    assert set(kept.entries[0].pictures) == {"d1"} and kept.entries[0].latest is not None
    kept, left = filtered(view, replace(allowed, credits=("Copernicus",)))
    assert not kept.entries[0].pictures and kept.entries[0].latest is None
    assert left.counts["picture"] == 3
    media = (Media(file="a", licence="cc-by-4.0"), Media(file="b", licence="CC-BY-NC"), Media(file="c"))
    kept, _ = filtered(of(site(observations=(note("n", media=media),))), allowed)
    assert only(kept).site.observations[0].media == media[:1]


@pytest.mark.parametrize(
    ("credit", "may"),
    [
        ("USGS Landsat, public domain", True),
        ("contains modified Copernicus data; USGS", True),
        ("USGS; Someone else", False),
        ("", False),
    ],
)
def test_every_part_of_a_joined_credit_counts(credit: str, may: bool) -> None:  # noqa: FBT001
    assert may_pass_on(credit, replace(PUBLIC, credits=("usgs", "copernicus"))) is may
    assert may_pass_on(credit, PUBLIC)


def test_a_blurred_site_tells_its_cell_and_nothing_finer() -> None:
    true = Point(125.7541, 39.0312)
    yard = site(
        "yard-0a1f",
        geometry=square_around(true, 100),
        footprint=box(125.75, 39.03, 125.76, 39.04),
        county="Junghwa",
        description="At 39.0312, 125.7541, beside the mill.",
        coordinate_source="https://maps.google.com/?q=39.0312,125.7541",
        coordinate_accuracy_m=20.0,
        placements=(Placement(Point(125.7, 39.0)),),
        attributes=(Attribute("elevation", 37.0, "m"), Attribute("stalls", 40.0, "stalls")),
        former_ids=("yard-at-3903",),
        observations=(
            note("n-3903-12575", "Gate at N39°01'52\" E125°45'15\".", media=(Media(file="gate.jpg"),)),
            note(
                "m",
                "A shed.",
                supersedes="n-3903-12575",
                sources=(
                    Source("Maps", url="https://www.openstreetmap.org/#map=19/39.0312/125.7541"),
                    Source("landsat-8", title="scene LC08_117033_20200501, LC08_116033_20200501"),
                    Source("News", title="A shed", url="https://example.org/2016/shed"),
                ),
                evidence=(Evidence("look", "0a1b2c3d4e5f/landsat/2020-05-01"),),
            ),
        ),
    )
    kept, left = filtered(of(yard), replace(OPEN, blur_m=5_000))
    entry = only(kept)
    told = entry.site
    assert isinstance(told.geometry, Point)
    assert geodesic_distance_m(told.geometry, true) <= 5_000
    assert told.geometry == Point(125.78125, 39.03125)
    assert (told.id, told.county, told.footprint, told.placements, told.former_ids) == (
        "yard-1",
        None,
        None,
        (),
        (),
    )
    assert told.coordinate_source is None and told.coordinate_accuracy_m == 5_000.0
    assert told.description == "At [place withheld], beside the mill."
    assert [each.quantity for each in told.attributes] == ["stalls"]
    gate, shed = told.observations
    assert gate.text == "Gate at [place withheld]." and gate.media == ()
    assert shed.supersedes == gate.id and "3903" not in gate.id
    assert [(s.outlet, s.title, s.url) for s in shed.sources] == [
        ("Maps", None, None),
        ("landsat-8", None, None),
        ("News", "A shed", "https://example.org/2016/shed"),
    ]
    assert shed.evidence == ()
    assert entry.is_watched and entry.area is None and "not published" in entry.watch_reason
    assert left.counts["place"] >= 4
    facts = dict(site_facts(entry))
    assert facts["Coordinates"] == "39.03125, 125.78125 (made coarse for publication: it lies within 5 km)"


def test_a_blurred_look_and_detection_say_when_and_not_where(
    valley: Site, detection: Detection, make_look: object, view: MapView
) -> None:
    make = make_look
    assert callable(make)
    look = make(
        "valley", date(2010, 7, 4), Outcome.UNCHANGED, grid_id="0a1b", scene_ids=("T51SYD",), day_only=False
    )
    window = NoScene("valley", date(2010, 1, 1), date(2010, 1, 17))
    entry = SiteEntry(valley, (look,), (window,), (detection,), album=view.entries[0].album)
    kept, left = filtered(MapView("t", MADE, (entry,)), replace(PUBLIC, blur_m=10_000))
    told = only(kept)
    assert (told.looks[0].grid_id, told.looks[0].scene_ids, told.looks[0].day_only) == ("", (), True)
    assert told.looks[0].acquired == datetime(2010, 7, 4, 12, tzinfo=UTC)
    assert told.looks[0].clear_fraction == 0.75
    (found,) = told.detections
    assert (found.id, found.grid_id, found.area_m2) == ("change-1", "", 70_000.0)
    assert found.geometry == shapely.Polygon() and found.bracket == detection.bracket
    assert not told.pictures and told.latest is None
    assert left.counts["picture"] == 3
    assert site_details(told)["detections"][0]["rings"] == []


def test_rows_under_a_former_id_come_along(valley: Site, detection: Detection) -> None:
    moved = replace(valley, id="dale", former_ids=("valley",))
    kept, _ = filtered(MapView("t", MADE, (SiteEntry(moved, detections=(detection,)),)), PUBLIC)
    assert only(kept).detections[0].site_id == "dale"
    assert only(kept).site.former_ids == ("valley",)
    blurred, _ = filtered(MapView("t", MADE, (SiteEntry(moved),)), replace(PUBLIC, blur_m=5_000))
    assert only(blurred).site.former_ids == ()


def test_context_tells_of_nothing_that_is_left_out() -> None:
    source = Source(
        "Paper", url="https://www.openstreetmap.org/#map=15/39.03000/125.75400", foreign={"x": "canary"}
    )
    when = parse_edtf("2016")
    events = (
        Event("general", when, "sanctions", "At 39.03000, 125.75400.", (source,), foreign={"x": "canary"}),
        Event("there", when, "closure", "The yard closes.", sites=("yard",)),
        Event("hidden", when, "closure", "The secret closes.", sites=("yard", "was-secret")),
        Event("told", when, "closure", "As noted.", notes=("n",)),
        Event("unsaid", when, "closure", "As noted there.", notes=("of-secret",)),
    )
    series = Series(
        "rice", "rice_price", "Hyesan", "KPW/kg", (Figure(when, 1.0, source, foreign={"x": "canary"}),)
    )
    sites = (
        site(observations=(note("n", private=True),)),
        site(
            "secret", foreign={"private": True}, former_ids=("was-secret",), observations=(note("of-secret"),)
        ),
    )
    whole = replace(of(*sites), context=Context((series,), events))
    kept, left = filtered(whole, PUBLIC)
    assert [event.id for event in kept.context.events] == ["general", "there"]
    assert sorted(row.id for row in left.rows if row.kind is Kind.EVENT) == ["hidden", "told", "unsaid"]
    assert "canary" not in repr(kept.context)
    assert kept.context.events[0].sources[0].url == source.url
    assert kept.context.series[0].points[0].value == 1.0
    blurred, _ = filtered(whole, replace(PUBLIC, blur_m=5_000))
    assert "125.754" not in repr(blurred.context)
    assert filtered(whole, FULL)[0].context == whole.context


def test_a_page_says_which_profile_it_was_made_under(view: MapView) -> None:
    profile = replace(PUBLIC, blur_m=5_000, name="readers", without_sites=frozenset({"market"}))
    kept, _ = filtered(view, profile)
    assert kept.profile == "readers"
    said = view_block(kept)["statement"]
    assert "'readers'" in said and "within 5 km" in said and "private" in said and "Some sites." in said
    assert "market" not in said
    assert filtered(view, FULL)[0].statement == view.statement


def test_no_field_is_published_that_nobody_decided_on() -> None:
    # A new field stays out by itself; this asks whoever adds one to say whether readers may see it.
    known = {
        MapView: {
            "title",
            "made",
            "entries",
            "statement",
            "thresholds",
            "profile",
            "dossiers",
            "context",
            "files",
            "tiles",
        },
        Context: {"series", "events"},
        Event: {
            *("id", "date", "kind", "text", "sources", "happened", "sites", "notes", "series"),
            *("contradicts", "foreign"),
        },
        Series: {"id", "quantity", "place", "unit", "points", "foreign"},
        Figure: {"date", "value", "source", "flag", "remark", "foreign"},
        SiteEntry: {
            *("site", "looks", "no_scenes", "detections", "labels", "said"),
            *("album", "only_confirmed", "blurred_m", "watched"),
        },
        Source: {
            *("outlet", "title", "author", "published", "language", "url", "archive_url"),
            *("reliability", "credibility", "specificity", "foreign"),
        },
        Look: {
            *("site_id", "grid_id", "solar_day", "series", "platform", "scene_ids", "acquired", "day_only"),
            *("outcome", "reason", "clear_fraction", "frame_clear_fraction", "mask_scheme", "history"),
            *("score", "threshold", "regions", "simulated", "card"),
        },
        Detection: {
            *("id", "site_id", "grid_id", "series", "state", "bracket", "last_without", "first_with"),
            *("last_with", "looks_with", "geometry", "area_m2", "magnitude", "p_value", "direction"),
            *("simulated", "date_interval_90", "area_interval_m2", "kind", "flags", "evidence", "surety"),
        },
    }
    for cls, names in known.items():
        assert {field.name for field in dataclasses.fields(cls)} == names, cls


def test_a_radius_without_a_lattice_is_refused() -> None:
    with pytest.raises(PageError) as caught:
        replace(PUBLIC, blur_m=3_000)
    assert caught.value.where == Where(field="blur_m")
    assert "5000" in str(caught.value)


def test_ids_that_may_tell_a_place_become_numbers() -> None:
    names = [
        "yard",
        "yard-0a1f",
        "yard-ffff",
        "yard-1",
        "at-39-0194-125-7381",
        "390194",
        "route-65",
        "site-101",
    ]
    told = site_ids([site(name) for name in names], 5_000)
    assert told == {
        **{name: name for name in ("yard", "yard-1", "route-65", "site-101")},
        "yard-0a1f": "yard-2",
        "yard-ffff": "yard-3",
        "at-39-0194-125-7381": "at-1",
        "390194": "site-1",
    }
    assert site_ids([site("yard-0a1f")], 0) == {"yard-0a1f": "yard-0a1f"}
