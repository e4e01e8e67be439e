"""A year of daily runs that are killed, starved, lied to, started twice and told the wrong time.

    PYTHONPATH=tests/hub python benchmarks/year.py [--sites 200] [--pulled 24] [--days 365] [--kills 1000]

Two copies of one simulated workspace, on a virtual clock. In one, every day has one run, which pulls what a
local hub has, looks at what is due, and finds the images that somebody archived that day. In the other all
that goes wrong that is listed in the table; most of its processes don't live to their end. Ledger, pages and
scenes that are left have to be the same but for run ids and wall-clock columns. Draws come from the seed;
where in a run a kill strikes is up to the machine. Read-only folders need root, who lends them to others.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import orjson
from year_ground import TROUBLES, Made, Service, serving
from year_runs import (
    PATIENT,
    Act,
    as_lodger,
    as_stranger,
    bereft_after,
    ended,
    forked,
    killed_after,
    own_again,
    with_disk_of,
)

from watch.health import read_health
from watch.runlog import read_log
from watch.workspace import Workspace

START = date(2023, 1, 1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CATALOGUE_FILE = "sites.geojson"
PATHS = ("/process", "/catalog", "/oauth", "/token")
DISK_BYTES = 3_000_000
SETTINGS = """\
[pull]
deployment = "custom"
base_url = "{base}"
token_url = "{token}"
bands = ["red", "nir"]
[budget]
requests_per_month = 0
processing_units_per_month = 0.0
requests_per_minute = 1000000
processing_units_per_minute = 1000000.0
"""


def instant(day: int) -> datetime:
    """Return when a day's run is made."""
    return datetime.combine(START, datetime.min.time(), UTC) + day * DAY + 6 * HOUR


def arrivals(made: Made, days: int) -> list[list[date]]:
    """Return the days whose images come down on each day of the year, history on the first."""
    local = made.local.days_of_images()
    by_day = [[START + day * DAY] if START + day * DAY in local else [] for day in range(days)]
    by_day[0] = [day for day in local if day <= START]
    return by_day


def warm_up(folder: Path) -> None:
    """Load and compile all that a run needs, so that processes that are forked from here have it."""
    made = Made.of(folder / "ground", sites=4, pulled=2, start=START, days=20, seed=0)
    workspace = Workspace.create(folder / "warm", builtin=False)
    made.write_catalogue(workspace.catalogue_path / CATALOGUE_FILE)
    with serving(made.served) as service:
        settings = SETTINGS.format(base=service.base_url, token=service.token_url)
        (workspace.root / "sitewatch.toml").write_text(settings)
        act = Act(workspace.root, instant(20), manners=PATIENT)
        for came in arrivals(made, 20):
            for each in came:
                act.add(made.scenes(each))
        act.run()
        act.publish(workspace.public_path)


def quiet_year(root: Path, made: Made, days: int, tell: Path) -> None:
    """Run every day, telling how long each run took, a line each."""
    with tell.open("w") as told:
        for day, came in enumerate(arrivals(made, days)):
            act = Act(root, instant(day), manners=PATIENT)
            for each in came:
                act.add(made.scenes(each))
            began = time.perf_counter()
            act.run()
            print(f"{time.perf_counter() - began:.4f}", file=told, flush=True)


def usual_s(tell: Path, day: int) -> float:
    """Return how long the run of a day took in the quiet year, waiting until it is over."""
    while len(lines := tell.read_text().splitlines()) <= day:
        time.sleep(0.5)
    return float(lines[day])


@dataclass(slots=True)
class RoughYear:
    """The year in which everything goes wrong."""

    root: Path
    made: Made
    service: Service
    days: int
    kills: int
    rng: random.Random
    told: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    usual_s: float = 0.0
    late: list[date] = field(default_factory=list)

    def chance(self, share: float) -> bool:
        """Draw."""
        return self.rng.random() < share

    def note(self, what: str, how: str) -> None:
        """Count how a process ended."""
        self.told[f"{what}: {how}"] += 1
        self.killed += how == "killed" and what.startswith("run")

    def day(self, day: int, came: list[date], run_s: float) -> None:
        """Play one day; its last run is left alone, but for what the service does."""
        if day in {self.days // 4, self.days // 2}:
            self.retire(retired=day == self.days // 4)
        self.late += came
        if 2 * self.days // 3 <= day < 2 * self.days // 3 + 7:
            return
        act = Act(self.root, instant(day))
        self.archive(act, patiently=day == 0)
        if day and self.chance(0.3):
            self.trouble()
        self.kill(act, day, run_s)
        self.starve(act)
        if day:
            self.mislead(act)
        if self.chance(0.1):
            for child in [forked(act.run), forked(act.run)]:
                self.note("two runs at once", ended(child))
        if self.chance(0.06):
            child = forked(Act(self.root, act.now, workers=2).run)
            self.note("one of 2 workers killed, run", bereft_after(child, 3 * self.rng.random(), self.rng))
        if self.chance(0.03):
            self.publish(act)
        self.service.well() if self.chance(0.5) or not day else None
        self.note("undisturbed run", ended(forked(act.run)))
        self.service.well()

    def archive(self, act: Act, *, patiently: bool) -> None:
        """Archive what came down, mostly; what does not get in comes late."""
        for each in list(self.late):
            scenes = self.made.scenes(each)
            add = partial(act.add, scenes)
            if self.chance(0.4):
                self.note(
                    "archiving killed after a while", killed_after(forked(add), 0.3 * self.rng.random())
                )
            if self.chance(0.1):
                self.note(
                    "archiving, full disk", ended(forked(add, with_disk_of(self.rng.randrange(99_000))))
                )
            if self.chance(0.1):
                self.note("archiving, read-only archive", ended(forked(add, as_stranger(self.root))))
            if patiently or self.chance(0.7):
                self.note("archived", ended(forked(add)))
                self.late.remove(each)

    def trouble(self) -> None:
        """Let the service have a bad day."""
        for _ in range(self.rng.randrange(1, 4)):
            name, path = self.rng.choice(list(TROUBLES)), self.rng.choice(PATHS)
            self.service.order(name, path, self.rng.randrange(1, 8), self.rng.randrange(1, 6))
            self.told[f"trouble ordered of the service: {name}"] += 1

    def kill(self, act: Act, day: int, run_s: float) -> None:
        """Kill runs, so many that as many are left for as many days as are left; mostly those with work."""
        self.usual_s += (run_s - self.usual_s) / (day + 1)
        wanted = self.kills * (day + 1) / self.days
        if run_s < self.usual_s and self.killed > wanted - 4 * self.kills / self.days:
            return
        longest_s = 1.1 * run_s
        for _ in range(60):
            if self.killed >= wanted:
                return
            began_s = time.monotonic()
            how = killed_after(forked(act.run), longest_s * self.rng.random())
            self.note("run killed after a while", how)
            if how != "killed":  # there is little left to do, so what is killed next lives less long
                longest_s = min(longest_s, time.monotonic() - began_s)
            read_health(self.root)

    def starve(self, act: Act) -> None:
        """Let a disk be full, or folders read-only."""
        if self.chance(0.1):
            limit = with_disk_of(self.rng.randrange(DISK_BYTES))
            self.note("run, full disk", ended(forked(act.run, limit)))
        if os.getuid() == 0:
            if self.chance(0.06):
                self.note("run, read-only workspace", ended(forked(act.run, as_stranger(self.root))))
            if self.chance(0.06):
                self.note("run, read-only archive", ended(forked(act.run, as_lodger(self.root))))
                own_again(self.root)

    def mislead(self, act: Act) -> None:
        """Set the clock wrong; never on the first day, since when a ledger says that a site is watched."""
        if self.chance(0.1):
            self.note("run, clock an hour back", ended(forked(act.at(act.now - HOUR).run)))
        if self.chance(0.05):
            self.note("run, clock 10 days back", ended(forked(act.at(act.now - 10 * DAY).run)))
        if self.chance(0.05):
            self.note("run, clock a day ahead", ended(forked(act.at(act.now + DAY).run)))

    def publish(self, act: Act) -> None:
        """Write pages, and not all of them."""
        out = self.root / "public"
        self.note(
            "publishing killed after a while",
            killed_after(forked(partial(act.publish, out)), self.rng.random()),
        )
        self.note("publishing", ended(forked(partial(act.publish, out))))

    def retire(self, *, retired: bool) -> None:
        """Take two sites out of the watch, or back into it: the first of either kind."""
        file = self.root / "catalogue" / CATALOGUE_FILE
        document = orjson.loads(file.read_bytes())
        for feature in document["features"]:
            if feature["id"].endswith("-000"):
                feature["properties"].pop("retired", None)
                if retired:
                    feature["properties"]["retired"] = {"date": "2023", "reason": "played"}
        file.write_bytes(orjson.dumps(document))
        self.told["sites retired" if retired else "sites brought back"] += 2


def digests(folder: Path) -> dict[str, str]:
    """Return what every file below a folder holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def left_by(root: Path, last: Act) -> dict[str, object]:
    """Make a last run, publish, and return what there is, by table and kind of file."""
    if Act(root, last.now, manners=PATIENT).run():
        raise SystemExit("the last run did not come to its end")
    shutil.rmtree(root / "public")
    last.publish(root / "public")
    with Workspace.open(root).ledger() as ledger:
        rows: dict[str, object] = dict(ledger.snapshot())
    archive = root / "archive"
    return rows | {
        "pages": digests(root / "public"),
        "scenes in the archive": digests(archive / "scenes"),
        "lattices": digests(archive / "grids"),
    }


def print_difference(left: object, right: object) -> None:
    """Print the first things that differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
        print("  differ:", sorted(names)[:5])
    elif isinstance(left, list) and isinstance(right, list):
        only = [[row for row in one if row not in other][:3] for one, other in ((left, right), (right, left))]
        for name, rows in zip(("undisturbed", "rough"), only, strict=True):
            for row in rows:
                print(f"  only {name}:", str(row)[:700])


def play(folder: Path, options: argparse.Namespace, service: Service, made: Made) -> bool:
    """Play both years side by side and compare them; return whether they are equal."""
    quiet, rough, tell = folder / "quiet", folder / "rough", folder / "usual"
    workspace = Workspace.create(quiet, builtin=False)
    made.write_catalogue(workspace.catalogue_path / CATALOGUE_FILE)
    settings = SETTINGS.format(base=service.base_url, token=service.token_url)
    (quiet / "sitewatch.toml").write_text(settings)
    shutil.copytree(quiet, rough)
    tell.touch()
    began_s = time.monotonic()
    with serving(made.served) as undisturbed:
        other = SETTINGS.format(base=undisturbed.base_url, token=undisturbed.token_url)
        (quiet / "sitewatch.toml").write_text(other)
        child = os.fork()
        if not child:
            try:
                quiet_year(quiet, made, options.days, tell)
                os._exit(0)
            except BaseException:  # noqa: BLE001 - whatever it is, what stands above is the parent's
                traceback.print_exc()
            finally:
                os._exit(1)
        rng = random.Random(options.seed)  # noqa: S311 - draws what goes wrong
        year = RoughYear(rough, made, service, options.days, options.kills, rng)
        for day, came in enumerate(arrivals(made, options.days)):
            year.day(day, came, usual_s(tell, day))
            if not day % 10:
                print(f"day {day}: {time.monotonic() - began_s:.0f} s, {year.killed} runs killed", flush=True)
        for each in year.late:
            Act(rough, instant(options.days)).add(made.scenes(each))
        if os.waitpid(child, 0)[1]:
            raise SystemExit("the undisturbed year did not come to its end")
        last = Act(quiet, instant(options.days + 8))
        left = left_by(quiet, last)
    right = left_by(rough, Act(rough, last.now))
    return compared(left, right, year)


def compared(left: dict[str, object], right: dict[str, object], year: RoughYear) -> bool:
    """Print both tables; return whether all is equal."""
    print("| what went wrong, and how it ended | times |\n|---|---|")
    for how, count in sorted(year.told.items()):
        print(f"| {how} | {count} |")
    print(f"| **runs killed in all** | {year.killed} |")
    print("| what is left | number | |\n|---|---|---|")
    for name, found in left.items():
        assert isinstance(found, dict | list)
        print(f"| {name} | {len(found)} | {'equal' if found == right[name] else 'DIFFERENT'} |")
        if found != right[name]:
            print_difference(found, right[name])
    rows = left["detections"]
    assert isinstance(rows, list)
    print("| detections by state |", dict(Counter(str(row["state"]) for row in rows)))
    looks = left["looks"]
    assert isinstance(looks, list)
    print("| looks by outcome |", dict(Counter(str(row["outcome"]) for row in looks)))
    print(f"| run.log | {sum(1 for _ in read_log(year.root))} events that can be read |")
    return left == right


def main() -> None:
    """Play both years."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--pulled", type=int, default=24, help="of the sites; the others are archived")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # for those who may only read
        warm_up(folder / "first")
        made = Made.of(
            folder / "ground",
            sites=options.sites,
            pulled=options.pulled,
            start=START,
            days=options.days,
            seed=options.seed,
        )
        with serving(made.served) as service:
            is_equal = play(folder, options, service, made)
    if not is_equal:
        sys.exit("the two years differ")


if __name__ == "__main__":
    main()
