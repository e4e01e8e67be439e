"""Sites, looks and chips to draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from shapely.geometry import Point, box

from geo.area import square_around
from geo.dates import parse_edtf
from geo.grid import Grid
from imagery.masks import unmasked_classes
from imagery.model import Chip, Detection, DetectionState, Look, Outcome, Region
from maps.album import Shot, make_album
from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation, Source

MakeChip = Callable[..., Chip]
MakeLook = Callable[..., Look]


@pytest.fixture
def grid() -> Grid:
    return Grid("valley", GeoBox((40, 50), Affine(30, 0, 300015, 0, -30, 4500015), "EPSG:32651"))


@pytest.fixture
def make_chip(grid: Grid) -> MakeChip:
    """Make a chip of noise around 0.1 reflectance; `bands`, `clear`, `valid`, `scale`, ... as given."""

    def make(
        day: date = date(2020, 5, 1),
        bands: tuple[str, ...] = ("red", "green", "blue"),
        **parts: Any,  # noqa: ANN401 - fields of any type
    ) -> Chip:
        rng = np.random.default_rng(day.toordinal())
        dn: NDArray[np.uint16] = rng.integers(600, 1600, (len(bands), *grid.shape)).astype(np.uint16)
        valid = np.ones(grid.shape, bool)
        values: dict[str, Any] = {
            "grid": grid,
            "solar_day": day,
            "acquired": datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
            "day_only": False,
            "platform": "landsat-8",
            "series": "landsat",
            "scene_ids": ("s1",),
            "bands": bands,
            "dn": dn,
            "scale": 1e-4,
            "valid": valid,
            "clear": valid,
            "classes": unmasked_classes(valid),
            "mask_scheme": "fmask",
            "credit": "USGS Landsat, public domain",
        }
        return Chip(**(values | parts))

    return make


@pytest.fixture
def region(grid: Grid) -> Region:
    left, top = grid.transform @ (10, 8)
    right, bottom = grid.transform @ (20, 16)
    return Region(grid.to_lonlat(box(left, bottom, right, top)), 72_000.0, 80, 2.5)


@pytest.fixture(scope="session")
def make_look() -> MakeLook:
    def make(site_id: str, day: date, outcome: Outcome, **parts: Any) -> Look:  # noqa: ANN401 - fields of any type
        values: dict[str, Any] = {
            "site_id": site_id,
            "grid_id": "g",
            "solar_day": day,
            "series": "landsat",
            "platform": "landsat-5",
            "scene_ids": ("s1",),
            "acquired": datetime(day.year, day.month, day.day, tzinfo=UTC),
            "day_only": True,
            "outcome": outcome,
            "reason": "score 0.6 against a threshold of 1.0",
            "clear_fraction": 0.83,
            "frame_clear_fraction": 0.9,
            "mask_scheme": "fmask",
            "history": 9,
            "score": 0.6,
            "threshold": 1.0,
        }
        return Look(**(values | parts))

    return make


@pytest.fixture(scope="session")
def detection() -> Detection:
    return Detection(
        id="d1",
        site_id="valley",
        grid_id="g",
        series="landsat",
        state=DetectionState.CONFIRMED,
        bracket="2010-06-02/2010-07-04",
        last_without=date(2010, 6, 2),
        first_with=date(2010, 7, 4),
        last_with=date(2010, 8, 1),
        looks_with=3,
        geometry=square_around(Point(-107.35, 40.5), 120),
        area_m2=72_000.0,
        magnitude=2.5,
        p_value=None,
        simulated=True,
    )


@pytest.fixture
def valley() -> Site:
    return Site(
        "valley",
        (
            Name("Quiet valley"),
            Name("조용한 골짜기", "ko"),
            Name("Choyonghan", "ko-Latn", scheme="McCune-Reischauer"),
        ),
        Category.FACTORY,
        Point(-107.35, 40.5),
        country="USA",
        province="Colorado",
        coordinate_accuracy_m=25.0,
        coordinate_source="drawn on a map",
        observations=(
            Observation("late", parse_edtf("2015-05-25/2016-06-27"), "A shed was built."),
            Observation(
                "early",
                parse_edtf("2011~"),
                "Fields.",
                sources=(
                    Source("Outlet", url="https://example.org/a?b=1&c=2", reliability="B", credibility="2"),
                ),
            ),
        ),
    )


@pytest.fixture
def view(
    valley: Site, make_look: MakeLook, make_chip: MakeChip, detection: Detection, region: Region, grid: Grid
) -> MapView:
    """Three sites: one with looks and a detection, one never looked at, one without a place."""
    outcomes = [Outcome.LEARNING] * 2 + [Outcome.UNCHANGED] * 3 + [Outcome.OBSCURED] * 4 + [Outcome.CHANGED]
    looks = tuple(
        make_look("valley", date(2010, 1, 5) + timedelta(days=32 * k), outcome)
        for k, outcome in enumerate(outcomes)
    )
    change = replace(detection, grid_id=grid.grid_id, geometry=region.geometry)
    seen = make_chip(change.last_without), make_chip(change.first_with, simulated=True), make_chip()
    shots = [Shot(chip, "Unchanged") for chip in seen]
    album = make_album("valley", "Quiet valley, Colorado", shots, (change,), clear_looks=6)
    market = Site("market", (Name("Komsan Market"),), Category.MARKET, Point(128.17, 41.4), country="PRK")
    lost = Site("lost", (Name("Lost works"),), Category.MINE, None, country="PRK")
    entries = (
        SiteEntry(valley, looks, (), (change,), album=album),
        SiteEntry(market),
        SiteEntry(lost),
    )
    made = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return MapView(
        "Places",
        made,
        entries,
        "Colorado, USA, and the DPRK.",
        ("A look needs 50 % clear.",),
        files=(("Notes, CSV", "data/notes.csv"),),
    )


PAYLOADS = (
    "<img src=x onerror=alert(1)>${alert(1)}",
    "</script><script>alert(1)</script>",
    "</ScRiPt ><svg/onload=alert(1)>",
    "<!--<script>alert(1)",
    "]]><script>alert(1)</script>",
    "${alert(1)}",
    "`;alert(1);`",
    "`+alert(1)+`",
    "\\`;alert(1)//",
    "'-alert(1)-'",
    '"-alert(1)-"',
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "\\u003cimg src=x onerror=alert(1)\\u003e",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "{{ alert(1) }}{% raw %}{{ this }}",
    "javascript:alert(1)",
    "a\u2028alert(1)\u2029b",
    "\u202eevil\u202d\u2066flipped",
    "\u200b\ufeffhidden",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<base href=https://example.org/>",
    "__proto__",
    "x" * 10_000,
    "가" * 10_000,
    "Z\u0351\u036b\u0343" * 200,
)


CANARY = "window.__ran = []; window.alert = (text) => window.__ran.push(String(text));"


@dataclass
class Watched:
    """A page with everything that went wrong on it."""

    page: Page
    problems: list[str] = field(default_factory=list)
    """Console messages of any kind, uncaught errors, and requests for anything but the file."""

    def choose(self, site_id: str) -> None:
        """Go to a site by its address."""
        self.page.evaluate("id => { location.hash = '#' + encodeURIComponent(id); }", site_id)
        self.page.wait_for_function(
            "id => document.querySelector('#panel').dataset.site === id", arg=site_id, timeout=5000
        )

    def text(self, selector: str) -> str:
        """Return the text of the first element."""
        return self.page.locator(selector).first.text_content() or ""


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a file offline and wait until its script has finished."""
    contexts: list[BrowserContext] = []

    def opened(path: Path, *, width: int = 1280, height: int = 860) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        context.set_offline(True)
        watched = Watched(context.new_page())
        _listen(watched)
        watched.page.add_init_script(CANARY)
        watched.page.goto(path.resolve().as_uri())
        watched.page.wait_for_selector("html[data-ready], .notice[role=alert]", timeout=60_000)
        return watched

    yield opened
    for context in contexts:
        context.close()


def _listen(watched: Watched) -> None:
    def said(message: ConsoleMessage) -> None:
        watched.problems.append(f"console {message.type}: {message.text}")

    def asked(url: str) -> None:
        if not url.startswith(("file:", "data:")):
            watched.problems.append(f"request: {url}")

    watched.page.on("console", said)
    watched.page.on("pageerror", lambda error: watched.problems.append(f"error: {error}"))
    watched.page.on("request", lambda request: asked(request.url))
    watched.page.on("requestfailed", lambda request: watched.problems.append(f"failed: {request.url[:80]}"))


@pytest.fixture
def opened_view(view: MapView, tmp_path: Path, open_page: Callable[..., Watched]) -> Watched:
    return open_page(write_site_map(view, tmp_path))
