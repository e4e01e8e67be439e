"""A year of daily runs that are killed, starved of disk, started twice and told the wrong time.

    python benchmarks/year.py [--sites 4] [--days 365] [--kills 1000] [--seed 1]

Two copies of one simulated workspace: in one, every day has one run; in the other a process is forked for
each run, and most of them don't live to its end. What is left in the two ledgers has to be the same but for
run ids and wall-clock columns. Draws come from the seed; where in a run a kill strikes is up to the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from geo.dates import Span
from geo.errors import SitewatchError
from watch.attended import attended
from watch.conduct import Conduct
from watch.health import read_health
from watch.runlog import read_log
from watch.simulation import CATALOGUE_FILE, simulate_workspace
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

START = date(2022, 1, 1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDDAY = timedelta(hours=6)


def run_once(root: Path, now: datetime) -> int:
    """Make one unattended run; return its exit code."""
    workspace = Workspace.open(root)
    report = attended(root, Conduct(), lambda conduct: workspace.run(now=now, due_only=True, conduct=conduct))
    return report.exit_code


def forked(root: Path, now: datetime, prepare: Callable[[], object] | None = None) -> int:
    """Start a run in a process of its own; return its process id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if prepare is not None:
            prepare()
        code = run_once(root, now)
    except (SitewatchError, OSError) as error:
        code = getattr(error, "exit_code", 1)
    finally:
        os._exit(code)


def ended(child: int) -> str:
    """Wait for a run; return how it ended."""
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


def killed_after(seconds: float) -> Callable[[], object]:
    """Return what has the kernel end a process after so long: without a word, as by kill -9."""

    def arm() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return arm


def with_disk_of(limit: int) -> Callable[[], object]:
    """Return what makes every file that grows beyond `limit` bytes fail as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def retire(root: Path, *, retired: bool) -> None:
    """Take the first site out of the watch, or back into it."""
    file = root / "catalogue" / CATALOGUE_FILE
    document = orjson.loads(file.read_bytes())
    properties = document["features"][0]["properties"]
    properties.pop("retired", None)
    if retired:
        properties["retired"] = {"date": "2023", "reason": "played"}
    file.write_bytes(orjson.dumps(document))


def quiet_year(root: Path, days: int) -> tuple[float, float]:
    """Run every day; return the seconds of the usual and of the longest run."""
    seconds = []
    for day in range(days):
        began = time.perf_counter()
        run_once(root, instant(day))
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), max(seconds)


def instant(day: int) -> datetime:
    """Return when a day's run is made."""
    return datetime.combine(START, datetime.min.time(), UTC) + 365 * DAY + day * DAY + MIDDAY


def rough_year(
    root: Path, days: int, kills: int, run_s: tuple[float, float], rng: random.Random
) -> Counter[str]:
    """Run every day, but for a week off, with everything that can go wrong; return how the runs ended."""
    told: Counter[str] = Counter()
    for day in range(days):
        if day in {days // 4, days // 2}:
            retire(root, retired=day == days // 4)
        if 2 * days // 3 <= day < 2 * days // 3 + 7:
            continue
        now = instant(day)
        # As many as are left for as many days as are left, so that the year has them all.
        while told["killed"] < kills * (day + 1) / days and told["tried"] < 20 * kills:
            told["tried"] += 1
            arm = killed_after(rng.random() * rng.choice(run_s))
            told[ended(forked(root, now, arm))] += 1
            read_health(root)
        if rng.random() < 0.1:
            told["full disk, " + ended(forked(root, now, with_disk_of(rng.randrange(400_000))))] += 1
        if rng.random() < 0.1:
            told["clock an hour back, " + ended(forked(root, now - HOUR))] += 1
        # A ledger says since when a site is watched: a wrong clock on the first day would stay in it.
        if day and rng.random() < 0.05:
            told["clock a day ahead, " + ended(forked(root, now + DAY))] += 1
        if rng.random() < 0.1:
            for child in [forked(root, now), forked(root, now)]:
                told["two at once, " + ended(child)] += 1
        told["undisturbed, " + ended(forked(root, now))] += 1
    return told


def rows(root: Path) -> dict[str, list[dict[str, object]]]:
    """Return what a ledger holds but for what tells runs apart."""
    with Workspace.open(root).ledger() as ledger:
        return ledger.snapshot()


def print_difference(one: dict[str, object], other: dict[str, object]) -> None:
    """Print what differs between two rows."""
    columns = [column for column in one if one[column] != other[column]]
    if columns:
        print({column: (one[column], other[column]) for column in columns}, one.get("solar_day"))


def main() -> None:
    """Play both years and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=4)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        quiet, rough = Path(folder, "quiet"), Path(folder, "rough")
        span = Span(START, START + timedelta(days=365 + options.days))
        simulate_workspace(quiet, span, sites=options.sites, seed=options.seed, frame_px=64)
        shutil.copytree(quiet, rough)
        run_s = quiet_year(quiet, options.days)
        rng = random.Random(options.seed)  # noqa: S311 - draws what goes wrong
        told = rough_year(rough, options.days, options.kills, run_s, rng)
        last = instant(options.days)
        for root in (quiet, rough):
            Workspace.open(root).run(now=last)
        left, right = rows(quiet), rows(rough)
        print(f"{options.sites} sites, {options.days} days, {run_s[0]:.2f} to {run_s[1]:.1f} s a run")
        for how, count in sorted(told.items()):
            print(f"| {how} | {count} |")
        for table, found in left.items():
            print(f"| {table} | {len(found)} rows | {'equal' if found == right[table] else 'DIFFERENT'} |")
        for table in left:
            for one, other in zip(left[table], right[table], strict=False):
                print_difference(one, other)
        print(f"| run.log | {sum(1 for _ in read_log(rough))} events that can be read |")
        if left != right:
            sys.exit("the two years differ")


if __name__ == "__main__":
    main()
