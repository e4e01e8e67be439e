"""Reading, searching and writing a catalogue of 53,722 sites with five notes each.

    python benchmarks/catalogue.py [SITES]

Prints seconds and megabytes for one file and for one file a site, a quarter, a half and all of it, for
the search index, for one changed site, and for GeoPandas on the same file. Every row is a process of its
own, which has read nothing before: `wall` is what a person waits, `CPU` what this machine worked for it
(compare this one where others share the machine), `peak` the most memory of the process, its imports
included. Texts are varied, Korean and English; every note has a source.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from sites.catalogue import Catalogue
from sites.editing import edit
from sites.geojson import canonical_json
from sites.search import SiteIndex

if TYPE_CHECKING:
    from collections.abc import Callable

NOTES = 5
BARE = "bare.geojson"
"""All sites in one file once more: notes without sources, JSON without spaces."""
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
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{label:46} {wall:7.2f} s {cpu:7.2f} s {peak:7.0f} MB", flush=True)
    return result


def apart(measure: Callable[..., None], *arguments: object) -> None:
    """Run a measurement in a process of its own."""
    process = get_context("spawn").Process(target=measure, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{measure.__name__} failed")


def reading(label: str, path: Path) -> None:
    """Print what it takes to read a catalogue."""
    timed(label, lambda: Catalogue.read(path))


def searching(path: Path) -> None:
    """Print how long the index and single searches take."""
    catalogue = Catalogue.read(path)
    index = timed("index of all names", lambda: SiteIndex.of(catalogue))
    rng = random.Random(2)  # noqa: S311 - a benchmark
    wall, cpu = [], []
    for site in rng.sample(list(catalogue), 100):
        start = time.perf_counter(), time.process_time()
        index.search(site.name)
        wall.append((time.perf_counter() - start[0]) * 1e3)
        cpu.append((time.process_time() - start[1]) * 1e3)
    wall.sort()
    cpu.sort()
    for label, rank in (("one search, median of 100", 50), ("one search, 95 of 100 are below", 95)):
        print(f"{label:46} {wall[rank]:6.1f} ms {cpu[rank]:6.1f} ms", flush=True)


def writing(path: Path) -> None:
    """Print how long it takes to store one changed site, and how many files that writes."""
    catalogue = Catalogue.read(path)
    changed = catalogue.with_records([edit(next(iter(catalogue)), {"province": "Kangwon"})])
    written = timed("store one changed site, one file a site", changed.write)
    print(f"{'files written':46} {len(written):7}", flush=True)


def with_geopandas(path: Path) -> None:
    """Print how long GeoPandas takes for the same file; it leaves the notes as text."""
    import geopandas  # noqa: PLC0415 - other rows are measured without it

    timed("geopandas.read_file (pyogrio), the same file", lambda: geopandas.read_file(path, engine="pyogrio"))


def make(folder: Path, count: int) -> None:
    """Write catalogues of a quarter, a half and all of the sites, each in one file and in one file a site."""
    rng = random.Random(1)  # noqa: S311 - a benchmark
    known = words(rng)
    features = [feature(number, rng, known) for number in range(count)]
    for part in parts(count):
        document = {"type": "FeatureCollection", "features": features[:part]}
        (folder / f"{part}.geojson").write_bytes(canonical_json(document))
        (folder / str(part)).mkdir()
        for item in features[:part]:
            (folder / str(part) / f"{item['id']}.geojson").write_bytes(canonical_json(item))
    for item in features:
        for each in item["properties"]["observations"]:
            del each["sources"]
    (folder / BARE).write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))


def parts(count: int) -> tuple[int, int, int]:
    """Return how many sites are read, to see how it grows."""
    return count // 4, count // 2, count


def main() -> None:
    """Measure; the count of sites may be given."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 53_722
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        apart(make, folder, count)  # apart as well: a process passes its peak on to those it starts
        print(f"{'':46} {'wall':>9} {'CPU':>9} {'peak':>10}", flush=True)
        for part in parts(count):
            path = folder / f"{part}.geojson"
            apart(reading, f"read {part} sites, {path.stat().st_size / 1e6:.0f} MB in one file", path)
        bare = folder / BARE
        label = f"read {count} sites, {bare.stat().st_size / 1e6:.0f} MB, no sources"
        apart(reading, label, bare)
        for part in parts(count):
            apart(reading, f"read {part} sites, one file a site", folder / str(part))
        apart(searching, folder / f"{count}.geojson")
        apart(writing, folder / str(count))
        apart(with_geopandas, folder / f"{count}.geojson")


if __name__ == "__main__":
    main()
