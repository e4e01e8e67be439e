"""Reading, searching and writing a catalogue of 53,722 sites with five notes each.

    python benchmarks/catalogue.py [SITES]

Prints seconds and megabytes for one file, for one file a site, and for GeoPandas on the same file;
then how reading grows. Texts are varied, Korean and English; every note has a source.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas

from sites.catalogue import Catalogue
from sites.editing import edit
from sites.geojson import canonical_json
from sites.search import SiteIndex

if TYPE_CHECKING:
    from collections.abc import Callable

NOTES = 5
CATEGORIES = ("market", "bridge", "customs", "factory", "mine", "port", "rail", "other")


def words(rng: random.Random) -> list[str]:
    """Return 8,000 made-up words, two fifths of them Korean."""
    latin = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(4800)]
    korean = [
        "".join(chr(rng.randrange(0xAC00, 0xD7A4)) for _ in range(rng.randint(1, 4))) for _ in range(3200)
    ]
    return latin + korean


def note(rng: random.Random, known: list[str]) -> dict[str, Any]:
    """Return one note with a source."""
    year = rng.randint(2000, 2024)
    day = f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return {
        "date": rng.choice([str(year), day, f"{day}/{year + 1}", f"{year}~"]),
        "kind": rng.choice(["imagery", "report"]),
        "text": " ".join(rng.choices(known, k=rng.randint(6, 12))),
        "sources": [{"outlet": rng.choice(known), "published": day}],
    }


def feature(number: int, rng: random.Random, known: list[str]) -> dict[str, Any]:
    """Return one site as a GeoJSON feature."""
    name = " ".join(rng.choices(known, k=2)).title()
    return {
        "type": "Feature",
        "id": f"site-{number}",
        "geometry": {"type": "Point", "coordinates": [rng.uniform(124, 131), rng.uniform(37, 43)]},
        "properties": {
            "name": name,
            "names": [{"text": rng.choice(known), "language": "ko"}],
            "category": rng.choice(CATEGORIES),
            "province": rng.choice(["Ryanggang", "Chagang", "Rason"]),
            "coordinate_accuracy_m": 100,
            "observations": [note(rng, known) for _ in range(NOTES)],
        },
    }


def timed(label: str, act: Callable[[], Any]) -> Any:  # noqa: ANN401 - gives back what it was given
    """Run `act`, print how long it took and the most memory used so far, return its result."""
    start = time.perf_counter()
    result = act()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{label:44} {seconds:8.3f} s   peak {peak:6.0f} MB")
    return result


def searching(catalogue: Catalogue) -> None:
    """Print how long the index and single searches take."""
    index = timed("index all names", lambda: SiteIndex.of(catalogue))
    rng = random.Random(2)  # noqa: S311 - a benchmark
    seconds = []
    for site in rng.sample(list(catalogue), 100):
        start = time.perf_counter()
        index.search(site.name)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    print(f"{'one search':44} median {seconds[50] * 1e3:.1f} ms, 95 % below {seconds[95] * 1e3:.1f} ms")


def main() -> None:
    """Measure; the count of sites may be given."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 53_722
    rng = random.Random(1)  # noqa: S311 - a benchmark
    known = words(rng)
    features = [feature(number, rng, known) for number in range(count)]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "all.geojson"
        catalogue = Catalogue.of([])
        for part in (count // 4, count // 2, count):
            path.write_bytes(canonical_json({"type": "FeatureCollection", "features": features[:part]}))
            size = path.stat().st_size / 1e6
            catalogue = timed(f"read {part} sites, {size:.0f} MB", lambda: Catalogue.read(path))
        searching(catalogue)
        folder = Path(name) / "folder"
        folder.mkdir()
        for item in features:
            (folder / f"{item['id']}.geojson").write_bytes(canonical_json(item))
        single = timed("read one file a site", lambda: Catalogue.read(folder))
        changed = single.with_records([edit(next(iter(single)), {"province": "Kangwon"})])
        written = timed("write one changed site", changed.write)
        print(f"{'files written':44} {len(written):8}")
        timed("geopandas.read_file (pyogrio), same file", lambda: geopandas.read_file(path, engine="pyogrio"))


if __name__ == "__main__":
    main()
