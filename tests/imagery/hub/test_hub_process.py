"""The hub's Process API, asked by the real client and checked against the archive and NumPy."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from PIL import Image as Picture
from sentinelhub.constants import CRS
from sentinelhub.exceptions import DownloadFailedException
from sentinelhub.geometry import Geometry

from geo.dates import Span
from geo.grid import Grid
from imagery.archive import Archive
from imagery.local import LocalArchive
from imagery.masks import MaskScheme, clear_pixels, scene_classes
from sitewatch_hub.granules import read_granules
from sitewatch_hub.sampling import Band, _in_unit
from sitewatch_hub.simulated import EASTERN_BIAS, LEFT, RAISED_BY, STEP_PX, TOP
from tests.imagery.hub.conftest import refused, window

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sitewatch_hub.server import LocalHub
    from tests.imagery.hub.conftest import Asker

RED_DN = """//VERSION=3
function setup() {
  return {input: [{bands: ["B04", "dataMask"], units: "DN"}], output: {bands: 1, sampleType: "UINT16"}};
}
function evaluatePixel(sample) { return [sample.B04]; }
"""

CHIP = """//VERSION=3
function setup() {
  return {
    input: [{bands: ["B02", "B03", "B04", "B08", "SCL", "dataMask"], units: "DN"}],
    output: [
      {id: "bands", bands: 4, sampleType: "UINT16"},
      {id: "classes", bands: 1, sampleType: "UINT8"},
      {id: "mask", bands: 1, sampleType: "UINT8"},
    ],
  };
}
function evaluatePixel(s) {
  return {bands: [s.B02, s.B03, s.B04, s.B08], classes: [s.SCL], mask: [s.dataMask]};
}
"""

DAYS = ["2021-11-03", "2021-12-08", "2022-01-17", "2022-02-01", "2022-03-08", "2022-04-12"]


def script(body: str, *, bands: str, output: str, more: str = "", rest: str = "") -> str:
    head = f"//VERSION=3\nfunction setup() {{ return {{input: {bands}, output: {output}{more}}}; }}\n"
    return f"{head}function evaluatePixel(s, scenes) {{ {body} }}\n{rest}"


def stored(root: Path, day: str, position: int, band: str) -> NDArray[Any]:
    """Return a whole band of the archive: `position` 0 is the western tile of the day, 1 the eastern."""
    scenes = [scene for scene in Archive(root).scenes() if f"{scene.acquired:%Y-%m-%d}" == day]
    file = next(file for file in scenes[position].bands if file.name == band)
    with rasterio.open(file.path) as dataset:
        return np.asarray(dataset.read(1))


@pytest.mark.parametrize("day", DAYS)
def test_pixels_masks_and_classes_are_those_a_local_archive_reads(
    ask: Asker, simulated: Path, day: str
) -> None:
    # Rows and columns that hold both tiles, their overlap, and ground outside the archive.
    box = window(-5, 100, 245, 310)
    images = ask.images(
        CHIP, ("bands", "classes", "mask"), bbox=box, size=(310, 245), time_interval=(day, day)
    )
    bands = images["bands.tif"]
    grid = Grid.from_json(
        {"site_id": "s", "crs": bands.crs, "transform": list(bands.transform[:6]), "shape": [245, 310]}
    )
    local = LocalArchive(Archive(simulated), dilate_px=0)
    moment = date.fromisoformat(day)
    scenes = local.search(grid, Span(moment, moment))
    chip = local.read(grid, scenes, ("blue", "green", "red", "nir"))
    assert len(scenes) == 2
    assert 0 < chip.valid.mean() < 1
    assert np.array_equal(images["mask.tif"].pixels[0], chip.valid)
    assert np.array_equal(bands.pixels, chip.dn)
    classes = scene_classes(images["classes.tif"].pixels[0], MaskScheme.SCL)
    assert np.array_equal(clear_pixels(classes) & chip.valid, chip.clear)


def test_a_georeference_comes_with_the_pixels(ask: Asker) -> None:
    image = ask.image(RED_DN, bbox=window(3, 5, 20, 10), size=(10, 20))
    assert image.crs == "EPSG:32652"
    assert image.transform.almost_equals(rasterio.Affine(10, 0, LEFT + 50, 0, -10, TOP - 30))
    assert image.pixels.shape == (1, 20, 10)


def test_counts_are_harmonised_unless_asked_raw(ask: Asker, simulated: Path) -> None:
    raw = stored(simulated, "2022-02-01", 0, "red")[:30, :40]
    when = ("2022-02-01", "2022-02-01")
    harmonised = ask.image(RED_DN, time_interval=when).pixels[0]
    off = {"processing": {"harmonizeValues": False}}
    plain = ask.image(RED_DN, time_interval=when, other_args=off).pixels[0]
    assert np.array_equal(plain, raw)
    assert np.array_equal(harmonised, raw.astype(int) - 1000)


def test_harmonised_reflectance_is_not_negative_and_raw_reflectance_may_be(simulated: Path) -> None:

    granule = next(g for g in read_granules(simulated) if g.baseline == "04.00")
    file = granule.scene.bands[0]
    raw = np.array([[900, 1000, 1500]], dtype=np.uint16)
    read = [
        _in_unit(raw, file, Band("B02", unit), granule.scene.quantity, harmonise=flag)[0].round(6).tolist()
        for unit in ("DN", "REFLECTANCE")
        for flag in (True, False)
    ]
    assert read == [[0, 0, 500], [900, 1000, 1500], [0, 0, 0.05], [-0.01, 0, 0.05]]


def test_reflectance_is_the_default_unit_and_floats_are_kept(ask: Asker, simulated: Path) -> None:
    es = script("return [s.B04, s.B08]", bands='["B04","B08"]', output='{bands: 2, sampleType: "FLOAT32"}')
    image = ask.image(es)
    assert image.pixels.dtype == np.float32
    for position, band in enumerate(("red", "nir")):
        expected = stored(simulated, "2021-11-03", 0, band)[:30, :40] / 10000
        assert np.abs(image.pixels[position] - expected).max() < 1e-7


def test_the_mosaicking_order_decides_what_an_overlap_shows(ask: Asker, simulated: Path) -> None:
    box = window(0, STEP_PX, 30, 40)
    west = stored(simulated, "2021-11-03", 0, "red")[:30, STEP_PX : STEP_PX + 40]
    east = stored(simulated, "2021-11-03", 1, "red")[:30, :40]
    assert (east.astype(int) - west).mean() == EASTERN_BIAS
    for order, expected in (("leastRecent", west), ("mostRecent", east)):
        image = ask.image(RED_DN, bbox=box, size=(40, 30), mosaicking_order=order)
        assert np.array_equal(image.pixels[0], expected)


def test_least_cloudy_and_cloud_limits_go_by_the_whole_granule(ask: Asker, simulated: Path) -> None:
    span = ("2021-12-01", "2022-01-31")
    clearest = stored(simulated, "2022-01-17", 0, "red")[:30, :40]
    cloudy_only = ("2021-12-08", "2021-12-08")
    three_days = ("2022-01-01", "2022-03-31")  # 10, 0 and 30 percent: the clearest is in the middle
    least = ask.image(RED_DN, time_interval=three_days, mosaicking_order="leastCC").pixels[0]
    assert np.array_equal(least + RAISED_BY, stored(simulated, "2022-02-01", 0, "red")[:30, :40])
    assert np.array_equal(ask.image(RED_DN, time_interval=span, maxcc=0.5).pixels[0], clearest)
    assert not ask.image(RED_DN, time_interval=cloudy_only, maxcc=0.5).pixels.any()
    assert ask.image(RED_DN, time_interval=cloudy_only, maxcc=0.61).pixels.all()


def test_a_day_without_a_scene_is_zeros_and_no_error(ask: Asker) -> None:
    images = ask.images(CHIP, ("bands", "mask"), time_interval=("2020-01-01", "2020-01-01"))
    assert not any(image.pixels.any() for image in images.values())


def test_pixels_outside_a_polygon_have_no_data(ask: Asker, simulated: Path) -> None:
    wkt = f"POLYGON(({LEFT} {TOP}, {LEFT + 300} {TOP}, {LEFT} {TOP - 300}, {LEFT} {TOP}))"
    image = ask.image(RED_DN, bbox=None, geometry=Geometry(wkt, CRS("32652")), size=(30, 30))
    row, column = np.mgrid[0:30, 0:30]
    inside = row + column < 29  # centres on the diagonal edge belong to neither side
    outside = row + column > 29
    expected = stored(simulated, "2021-11-03", 0, "red")[:30, :30]
    assert np.array_equal(image.pixels[0][inside], expected[inside])
    assert not image.pixels[0][outside].any()


def test_degrees_are_longitude_first(ask: Asker, simulated: Path) -> None:
    lonlat = window(40, 40, 60, 60).transform(CRS.WGS84)
    image = ask.image(RED_DN, bbox=lonlat, size=(60, 60))
    expected = stored(simulated, "2021-11-03", 0, "red")[40:100, 40:100]
    # The box is turned a degree or two against the grid; the place and the brightness must be the same.
    assert abs(image.pixels[0][20:40, 20:40].mean() / expected[20:40, 20:40].mean() - 1) < 0.1
    assert abs(image.transform.c - lonlat.min_x) < 1e-9


@pytest.mark.parametrize("kind", ["NEAREST", "BILINEAR", "BICUBIC"])
def test_resampling_is_gdals_and_classes_stay_nearest(ask: Asker, simulated: Path, kind: str) -> None:
    es = script(
        "return [s.B11, s.SCL]",
        bands='[{bands: ["B11", "SCL"], units: "DN"}]',
        output='{bands: 2, sampleType: "FLOAT32"}',
    )
    image = ask.image(es, upsampling=kind, bbox=window(10, 10, 40, 40), size=(40, 40))
    source = stored(simulated, "2021-11-03", 0, "swir16").astype(np.float64)
    expected = np.zeros((40, 40))
    names = {"NEAREST": "nearest", "BILINEAR": "bilinear", "BICUBIC": "cubic"}
    rasterio.warp.reproject(
        source,
        expected,
        src_transform=rasterio.Affine(20, 0, LEFT, 0, -20, TOP),
        src_crs="EPSG:32652",
        dst_transform=rasterio.Affine(10, 0, LEFT + 100, 0, -10, TOP - 100),
        dst_crs="EPSG:32652",
        resampling=rasterio.enums.Resampling[names[kind]],
    )
    assert np.abs(image.pixels[0] - expected).max() < 1e-3
    assert set(np.unique(image.pixels[1])) == {4.0, 5.0}


def test_orbit_mosaicking_gives_one_sample_a_day_and_tells_which(ask: Asker, simulated: Path) -> None:
    es = script(
        "return s.map((sample) => sample.B04).concat([scenes.orbits.length])",
        bands='[{bands: ["B04"], units: "DN"}]',
        output='{bands: 1, sampleType: "UINT16"}',
        more=', mosaicking: "ORBIT"',
        rest="""
function updateOutput(outputs, collections) { outputs.default.bands = collections.scenes.orbits.length + 1; }
function updateOutputMetadata(scenes, inputMetadata, outputMetadata) {
  const days = scenes.orbits.map((orbit) => orbit.dateFrom);
  outputMetadata.userData = {days, first: scenes.orbits[0].tiles};
}""",
    )
    span = ("2021-11-01", "2022-01-31")
    box = window(0, STEP_PX, 30, 40)
    asked = {"default": "tiff", "userdata": "json"}
    decoded = ask.request(es, asked, time_interval=span, bbox=box, size=(40, 30)).get_data()[0]
    pixels, userdata = decoded["default.tif"], decoded["userdata.json"]
    assert userdata["days"] == [f"{day}T00:00:00Z" for day in DAYS[:3]]
    assert [tile["cloudCoverage"] for tile in userdata["first"]] == [0.0, 0.0]
    assert pixels.shape == (30, 40, 4)
    assert set(np.unique(pixels[..., 3])) == {3}
    for position, day in enumerate(DAYS[:3]):
        expected = stored(simulated, day, 0, "red")[:30, STEP_PX : STEP_PX + 40]
        assert np.array_equal(pixels[..., position], expected)


def test_tile_mosaicking_and_a_script_that_picks_its_tiles(ask: Asker, simulated: Path) -> None:
    es = script(
        "return [s.length, s[0].B04]",
        bands='[{bands: ["B04"], units: "DN"}]',
        output='{bands: 2, sampleType: "UINT16"}',
        more=', mosaicking: "TILE"',
        rest="""
function preProcessScenes(collections) {
  collections.scenes.tiles = collections.scenes.tiles.filter((tile) => tile.date.startsWith("2022-01-17"));
  return collections;
}""",
    )
    box = window(0, STEP_PX, 30, 40)
    image = ask.image(es, time_interval=("2021-11-01", "2022-01-31"), bbox=box, size=(40, 30))
    assert set(np.unique(image.pixels[0])) == {2}
    expected = stored(simulated, "2022-01-17", 0, "red")[:30, STEP_PX : STEP_PX + 40]
    assert np.array_equal(image.pixels[1], expected)


@pytest.mark.parametrize(
    ("sample_type", "expected"),
    [
        ("UINT8", [0, 0, 1, 2, 255, 255]),
        ("UINT16", [0, 0, 1, 2, 300, 65535]),
        ("INT16", [-5, 0, 1, 2, 300, 32767]),
        ("FLOAT32", [-5, 0.4, 0.5, 1.5, 300, 70000]),
        ("AUTO", [0, 102, 128, 255, 255, 255]),
    ],
)
def test_sample_types_round_and_clamp(ask: Asker, sample_type: str, expected: list[float]) -> None:
    es = script(
        "return [-5, 0.4, 0.5, 1.5, 300, 70000]",
        bands='["B04"]',
        output=f'{{bands: 6, sampleType: "{sample_type}"}}',
    )
    image = ask.image(es, bbox=window(0, 0, 1, 1), size=(1, 1))
    assert image.pixels[:, 0, 0].tolist() == pytest.approx(expected, rel=1e-6)


def test_a_picture_is_the_default_and_json_carries_userdata(ask: Asker) -> None:
    es = script("return [0.0, 0.5, 1.0]", bands='["B04"]', output="{bands: 3}")
    answer = ask.bytes_of(es, {"default": "png"})
    assert answer.headers["Content-Type"] == "image/png"
    picture = Picture.open(io.BytesIO(answer.content))
    assert (picture.size, picture.getpixel((0, 0))) == ((40, 30), (0, 128, 255))
    es += "function updateOutputMetadata(_, i, output) { output.userData = {n: i.normalizationFactor}; }"
    answer = ask.bytes_of(es, {"userdata": "json"})
    assert json.loads(answer.content) == {"n": 1e-4}


def test_the_price_is_in_a_header(ask: Asker) -> None:
    answer = ask.bytes_of(RED_DN, {"default": "tiff"}, bbox=window(0, 0, 256, 256), size=(256, 256))
    assert float(answer.headers["X-ProcessingUnits-Spent"]) == pytest.approx(256 * 256 / 512**2 / 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("return [nothing.at.all];", "ReferenceError: nothing is not defined"),
        ("throw new Error('by hand');", "by hand"),
        ("return [1, 2];", "requires 1 bands, 2 were returned"),
        ("return {other: [1]};", "Output default was not returned"),
        ("while (true) {}", "took longer than"),
        ("return [1;", "SyntaxError"),
    ],
)
def test_a_script_that_fails_says_so_as_the_renderer_does(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    monkeypatch.setattr("sitewatch_hub.evalscript.TIMEOUT_S", 0.5)
    with pytest.raises(DownloadFailedException) as caught:
        ask.image(script(text, bands='["B04"]', output="{bands: 1}"))
    response = refused(caught.value)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "RENDERER_EXCEPTION")
    assert error["message"].startswith("Failed to evaluate script!")
    assert complaint in error["message"]


@pytest.mark.parametrize(
    ("setup", "complaint"),
    [
        ("{input: ['B99'], output: {bands: 1}}", "does not have a band: B99"),
        ("{input: ['B04'], output: {bands: 1}, mosaicking: 'WEEKLY'}", "Unknown mosaicking"),
        ("{input: ['B04'], output: {bands: 0}}", "output bands must be a whole number"),
        ("{input: [{bands: ['B04'], units: 'DB'}], output: {bands: 1}}", "has no units 'DB'"),
        ("{input: [{bands: ['B04'], datasource: 's2'}], output: {bands: 1}}", "data fusion is not offered"),
        ("{input: ['B04'], output: {bands: 1, sampleType: 'UINT64'}}", "Unknown sampleType"),
        ("{input: ['B01'], output: {bands: 1}}", "Band B01 is missing in S2B_MSIL2A_20211103"),
        ("7", "setup() must return an output"),
    ],
)
def test_a_setup_that_can_not_be_is_refused(ask: Asker, setup: str, complaint: str) -> None:
    es = f"//VERSION=3\nfunction setup() {{ return {setup}; }}\nfunction evaluatePixel(s) {{ return [1]; }}"
    with pytest.raises(DownloadFailedException) as caught:
        ask.image(es)
    assert complaint in refused(caught.value).json()["error"]["message"]


@pytest.mark.parametrize(
    ("overrides", "parameter"),
    [
        ({"bbox": window(0, 0, 30, 40), "size": (3000, 10)}, "output->width"),
        ({"bbox": window(0, 0, 30, 40), "resolution": (0.001, 10)}, "output->width"),
        ({"other_args": {"type": "sentinel-9"}}, None),
        (
            {"other_args": {"dataFilter": {"maxCloudCoverage": 300}}},
            "input->data->dataFilter->maxCloudCoverage",
        ),
        ({"other_args": {"processing": {"upsampling": "SINC"}}}, "input->data->upsampling"),
    ],
)
def test_a_payload_that_can_not_be_is_refused_by_its_field(
    ask: Asker, overrides: dict[str, Any], parameter: str | None
) -> None:
    with pytest.raises(DownloadFailedException) as caught:
        ask.image(RED_DN, **overrides)
    error = refused(caught.value).json()["error"]
    if parameter is None:
        assert (error["status"], error["code"]) == (404, "COMMON_NOT_FOUND")
    else:
        assert error["code"] == "COMMON_BAD_PAYLOAD"
        assert [fault["parameter"] for fault in error["errors"]] == [parameter]


def test_size_may_be_given_as_a_resolution(ask: Asker) -> None:
    image = ask.image(RED_DN, bbox=window(0, 0, 30, 40), resolution=(20, 10))
    assert image.pixels.shape == (1, 30, 20)


def test_the_token_goes_to_the_hub_alone_and_is_not_kept(ask: Asker, hub: LocalHub) -> None:
    ask.image(RED_DN)
    token, process = hub.journal.entries()
    assert {token.host, process.host} == {hub.base_url.removeprefix("http://")}
    assert (token.authorized, process.authorized) == (False, True)
    assert hub.client.secret.encode() not in token.body + process.body
    assert process.payload["output"]["width"] == 40
    assert hub.journal.units() == process.units > 0
