from __future__ import annotations

import pytest

from geo.coordinates import parse_coordinate
from geo.errors import CoordinateError
from geo.position import Form


@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/maps/@39.0194,125.7381,15z",
        "https://www.google.com/maps/place/x/@39.0,125.7,17z/data=!3m1!4b1!4m6!8m2!3d39.0194!4d125.7381!16s",
        "https://www.google.com/maps?q=39.0194,125.7381",
        "https://maps.google.com/?ll=39.0194,125.7381&z=3",
        "https://www.google.com/maps/search/?api=1&query=39.0194%2C125.7381",
        "https://www.google.com/maps/search/39.0194,+125.7381?entry=tts",
        "www.google.co.kr/maps/place/%ED%8F%89/@39.0194,125.7381,3a",
        "google.com/maps/@39.0194,125.7381,3a",
        "https://earth.google.com/web/@39.0194,125.7381,20.5a,1000d,35y,0h,0t,0r",
        "https://www.openstreetmap.org/#map=15/39.0194/125.7381",
        "https://www.openstreetmap.org/node/1#layers=N&map=15/39.0194/125.7381",
        "https://www.openstreetmap.org/?mlat=39.0194&mlon=125.7381#map=15/39.1/125.8",
        "https://www.bing.com/maps?cp=39.0194~125.7381&lvl=15",
        "https://bing.com/maps/default.aspx?cp=39.0~125.0&sp=point.39.0194_125.7381_Market",
        "https://maps.apple.com/?ll=39.0194,125.7381&q=Pin",
        "https://maps.apple.com/place?coordinate=39.0194,125.7381&name=x",
        "https://yandex.com/maps/?ll=125.7381%2C39.0194&z=12",
        "https://yandex.ru/maps/?ll=125.0%2C39.0&pt=125.7381,39.0194",
        "https://yandex.com/maps/?ll=125.0%2C39.0&whatshere%5Bpoint%5D=125.7381%2C39.0194",
        "http://wikimapia.org/#lang=en&lat=39.0194&lon=125.7381&z=12&m=w",
        "https://browser.dataspace.copernicus.eu/?zoom=14&lat=39.0194&lng=125.7381&themeId=DEFAULT",
    ],
)
def test_reads_the_pin_or_else_the_view(link: str) -> None:
    read = parse_coordinate(link)
    assert (read.lon, read.lat) == (125.7381, 39.0194)
    assert read.form is Form.LINK
    assert read.precision_m == pytest.approx(11.132)


def test_reads_a_place_named_by_its_degrees() -> None:
    read = parse_coordinate(
        "https://www.google.com/maps/place/39%C2%B001'10.0%22N+125%C2%B044'17.0%22E/@39.1,125.8,17z"
    )
    assert read.lat == pytest.approx(39.019444, abs=1e-6)
    assert read.lon == pytest.approx(125.738056, abs=1e-6)
    assert read.form is Form.LINK
    pinned = parse_coordinate(
        "https://www.google.com/maps/place/39%C2%B001'N+125%C2%B044'E/data=!3d39.5!4d125.5"
    )
    assert (pinned.lat, pinned.lon) == (39.5, 125.5)


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("https://map.baidu.com/@13997300,4721500,15z", "shifted datum"),
        ("https://uri.amap.com/marker?position=124.39,40.11", "shifted datum"),
        ("https://map.qq.com/?x=1", "shifted datum"),
        ("https://www.google.cn/maps/@39.0,125.0,3z", "shifted datum"),
        ("https://maps.app.goo.gl/abcdef", "copy the long address"),
        ("https://www.google.com/maps", "holds no coordinates"),
        ("https://www.google.com/maps/dir/39.0,125.0/39.1,125.1", "holds no coordinates"),
        ("https://www.google.com/maps/place/x!3d39.0!4d125.0!3d39.1!4d125.1", "several places"),
        ("https://osm.org/go/abc", "holds no coordinates"),
        ("https://google.com.example.org/maps/@39.0,125.0", "not a map site"),
        ("https://notgoogle.com/maps/@39.0,125.0", "not a map site"),
        ("https://www.google.com/maps/@139.0,25.0,3z", "look swapped"),
        ("https://www.google.com/maps/@39.0.1,125.0,3z", "holds no coordinates"),
        ("https://[::1/maps/@39,125", "not an address"),
    ],
)
def test_refuses_addresses_that_say_no_place(link: str, says: str) -> None:
    with pytest.raises(CoordinateError, match=says):
        parse_coordinate(link)


@pytest.mark.parametrize(
    ("uri", "lat", "lon", "precision_m"),
    [
        ("geo:39.0194,125.7381", 39.0194, 125.7381, 11.132),
        ("GEO:39.0194,125.7381,12.5", 39.0194, 125.7381, 11.132),
        ("geo:39.0194,125.7381;crs=WGS84;u=35", 39.0194, 125.7381, 35),
        ("geo:39.0194,125.7381;u=0", 39.0194, 125.7381, 11.132),
        ("geo:0,0?q=39.0194,125.7381(Market)", 39.0194, 125.7381, 11.132),
        ("geo:-39.5,-125.5?z=12", -39.5, -125.5, 11_132),
    ],
)
def test_reads_geo_uris(uri: str, lat: float, lon: float, precision_m: float) -> None:
    read = parse_coordinate(uri)
    assert (read.lat, read.lon) == (lat, lon)
    assert read.precision_m == pytest.approx(precision_m)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("geo:39,125;crs=EPSG5179", "not in WGS 84"),
        ("geo:39,125;u=nan", "no number of metres"),
        ("geo:39", "not a geo URI"),
        ("geo:91,125", "beyond a pole"),
    ],
)
def test_refuses_other_geo_uris(uri: str, says: str) -> None:
    with pytest.raises(CoordinateError, match=says):
        parse_coordinate(uri)
