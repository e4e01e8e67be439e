"""Fill ledgers with plausible looks and time what is asked of them: a file, and a server where there is one.

    OMP_NUM_THREADS=1 python benchmarks/ledger.py [LOOKS...] [--postgresql URL]

A look of each of a thousand sites every few days, ended as looks over the Korean peninsula do, with regions
and a card of the usual size. Per question: the best of three, in a process that has asked nothing else; CPU
of this process, and wall time (a server works elsewhere).
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from imagery.change.card import METHOD, Card
from imagery.model import Outcome
from watch.agenda import make_plan
from watch.coverage import coverage
from watch.ledger import Ledger
from watch.ledger_tables import DETECTIONS, EXAMINED, LOOKS, NO_SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITES = 1000
DAY = date(2016, 1, 1)
WALL = datetime(2026, 11, 1, 6, tzinfo=UTC)
ENDS = [
    *([Outcome.LEARNING] * 5),
    *([Outcome.UNCHANGED] * 53),
    *([Outcome.CHANGED] * 3),
    *([Outcome.OBSCURED] * 38),
    Outcome.FAILED,
]
BATCH = 5000


def look_rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield so many looks of `SITES` sites, as the table holds them."""
    rng = random.Random(1)  # noqa: S311 - seeded looks, no secrets
    each = count // SITES
    step = 3650 / each
    for site in range(SITES):
        for number in range(each):
            day = DAY + timedelta(days=int(number * step))
            outcome = rng.choice(ENDS)
            changed = outcome is Outcome.CHANGED
            region = {
                "geometry": {"type": "Point", "coordinates": [125.7, 39.0]},
                "area_m2": 900.0,
                "pixels": 9,
                "magnitude": 1.2,
                "direction": {"red": 0.1, "nir": 0.05},
            }
            yield {
                "site_id": f"site-{site:04d}",
                "grid_id": "0123456789ab",
                "series": "sentinel-2",
                "solar_day": day,
                "platform": rng.choice(["sentinel-2a", "sentinel-2b"]),
                "scene_ids": [f"S2A_MSIL2A_{day:%Y%m%d}T021341_R003_T52SBD"],
                "acquired": datetime(day.year, day.month, day.day, 2, 13),  # noqa: DTZ001 - as the table holds it
                "day_only": False,
                "outcome": outcome.value,
                "reason": f"score {rng.random():.2f} of 3.00 against 24 earlier clear looks",
                "clear_fraction": rng.random(),
                "frame_clear_fraction": rng.random(),
                "mask_scheme": "scl",
                "history": 24,
                "score": rng.random(),
                "threshold": 3.0,
                "regions": [region] if changed else [],
                "simulated": True,
                "card": Card(outcome.value, ("w" * 120,), ("w" * 80,), {"alone": {"score": 1.5}}).to_json(),
                "run_id": "20261101T060000Z-00000000",
                "judged_at": WALL.replace(tzinfo=None),
                "method": METHOD,
            }


def other_rows() -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
    """Yield the smaller tables with their rows: five detections and a hundred empty windows a site."""
    sites = [f"site-{site:04d}" for site in range(SITES)]
    yield (
        EXAMINED,
        [{"site_id": site, "since": DAY, "until": WALL.replace(tzinfo=None)} for site in sites],
    )
    starts = [DAY + timedelta(days=35 * number) for number in range(100)]
    yield (
        NO_SCENES,
        [
            {"site_id": site, "start": start, "end": start + timedelta(days=5), "run_id": "r"}
            for site in sites
            for start in starts
        ],
    )
    square = [[125.0, 39.0], [125.001, 39.0], [125.001, 39.001], [125.0, 39.001], [125.0, 39.0]]
    yield (
        DETECTIONS,
        [
            {
                "id": f"det-{site}-{number}",
                "site_id": site,
                "grid_id": "0123456789ab",
                "series": "sentinel-2",
                "state": "confirmed",
                "bracket": "2020-01-01/2020-01-06",
                "last_without": date(2020, 1, 1),
                "first_with": date(2020, 1, 6),
                "last_with": date(2020, 2, 1),
                "looks_with": 3,
                "geometry": {"type": "Polygon", "coordinates": [square]},
                "area_m2": 900.0,
                "magnitude": 2.0,
                "p_value": None,
                "direction": {"red": 0.1},
                "simulated": True,
                "date_interval_90": "",
                "area_interval_m2": None,
                "kind": "",
                "flags": None,
                "run_id": "r",
            }
            for site in sites
            for number in range(5)
        ],
    )


def fill(ledger: Ledger, count: int) -> None:
    """Write all rows."""
    with ledger.writing() as connection:
        for table, rows in other_rows():
            for start in range(0, len(rows), BATCH):
                connection.execute(table.insert(), rows[start : start + BATCH])
        part: list[dict[str, Any]] = []
        for row in look_rows(count):
            part.append(row)
            if len(part) == BATCH:
                connection.execute(LOOKS.insert(), part)
                part = []
        if part:
            connection.execute(LOOKS.insert(), part)
    if ledger.place.startswith("postgresql"):
        # What a server does on its own within minutes of such a load.
        engine = sa.create_engine(ledger._url, isolation_level="AUTOCOMMIT")  # noqa: SLF001 - holds the password
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        engine.dispose()


def questions(where: Path | str) -> dict[str, Callable[[], object]]:
    """Return what is asked, by name; each opens the ledger anew."""

    def asked(question: Callable[[Ledger], object]) -> Callable[[], object]:
        def ask() -> object:
            ledger = Ledger.open(where)
            try:
                return question(ledger)
            finally:
                ledger.close()

        return ask

    def plan(ledger: Ledger) -> object:
        return make_plan([], ledger.examined(), now=WALL, cadence=timedelta(days=5))

    return {
        "open, and how far each site was examined (`run --due`, nothing due)": asked(plan),
        "`coverage`, all sites": asked(coverage),
        "`coverage`, ten sites": asked(lambda each: coverage(each, [f"site-{n:04d}" for n in range(10)])),
        "the looks of one site, whole": asked(lambda each: each.looks("site-0500")),
        "which looks of all sites still stand (`run --due`, every site due)": asked(
            lambda each: sum(len(each.looked(f"site-{site:04d}")) for site in range(SITES))
        ),
        "all detections": asked(lambda each: each.detections()),
        "how looks of the last 30 days ended": asked(
            lambda each: each.outcomes(DAY + timedelta(days=3620), DAY + timedelta(days=3650))
        ),
    }


def timed(question: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU and wall seconds of the best of three."""
    taken = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        question()
        taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(taken, key=lambda each: each[1])


def main() -> None:
    """Print one table a database."""
    parser = argparse.ArgumentParser()
    parser.add_argument("looks", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--postgresql", help="URL of an empty database; its looks are deleted between sizes")
    wanted = parser.parse_args()
    places: list[tuple[str, str | None]] = [("SQLite", None)]
    if wanted.postgresql:
        places.append(("PostgreSQL", wanted.postgresql))
    for name, url in places:
        found: dict[str, list[tuple[float, float]]] = {}
        for count in wanted.looks:
            with tempfile.TemporaryDirectory() as folder:
                where: Path | str = url or Path(folder) / "ledger.sqlite"
                ledger = Ledger.open(where)
                with ledger.writing() as connection:
                    for table in (LOOKS, NO_SCENES, DETECTIONS, EXAMINED):
                        connection.execute(table.delete())
                began = time.perf_counter()
                fill(ledger, count)
                ledger.close()
                print(
                    f"{name}: {count:,} looks filled in {time.perf_counter() - began:.0f} s", file=sys.stderr
                )
                for words, question in questions(where).items():
                    found.setdefault(words, []).append(timed(question))
        print(f"\n{name}, {' and '.join(f'{count:,}' for count in wanted.looks)} looks: CPU (wall), ms\n")
        for words, row in found.items():
            cells = " | ".join(f"{cpu * 1000:.0f} ({wall * 1000:.0f})" for cpu, wall in row)
            print(f"| {words} | {cells} |")
    print(f"\nat most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
