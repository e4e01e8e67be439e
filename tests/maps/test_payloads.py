"""Hostile texts in every field of every format, through the real import, onto the pages in real Chromium.

Each text ends in a mark that names its field, so that a page that shows it in one place and loses it in
another is found out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point

from imagery.model import Chip, Detection, Look, Outcome
from maps.album import Album
from maps.dossier import Around, render_dossier
from maps.pictures import picture
from maps.site_map import render_site_map, write_site_map
from maps.view import Context, MapView, SiteEntry
from sites.additions import plan_additions
from sites.categories import Category
from sites.context import read_events, read_series
from sites.errors import CatalogueError
from sites.formats import read_sites, write_sites
from sites.geojson import read_document
from sites.model import Name, Site
from tests.maps.conftest import Watched
from tests.maps.payloads import GENERATED, TABLE, payloads
from watch.settings import settings_text
from watch.workspace import Workspace

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
IMPORTED = [text for text in payloads() if not CONTROL.search(text)]
TEXTS = tuple(sorted(IMPORTED, key=lambda text: text[:1].isspace()))
"""Those that begin with white space stand last: cells of a table lose it."""

INDENTED = sum(text[:1].isspace() for text in TEXTS)
REFUSED = tuple(text for text in payloads() if CONTROL.search(text))

ON_PANEL = (
    "name", "other", "scheme", "subtype", "description", "country", "province", "county", "operator",
    "complex", "coordinate_source", "coordinate_licence", "quantity", "unit", "text", "author", "measured",
    "measured_in", "outlet", "title", "reason", "platform", "kind", "flag", "said",
)  # fmt: skip
"""Fields whose text stands in the panel of its site."""

ON_DOSSIER = (*ON_PANEL, "source_author", "obscured_by")

TOGETHER = 16
"""Texts a site: one a note, a name, an attribute, a look, a detection; all in a row in single fields."""

GROUPS = tuple(TEXTS[at : at + TOGETHER] for at in range(0, len(TEXTS), TOGETHER))

SINGLE = (
    "subtype", "description", "country", "province", "county", "operator", "complex", "coordinate_source",
    "coordinate_licence",
)  # fmt: skip


def marked(text: str, field: str) -> str:
    return f"{text}\u27e6{field}\u27e7"


def address(text: str) -> str:
    """Return the text as an address that the catalogue takes: no white space."""
    return "https://example.org/" + re.sub(r"\s", "", text)


def hostile_note(number: int, text: str) -> dict[str, Any]:
    names = ("text", "author", "obscured_by")
    source = {field: marked(text, field) for field in ("outlet", "title", "language")}
    media = {field: marked(text, field) for field in ("caption", "credit", "licence")}
    return {
        "id": f"n{number}",
        "date": "2016",
        **{field: marked(text, field) for field in names},
        "measurement": {
            "quantity": marked(text, "measured"),
            "unit": marked(text, "measured_in"),
            "value": 3,
        },
        "sources": [
            {
                **source,
                "author": marked(text, "source_author"),
                "url": address(text),
                "archive_url": address(text),
            }
        ],
        "media": [{**media, "url": address(text)}],
        "evidence": [{"kind": "look", "ref": marked(text, "ref")}],
    }


def hostile_feature(number: int, texts: Sequence[str]) -> dict[str, Any]:
    """Return a site of these texts; each of them begins at least one of the fields that hold all."""

    def row(turn: int, field: str) -> str:
        turned = [*texts[turn % len(texts) :], *texts[: turn % len(texts)]]
        return "".join(marked(text, field) for text in turned)

    def name(text: str) -> list[dict[str, str]]:
        about = {field: marked(text, field) for field in ("language", "scheme")}
        return [{"text": marked(text, "name")}, {"text": marked(text, "other"), **about}]

    properties = {
        "names": [each for text in texts for each in name(text)],
        "category": list(Category)[number % len(Category)],
        **{field: row(turn, field) for turn, field in enumerate(SINGLE)},
        "attributes": [
            {"quantity": marked(text, "quantity"), "unit": marked(text, "unit"), "value": 2} for text in texts
        ],
        "relations": [{"kind": marked(text, "relation"), "site": f"p{number}"} for text in texts],
        "retired": {"date": "2020", "reason": row(3, "retired")},
        "observations": [hostile_note(k, text) for k, text in enumerate(texts)],
        marked(texts[0], "foreign"): row(4, "foreign"),
    }
    point = [124.5 + number % 9 * 0.5, 38.0 + number // 9 * 0.4]
    return {
        "type": "Feature",
        "id": f"p{number}",
        "geometry": {"type": "Point", "coordinates": point},
        "properties": properties,
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace into which every format brought every text, by the code of `sites add`."""
    folder = tmp_path_factory.mktemp("hostile")
    made = Workspace.create(folder / "w", builtin=False)
    title = "".join(TABLE)
    (made.root / "sitewatch.toml").write_text(settings_text(title, title), encoding="utf-8")
    source = folder / "hostile.geojson"
    features = [hostile_feature(number, texts) for number, texts in enumerate(GROUPS)]
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    add(made, source)
    for letter, ending in (("c", "csv"), ("t", "tsv")):
        table = folder / f"hostile.{ending}"
        write_sites(table, [as_row(site, letter) for site in tabular(made)])
        add(made, table)
    write_context(made.catalogue_path)
    return Workspace.open(made.root)


def as_row(site: Site, letter: str) -> Site:
    """Return a site as a table holds it: relations are lists of ids there."""
    return replace(site, id=f"{letter}{site.id}", relations=())


def tabular(workspace: Workspace) -> list[Site]:
    """Return the sites whose texts all begin with something to see."""
    sites = catalogue(workspace, "p")
    return [site for site in sites if not any(text[:1].isspace() for text in texts_of(site.id))]


def add(workspace: Workspace, path: Path) -> None:
    before = workspace.catalogue()
    report = plan_additions(before, [read_sites(path)])
    assert report.refused == ()
    report.apply(before).write()


def catalogue(workspace: Workspace, letter: str) -> list[Site]:
    return [site for site in workspace.catalogue() if site.id.startswith(letter)]


def write_context(folder: Path) -> None:
    texts = TEXTS[:150]
    series = [
        {"id": f"s{k}", "quantity": text, "place": text, "unit": text,
         "points": [{"date": "2016", "value": k, "source": {"outlet": text, "title": text}, "remark": text}]}
        for k, text in enumerate(texts)
    ]  # fmt: skip
    events = [
        {
            "id": f"e{k}",
            "date": "2016",
            "kind": text,
            "text": text,
            "sources": [{"outlet": text, "url": address(text)}],
        }
        for k, text in enumerate(texts)
    ]
    (folder / "series.json").write_text(json.dumps({"series": series}), encoding="utf-8")
    (folder / "events.json").write_text(json.dumps({"events": events}), encoding="utf-8")


@pytest.fixture
def entries(
    workspace: Workspace, make_look: Callable[..., Look], detection: Detection
) -> tuple[SiteEntry, ...]:
    """Every site, with looks, detections and words of analysts that are hostile too."""

    def entry(site: Site) -> SiteEntry:
        texts = texts_of(site.id)
        looks = tuple(
            make_look(
                site.id,
                date(2016, 5, day),
                Outcome.CHANGED,
                reason=marked(text, "reason"),
                platform=marked(text, "platform"),
            )
            for day, text in enumerate(texts, 1)
        )
        found = tuple(
            replace(
                detection,
                id=f"d{k}",
                site_id=site.id,
                kind=marked(text, "kind"),
                flags=(marked(text, "flag"),),
                series=text,
            )
            for k, text in enumerate(texts)
        )
        labels = {f"n{k}": marked(text, "label") for k, text in enumerate(texts)}
        said = {f"d{k}": marked(text, "said") for k, text in enumerate(texts)}
        return SiteEntry(site, looks, (), found, labels=labels, said=said)

    return tuple(entry(site) for site in workspace.catalogue())


def texts_of(site_id: str) -> Sequence[str]:
    return GROUPS[int(re.sub(r"\D", "", site_id))]


@pytest.fixture
def hostile(workspace: Workspace, entries: tuple[SiteEntry, ...]) -> MapView:
    folder, settings = workspace.catalogue_path, workspace.settings
    return MapView(
        settings.title,
        datetime(2026, 1, 1, tzinfo=UTC),
        entries,
        settings.statement,
        TEXTS[:60],
        context=Context(read_series(folder), read_events(folder)),
    )


def test_there_are_enough_texts_and_each_is_another_one() -> None:
    assert len(TEXTS) >= len(TABLE) + 500
    assert len(payloads()) == len(set(payloads()))
    assert sum(text in payloads() for text in TABLE) == len(TABLE)
    assert GENERATED >= 300


def test_control_characters_are_refused_and_named() -> None:
    for text in REFUSED:
        document = json.dumps({"type": "FeatureCollection", "features": [hostile_feature(0, [text])]})
        faults = read_document(document.encode(), "f").faults
        assert any("control character" in str(fault) for fault in faults)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(CatalogueError, match="surrogate"):
        read_document(json.dumps(hostile_feature(0, ["x\ud800"])).encode(), "f")


def test_every_format_brings_every_text_in_as_it_was_written(workspace: Workspace) -> None:
    sites = catalogue(workspace, "p")
    assert len(sites) == len(GROUPS)
    for site in sites:
        properties = hostile_feature(int(site.id[1:]), texts_of(site.id))["properties"]
        assert [name.text for name in site.names] == [name["text"] for name in properties["names"]]
        assert [getattr(site, field) for field in SINGLE] == [properties[field] for field in SINGLE]
        assert [note.text for note in site.observations] == [
            each["text"] for each in properties["observations"]
        ]
    for letter in ("cp", "tp"):
        brought = [replace(site, id=site.id[1:]) for site in catalogue(workspace, letter)]
        assert len(brought) * TOGETHER >= len(TEXTS) - INDENTED - TOGETHER
        assert brought == [as_row(site, "") for site in tabular(workspace)]


ABSENT = """(shown, id, texts) => texts.filter((text) => !shown.includes(text))
  .map((text) => [id, text.slice(0, 80), text.slice(-30)])"""

SUSPECT = """(root, address) => [...root.querySelectorAll("*")].flatMap((element) => {
  const acts = (name) => name.startsWith("on") || ["srcdoc", "formaction", "ping", "action"].includes(name);
  const tags = /^(iframe|object|embed|base|form|link|frame|marquee|math|video|audio)$/i;
  const bad = element.getAttributeNames().filter(acts);
  const to = element.getAttribute("href");
  if (to && !address.test(to)) bad.push(to.slice(0, 200));
  if (tags.test(element.tagName)) bad.push(element.outerHTML.slice(0, 200));
  return bad;
})"""

COMPARE = f"""async (expected) => {{
  const absent = {ABSENT};
  const suspect = {SUSPECT};
  const panel = document.getElementById("panel");
  const turn = () => new Promise((resolve) => {{ setTimeout(resolve, 0); }});
  const bad = [];
  for (const [id, texts] of expected) {{
    location.hash = `#${{encodeURIComponent(id)}}`;
    for (let tries = 0; tries < 5000 && panel.dataset.site !== id; tries += 1) await turn();
    for (const fold of panel.querySelectorAll("details:not([open])")) fold.open = true;
    await turn();
    bad.push(...absent(panel.textContent, id, texts), ...suspect(document, /^(https?:|#|sites\\/|data\\/)/));
  }}
  return bad;
}}"""
"""Open each site's panel; return the texts that it lacks, and everything that could act."""


PARSE = f"""(documents) => documents.flatMap(([id, html, texts]) => {{
  const absent = {ABSENT};
  const suspect = {SUSPECT};
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const address = /^(https?:|#|\\.\\.\\/|[a-z0-9_-]+\\.html|data:(application\\/geo\\+json|text\\/csv);)/;
  return [...absent(parsed.body.textContent, id, texts), ...suspect(parsed, address)];
}})"""
"""The same of documents that are only parsed."""


def expected_texts(sites: Sequence[str], fields: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [
        (site, [shown_text(text, field) for text in texts_of(site) for field in fields]) for site in sites
    ]


def shown_text(text: str, field: str) -> str:
    """Return what must be found: all of it, or all but the first letter where that becomes a capital one."""
    return marked(text, field)[1:] if field == "quantity" else marked(text, field)


def test_no_text_runs_or_asks_and_each_is_shown_as_written(
    hostile: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(hostile, tmp_path))
    page = opened.page
    # those of the tables are equal to them, as another test shows
    ids = [entry.site.id for entry in hostile.entries if entry.site.id.startswith("p")]
    assert page.evaluate(COMPARE, expected_texts(ids, ON_PANEL)) == []
    assert page.title() == " ".join(hostile.title.split())
    assert page.evaluate("window.__ran") == []
    assert opened.problems == []


def test_what_images_say_of_themselves_is_shown_as_written(
    make_chip: Callable[..., Chip], tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    drawn = picture(make_chip())

    def album(site_id: str, text: str) -> Album:
        platform, credit = marked(text, "platform"), marked(text, "credit")
        one = replace(
            drawn, site_id=site_id, platform=platform, credit=credit, outcome=marked(text, "outcome")
        )
        return Album(site_id, marked(text, "place"), (one,), latest=one.key, clear_looks=1)

    texts = {f"p{number}": text for number, text in enumerate(TEXTS[::8])}
    entries = tuple(
        SiteEntry(Site(name, (Name("Works"),), Category.FACTORY, Point(127, 39)), album=album(name, text))
        for name, text in texts.items()
    )
    opened = open_page(write_site_map(MapView("t", datetime(2026, 1, 1, tzinfo=UTC), entries), tmp_path))
    fields = ("platform", "credit")
    expected = [(name, [marked(text, field) for field in fields]) for name, text in texts.items()]
    assert opened.page.evaluate(COMPARE, expected) == []
    assert opened.page.evaluate("window.__ran") == []
    assert opened.problems == []


def test_every_row_of_the_table_shows_its_names_as_written(
    hostile: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(hostile, tmp_path))
    opened.page.get_by_role("button", name="Show all").click()
    rows = opened.page.locator("#rows tr").evaluate_all(
        "all => all.map(row => [row.dataset.site, row.querySelector('th').textContent])"
    )
    shown = dict(rows)
    for entry in hostile.entries:
        assert all(name.text in shown[entry.site.id] for name in entry.site.names)
    assert opened.problems == []


def test_searches_filters_and_addresses_of_hostile_text_find_what_they_say(
    hostile: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    few = replace(hostile, entries=hostile.entries[:20])
    opened = open_page(write_site_map(few, tmp_path))
    opened.page.evaluate(
        """async (texts) => {
          const params = ["q", "site", "category", "province", "status", "from", "compare", "colour", "lane"];
          const turn = () => new Promise((resolve) => { setTimeout(resolve, 0); });
          for (const [k, text] of texts.entries()) {
            const name = params[k % params.length];
            location.hash = k % 2 ? `#${name}=${encodeURIComponent(text)}` : `#${text}`;
            await turn();
          }
        }""",
        [text for text in (*TABLE, *TEXTS[::12]) if len(text) < 500],
    )
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("window.__ran") == []
    assert opened.problems == []


def test_dossiers_hold_every_text_and_nothing_else_that_could_act(
    hostile: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    around = Around(hostile.title, hostile.statement, hostile.thresholds)
    chosen = [entry for entry in hostile.entries if entry.site.id.startswith("p")]
    documents = [
        (entry.site.id, render_dossier(entry, around), texts)
        for entry, (_, texts) in zip(
            chosen, expected_texts([e.site.id for e in chosen], ON_DOSSIER), strict=True
        )
    ]
    blank = tmp_path / "blank.html"
    blank.write_text("<!DOCTYPE html><html data-ready><title>x</title><body></body></html>")
    opened = open_page(blank)
    for start in range(0, len(documents), 100):
        assert opened.page.evaluate(PARSE, documents[start : start + 100]) == []
    whole = tmp_path / "whole.html"
    whole.write_text(documents[0][1].replace("<html ", "<html data-ready ", 1), encoding="utf-8")
    other = open_page(whole)
    assert other.page.evaluate("window.__ran") == []
    assert other.problems == []


def test_the_page_is_the_same_each_time(hostile: MapView) -> None:
    few = replace(hostile, entries=hostile.entries[:50])
    assert render_site_map(few) == render_site_map(few)
