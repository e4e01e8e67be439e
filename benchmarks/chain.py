"""What each stage of the chain costs on the demo's 105 real scenes, and how it grows.

    python benchmarks/chain.py            # fetches the sample once, like `sitewatch demo`

Seconds are CPU seconds of this process (one thread each); compare rows of one run, not runs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.durable import write_bytes
from imagery.intake import plan_intake
from imagery.stack import STATES_FOLDER
from watch.demo import INTAKE, NOW, SITE_ID, demo_site
from watch.fetch import cache_folder, landsat_sample
from watch.publish import publish
from watch.run import Silent
from watch.watcher import Watcher
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from imagery.intake import IntakePlan
    from imagery.model import Chip


class Clocked(Silent):
    """Notes the CPU time at every look."""

    def __init__(self) -> None:
        self.times = [time.process_time()]

    def look(self, site_id: str) -> None:  # noqa: ARG002 - the protocol's
        """Note the time."""
        self.times.append(time.process_time())


def clocked(name: str, work: Callable[[], object]) -> float:
    """Run a stage and print its row."""
    start = time.process_time()
    work()
    spent = time.process_time() - start
    print(f"| {name} | {spent:.2f} |")
    return spent


def with_sites(workspace: Workspace, count: int) -> None:
    """Put `count` sites over the same ground into a workspace."""
    features = []
    for number in range(count):
        site = demo_site()
        site["id"] = f"{SITE_ID}-{number}"
        features.append(site)
    document = {"type": "FeatureCollection", "features": features}
    write_bytes(workspace.catalogue_path / "sites.geojson", json.dumps(document).encode())


def later_run(folder: Path, plan: IntakePlan) -> None:
    """Print what one late look at each of four sites costs a new process, by what was kept."""
    print("\n| four sites, one look more at each, in a new process | read, CPU ms | whole run, CPU ms |")
    print("|---|---|---|")
    for name, settings in (
        ("with stacks and states", ""),
        ("with stacks, the states deleted", ""),
        ("without either", "[run]\nstacks = false\n"),
    ):
        workspace = Workspace.create(folder / name, builtin=False)
        (workspace.root / "sitewatch.toml").write_text(settings)
        workspace = Workspace.open(workspace.root)
        with_sites(workspace, 4)
        workspace.archive().add(plan.scenes)
        *_, before, _ = sorted(scene.acquired for scene in plan.scenes)
        workspace.run(now=before)
        if name.endswith("deleted"):
            shutil.rmtree(workspace.archive().root / STATES_FOLDER)
        command = [sys.executable, "-W", "ignore", __file__, "--one-more", str(workspace.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
        print(f"| {name} | {done.stdout.strip()} |")


def one_more(root: str) -> None:
    """Judge what is pending; print CPU milliseconds of reading chips and of the whole run."""
    spent = 0.0

    def timed(read: Callable[..., Chip]) -> Callable[..., Chip]:
        def reading(*arguments: Any) -> Chip:  # noqa: ANN401 - handed on
            nonlocal spent
            start = time.process_time()
            chip = read(*arguments)
            spent += time.process_time() - start
            return chip

        return reading

    Watcher._read = timed(Watcher._read)  # type: ignore[method-assign]  # noqa: SLF001 - measured where it is
    workspace = Workspace.open(root)
    start = time.process_time()
    report = workspace.run(now=NOW)
    whole = time.process_time() - start
    if report.looks.total() != 4:
        raise SystemExit(f"{report.looks.total()} looks instead of 4")
    print(f"{1000 * spent:.0f} | {1000 * whole:.0f}")


def main() -> None:
    """Print the tables."""
    if sys.argv[1:2] == ["--one-more"]:
        one_more(sys.argv[2])
        return
    files = sorted(landsat_sample(cache_folder()).glob("*.tif"))
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "w", builtin=False)
        with_sites(workspace, 1)
        print("| stage | CPU s |\n|---|---|")
        plan = plan_intake(files, INTAKE)
        clocked("check and archive 105 scenes (420 files)", lambda: workspace.archive().add(plan.scenes))
        clocked("archive the same again", lambda: workspace.archive().add(plan.scenes))
        clock = Clocked()
        workspace.run(now=datetime(2008, 4, 1, tzinfo=UTC))  # loads code and pins the lattice
        clocked("run: 105 looks at one site", lambda: workspace.run(now=NOW, progress=clock))
        clocked("run again: nothing new", lambda: workspace.run(now=NOW))
        clocked("map", lambda: publish(workspace))
        steps = [later - earlier for earlier, later in zip(clock.times, clock.times[1:], strict=False)]
        print("\n| looks | CPU ms a look |\n|---|---|")
        for start in range(0, len(steps), 21):
            part = steps[start : start + 21]
            print(f"| {start + 1} to {start + len(part)} | {1000 * sum(part) / len(part):.1f} |")
        print("\n| sites over the same 105 scenes | run, CPU s | run again, CPU s |\n|---|---|---|")
        for count in (1, 4, 16):
            grown = Workspace.create(Path(folder) / f"w{count}", builtin=False)
            with_sites(grown, count)
            grown.archive().add(plan.scenes)
            spent = []
            for _ in range(2):
                start_time = time.process_time()
                grown.run(now=NOW)
                spent.append(time.process_time() - start_time)
            print(f"| {count} | {spent[0]:.2f} | {spent[1]:.2f} |")
        later_run(Path(folder), plan)


if __name__ == "__main__":
    main()
