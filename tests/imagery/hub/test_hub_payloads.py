"""Payloads that no well-behaved client sends, and answers that few ask for."""

from __future__ import annotations

import copy
import io
import json
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Picture

from sitewatch_hub.catalog import search
from sitewatch_hub.granules import Granule, read_granules
from sitewatch_hub.messages import RefusedError, Request
from sitewatch_hub.process import process
from sitewatch_hub.service import PROCESS_PATH, Service
from sitewatch_hub.simulated import LEFT, TOP
from sitewatch_hub.statistical import parse_intervals, statistics
from sitewatch_hub.tokens import Client, TokenDesk
from tests.imagery.hub.conftest import tiff

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """//VERSION=3
function setup() { return {input: ["B04"], output: {bands: 1, sampleType: "UINT16", nodataValue: 7}}; }
function evaluatePixel(s) { return [s.B04 * 10000]; }
"""

PAYLOAD: dict[str, Any] = {
    "input": {
        "bounds": {
            "bbox": [LEFT, TOP - 30, LEFT + 40, TOP],
            "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32652"},
        },
        "data": [
            {
                "type": "sentinel-2-l2a",
                "dataFilter": {"timeRange": {"from": "2021-11-03T00:00:00Z", "to": "2021-11-04T00:00:00Z"}},
                "processing": {},
            }
        ],
    },
    "evalscript": SCRIPT,
    "output": {
        "width": 4,
        "height": 3,
        "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
    },
}


@pytest.fixture(scope="session")
def granules(simulated: Path) -> tuple[Granule, ...]:
    return read_granules(simulated)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the payload with one field set; a step of digits is a position in a list."""
    payload = copy.deepcopy(PAYLOAD)
    holder: Any = payload
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        holder = holder[step]
    holder[last] = value
    return payload


def error_of(caught: pytest.ExceptionInfo[RefusedError]) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(caught.value.reply.body)["error"]
    return error


def test_the_payload_itself_is_fine(granules: tuple[Granule, ...]) -> None:
    image = tiff(process(PAYLOAD, granules).body)
    assert image.pixels.all()
    assert image.nodata == 7


@pytest.mark.parametrize(
    ("path", "value", "parameter"),
    [
        ("input", None, "input"),
        ("input.bounds", {}, "input->bounds"),
        ("input.bounds.bbox", [1, 2, 3], "input->bounds->bbox"),
        ("input.bounds.bbox", [1, 2, 3, "4"], "input->bounds->bbox"),
        ("input.bounds.bbox", [5, 2, 3, 4], "input->bounds->bbox"),
        ("input.bounds.properties", 5, "input->bounds->properties->crs"),
        ("input.bounds.properties.crs", "EPSG:32652", "input->bounds->properties->crs"),
        ("input.bounds.geometry", {"type": "Point", "coordinates": [1, 2]}, "input->bounds->geometry"),
        ("input.bounds.geometry", {"type": "Polygon", "coordinates": "no"}, "input->bounds->geometry"),
        ("input.data", [], "input->data"),
        ("input.data.0.dataFilter.timeRange", None, "input->data->dataFilter->timeRange"),
        ("input.data.0.dataFilter.timeRange.to", "soon", "input->data->dataFilter->timeRange->to"),
        (
            "input.data.0.dataFilter.timeRange.to",
            "2021-11-05T00:00:00",
            "input->data->dataFilter->timeRange->to",
        ),
        (
            "input.data.0.dataFilter.timeRange.to",
            "2020-01-01T00:00:00Z",
            "input->data->dataFilter->timeRange",
        ),
        ("input.data.0.dataFilter.mosaickingOrder", "best", "input->data->mosaickingOrder"),
        ("input.data.0.dataFilter.orbitDirection", "UP", "input->data->orbitDirection"),
        ("output.width", 4.5, "output->width"),
        ("output.width", True, "output->width"),
        ("output.height", 0, "output->height"),
        ("output", {"width": 4, "resx": 10}, "output"),
        ("output", {"resx": 0, "resy": 10}, "output->resx"),
        ("output", {"resx": 10}, "output->resy"),
        ("output.responses", [], "output->responses"),
        ("output.responses.0.identifier", "other", "output->responses->identifier"),
        ("output.responses.0.identifier", "../evil", "output->responses"),
        ("output.responses.0.format", "image/tiff", "output->responses"),
        ("output.responses.0.format.type", "image/webp", "output->responses"),
        ("output.responses.0.format.type", "application/json", "output->responses->format->type"),
    ],
)
def test_a_field_that_can_not_be_is_named(
    granules: tuple[Granule, ...], path: str, value: object, parameter: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        process(changed(path, value), granules)
    error = error_of(caught)
    assert (error["status"], error["code"]) == (400, "COMMON_BAD_PAYLOAD")
    assert [fault["parameter"] for fault in error["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("", "//VERSION=3"),
        ("//VERSION=2\nreturn [B04];", "//VERSION=3"),
        ("//VERSION=3\nlet x;", "function setup() is missing"),
        ("//VERSION=3\nfunction setup() {}", "function evaluatePixel() is missing"),
        (SCRIPT.replace('"B04"', ""), "input has no bands"),
        (SCRIPT.replace('["B04"]', '[{bands: ["B04"], units: ["DN", "DN"]}]'), "units must be one for all"),
        (SCRIPT.replace("nodataValue: 7", "nodataValue: -1"), "nodataValue -1 is no uint16"),
        (SCRIPT.replace("output: {", "output: [{").replace("7}}", "7}, {bands: 1}]}"), "with different ids"),
        (SCRIPT + "function updateOutput(outputs) { outputs.default.bands = 0; }", "with 0 bands"),
        (SCRIPT + "function preProcessScenes() {}", "preProcessScenes returned nothing"),
        (SCRIPT + "function preProcessScenes() { return 5; }", "must return the collections"),
        (
            SCRIPT.replace("return [s", "const a = []; while (true) a.push(Array(1e5).fill(.5)); return [s"),
            "memory",
        ),
    ],
)
def test_a_script_that_can_not_be_run_says_why(
    granules: tuple[Granule, ...], script: str, complaint: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        process(changed("evalscript", script), granules)
    error = error_of(caught)
    assert error["code"] == "RENDERER_EXCEPTION"
    assert complaint in error["message"]


def test_scripts_may_be_written_with_arrows_and_return_a_bare_number(granules: tuple[Granule, ...]) -> None:
    script = """//VERSION=3
const setup = () => ({input: [{bands: ["B04"], units: "DN"}], output: {bands: 1, sampleType: "UINT16"}});
const evaluatePixel = (s) => s.B04;
"""
    usual = tiff(process(PAYLOAD, granules).body).pixels
    assert np.array_equal(tiff(process(changed("evalscript", script), granules).body).pixels, usual)


def test_a_cloud_limit_is_inclusive(granules: tuple[Granule, ...]) -> None:
    cover = max(granule.cloud_cover for granule in granules)
    limits = {"timeRange": {"from": "2021-12-08T00:00:00Z", "to": "2021-12-09T00:00:00Z"}}
    seen = [
        tiff(process(changed("input.data.0.dataFilter", limits | {"maxCloudCoverage": most}), granules).body)
        for most in (cover, cover - 0.01)
    ]
    assert [bool(image.pixels.any()) for image in seen] == [True, False]


def test_many_strips_are_as_good_as_one(
    granules: tuple[Granule, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiff(process(PAYLOAD, granules).body).pixels
    monkeypatch.setattr("sitewatch_hub.evalscript._STRIP_SAMPLES", 5)
    assert np.array_equal(tiff(process(PAYLOAD, granules).body).pixels, whole)
    counted = SCRIPT.replace("UINT16", "FLOAT32").replace("s.B04 * 10000", "++calls") + "let calls = 0;"
    calls = tiff(process(changed("evalscript", counted), granules).body).pixels
    assert calls.ravel().tolist() == list(range(1, 13))


def test_pictures_in_other_forms(granules: tuple[Granule, ...]) -> None:
    payload = changed("output.responses.0.format.type", "image/png")
    grey = Picture.open(io.BytesIO(process(payload, granules).body))
    expected = tiff(process(PAYLOAD, granules).body).pixels[0]
    assert np.array_equal(np.asarray(grey), expected)
    payload["evalscript"] = SCRIPT.replace("UINT16", "UINT8").replace("s.B04 * 10000", "200")
    payload["output"]["responses"][0]["format"]["type"] = "image/jpeg"
    reply = process(payload, granules)
    assert reply.media_type == "image/jpeg"
    assert abs(np.asarray(Picture.open(io.BytesIO(reply.body))).astype(int) - 200).max() <= 2
    payload["evalscript"] = SCRIPT.replace("UINT16", "FLOAT32")
    with pytest.raises(RefusedError, match="jpeg can't hold 1 bands of float32"):
        process(payload, granules)


def test_without_responses_there_is_one_picture(granules: tuple[Granule, ...]) -> None:
    payload = changed("output", {"width": 4, "height": 3})
    assert process(payload, granules).media_type == "image/png"


def test_a_window_beside_every_scene_is_zeros(granules: tuple[Granule, ...]) -> None:
    box = [LEFT - 500, TOP - 30, LEFT - 460, TOP]
    assert not tiff(process(changed("input.bounds.bbox", box), granules).body).pixels.any()


def test_a_damaged_file_is_an_error_of_the_server_with_its_cause(simulated: Path, tmp_path: Path) -> None:
    shutil.copytree(simulated, tmp_path / "archive")
    granules = read_granules(tmp_path / "archive")
    for path in (tmp_path / "archive").rglob("red.tif"):
        path.write_bytes(path.read_bytes()[:3000])
    desk = TokenDesk(Client(), lambda: 0.0, 60.0)
    form = b"grant_type=client_credentials&client_id=local-client&client_secret=local-secret"
    token = json.loads(desk.issue(Request("POST", "/token", {}, form)).body)["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    request = Request("POST", PROCESS_PATH, headers, json.dumps(PAYLOAD).encode())
    reply = Service(granules, desk).answer(request)
    assert reply.status == 500
    assert json.loads(reply.body)["error"]["code"] == "LOCAL_HUB"
    assert b"RasterioIOError" in reply.body


def test_a_catalogue_day_is_the_whole_day_and_json_filters_know_between(
    granules: tuple[Granule, ...],
) -> None:
    asked: dict[str, Any] = {"collections": ["sentinel-2-l2a"], "datetime": "2021-12-08"}
    assert json.loads(search(asked, granules).body)["context"] == {"limit": 10, "returned": 2}
    between = {"op": "between", "args": [{"property": "eo:cloud_cover"}, 5, 35.5]}
    cloudy = {"op": "and", "args": [between, {"op": "=", "args": [{"property": "platform"}, "sentinel-2b"]}]}
    asked = {"collections": ["sentinel-2-l2a"], "filter": cloudy}
    assert json.loads(search(asked, granules).body)["context"]["returned"] == 4
    unknown = {"op": "like", "args": [{"property": "platform"}, "s%"]}
    both = {"bbox": [0, 0, 1, 1], "intersects": {}}
    for refused in ({"filter": unknown}, {"datetime": "2021-13-01"}, both):
        with pytest.raises(RefusedError):
            search({"collections": ["sentinel-2-l2a"], **refused}, granules)


@pytest.mark.parametrize(
    ("of", "count"), [("P1D", 10), ("P1W", 1), ("PT12H", 20), ("P2DT12H", 4), ("PT30M", 480)]
)
def test_intervals_are_iso_durations(of: str, count: int) -> None:
    span = {"from": "2021-11-01T00:00:00Z", "to": "2021-11-11T00:00:00Z"}
    intervals = parse_intervals({"timeRange": span, "aggregationInterval": {"of": of}})
    assert len(intervals) == count
    assert all(one.end == two.start for one, two in pairwise(intervals))


def test_statistics_need_both_halves_of_their_payload(granules: tuple[Granule, ...]) -> None:
    halves: list[tuple[dict[str, Any], str]] = [({}, "input"), ({"input": {}}, "aggregation")]
    for payload, parameter in halves:
        with pytest.raises(RefusedError) as caught:
            statistics(payload, granules)
        assert error_of(caught)["errors"][0]["parameter"] == parameter


def test_classes_alone_have_data_where_their_granule_has(granules: tuple[Granule, ...]) -> None:
    script = """//VERSION=3
function setup() { return {input: ["SCL", "dataMask"], output: {bands: 2, sampleType: "UINT8"}}; }
function evaluatePixel(s) { return [s.SCL, s.dataMask]; }
"""
    payload = changed("evalscript", script)
    # The lower left corner of the western tile has no data.
    payload["input"]["bounds"]["bbox"] = [LEFT, TOP - 2400, LEFT + 400, TOP - 2000]
    payload["output"] |= {"width": 40, "height": 40}
    classes, mask = tiff(process(payload, granules).body).pixels
    expected = np.ones((40, 40), dtype=np.uint8)
    expected[20:, :20] = 0
    assert np.array_equal(mask, expected)
    assert np.array_equal(classes > 0, expected == 1)


def test_bins_may_be_given_by_their_width_or_one_by_one(granules: tuple[Granule, ...]) -> None:
    script = """//VERSION=3
function setup() { return {input: ["dataMask"], output: [{id: "v", bands: 1}, {id: "dataMask", bands: 1}]}; }
function evaluatePixel(s) { return {v: [3], dataMask: [s.dataMask]}; }
"""
    day = {"from": "2021-11-03T00:00:00Z", "to": "2021-11-04T00:00:00Z"}
    payload = {
        "input": PAYLOAD["input"],
        "aggregation": {
            "evalscript": script,
            "timeRange": day,
            "aggregationInterval": {"of": "P1D"},
            "resx": 10,
            "resy": 10,
        },
    }
    for bins, counts in (
        ({"lowEdge": 0, "highEdge": 6, "binWidth": 2}, [0, 12, 0]),
        ({"bins": [0, 1, 3]}, [0, 12]),
        ({"bins": [4, 5]}, [0]),
    ):
        asked = {**payload, "calculations": {"default": {"histograms": {"default": bins}}}}
        row = json.loads(statistics(asked, granules).body)["data"][0]
        histogram = row["outputs"]["v"]["bands"]["B0"]["histogram"]
        assert [entry["count"] for entry in histogram["bins"]] == counts
        assert sum(counts) + histogram["underflowCount"] + histogram["overflowCount"] == 12
