"""Dossiers of many sites: seconds, bytes, memory; written for the first time, and again when nothing changed.

    python benchmarks/dossiers.py [--sites 200,5000] [--notes 20] [--looks 0,100]

Sites are made up: notes of varied words with graded sources, looks of mixed outcomes with reasons, no
pictures. Each row is a process of its own. The first seconds are from an empty folder to the last page in its
place; `again` is all of it once more, when nothing changed. `peak` is the most memory of the process, imports
included.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from shapely.geometry import Point

from geo.dates import parse_edtf
from imagery.model import Look, Outcome
from maps.dossier import Around, dossier_path, render_dossier
from maps.page_folder import replacing_pages
from maps.view import SiteEntry
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation, Source

HEAD = "| sites | notes each | looks each | s | CPU s | again s | CPU s | MB | kB a dossier | peak MB |"
OUTCOMES = (Outcome.UNCHANGED, Outcome.UNCHANGED, Outcome.OBSCURED, Outcome.OBSCURED, Outcome.LEARNING)


def site_entry(number: int, notes: int, looks: int) -> SiteEntry:
    """Return a made-up site; the same number gives the same one."""
    rng = random.Random(number)  # noqa: S311 - a benchmark
    return SiteEntry(
        Site(
            f"site-{number}",
            (Name(words(rng, 2).title()), Name(hangul(rng), "ko")),
            rng.choice(list(Category)),
            Point(rng.uniform(124, 131), rng.uniform(37, 43)),
            province=words(rng, 1),
            coordinate_accuracy_m=100.0,
            observations=tuple(note(rng, position) for position in range(notes)),
        ),
        looks=tuple(look(rng, f"site-{number}", position) for position in range(looks)),
    )


def words(rng: random.Random, count: int) -> str:
    """Return made-up words."""
    return " ".join(
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(count)
    )


def hangul(rng: random.Random) -> str:
    """Return a made-up Korean name."""
    return "".join(chr(rng.randrange(0xAC00, 0xD7A4)) for _ in range(4))


def note(rng: random.Random, position: int) -> Observation:
    """Return a note with one graded source."""
    source = Source(words(rng, 2), reliability=rng.choice("ABCDEF"), credibility=rng.choice("123456"))
    return Observation(
        f"n{position}", parse_edtf(str(rng.randint(2000, 2024))), words(rng, 12), sources=(source,)
    )


def look(rng: random.Random, site_id: str, position: int) -> Look:
    """Return a look, ten days after the one before."""
    day = date(2021, 1, 1) + timedelta(days=10 * position)
    return Look(
        site_id=site_id,
        grid_id="g",
        solar_day=day,
        series="sentinel-2",
        platform="sentinel-2a",
        scene_ids=("s",),
        acquired=datetime(day.year, day.month, day.day, tzinfo=UTC),
        day_only=True,
        outcome=rng.choice(OUTCOMES),
        reason=f"nothing stands out: the largest score is {rng.random():.1f}, the threshold {words(rng, 6)}",
        clear_fraction=rng.random(),
        frame_clear_fraction=rng.random(),
        mask_scheme="scl",
        history=position,
        score=rng.random(),
        threshold=1.0,
    )


def publish(folder: Path, count: int, notes: int, looks: int) -> tuple[float, float]:
    """Write the dossiers; return seconds that passed and of the processor, but for making up sites."""
    around = Around("Made up")
    passed, worked = -time.perf_counter(), -time.process_time()
    with replacing_pages(folder) as pages:
        for number in range(count):
            start = time.perf_counter(), time.process_time()
            entry = site_entry(number, notes, looks)
            passed, worked = (
                passed + start[0] - time.perf_counter(),
                worked + start[1] - time.process_time(),
            )
            pages.write(dossier_path(entry.site.id), render_dossier(entry, around))
    return passed + time.perf_counter(), worked + time.process_time()


def row(count: int, notes: int, looks: int) -> None:
    """Print one row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, again = publish(folder, count, notes, looks), publish(folder, count, notes, looks)
        size = sum(path.stat().st_size for path in folder.rglob("*.html"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = " | ".join(f"{seconds:.1f}" for seconds in (*first, *again))
    numbers = f"{size / 1e6:.0f} | {size / count / 1e3:.0f} | {peak:.0f}"
    print(f"| {count:,} | {notes} | {looks} | {times} | {numbers} |")


def main() -> None:
    """Run the rows, each in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sites", default="200,5000")
    parser.add_argument("--notes", type=int, default=20)
    parser.add_argument("--looks", default="0,100")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.row:
        row(*map(int, chosen.row.split(",")))
        return
    print(HEAD)
    print("|---" * HEAD.count(" |") + "|", flush=True)
    for looks in chosen.looks.split(","):
        for count in chosen.sites.split(","):
            wanted = f"{count},{chosen.notes},{looks}"
            subprocess.run([sys.executable, __file__, "--row", wanted], check=True)  # noqa: S603 - itself


if __name__ == "__main__":
    main()
