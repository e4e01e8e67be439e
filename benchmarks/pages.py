"""Site maps of many sites and notes: bytes, seconds, memory, frames; beside folium's ways to the same.

    python benchmarks/pages.py [--sites 5000x20,53722x5] [--folium 500x20,5000x20] [--runs 3] [--keep DIR]

Every page is built in a process of its own, from a catalogue that is read from its file: `build` is the
page alone, `CPU` what this machine worked for it (compare this one where others share the machine), `peak`
the most memory of the whole process, reading and imports included. Pages are opened in headless Chromium
without a network; `ready` is from navigation until the page can be used (``html[data-ready]``; for folium
the second frame after ``load``), the best of the runs. `pan` are the frames of a drag of 1.5 s across the
map, `filter` is from a click on a category until the frame that shows the rest.

Folium's pages ask other hosts for ten files and more. Here those are fetched from npm beforehand (`npm` is
needed; without it folium is left out) and answered from memory, so folium is spared the network. Its popups
hold the same notes, escaped.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from sites.catalogue import Catalogue
from sites.geojson import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterator

CATEGORIES = ("market", "bridge", "customs", "factory", "mine", "port", "rail", "other")
A_FILE = 5_000
"""Sites in one file of the catalogue: one of all would be larger than a catalogue's may be."""

PROVINCES = ("Ryanggang", "Chagang", "Rason", "North Hamgyong", "South Pyongan", "Kangwon", "Pyongyang")
HEAD = (
    "| way | sites x notes | MB | build s | CPU s | peak MB | ready s | heap MB | nodes "
    "| pan ms: median / 95 % / most | filter ms |"
)
WAYS = ("sitewatch", "Marker", "MarkerCluster", "FastMarkerCluster")

NPM = {
    "leaflet@1.9.4": {"leaflet.js": "dist/leaflet.js", "leaflet.css": "dist/leaflet.css"},
    "jquery@3.7.1": {"jquery-3.7.1.min.js": "dist/jquery.min.js"},
    "bootstrap@5.2.2": {
        "bootstrap.bundle.min.js": "dist/js/bootstrap.bundle.min.js",
        "bootstrap.min.css": "dist/css/bootstrap.min.css",
    },
    "leaflet.awesome-markers@2.0.5": {"leaflet.awesome-markers.js": "dist/leaflet.awesome-markers.js"},
    "leaflet.markercluster@1.5.3": {
        "leaflet.markercluster.js": "dist/leaflet.markercluster.js",
        "MarkerCluster.css": "dist/MarkerCluster.css",
        "MarkerCluster.Default.css": "dist/MarkerCluster.Default.css",
    },
}

WATCH_READY = """
const seen = () => {
  if (document.documentElement.dataset.ready) window.__ready ??= performance.now();
};
const changes = { subtree: true, attributes: true, attributeFilter: ["data-ready"] };
new MutationObserver(seen).observe(document, changes);
"""
WATCH_LOAD = """
window.addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(() => {
  window.__ready = performance.now();
  document.documentElement.dataset.ready = "true";
})));
"""
COUNT_FRAMES = """
window.__frames = [];
let last = performance.now();
const count = (now) => { window.__frames.push(now - last); last = now; requestAnimationFrame(count); };
requestAnimationFrame(count);
"""
CLICK = """
selector => new Promise((done) => {
  const start = performance.now();
  document.querySelector(selector).click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})
"""


def vocabulary(rng: random.Random) -> list[str]:
    """Return 8,000 made-up words, two fifths of them Korean."""
    latin = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(4800)]
    korean = [
        "".join(chr(rng.randrange(0xAC00, 0xD7A4)) for _ in range(rng.randint(1, 4))) for _ in range(3200)
    ]
    return latin + korean


def note(rng: random.Random, known: list[str]) -> dict[str, Any]:
    """Return one note with a graded source."""
    year = rng.randint(2000, 2024)
    day = f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return {
        "date": rng.choice([str(year), day, f"{day}/{year + 1}", f"{year}~"]),
        "kind": rng.choice(["imagery", "report"]),
        "text": " ".join(rng.choices(known, k=rng.randint(6, 12))),
        "sources": [
            {
                "outlet": rng.choice(known[:200]),
                "published": day,
                "reliability": rng.choice("ABCDEF"),
                "credibility": rng.choice("123456"),
            }
        ],
    }


def write_catalogue(folder: Path, count: int, notes: int) -> None:
    """Write a catalogue of `count` sites with `notes` notes each, some thousand sites a file."""
    rng = random.Random(1)  # noqa: S311 - a benchmark
    known = vocabulary(rng)
    features = [
        {
            "type": "Feature",
            "id": f"site-{number}",
            "geometry": {"type": "Point", "coordinates": [rng.uniform(124, 131), rng.uniform(37, 43)]},
            "properties": {
                "name": " ".join(rng.choices(known, k=2)).title(),
                "names": [{"text": rng.choice(known), "language": "ko"}],
                "category": rng.choice(CATEGORIES),
                "province": rng.choice(PROVINCES),
                "country": "PRK",
                "coordinate_accuracy_m": 100,
                "observations": [note(rng, known) for _ in range(notes)],
            },
        }
        for number in range(count)
    ]
    folder.mkdir()
    for first in range(0, count, A_FILE):
        part = {"type": "FeatureCollection", "features": features[first : first + A_FILE]}
        (folder / f"{first}.geojson").write_bytes(canonical_json(part))


def build(kind: str, source: Path, out: Path) -> None:
    """Read the catalogue, write one page, print what it took as JSON."""
    sites = Catalogue.read(source)
    start, worked = time.perf_counter(), time.process_time()
    if kind == "sitewatch":
        made = datetime(2026, 1, 1, tzinfo=UTC)
        path = write_site_map(MapView("Benchmark", made, tuple(SiteEntry(site) for site in sites)), out)
    else:
        path = with_folium(kind, sites, out)
    took, cpu = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"path": str(path), "build": took, "cpu": cpu, "peak": peak, "bytes": path.stat().st_size}
    print(json.dumps(told))


def with_folium(kind: str, sites: Catalogue, out: Path) -> Path:
    """Write the same sites as a map of folium's."""
    import folium  # noqa: PLC0415 - the other pages are measured without them
    from folium.plugins import FastMarkerCluster, MarkerCluster  # noqa: PLC0415

    chart = folium.Map(location=[40, 127], zoom_start=6, tiles=None)
    chart.options["maxZoom"] = 18
    if kind == "FastMarkerCluster":
        rows = [[site.point.y, site.point.x, popup(site)] for site in sites if site.point]
        callback = (
            "function (row) { const box = document.createElement('div'); box.innerHTML = row[2];"
            " return L.marker([row[0], row[1]]).bindPopup(box); }"
        )
        FastMarkerCluster(rows, callback=callback).add_to(chart)
    else:
        target = MarkerCluster().add_to(chart) if kind == "MarkerCluster" else chart
        for site in sites:
            if site.point:
                text = folium.Popup(popup(site), lazy=True)
                folium.Marker([site.point.y, site.point.x], popup=text).add_to(target)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "index.html"
    chart.save(str(path))
    return path


def popup(site: Any) -> str:  # noqa: ANN401 - a site
    """Return name and notes as escaped HTML."""
    notes = "".join(
        f"<li>{html.escape(each.date.text)} {html.escape(each.text)} ({html.escape(each.sources[0].outlet)})"
        for each in site.observations
    )
    return f"<b>{html.escape(site.name)}</b><ol>{notes}</ol>"


def assets(folder: Path) -> dict[str, bytes]:
    """Fetch what folium's pages ask for from npm; return it by the last part of its address."""
    found = {}
    for package, names in NPM.items():
        subprocess.run(  # noqa: S603 - the packages stand above
            ["npm", "pack", "--silent", package],  # noqa: S607 - found by its name
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as tar:
            for name, member in names.items():
                stream = tar.extractfile(f"package/{member}")
                assert stream is not None
                found[name] = stream.read()
        archive.unlink()
    return found


def opened(browser: Browser, path: Path, known: dict[str, bytes] | None) -> Iterator[tuple[Page, float]]:
    """Yield a page that can be used, and the seconds until it could."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.add_init_script(WATCH_READY if known is None else WATCH_LOAD)
    if known is None:
        context.set_offline(True)
    else:
        context.route(re.compile("^https:"), lambda route: answer(route, known))
    page = context.new_page()
    page.goto(path.as_uri(), timeout=600_000)
    page.wait_for_selector("html[data-ready]", state="attached", timeout=600_000)
    yield page, page.evaluate("window.__ready") / 1e3
    context.close()


def answer(route: Route, known: dict[str, bytes]) -> None:
    """Give an asset from memory, or an empty file."""
    name = route.request.url.rsplit("/", 1)[-1]
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    route.fulfill(body=known.get(name, b""), content_type=kind)


def pan(page: Page) -> list[float]:
    """Drag the map for 1.5 s; return the milliseconds of each frame."""
    box = page.locator(".leaflet-container").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.evaluate(COUNT_FRAMES)
    page.mouse.down()
    start, step = time.perf_counter(), 0
    while time.perf_counter() - start < 1.5:
        step += 1
        page.mouse.move(x + 150 * ((step / 25) % 2 - 1), y + 60 * ((step / 15) % 2 - 1))
    page.mouse.up()
    page.wait_for_timeout(150)
    return [float(each) for each in page.evaluate("window.__frames.slice(1)")]


def measure(
    browser: Browser, made: dict[str, Any], runs: int, known: dict[str, bytes] | None
) -> dict[str, Any]:
    """Open a page some times; return the best time until it could be used, frames and filter time."""
    ready, row = [], {}
    for run in range(runs):
        for page, seconds in opened(browser, Path(made["path"]), known):
            ready.append(seconds)
            if run:
                continue
            row["heap"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
            row["nodes"] = page.evaluate("document.querySelectorAll('*').length")
            row["frames"] = pan(page)
            if known is None:
                clicks = [page.evaluate(CLICK, ".legend-item") for _ in range(6)]
                row["filter"] = statistics.median(clicks)
    return {**made, **row, "ready": min(ready)}


def line(name: str, size: str, row: dict[str, Any]) -> str:
    """Return a row of the table."""
    frames = sorted(row["frames"])
    parts = (
        f"{statistics.median(frames):.0f} / {frames[int(len(frames) * 0.95)]:.0f} / {frames[-1]:.0f}",
        f"{row['filter']:.0f}" if "filter" in row else "-",
    )
    return (
        f"| {name} | {size} | {row['bytes'] / 1e6:.2f} | {row['build']:.1f} | {row['cpu']:.1f} | "
        f"{row['peak']:.0f} | "
        f"{row['ready']:.2f} | {row['heap']:.0f} | {row['nodes']} | {' | '.join(parts)} |"
    )


def jobs(sizes: str, folium_sizes: str) -> list[tuple[str, str]]:
    """Return what is measured; folium's plain markers only up to 1,000 sites."""
    rows = [("sitewatch", size) for size in sizes.split(",") if size]
    for size in filter(None, folium_sizes.split(",")):
        small = int(size.split("x")[0]) <= 1000
        rows += [(kind, size) for kind in WAYS[1:] if small or kind != "Marker"]
    return rows


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sites", default="5000x20,53722x5", help="SITESxNOTES,...")
    parser.add_argument("--folium", default="500x20,5000x20", help="SITESxNOTES,... for folium's maps")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder for catalogues and pages")
    parser.add_argument("--build", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        kind, source, out = options.build
        build(kind, Path(source), Path(out))
        return
    with tempfile.TemporaryDirectory() as name:
        run(options, Path(options.keep or name).resolve())


def run(options: argparse.Namespace, folder: Path) -> None:
    """Build and open every page."""
    wanted = jobs(options.sites, options.folium if shutil.which("npm") else "")
    folder.mkdir(parents=True, exist_ok=True)
    known = assets(folder) if any(kind != "sitewatch" for kind, _ in wanted) else {}
    print(HEAD)
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--enable-precise-memory-info",
    ]
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    for kind, size in wanted:
        source = folder / size
        if not source.exists():
            write_catalogue(source, *map(int, size.split("x")))
        command = [sys.executable, __file__, "--build", kind, str(source), str(folder / f"{kind}-{size}")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - itself
        made = json.loads(done.stdout.splitlines()[-1])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            row = measure(browser, made, options.runs, None if kind == "sitewatch" else known)
            browser.close()
        print(line(kind, size, row), flush=True)


if __name__ == "__main__":
    main()
