"""The built-in catalogue against what it was made from: complete, faithful, and in its own words."""

from __future__ import annotations

import csv
import json
import re
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from geo.area import geodesic_distance_m
from geo.dates import Edtf, parse_edtf
from sites.builtin import builtin_files
from sites.catalogue import Catalogue, check
from sites.geojson import read_file, write_document
from sites.watching import WatchMode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sites.model import Site, Subject
    from sites.observation import Observation

FACTS = "builtin_facts.csv"
"""Beside this file: which note tells which fact of the seed (``place`` and position of the ``fact``)."""

COPIED_WORDS = 8
"""So many words in a row that are the seed's, and a text is a copy."""

WRITTEN_OUT = {
    "38 North / NKEW": "38 North via NK Econ Watch",
    "Chosun Ilbo (via NKEW)": "Chosun Ilbo via NK Econ Watch",
    "KDI Dialogue (Lee Seogki, interview 2020-07-14)": "KDI Dialogue",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    return builtin_files()[0].parent


@pytest.fixture(scope="module")
def catalogue(folder: Path) -> Catalogue:
    return Catalogue.read(folder)


@pytest.fixture(scope="module")
def records(catalogue: Catalogue) -> dict[str, Site | Subject]:
    return {**catalogue.by_id, **catalogue.subjects}


@pytest.fixture(scope="module")
def notes(records: dict[str, Site | Subject]) -> dict[str, Observation]:
    return {note.id: note for record in records.values() for note in record.observations}


@pytest.fixture(scope="module")
def given_sites(test_data: Path) -> dict[str, dict[str, Any]]:
    """The features that the placed sites were made from, by id."""
    document = json.loads((test_data / "sites" / "dprk_sites.geojson").read_bytes())
    return {feature["properties"]["id"]: feature for feature in document["features"]}


@pytest.fixture(scope="module")
def seed(test_data: Path) -> dict[str, dict[str, Any]]:
    """The places with the 147 facts, by id."""
    return {place["id"]: place for place in json.loads((test_data / "sites/seed_places.json").read_bytes())}


@pytest.fixture(scope="module")
def csis(test_data: Path) -> list[dict[str, str]]:
    return read_table(test_data / "sites" / "csis_markets.csv")


@pytest.fixture(scope="module")
def traced(pytestconfig: pytest.Config) -> list[dict[str, str]]:
    return read_table(pytestconfig.rootpath / "tests" / "sites" / FACTS)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def listed_markets(catalogue: Catalogue) -> list[Site]:
    return [site for site in catalogue if (site.coordinate_source or "").startswith("CSIS Beyond Parallel")]


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return {tuple(words[at : at + COPIED_WORDS]) for at in range(len(words) - COPIED_WORDS + 1)}


# The files


def test_has_no_fault(folder: Path) -> None:
    assert check(folder) == ()


def test_is_canonical(folder: Path) -> None:
    for path in builtin_files():
        assert write_document(read_file(path).records()) == path.read_bytes(), path.name
    assert len(builtin_files()) == len(list(folder.glob("*.geojson"))) > 0


def test_counts(catalogue: Catalogue, given_sites: dict[str, Any]) -> None:
    unplaced = [site for site in catalogue if site.watch_mode is WatchMode.UNPLACED]
    markets = listed_markets(catalogue)
    assert (len(given_sites), len(unplaced), len(markets)) == (138, 12, 40)
    assert len(catalogue) == len(given_sites) + len(unplaced) + len(markets)


def test_notes_have_ids_of_their_own(
    records: dict[str, Site | Subject], notes: dict[str, Observation]
) -> None:
    told = [(record, note) for record in records.values() for note in record.observations]
    assert len(told) == len(notes)
    assert all(note.id.startswith(f"{record.id}-") for record, note in told)


def test_notes_stand_in_the_order_of_time(records: dict[str, Site | Subject]) -> None:
    for record in records.values():
        starts = [note.date.text.lstrip("./") for note in record.observations]
        assert starts == sorted(starts, key=lambda text: re.split(r"[/~?%]", text)[0]), record.id


def test_the_readme_counts_right(folder: Path, catalogue: Catalogue) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    told = {name: int(count) for name, count in re.findall(r"\| `([^`]+)` \| (\d+) ", readme)}
    held = {path.name: len(read_file(path).records()) for path in builtin_files()}
    assert {name: held[name] for name in told if name in held} == {k: v for k, v in told.items() if k in held}
    assert sum(told[name] for name in held if name in told) == len(catalogue)
    assert told["series.json"] == 169
    assert told["events.json"] == len(json.loads((folder / "events.json").read_bytes())["events"])


# The placed sites


def test_keeps_the_coordinates(catalogue: Catalogue, given_sites: dict[str, Any]) -> None:
    for site_id, feature in given_sites.items():
        site, given = catalogue.get(site_id), feature["properties"]
        assert site.point is not None
        assert [site.point.x, site.point.y] == feature["geometry"]["coordinates"]
        assert site.coordinate_accuracy_m == given["coordinate_accuracy_m"]
        assert site.coordinate_source == given["coordinate_source"]
        assert site.coordinate_licence == given["coordinate_licence"]
        assert (site.province, site.country) == (given["province"], given["country"])


def test_keeps_every_name(catalogue: Catalogue, given_sites: dict[str, Any], seed: dict[str, Any]) -> None:
    for site_id, feature in given_sites.items():
        site, given = catalogue.get(site_id), feature["properties"]
        texts = {name.text for name in site.names}
        wanted = {
            given["name_ko"] or given["name"],
            *(alias.removesuffix(" (seed)") for alias in given["aliases"]),
        }
        assert site.name == given["name"]
        assert wanted <= texts, site_id
    spelt = {
        (place["name_ko"], site_id)
        for place in seed.values()
        for site_id in place["catalogue_ids"]
        if place["name_ko"] and site_id in given_sites and place["category"] in {"factory", "mine"}
    }
    assert [
        pair for pair in spelt if pair[0] not in {name.text for name in catalogue.get(pair[1]).names}
    ] == []


def test_keeps_the_capacities(catalogue: Catalogue, given_sites: dict[str, Any]) -> None:
    given = {key: site["properties"].get("capacity_mw") for key, site in given_sites.items()}
    shipped = {
        site.id: next((item.value for item in site.attributes if item.quantity == "capacity"), None)
        for site in map(catalogue.get, given_sites)
    }
    assert shipped == given


def test_the_new_bridge_lies_downstream_of_the_old_one(catalogue: Catalogue) -> None:
    old = catalogue.get("sinuiju-dandong-friendship-bridge").point
    new = catalogue.get("new-yalu-river-bridge").point
    assert old is not None
    assert new is not None
    assert new.y < old.y  # the Yalu runs south-west here
    assert new.x < old.x


def test_name_histories_have_their_spans(catalogue: Catalogue, seed: dict[str, Any]) -> None:
    for place_id in ("pyongyang-essential-foodstuff-factory", "pyongyang-bio-technical-institute"):
        spans = [name.span for name in catalogue.get(place_id).names if name.span is not None]
        ends = {(span.text.split("/")[0], span.text.split("/")[1].rstrip("~")) for span in spans}
        for entry in seed[place_id]["name_history"]:
            if entry["name"].startswith("("):  # a time without a name
                continue
            assert (entry["start"], entry["end"] or "..") in ends, entry["name"]


def test_factory_names_follow_one_another(catalogue: Catalogue) -> None:
    names = catalogue.get("pyongyang-essential-foodstuff-factory").names
    english = [name.span for name in names if name.span is not None and name.language == "en"]
    assert len(english) == 7
    for before, after in pairwise(sorted(english, key=Edtf.sort_key)):
        assert before.latest is not None
        assert after.earliest is not None
        assert 0 <= after.earliest.year - before.latest.year <= 1


# The markets


def test_markets_are_cited_singly(catalogue: Catalogue, csis: list[dict[str, str]]) -> None:
    by_place = {(float(row["lon"]), float(row["lat"])): row for row in csis}
    for market in listed_markets(catalogue):
        assert market.point is not None
        row = by_place[market.point.x, market.point.y]
        area = market.attributes[0]
        assert area.value == float(row["area_m2"])
        assert area.source is not None
        assert (area.source.outlet, area.unit) == ("CSIS Beyond Parallel", "m2")
        assert (market.coordinate_source or "").endswith(f", {row['name']}")
        assert row["name_ko"].split(",")[0] in {name.text for name in market.names}
    assert len(listed_markets(catalogue)) * 10 < len(csis)


def test_no_two_markets_are_one_place(catalogue: Catalogue, csis: list[dict[str, str]]) -> None:
    markets = listed_markets(catalogue)
    for index, one in enumerate(markets):
        for other in markets[index + 1 :]:
            assert one.point is not None
            assert other.point is not None
            assert geodesic_distance_m(one.point, other.point) > 300
    double = {float(row["area_m2"]) for row in csis if row["csis_id"] in {"220", "221"}}
    assert {item.value for item in catalogue.get("ansan-market").attributes} == double


# The facts


def test_every_fact_is_told_once_or_more(traced: list[dict[str, str]], seed: dict[str, Any]) -> None:
    facts = {(place_id, position) for place_id in seed for position in range(len(seed[place_id]["facts"]))}
    assert len(facts) == 147
    assert {(row["place"], int(row["fact"])) for row in traced} == facts


def test_facts_keep_subject_date_and_source(
    traced: list[dict[str, str]], seed: dict[str, Any], records: dict[str, Site | Subject]
) -> None:
    for row in traced:
        fact = seed[row["place"]]["facts"][int(row["fact"])]
        note = next(note for note in records[row["subject"]].observations if note.id == row["observation"])
        wanted = parse_edtf(fact["date"])
        assert (note.date.earliest, note.date.latest) == (wanted.earliest, wanted.latest), note.id
        outlet = WRITTEN_OUT.get(fact["source_outlet"], fact["source_outlet"])
        source = note.sources[0]
        assert source.outlet == outlet.replace("NKEW", "NK Econ Watch"), note.id
        assert source.published is not None
        assert source.published.text == fact["source_date"], note.id


def test_facts_are_told_on_the_site_they_name(
    traced: list[dict[str, str]], seed: dict[str, Any], given_sites: dict[str, Any]
) -> None:
    elsewhere = {("sinuiju-customs", "1")}  # a source of another province, who names no post
    for place_id, place in seed.items():
        wanted = {site_id for site_id in place["catalogue_ids"] if site_id in given_sites}
        for position in range(len(place["facts"]) if wanted else 0):
            rows = [row for row in traced if (row["place"], row["fact"]) == (place_id, str(position))]
            if (place_id, str(position)) not in elsewhere:
                assert {row["subject"] for row in rows} == wanted, (place_id, position)


def test_notes_are_in_our_own_words(
    catalogue: Catalogue,
    notes: dict[str, Observation],
    seed: dict[str, Any],
    given_sites: dict[str, Any],
) -> None:
    claims = [fact["claim"] for place in seed.values() for fact in place["facts"]]
    theirs = claims + [feature["properties"]["notes"] for feature in given_sites.values()]
    ours = [note.text for note in notes.values()] + [site.description or "" for site in catalogue]
    copied = set(chain.from_iterable(map(runs_of_words, theirs))) & set(
        chain.from_iterable(map(runs_of_words, ours))
    )
    assert copied == set()


def test_figures_of_the_facts_are_told(
    traced: list[dict[str, str]], seed: dict[str, Any], notes: dict[str, Observation]
) -> None:
    for row in traced:
        fact = seed[row["place"]]["facts"][int(row["fact"])]
        note = notes[row["observation"]]
        figures = {
            float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*\.?\d*", fact["figure"] or "")
        }
        assert not figures or figures & set(measured(note)), (note.id, fact["figure"])


def measured(note: Observation) -> Iterator[float]:
    measurement = note.measurement
    if measurement is not None:
        sides = measurement.value if isinstance(measurement.value, tuple) else (measurement.value,)
        yield from (float(x) for x in (*sides, measurement.low, measurement.high) if x is not None)


def test_contradictions_name_each_other(notes: dict[str, Observation]) -> None:
    pairs = {(note.id, other) for note in notes.values() for other in note.contradicts}
    assert pairs == {(other, one) for one, other in pairs}
    assert len(pairs) >= 2 * 5


def test_both_figures_for_iron_ore_stand(records: dict[str, Site | Subject]) -> None:
    told = [note for note in records["topic-trade"].observations if "iron-ore" in note.id]
    assert sorted(value for note in told for value in measured(note)) == [1.7, 19.38]
    assert all(note.contradicts for note in told)


def test_an_outlet_has_one_grade(notes: dict[str, Observation]) -> None:
    grades: dict[str, set[str | None]] = {}
    for note in notes.values():
        for source in note.sources:
            grades.setdefault(source.outlet.split(" via ")[0], set()).add(source.reliability)
            assert source.credibility in {None, "1", "5"}
    assert [outlet for outlet, given in grades.items() if len(given) > 1] == []
    assert (grades["KCNA"], grades["Daily NK"], grades["Kyodo"], grades["Wikipedia"]) == (
        {"D"},
        {"C"},
        {"B"},
        {None},
    )


def test_a_note_without_a_source_says_so(notes: dict[str, Observation]) -> None:
    for note in notes.values():
        assert note.sources or "without a source" in note.text, note.id
