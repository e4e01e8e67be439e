"""Nothing that a profile takes out is in any file: marks in every private field, and everything opened."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from shapely.geometry import Point, box

from geo.area import square_around
from geo.coarse import RADII_M
from geo.coordinates import format_coordinate
from geo.dates import parse_edtf
from geo.grid import Grid, utm_crs
from geo.position import Coordinate, Form
from imagery.change.card import Card
from imagery.masks import unmasked_classes
from imagery.model import Chip, Detection, DetectionState, Look, NoScene, Outcome
from maps.album import Shot, make_album
from maps.dossier import Around, render_dossier
from maps.filtered import filtered
from maps.page_manifest import MANIFEST_FILE, described, write_rows
from maps.profile import FULL, PUBLIC, Profile
from maps.site_map import render_site_map
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Attribute, Name, Placement, Relation, Retirement, Site, WatchRules
from sites.observation import Evidence, Measurement, Media, Observation, Source
from watch.publish_data import ALL_FORMATS, data_files

TRUE = Point(125.7381642, 39.0194287)
FORMS = [form for form in Form if form is not Form.LINK]
CREDIT, OTHER_CREDIT = "Creditmark Alpha", "Creditmark Omega"


def mark(name: str) -> str:
    """Return a word that stands nowhere else: letters alone, so that no redaction of numbers hides it."""
    return (
        "zq"
        + "".join(chr(ord("a") + int(digit, 16)) for digit in sha256(name.encode()).hexdigest()[:16])
        + "qz"
    )


def chip(day: date, credit: str) -> Chip:
    crs = utm_crs(TRUE)
    (x, y) = Grid("yard", GeoBox((4, 4), Affine(30, 0, 0, 0, -30, 0), crs)).to_grid(TRUE).coords[0]
    grid = Grid("yard", GeoBox((8, 8), Affine(30, 0, x - 120, 0, -30, y + 120), crs))
    valid = np.ones(grid.shape, bool)
    return Chip(
        grid=grid,
        solar_day=day,
        acquired=datetime(day.year, day.month, day.day, 2, 13, 37, tzinfo=UTC),
        day_only=False,
        platform="landsat-8",
        series="landsat",
        scene_ids=(mark("scene"),),
        bands=("red", "green", "blue"),
        dn=np.random.default_rng(day.toordinal()).integers(600, 1600, (3, 8, 8)).astype(np.uint16),
        scale=1e-4,
        valid=valid,
        clear=valid,
        classes=unmasked_classes(valid),
        mask_scheme="fmask",
        credit=credit,
    )


CHIPS = [
    chip(date(2020, month, 1), credit)
    for month, credit in (
        (1, CREDIT),
        (2, CREDIT),
        (3, OTHER_CREDIT),
        (4, OTHER_CREDIT),
        (5, CREDIT),
        (6, CREDIT),
    )
]
GRID = CHIPS[0].grid


def detection(name: str, before: int, state: DetectionState) -> Detection:
    first, after = CHIPS[before].solar_day, CHIPS[before + 1].solar_day
    return Detection(
        id=f"{name}-{GRID.grid_id}",
        site_id="yard",
        grid_id=GRID.grid_id,
        series="landsat",
        state=state,
        bracket=f"{first}/{after}",
        last_without=first,
        first_with=after,
        last_with=after,
        looks_with=2,
        geometry=square_around(TRUE, 40 + before),
        area_m2=6412.5 + before,
        magnitude=2.3456 + before,
        p_value=None,
        kind=f"like a roof {mark(name)}",
    )


def texts() -> Iterator[tuple[str, str]]:
    """Yield texts that give the place away, in every form that the house writes."""
    for form in FORMS:
        yield str(form), format_coordinate(Coordinate(TRUE.x, TRUE.y, form, 1.113), form)


PLACES = dict(texts())
SAYS_WHERE = "; ".join(PLACES.values())


def yard() -> Site:
    notes = (
        Observation("plain", parse_edtf("2016"), f"Kept {mark('kept')}. {SAYS_WHERE}", author=mark("author")),
        Observation(
            "secret",
            parse_edtf("2017"),
            mark("secret-text"),
            private=True,
            supersedes="earlier",
            obscured_by=mark("secret-obscured"),
            sources=(
                Source(
                    mark("secret-outlet"), title=mark("secret-title"), url=f"https://{mark('secret-url')}.org"
                ),
            ),
            media=(Media(file=f"{mark('secret-file')}.png", caption=mark("secret-caption")),),
            foreign={mark("secret-key"): mark("secret-foreign")},
        ),
        Observation("earlier", parse_edtf("2015"), mark("earlier-text")),
        Observation(
            "rich",
            parse_edtf("2018"),
            "Seen.",
            contradicts=("secret",),
            measurement=Measurement("footprint", "m", 20.0, foreign={"f": mark("foreign-measurement")}),
            sources=(
                Source(
                    "Maps",
                    url=f"https://www.google.com/maps/@{TRUE.y},{TRUE.x},17z",
                    foreign={"f": mark("foreign-source")},
                ),
                Source("landsat-8", title=f"scene {mark('scene')}"),
            ),
            media=(
                Media(file=f"{mark('private-file')}.png", caption=mark("private-caption"), private=True),
                Media(
                    file=f"{mark('licensed-file')}.png", caption=mark("licensed-caption"), licence="CC-BY-NC"
                ),
            ),
            evidence=(Evidence("look", f"{GRID.grid_id}/landsat/2020-01-01"),),
            foreign={"f": mark("foreign-note")},
        ),
        Observation(
            "told",
            parse_edtf("2020-03/2020-04"),
            mark("told-of-candidate"),
            evidence=(Evidence("detection", f"candidate-{GRID.grid_id}"),),
        ),
    )
    return Site(
        "yard-0a1f",
        (Name("Yard"),),
        Category.STORAGE,
        TRUE,
        description=f"Beside {SAYS_WHERE}",
        county=mark("county"),
        footprint=box(TRUE.x - 0.001, TRUE.y - 0.001, TRUE.x + 0.001, TRUE.y + 0.001),
        coordinate_accuracy_m=17.5,
        coordinate_source=f"{mark('coordinate-source')} {SAYS_WHERE}",
        placements=(Placement(Point(125.7112233, 39.0223344), source=mark("placement-source")),),
        relations=(Relation("near", "hidden"),),
        attributes=(
            Attribute("elevation", 3725.125, "m"),
            Attribute("stalls", 40, "stalls", foreign={"f": mark("foreign-attribute")}),
        ),
        former_ids=("yard", "old-yard-3901"),
        watch=WatchRules(foreign={"f": mark("foreign-watch")}),
        observations=notes,
        foreign={"f": mark("foreign-site")},
        feature_foreign={"g": mark("foreign-feature")},
    )


def view() -> MapView:
    found = (
        detection("confirmed", 0, DetectionState.CONFIRMED),
        detection("candidate", 2, DetectionState.CANDIDATE),
        detection("dismissed", 4, DetectionState.CONFIRMED),
    )
    said = {
        found[0].id: f"confirmed by {mark('reviewer')}",
        found[2].id: f"dismissed by bo ({mark('dismissal')})",
    }
    looks = tuple(
        Look(
            site_id="yard",
            grid_id=GRID.grid_id,
            solar_day=each.solar_day,
            series="landsat",
            platform="landsat-8",
            scene_ids=each.scene_ids,
            acquired=each.acquired,
            day_only=False,
            outcome=Outcome.CHANGED,
            reason=f"{mark('reason')} at {SAYS_WHERE}",
            clear_fraction=0.87341,
            frame_clear_fraction=0.9132,
            mask_scheme="fmask",
            history=12,
            score=2.0,
            threshold=1.0,
            card=Card("Changed", (mark("card"),)),
        )
        for each in CHIPS
    )
    album = make_album("yard", "Yard", [Shot(each, "Changed") for each in CHIPS], found)
    site = yard()
    windows = (NoScene("yard", date(2019, 1, 1), date(2019, 1, 17)),)
    labels = {"plain": mark("label"), "secret": mark("secret-label")}
    pictured = replace(album, site_id="yard")
    entry = SiteEntry(site, looks, windows, found, labels=labels, said=said, album=pictured)
    hidden = Site(
        "hidden",
        (Name(mark("hidden-name")),),
        Category.MINE,
        Point(126.5, 39.5),
        observations=(Observation("n", parse_edtf("2016"), mark("hidden-note")),),
        retired=Retirement(parse_edtf("2020"), mark("hidden-reason")),
        foreign={"sensitive": True},
    )
    return MapView(
        "Places",
        datetime(2026, 1, 2, tzinfo=UTC),
        (entry, SiteEntry(hidden)),
        statement=f"Around {SAYS_WHERE}",
        dossiers=True,
    )


VIEW = view()
SECRET = ["text", "obscured", "outlet", "title", "url", "file", "caption", "key", "foreign", "label"]
ALWAYS = [mark("private-file"), mark("private-caption")]
NEVER_OURS = [
    mark(f"foreign-{of}") for of in ("source", "note", "measurement", "attribute", "watch", "site", "feature")
]


def forbidden(profile: Profile) -> dict[str, list[str]]:
    """Return the words that no file may hold, by why."""
    if profile.is_full:
        return {"never published": ALWAYS}
    out = {
        "never published": ALWAYS,
        "not ours": [*NEVER_OURS, mark("placement-source"), mark("reason"), mark("card")],
    }
    if not profile.private_notes:
        out["private"] = [*(mark(f"secret-{of}") for of in SECRET), mark("earlier-text")]
    if not profile.authors:
        out["authors"] = [mark("author"), mark("reviewer"), mark("dismissal")]
    if profile.confirmed_only:
        out["confirmed"] = [mark("candidate"), mark("dismissed"), mark("told-of-candidate")]
        out["confirmed"] += [f"{name}-{GRID.grid_id}" for name in ("candidate", "dismissed")]
    if "sensitive" in profile.without_flags:
        out["flag"] = [mark("hidden-name"), mark("hidden-note"), mark("hidden-reason")]
    if profile.licences:
        out["licence"] = [mark("licensed-file"), mark("licensed-caption")]
    if profile.blur_m:
        out["place"] = [
            *(
                *PLACES.values(),
                mark("county"),
                mark("coordinate-source"),
                mark("scene"),
                mark("licensed-file"),
            ),
            *(
                GRID.grid_id,
                "yard-0a1f",
                "old-yard",
                CREDIT,
                OTHER_CREDIT,
                "02:13:37",
                "6412.5",
                "3725.125",
                "0.87341",
            ),
            *(f"{value:.{digits}f}"[:-1] for value in (TRUE.x, TRUE.y) for digits in (5, 6, 7)),
            *(f"{value * 1e6:.0f}"[:8] for value in (TRUE.x, TRUE.y)),
        ]
    if profile.credits:
        out["credit"] = [OTHER_CREDIT]
    return out


def written(shown: MapView, folder: Path) -> dict[str, bytes]:
    """Return every file of a publication, as `publish` writes it."""
    names = {entry.site.id: entry.site.name for entry in shown.entries}
    around = Around(shown.title, shown.statement, shown.thresholds, names)
    files = {"index.html": render_site_map(shown).encode()}
    files |= {
        f"sites/{entry.site.id}.html": render_dossier(entry, around).encode() for entry in shown.entries
    }
    files |= dict(data_files(shown, ALL_FORMATS))
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    write_rows(folder, [described(folder, path) for path in files])
    return files | {MANIFEST_FILE: (folder / MANIFEST_FILE).read_bytes()}


BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def opened(name: str, data: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield some bytes and everything that is packed into them."""
    yield name, data
    if depth > 5:
        return
    if data[:2] == b"\x1f\x8b":
        yield from opened(f"{name}|gzip", gzip.decompress(data), depth + 1)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield f"{name}|names", "\n".join(archive.namelist()).encode()
            for member in archive.namelist():
                yield from opened(f"{name}|{member}", archive.read(member), depth + 1)
    if data[:16] == b"SQLite format 3\0":
        connection = sqlite3.connect(":memory:")
        connection.deserialize(data)
        yield f"{name}|dump", "\n".join(connection.iterdump()).encode()
        connection.close()
    if b"<" in data[:200] or b"{" in data[:200]:
        for match in BASE64.finditer(data):
            try:
                inner = base64.b64decode(match[0], validate=True)
            except ValueError:
                continue
            yield from opened(f"{name}|base64", inner, depth + 1)


def spellings(word: str) -> Iterator[bytes]:
    """Yield a word in the encodings in which a file could hold it."""
    yield word.encode()
    yield word.encode("utf-16-le")
    yield word.encode("utf-16-be")
    yield json.dumps(word)[1:-1].encode()
    yield escape(word).encode()
    yield escape(escape(word)).encode()
    yield quote(word).encode()
    yield word.encode().hex().encode()
    if len(word) < 12:  # too little of it is left whole in base64; `opened` reads that anyway
        return
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + word.encode())
        yield coded[4 if shift else 0 : -4]


def always_there() -> set[bytes]:
    """Return what is packed into every page, whatever it shows: outlines of countries and the like."""
    page = render_site_map(MapView("Nothing", VIEW.made, ())).encode()
    return {data for name, data in opened("index.html", page) if len(data) > 10_000}


def leaks(files: dict[str, bytes], words: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    """Return where words are that may be nowhere."""
    parts = [part for name, data in files.items() for part in opened(name, data) if part[1] not in SHELL]
    whole = [(name, data, data.lower()) for name, data in parts]
    found = []
    for why, group in words.items():
        for word in group:
            for spelled in set(spellings(word)):
                found += [(why, word, name) for name, data, _ in whole if spelled in data]
            found += [(why, word, name) for name, _, lower in whole if word.lower().encode() in lower]
    return found


profiles = st.builds(
    Profile,
    name=st.just("readers"),
    confirmed_only=st.booleans(),
    private_notes=st.booleans(),
    authors=st.booleans(),
    blur_m=st.sampled_from((0, *RADII_M)),
    credits=st.sampled_from(((), ("alpha",))),
    licences=st.sampled_from(((), ("CC-BY-4.0",))),
    without_flags=st.sampled_from((frozenset({"sensitive"}), frozenset())),
)


SHELL = always_there()


@settings(max_examples=8)
@given(profile=profiles)
def test_no_file_holds_what_the_profile_forbids(
    profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shown, _ = filtered(VIEW, profile)
    files = written(shown, tmp_path_factory.mktemp("out"))
    assert leaks(files, forbidden(profile)) == []


@pytest.mark.parametrize("profile", [FULL, PUBLIC, replace(PUBLIC, blur_m=1250)], ids=lambda each: each.name)
def test_the_profiles_that_are_there_hold_what_they_promise(profile: Profile, tmp_path: Path) -> None:
    shown, _ = filtered(VIEW, profile)
    files = written(shown, tmp_path)
    assert leaks(files, forbidden(profile)) == []
    assert leaks(files, {"kept": [mark("kept")]})  # what may stay is there, so the search finds what there is


def test_the_search_finds_every_mark_in_pages_that_hold_all(tmp_path: Path) -> None:
    # Else an empty answer would prove nothing: with everything allowed each mark must be found somewhere.
    everything = replace(
        PUBLIC, confirmed_only=False, private_notes=True, authors=True, without_flags=frozenset()
    )
    files = written(filtered(VIEW, replace(everything, name="full"))[0], tmp_path)
    wanted = forbidden(replace(PUBLIC, blur_m=1250, licences=("x",), credits=("alpha",)))
    found = {word for _, word, _ in leaks(files, wanted)}
    silent = {mark("private-file"), mark("private-caption"), "02:13:37"}  # in no file of any profile
    missing = {word for group in wanted.values() for word in group} - found - silent
    assert {word for word in missing if not word.startswith("zq")} <= {"0.87341"}
    assert len(missing) <= 2, missing
