from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError, SitewatchError
from sites.errors import CatalogueError
from sites.geojson import MAX_FEATURES, read_document, read_file, write_document
from sites.model import Site

FULL: dict[str, Any] = {
    "type": "Feature",
    "id": "komsan-ri-market",
    "geometry": {"type": "Point", "coordinates": [128.17, 41.4]},
    "properties": {
        "name": "Komsan-ri Market",
        "names": [
            {
                "text": "Komsan-ri sijang",
                "language": "ko-Latn",
                "scheme": "McCune-Reischauer",
                "span": "2015/..",
            },
            {"text": "금산리시장", "language": "ko", "script": "Hang"},
        ],
        "category": "market",
        "subtype": "general",
        "description": "Beside the school.",
        "country": "PRK",
        "province": "Ryanggang",
        "county": "Pochon",
        "operator": "County people's committee",
        "grade": "local",
        "complex": "Komsan-ri",
        "footprint": {
            "type": "Polygon",
            "coordinates": [[[128.17, 41.4], [128.171, 41.4], [128.171, 41.401], [128.17, 41.4]]],
        },
        "coordinate_accuracy_m": 12000,
        "coordinate_source": "analyst estimate",
        "coordinate_licence": "own work",
        "placements": [
            {
                "geometry": {"type": "Point", "coordinates": [128.0, 41.0]},
                "accuracy_m": 20000,
                "until": "2016",
            }
        ],
        "opened": "2015-05-25/2016-06-27",
        "closed": "2020~",
        "relations": [{"kind": "part_of", "site": "hyesan"}],
        "attributes": [{"quantity": "stalls", "value": 40, "unit": "stalls", "source": {"outlet": "x"}}],
        "former_ids": ["komsan"],
        "watch": {
            "cadence": "P16D",
            "priority": 2,
            "min_area_m2": 400,
            "context_m": 500,
            "detectors": ["series"],
            "expects": "more_activity",
        },
        "retired": {"date": "2024-01-01", "reason": "built over"},
        "observations": [
            {
                "id": "built",
                "date": "2015-05-25/2016-06-27",
                "kind": "imagery",
                "text": "A small formal market was built here.",
                "author": "A. Analyst",
                "expects": "construction",
                "measurement": {
                    "quantity": "footprint",
                    "value": [17, 12],
                    "unit": "m",
                    "qualifier": "probable",
                },
                "obscured_by": "trees",
                "likelihood": "very_likely",
                "confidence": "moderate",
                "supersedes": "older",
                "contradicts": ["other"],
                "sources": [
                    {
                        "outlet": "NK Econ Watch",
                        "title": "Komsan-ri",
                        "author": "B",
                        "published": "2016-08-11",
                        "language": "en",
                        "url": "https://example.org/a",
                        "archive_url": "https://example.org/b",
                        "reliability": "B",
                        "credibility": "2",
                        "specificity": "3",
                        "page": 4,
                    }
                ],
                "media": [
                    {
                        "file": "media/a.png",
                        "caption": "c",
                        "date": "2016-06-27",
                        "credit": "DigitalGlobe",
                        "licence": "all rights reserved",
                        "sha256": "0" * 64,
                        "private": True,
                    }
                ],
                "evidence": [{"kind": "look", "ref": "l1"}],
                "seen_by": ["x"],
            }
        ],
        "notes": "free text",
        "zeta": {"b": 1, "a": [1, 2]},
    },
    "vendor": {"k": None},
}


def read_one(**properties: object) -> Site:
    base = {"name": "A", "category": "market"}
    raw = {"type": "Feature", "id": "a", "geometry": None, "properties": base | properties}
    (site,) = read_document(json.dumps(raw).encode(), "f").records()
    assert isinstance(site, Site)
    return site


def fault(raw: object) -> InputError:
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    with pytest.raises(InputError) as caught:
        read_document(data, "f.geojson").records()
    assert caught.value.where.file == "f.geojson"
    return caught.value


def geometry(kind: str, coordinates: object) -> dict[str, Any]:
    return FULL | {"geometry": {"type": kind, "coordinates": coordinates}}


def test_canonical_form_keeps_everything_in_the_order_it_writes() -> None:
    written = write_document(read_document(json.dumps(FULL).encode(), "f").records(), is_single=True)
    assert json.loads(written) == FULL
    assert list(json.loads(written)["properties"]) == list(FULL["properties"])
    assert "금산리시장".encode() in written
    assert b'"coordinates": [128.17, 41.4]' in written
    assert b'"value": [17, 12]' in written
    assert written.endswith(b"}\n")


def test_canonical_form_is_a_fixed_point_of_the_public_sites(test_data: Path) -> None:
    once = write_document(read_file(test_data / "sites" / "dprk_sites.geojson").records())
    assert write_document(read_document(once, "f").records()) == once


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
KEYS = st.text("abcxyz", max_size=4)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    names=st.lists(st.sampled_from(["A", "B", "가"]), min_size=1, max_size=4),
    foreign=st.dictionaries(st.text("pqrs", min_size=1, max_size=4), JSON, max_size=4),
    accuracy=st.none() | st.floats(0.1, 1e6),
)
@settings(max_examples=150, deadline=None)
def test_canonical_form_is_a_fixed_point(
    lon: float, lat: float, names: list[str], foreign: dict[str, Any], accuracy: float | None
) -> None:
    properties = {
        "name": names[0],
        "names": names[1:],
        "category": "market",
        "coordinate_accuracy_m": accuracy,
    }
    raw = {
        "type": "Feature",
        "id": "a",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": properties | foreign,
    }
    first = read_document(orjson.dumps(raw), "f").records()
    once = write_document(first)
    again = read_document(once, "f").records()
    assert again == first
    assert write_document(again) == once
    assert {key: again[0].foreign.get(key) for key in foreign} == foreign


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b'{"type": "Feature",\n"id": }', "line 2: not JSON"),
        (b"[1, NaN]", "NaN or Infinity is not JSON"),
        (b'{"x":\n -Infinity}', "NaN or Infinity is not JSON"),
        (b"[1e999]", "infinity"),
        (b"[" * 2000 + b"]" * 2000, "1,000 levels"),
        (b"[" * 1000 + b"]" * 1000, "a list is not a GeoJSON feature"),
        ("{}".encode("utf-16"), "UTF-16"),
        ("{}".encode("utf-16-le"), "UTF-16"),
        ('{"name": "해방시장"}'.encode("cp949"), "CP949.*Save it as UTF-8"),
        (b'{"a": "\xff\xfe\xfd\x80"}', "not in UTF-8"),
        (b'"text"', "'text' is not a GeoJSON feature"),
        (b"null", "None is not a GeoJSON feature"),
        (b'{"type": "Topology"}', "Topology"),
        (b'{"type": "FeatureCollection"}', "needs a list"),
        (b'{"type": "FeatureCollection", "features": {}}', "needs a list"),
        (b"[" + b"0," * 20_000_001 + b"0]", "more than 20000000 values"),
    ],
)
def test_refuses_what_is_no_geojson_in_one_clear_message(data: bytes, words: str) -> None:
    with pytest.raises(CatalogueError, match=words):
        read_document(data, "f.geojson")


def test_refuses_a_file_that_is_too_large_or_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sites.files.MAX_BYTES", 10)
    (tmp_path / "a.geojson").write_bytes(b" " * 11)
    for path, words in [("a.geojson", "larger than"), (".", "not a file"), ("b", "no such file")]:
        with pytest.raises(CatalogueError, match=words):
            read_file(tmp_path / path)


def test_refuses_too_many_features() -> None:
    with pytest.raises(CatalogueError, match="features are too many"):
        read_document(b"[" + b",".join([b'{"type":"Feature"}'] * (MAX_FEATURES + 1)) + b"]", "f")


def test_reads_every_shape_of_document_and_a_byte_order_mark() -> None:
    collection = {"type": "FeatureCollection", "features": [FULL | {"id": "b"}]}
    listed = read_document(json.dumps([FULL, collection]).encode(), "f")
    assert [record.id for record in listed.records()] == ["komsan-ri-market", "b"]
    single = read_document(b"\xef\xbb\xbf" + json.dumps(FULL).encode(), "f")
    assert single.is_single and len(single.found) == 1
    assert read_document(b"[]", "f").records() == ()


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        (geometry("Point", [39.0, 125.7]), "geometry.coordinates", "look swapped"),
        (geometry("Point", [200, 0]), "geometry.coordinates", "off the Earth"),
        (geometry("Point", [1]), "geometry.coordinates", "longitude, latitude"),
        (geometry("Point", ["1", 2]), "geometry.coordinates", "number is wanted"),
        (geometry("Point", [True, 2]), "geometry.coordinates", "number is wanted"),
        (geometry("Point", None), "geometry.coordinates", "longitude, latitude"),
        (geometry("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), "geometry.coordinates[0]", "not closed"),
        (geometry("Polygon", [[[0, 0], [1, 1], [0, 0]]]), "geometry.coordinates[0]", "at least 4"),
        (
            geometry("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
            "geometry.coordinates",
            "Self-inter",
        ),
        (geometry("Polygon", []), "geometry.coordinates", "list of rings"),
        (geometry("LineString", [[179, 0], [-179, 0]]), "geometry.coordinates", "antimeridian"),
        (geometry("LineString", [[0, 0]] * 10_001), "geometry.coordinates", "too many"),
        (geometry("MultiPolygon", [[]]), "geometry.coordinates[0]", "list of rings"),
        (geometry("MultiPoint", [[0, 0]]), "geometry.type", "MultiPoint"),
        (geometry("GeometryCollection", []), "geometry.type", "GeometryCollection"),
        (FULL | {"geometry": "here"}, "geometry", "an object"),
        ({"type": "Feature", "id": "a", "properties": {}}, "geometry", "Write null"),
        (FULL | {"properties": None}, "properties", "no properties"),
        (FULL | {"id": "b", "properties": FULL["properties"] | {"id": "c"}}, "id", "two ids"),
        (FULL | {"id": "../etc"}, "id", "not an id.*'etc' would do"),
        (FULL | {"id": "con"}, "id", "device on Windows"),
        (FULL | {"id": 1.5}, "id", "not 1.5"),
        (FULL | {"vendor": json.loads("[" * 100 + "]" * 100)}, "vendor", "deeper than 32"),
        ([FULL, FULL], "id", "taken by feature 1"),
    ],
)
def test_refuses_a_feature_by_field(raw: object, field: str, words: str) -> None:
    error = fault(raw)
    assert error.where.field == field
    with pytest.raises(InputError, match=words):
        raise error


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"category": None}, "category"),
        ({"category": "bazaar"}, "category"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"names": [{"txt": "x"}]}, "names[0].text"),
        ({"aliases": "x"}, "aliases"),
        ({"coordinate_accuracy_m": "12"}, "coordinate_accuracy_m"),
        ({"coordinate_accuracy_m": 0}, "coordinate_accuracy_m"),
        ({"opened": 2016}, "opened"),
        ({"watch": {"cadence": "P1M"}}, "watch.cadence"),
        ({"observations": {}}, "observations"),
        ({"observations": [{"date": "2016"}]}, "observations[0].text"),
        ({"observations": [{"text": "x"}]}, "observations[0].date"),
        ({"observations": [{"date": "2015-02-30", "text": "x"}]}, "observations[0].date"),
        (
            {"observations": [{"date": "2016", "text": "x", "sources": [{"outlet": "y"}, {"url": "z"}]}]},
            "observations[0].sources[1].outlet",
        ),
        ({"observations": [{"date": "2016", "text": "x", "kind": "rumour"}]}, "observations[0].kind"),
        ({"observations": [{"date": "2016", "text": "x"}] * 2}, "observations[1].id"),
        ({"subject": {"planet": "Mars"}}, "subject"),
    ],
)
def test_refuses_a_property_by_field(properties: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        read_one(**properties)
    assert caught.value.where.field == field
    assert caught.value.where.feature == "feature 1 ('a')"


def test_a_slip_of_the_pen_is_named() -> None:
    with pytest.raises(InputError, match="Did you mean it by 'dates'"):
        read_one(observations=[{"dates": "2016", "text": "x"}])


def test_a_bare_text_stands_for_a_name_and_a_source() -> None:
    site = read_one(names=["B"], observations=[{"date": "2016", "text": "x", "sources": ["Daily NK"]}])
    assert [name.text for name in site.names] == ["A", "B"]
    assert site.observations[0].sources[0].outlet == "Daily NK"


def test_one_name_twice_keeps_both_spans() -> None:
    names = [{"text": "A", "span": "1950/1960"}, {"text": "B"}, {"text": "A", "span": "1990/.."}]
    site = read_one(names=names)
    assert [(name.text, str(name.span or "")) for name in site.names] == [
        ("A", "1950/1960"),
        ("B", ""),
        ("A", "1990/.."),
    ]
    once = write_document([site])
    assert write_document(read_document(once, "f").records()) == once


def test_coordinates_in_another_system_are_refused() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32652"}}
    with pytest.raises(CatalogueError, match="not longitude and latitude"):
        read_document(json.dumps({"type": "FeatureCollection", "features": [], "crs": crs}).encode(), "f")
    crs["properties"] = {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}
    assert not read_document(
        json.dumps({"type": "FeatureCollection", "features": [], "crs": crs}).encode(), "f"
    ).faults


SEED = json.dumps({"type": "FeatureCollection", "features": [FULL, FULL | {"id": "b"}]}).encode()


@given(
    position=st.integers(0, len(SEED) - 1),
    cut=st.integers(0, 40),
    insert=st.binary(max_size=6)
    | st.sampled_from([b"null", b"[]", b"{}", b'"', b"1e999", b"-1", b"\\u0000"]),
)
@settings(max_examples=1500, deadline=None)
def test_damaged_files_raise_only_our_errors(position: int, cut: int, insert: bytes) -> None:
    data = SEED[:position] + insert + SEED[position + cut :]
    try:
        document = read_document(data, "f")
    except SitewatchError:
        return
    records = [found.record for found in document.found]
    assert len(read_document(write_document(records), "f").records()) == len(records)


@given(value=JSON, key=st.sampled_from([*FULL["properties"], "id", "subject", "name_ko", "aliases"]))
@settings(max_examples=800, deadline=None)
def test_any_json_in_any_field_raises_only_our_errors(value: object, key: str) -> None:
    raw = FULL | {"properties": FULL["properties"] | {key: value}}
    document = read_document(orjson.dumps(raw), "f")
    assert len(document.found) + bool(document.faults) == 1


def test_a_private_note_says_so_and_stays_so() -> None:
    raw = {
        "type": "Feature",
        "id": "a",
        "geometry": None,
        "properties": {
            "name": "A",
            "category": "market",
            "observations": [{"id": "n", "date": "2016", "text": "Told.", "private": True}],
        },
    }
    data = orjson.dumps(raw)
    (site,) = read_document(data, "a.geojson").records()
    assert site.observations[0].private
    assert b'"private": true' in write_document([site])
    wrong = data.replace(b"true", b'"yes"')
    (fault,) = read_document(wrong, "a.geojson").faults
    assert fault.where.field == "observations[0].private"
    assert "true or false is wanted" in fault.problem
