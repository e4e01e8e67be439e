"""What axe-core finds on the pages: nothing serious, in any state, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pytest

from maps.dossier import Around, render_dossier
from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from tests.maps.conftest import Watched

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"

RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const one = (id) => ({ html, failureSummary }) => [id, html.slice(0, 160), failureSummary];
  const told = ({ id, nodes }) => nodes.map(one(id));
  return found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).flatMap(told);
}"""


@lru_cache(maxsize=1)
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


def faults(watched: Watched) -> list[Any]:
    """Return what axe-core calls serious or critical; it runs past the page's policy, as a debugger does."""
    watched.page.evaluate(axe())
    found: list[Any] = watched.page.evaluate(RUN)
    return found


@pytest.fixture
def watched_places(view: MapView) -> MapView:
    """The usual places, the watched one in Rason."""
    valley = view.entries[0]
    site = replace(valley.site, country="PRK", province="Rason", county="Rajin")
    return replace(view, entries=(replace(valley, site=site), *view.entries[1:]))


OPENED = {
    "index": "",
    "panel": "site=valley",
    "side by side": "site=valley&mode=side",
    "regions": "colour=detections&compare=province%3Drason&compare=category%3Dmarket&count=per_site_year",
    "span": "from=2010-02-01&to=2010-06-30",
}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("state", OPENED)
def test_the_map_has_no_serious_fault(
    watched_places: MapView, tmp_path: Path, open_page: Callable[..., Watched], state: str, width: int
) -> None:
    opened = open_page(write_site_map(watched_places, tmp_path), width=width)
    opened.page.evaluate("hash => { location.hash = hash; }", OPENED[state])
    if state in {"panel", "side by side"}:
        opened.page.wait_for_selector("#panel[data-site=valley] .look-picker")
        opened.page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    if state == "regions":
        opened.page.wait_for_selector(".line-plot")
    assert faults(opened) == []


def test_the_map_has_no_serious_fault_in_print(
    watched_places: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(watched_places, tmp_path))
    opened.page.emulate_media(media="print")
    assert faults(opened) == []


@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (1280, "screen"), (794, "print")])
def test_a_dossier_has_no_serious_fault(
    view: MapView,
    tmp_path: Path,
    open_page: Callable[..., Watched],
    width: int,
    media: Literal["screen", "print"],
) -> None:
    entry: SiteEntry = view.entries[0]
    path = tmp_path / "valley.html"
    page = render_dossier(entry, Around(view.title, view.statement, view.thresholds))
    path.write_text(page.replace("<html ", '<html data-ready="" ', 1), encoding="utf-8")
    opened = open_page(path, width=width)
    opened.page.emulate_media(media=media)
    assert faults(opened) == []


def test_a_fault_would_be_found(view: MapView, tmp_path: Path, open_page: Callable[..., Watched]) -> None:
    opened = open_page(write_site_map(view, tmp_path))
    opened.page.evaluate(
        """() => {
          const pale = document.createElement("p");
          pale.textContent = "pale";
          pale.style.color = "#ccc";
          document.querySelector("main").append(document.createElement("button"), pale);
        }"""
    )
    assert {fault[0] for fault in faults(opened)} == {"button-name", "color-contrast"}
