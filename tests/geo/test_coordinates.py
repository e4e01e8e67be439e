from __future__ import annotations

import contextlib
import math
import random
import subprocess
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.area import geodesic_distance_m
from geo.coordinates import MAX_TEXT, format_coordinate, parse_coordinate
from geo.errors import CoordinateError
from geo.maplinks import MAX_LINK
from geo.position import Coordinate, Form, swap_hint

LAT, LON = 39.0194, 125.7381
DPRK = (124.0, 37.5, 131.0, 43.1)
WRITTEN = [form for form in Form if form is not Form.LINK]
PRECISION = st.sampled_from([0.001, 0.3, 1.0, 7.0, 31.0, 250.0, 1855.4, 12_000.0])
ALPHABET = (
    "0123456789.,-+ °'\"NSEWnsew:/CHXdmsgeo;=?&#@!lat\n\0\N{ARABIC-INDIC DIGIT ONE}\N{FULLWIDTH DIGIT ONE}"
)


def coordinates(south: float = -90.0, north: float = 90.0) -> st.SearchStrategy[Coordinate]:
    return st.builds(
        Coordinate, st.floats(-180, 180), st.floats(south, north), st.just(Form.DECIMAL), PRECISION
    )


@pytest.mark.parametrize(
    "text",
    [
        "39.0194, 125.7381",
        "39.0194 125.7381",
        " (39.0194,\n125.7381) ",
        "39.0194;125.7381",
        "+39.0194 +125.7381",
        "39.0194°, 125.7381°",
        "39.0194° N, 125.7381° E",
        "N39.0194 E125.7381",
        "E125.7381 N39.0194",
        "125.7381E, 39.0194N",
        "39.0194n 125.7381e",
        "39.0194 degrees north, 125.7381 degrees east",
        "Lat 39.0194 Lon 125.7381",
        "Lat: 39.0194 N, Lon: 125.7381 E",
        "lng=125.7381, lat=39.0194",
        "Longitude: 125.7381; Latitude: 39.0194",
        "POINT (125.7381 39.0194)",
        "POINT(125.7381 39.0194)",
        "39.0194\N{FULLWIDTH COMMA}\N{IDEOGRAPHIC SPACE}125.7381",
        "geo:39.0194,125.7381",
    ],
)
def test_decimal_degrees_as_people_paste_them(text: str) -> None:
    read = parse_coordinate(text)
    assert (read.lon, read.lat) == (LON, LAT)
    assert read.precision_m == pytest.approx(11.132)


@pytest.mark.parametrize(
    "text",
    [
        "39°01'10\"N 125°44'17\"E",
        "125°44'17\"E 39°01'10\"N",
        "N 39° 01' 10\" E 125° 44' 17\"",
        "39° 1\N{PRIME} 10\N{DOUBLE PRIME} N, 125° 44\N{PRIME} 17\N{DOUBLE PRIME} E",
        "39º01\N{RIGHT SINGLE QUOTATION MARK}10''N 125º44\N{RIGHT SINGLE QUOTATION MARK}17''E",
        "39:01:10N 125:44:17E",
        "39 01 10 N, 125 44 17 E",
        "39 01 10 125 44 17",
        "39d01m10sN 125d44m17sE",
        "39d 01m 10s N, 125d 44m 17s E",
        "390110N 1254417E",
        "N390110 E1254417",
        "북위 39도 1분 10초, 동경 125도 44분 17초",
        "北纬39度1分10秒，东经125度44分17秒",  # noqa: RUF001 - the comma is theirs
    ],
)
def test_degrees_minutes_seconds_as_people_paste_them(text: str) -> None:
    read = parse_coordinate(text)
    assert read.lat == pytest.approx(39 + 1 / 60 + 10 / 3600, abs=1e-12)
    assert read.lon == pytest.approx(125 + 44 / 60 + 17 / 3600, abs=1e-12)
    assert read.form is Form.DMS
    assert read.precision_m == pytest.approx(30.92, abs=0.01)


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("39°01.5'N 125°44.25'E", 39.025, 125.7375),
        ("39d01.5mS 125d44.25mW", -39.025, -125.7375),
        ("-39 01.5, -125 44.25", -39.025, -125.7375),
        ("\N{MINUS SIGN}0 30.0, 0 15.0", -0.5, 0.25),
        ("0°30.0'S 0°15.0'W", -0.5, -0.25),
    ],
)
def test_degrees_and_minutes_in_each_quarter_of_the_globe(text: str, lat: float, lon: float) -> None:
    read = parse_coordinate(text)
    assert read.lat == pytest.approx(lat)
    assert read.lon == pytest.approx(lon)
    assert read.form is Form.DDM


def test_the_finest_number_tells_the_precision() -> None:
    # A spreadsheet has dropped the zeros of 39.5000.
    assert parse_coordinate("39.5, 125.7381").precision_m == pytest.approx(11.132)
    assert parse_coordinate("39, 125").precision_m == pytest.approx(111_320)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Write latitude and longitude"),
        ("Pyongyang", "Write latitude and longitude"),
        ("39.0194", "Write latitude and longitude"),
        ("nan, nan", "Write latitude and longitude"),
        ("inf, 125", "Write latitude and longitude"),
        ("3.9e1, 125", "Write latitude and longitude"),
        ("39.0194N, 125.7381", "Write latitude and longitude"),
        ("39.0194\N{ARABIC-INDIC DIGIT ONE}, 125", "Write latitude and longitude"),
        ("\N{FULLWIDTH DIGIT THREE}9, 125", "is not a coordinate"),
        ("125.7381, 39.0194", "look swapped: write 39.0194, 125.738"),
        ("[125.7381, 39.0194]", "both orders"),
        ("39,0194 125,7381", "with a point"),
        ("39,0194, 125,7381", "with a point"),
        ("39.0194, 181", "west is negative"),
        ("-91, 181", "beyond a pole"),
        ("39N 40N", "same axis twice"),
        ("-39N 125E", "both a sign and a letter"),
        ("39 60 00 N 125 00 00 E", "60 or more"),
        ("39°00'60\"N 125°00'00\"E", "60 or more"),
        ("39.5 30 N 125 00 E", "a fraction before"),
        ("39-01-10N 125-44-17E", "Write degrees, minutes and seconds"),
        ("1" * (MAX_TEXT + 1), "longer than"),
        ("https://" + "a" * MAX_LINK, "longer than"),
    ],
)
def test_refuses_and_says_why(text: str, says: str) -> None:
    with pytest.raises(CoordinateError) as caught:
        parse_coordinate(text)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("form", [Form.DECIMAL, Form.GEO_URI, Form.DDM, Form.DMS, Form.PLUS_CODE])
@settings(deadline=None)
@given(here=coordinates())
def test_reads_back_what_it_wrote(form: Form, here: Coordinate) -> None:
    _assert_reads_back(here, form)


@pytest.mark.parametrize("form", [Form.UTM, Form.MGRS])
@settings(deadline=None)
@given(here=coordinates(-80.0, 84.0))
def test_reads_back_grid_references(form: Form, here: Coordinate) -> None:
    _assert_reads_back(here, form)


def _assert_reads_back(here: Coordinate, form: Form) -> None:
    text = format_coordinate(here, form)
    back = parse_coordinate(text)
    distance = geodesic_distance_m(Point(here.lon, here.lat), Point(back.lon, back.lat))
    # Half a step north and half a step east; meridional degrees grow by 0.4 % towards the poles.
    assert distance <= back.precision_m * math.sqrt(0.5) * 1.005 + 1e-3
    assert back.form is form or (here.precision_m > 1000 and form in {Form.DDM, Form.DMS})
    assert back.precision_m <= max(here.precision_m, 1.0) * 1.001


@pytest.mark.parametrize("form", WRITTEN)
@settings(deadline=None)
@given(here=coordinates(-79.0, 83.0))
def test_writing_what_was_read_changes_nothing_more(form: Form, here: Coordinate) -> None:
    # The centre of a square that is cut by the edge of its zone or band may lie beyond it.
    assume(form not in {Form.UTM, Form.MGRS} or _is_inside_zone_and_band(here))
    text = format_coordinate(here, form)
    once = parse_coordinate(text)
    assert format_coordinate(once, form) == text


def _is_inside_zone_and_band(here: Coordinate) -> bool:
    south = 2 * max(here.precision_m, 1.0) / 110_000
    east = south / math.cos(math.radians(here.lat))
    return east < here.lon % 3 < 3 - east and south < here.lat % 8 < 8 - south


def test_writes_no_digit_that_was_not_there() -> None:
    rough = parse_coordinate("39.02, 125.74")
    assert format_coordinate(rough, Form.DECIMAL) == "39.02, 125.74"
    assert format_coordinate(rough, Form.DMS) == "39°01'12\"N 125°44'24\"E"
    assert format_coordinate(rough, Form.DDM) == "39°01.2'N 125°44.4'E"
    assert format_coordinate(rough, Form.MGRS) == "51S YD 37 22"
    assert format_coordinate(rough, Form.PLUS_CODE) == "8QF72PCR+"


@pytest.mark.parametrize("decimals", range(8))
@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        ("39{0}, 125{0}", 7),
        ("geo:39{0},-125{0}", 7),
        ("39°01{0}'N 125°44{0}'W", 5),
        ("39°01'10{0}\"S 005°44'17{0}\"E", 3),
        ("51S 737015{0} 4322568{0}", 3),
    ],
)
def test_keeps_each_digit_up_to_the_finest(pattern: str, most: int, decimals: int) -> None:
    fraction = f".{'7654321'[:decimals]}" if decimals else ""
    text = pattern.format(fraction)
    read = parse_coordinate(text)
    written = format_coordinate(read, read.form)
    assert written == text if decimals <= most else len(written) < len(text)


@pytest.mark.parametrize(
    "text",
    [
        "51S YD",
        "51S YD 3 2",
        "51S YD 370 224",
        "51S YD 37051 22497",
        "8QF70000+",
        "8QF72P9Q+",
        "8QF72P9Q+Q6",
        "8QF72P9Q+Q62",
        "8QF72P9Q+Q6234",
        "8QF72P9Q+Q623456",
    ],
)
def test_cells_are_written_as_they_were_read(text: str) -> None:
    read = parse_coordinate(text)
    assert format_coordinate(read, read.form) == text


def test_seconds_carry_instead_of_reaching_sixty() -> None:
    here = Coordinate(-0.999999999, 38.999999999, Form.DECIMAL, 1.0)
    assert format_coordinate(here, Form.DMS) == "39°00'00.00\"N 001°00'00.00\"W"
    assert format_coordinate(Coordinate(-1e-9, -1e-9, Form.DECIMAL, 11.2), Form.DECIMAL) == "0.0000, 0.0000"


def test_grids_end_before_the_poles_and_links_are_not_written() -> None:
    pole = Coordinate(0, 90, Form.DECIMAL, 1.0)
    for form in (Form.UTM, Form.MGRS, Form.LINK):
        with pytest.raises(CoordinateError):
            format_coordinate(pole, form)
    assert parse_coordinate(format_coordinate(pole, Form.PLUS_CODE)).lat == pytest.approx(90, abs=1e-4)


@pytest.mark.parametrize(
    ("lon", "lat", "precision_m"),
    [
        (math.nan, 0, 1),
        (0, math.inf, 1),
        (180.1, 0, 1),
        (0, -90.1, 1),
        (0, 0, 0),
        (0, 0, math.nan),
    ],
)
def test_a_coordinate_is_checked_where_it_is_made(lon: float, lat: float, precision_m: float) -> None:
    with pytest.raises(CoordinateError):
        Coordinate(lon, lat, Form.DECIMAL, precision_m)


def test_says_when_longitude_and_latitude_look_swapped() -> None:
    assert "125.74 E, 39.02 N" in (swap_hint(39.02, 125.74, near=DPRK) or "")
    assert swap_hint(125.74, 39.02, near=DPRK) is None
    assert swap_hint(2.35, 48.85, near=DPRK) is None
    # Inside both ways round: nothing can be said.
    assert swap_hint(40.0, 41.0, near=(30.0, 30.0, 50.0, 50.0)) is None


def test_hostile_strings_raise_nothing_else() -> None:
    rng = random.Random(51)
    seeds = [
        "39°01'10\"N 125°44'17\"E",
        "51S YD 37051 22497",
        "8QF72P9Q+Q6",
        "https://osm.org/#map=1/39.0/125.7",
    ]
    for _ in range(10_000):
        text = list(rng.choice([*seeds, "".join(rng.choices(ALPHABET, k=rng.randrange(30)))]))
        for _ in range(min(len(text), rng.randrange(4))):
            text[rng.randrange(len(text))] = rng.choice(ALPHABET)
        with contextlib.suppress(CoordinateError):
            read = parse_coordinate("".join(text))
            assert abs(read.lat) <= 90 and abs(read.lon) <= 180


def test_importing_coordinates_brings_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'shapely', 'odc', 'rasterio'}"
    code = f"import geo.coordinates, sys; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
