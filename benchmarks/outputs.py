"""What the files beside the pages cost: 5,000 sites with 20 notes each, of varied text, by writer.

    python benchmarks/outputs.py [--sites 5000] [--notes 20] [--pictures 0]

Prints seconds and bytes of each file, and what filtering the view by a profile takes before.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from shapely.geometry import Point

from geo.dates import parse_edtf
from imagery.model import Look, Outcome
from maps.filtered import filtered
from maps.profile import PUBLIC, Profile
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation, ObservationKind, Source
from watch.publish_data import Format, data_files

SEED = 7
KINDS = tuple(ObservationKind)
CATEGORIES = tuple(Category)
OUTCOMES = tuple(Outcome)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=5_000)
    parser.add_argument("--notes", type=int, default=20)
    parser.add_argument("--looks", type=int, default=10)
    chosen = parser.parse_args()
    view = varied(chosen.sites, chosen.notes, chosen.looks)
    print(f"{chosen.sites:,} sites, {chosen.notes} notes and {chosen.looks} looks each")
    for profile in (PUBLIC, Profile("blurred", blur_m=5_000)):
        started = time.process_time()
        filtered(view, profile)
        print(f"filtered by {profile.name:<22} {time.process_time() - started:7.2f} s")
    for wanted in Format:
        files = data_files(view, [wanted])
        while True:
            started = time.process_time()
            path, data = next(files, ("", b""))
            if not path:
                break
            print(f"{path:<34} {time.process_time() - started:7.2f} s {len(data):13,} bytes")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def varied(sites: int, notes: int, looks: int) -> MapView:
    """Return sites of whose texts no two are alike."""
    rng = random.Random(SEED)  # noqa: S311 - words, not secrets
    entries = tuple(_entry(number, notes, looks, rng) for number in range(sites))
    return MapView("Places", datetime(2026, 1, 2, tzinfo=UTC), entries, dossiers=True)


def _entry(number: int, notes: int, looks: int, rng: random.Random) -> SiteEntry:
    site_id = f"site-{number}"
    site = Site(
        site_id,
        (Name(_words(rng, 2).title()), Name(_hangul(rng, 3), "ko")),
        rng.choice(CATEGORIES),
        Point(round(rng.uniform(124.5, 130.5), 6), round(rng.uniform(37.8, 42.8), 6)),
        province=_words(rng, 1).title(),
        country="PRK",
        observations=tuple(_note(rng, each) for each in range(notes)),
    )
    days = sorted(date(2016, 1, 1) + timedelta(days=rng.randrange(3000)) for _ in range(looks))
    return SiteEntry(site, tuple(_look(site_id, day, rng) for day in dict.fromkeys(days)))


def _note(rng: random.Random, number: int) -> Observation:
    first = date(1995, 1, 1) + timedelta(days=rng.randrange(10_000))
    last = first + timedelta(days=rng.randrange(1, 700))
    when = rng.choice((f"{first}/{last}", f"{first:%Y-%m}~", f"{first:%Y}", f"{first}/.."))
    source = Source(
        _words(rng, 2).title(),
        title=_words(rng, 6),
        published=parse_edtf(str(last)),
        url=f"https://example.org/{_words(rng, 3).replace(' ', '-')}/{rng.randrange(10**6)}",
        reliability=rng.choice("ABCDEF"),
        credibility=rng.choice("123456"),
    )
    text = f"{_words(rng, rng.randrange(8, 24)).capitalize()}. {_hangul(rng, rng.randrange(0, 8))}"
    return Observation(f"n{number}", parse_edtf(when), text.strip(), rng.choice(KINDS), sources=(source,))


def _look(site_id: str, day: date, rng: random.Random) -> Look:
    return Look(
        site_id=site_id,
        grid_id="0a1b2c3d4e5f",
        solar_day=day,
        series="sentinel-2",
        platform=rng.choice(("sentinel-2a", "sentinel-2b")),
        scene_ids=(f"S2_{day:%Y%m%d}",),
        acquired=datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
        day_only=False,
        outcome=rng.choice(OUTCOMES),
        reason=f"nothing stands out: the largest score is {rng.random():.1f}",
        clear_fraction=rng.random(),
        frame_clear_fraction=rng.random(),
        mask_scheme="scl",
        history=12,
        score=rng.random(),
        threshold=1.0,
    )


_SYLLABLES = tuple(a + b for a, b in pairwise("katomiresunolipadevugohaze"))


def _words(rng: random.Random, count: int) -> str:
    return " ".join("".join(rng.choices(_SYLLABLES, k=rng.randrange(1, 5))) for _ in range(count))


def _hangul(rng: random.Random, count: int) -> str:
    return " ".join(
        "".join(chr(rng.randrange(0xAC00, 0xD7A4)) for _ in range(rng.randrange(2, 5))) for _ in range(count)
    )


if __name__ == "__main__":
    main()
