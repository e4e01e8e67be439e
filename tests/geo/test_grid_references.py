from __future__ import annotations

import pytest
from pyproj import Transformer
from shapely.geometry import Point

from geo.area import geodesic_distance_m
from geo.coordinates import format_coordinate, parse_coordinate
from geo.errors import CoordinateError
from geo.grid import utm_crs
from geo.position import Coordinate, Form
from geo.utm import to_utm, zone_of

MGRS_OF_GEOTRANS = [
    (125.7381, 39.0194, "51SYD3705122497"),
    (124.3953, 40.1167, "51TXE1890141642"),
    (129.7757, 41.7956, "52TEM6444727373"),
    (126.0, 38.5, "52SBH3837965559"),
    (131.99, 42.3, "52TGM4646887415"),
    (5.5, 60.2, "32VLM0601878828"),
    (2.9, 60.2, "31VDG9445573689"),
    (10.2, 78.2, "33XUG9054085180"),
    (20.9, 79.5, "33XXJ1983231851"),
    (33.2, 72.6, "37XCA0668165205"),
    (-179.99, -16.5, "01KAB8078073388"),
    (179.99, -16.5, "60KZG1921973388"),
    (-70.1, -53.2, "19FDB2652104915"),
    (0.01, -0.01, "31MAV6713598893"),
    (0.01, 0.01, "31NAA6713501106"),
    (-0.01, -79.9, "30CWS5851128072"),
    (100.3, 83.9, "47XNP1542117104"),
    (151.2153, -33.8568, "56HLH3490052288"),
    (-43.2, -22.9, "23KPQ8462366421"),
    (-122.4, 47.6, "10TET4510272017"),
]
"""Longitude, latitude, and the reference that the `mgrs` package (NGA's GEOTRANS) gives."""

CODES_OF_GOOGLE = [
    (125.7381, 39.0194, "8QF72P9Q+Q6"),
    (124.3953, 40.1167, "8QG6498W+M4M"),
    (129.7757, 41.7956, "8QHFQQWG+"),
    (126.0, 38.5, "8QC8G200+"),
    (131.99, 42.3, "8QJH8X2R+2222"),
    (5.5, 60.2, "9FG76G22+2222222"),
    (2.9, 60.2, "9FG40000+"),
    (10.2, 78.2, "CF000000+"),
    (20.9, 79.5, "CGF2GW22+22222"),
    (33.2, 72.6, "CG4MJ622+222222"),
    (-179.99, -16.5, "52M2G226+22"),
    (179.99, -16.5, "5VMXGX2R+22"),
    (-70.1, -53.2, "37RFRW22+222"),
    (0.01, -0.01, "6FF2X2R6+22"),
    (137.545, 51.17, "9Q3V5GCW+222"),
]
"""Longitude, latitude, and the code that the reference implementation gives (the last by its rule)."""


@pytest.mark.parametrize(("lon", "lat", "reference"), MGRS_OF_GEOTRANS)
def test_mgrs_agrees_with_geotrans(lon: float, lat: float, reference: str) -> None:
    here = Coordinate(lon, lat, Form.DECIMAL, 1.0)
    assert format_coordinate(here, Form.MGRS).replace(" ", "") == reference
    back = parse_coordinate(reference)
    assert geodesic_distance_m(Point(lon, lat), Point(back.lon, back.lat)) < 0.71


@pytest.mark.parametrize(("lon", "lat", "code"), CODES_OF_GOOGLE)
def test_plus_codes_agree_with_the_reference_implementation(lon: float, lat: float, code: str) -> None:
    cell = parse_coordinate(code)
    here = Coordinate(lon, lat, Form.DECIMAL, cell.precision_m)
    assert format_coordinate(here, Form.PLUS_CODE) == code
    height = cell.precision_m / 111_320
    assert abs(cell.lat - lat) <= height / 2 + 1e-9


def test_published_references() -> None:
    # The CN Tower, as Wikipedia gives it in both forms.
    tower = parse_coordinate("17T 630084 4833438")
    assert tower.lon == pytest.approx(-79.38714, abs=2e-5)
    assert tower.lat == pytest.approx(43.64257, abs=2e-5)
    honolulu = parse_coordinate("4QFJ1234567890")
    assert honolulu.lon == pytest.approx(-157.9161, abs=1e-4)
    assert honolulu.lat == pytest.approx(21.4098, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        "52S 331543 4321987",
        "52N 331543 4321987",
        "52 s 331543mE 4321987mN",
        "52S 331543m E, 4321987m N",
        "52S E331543 N4321987",
        "zone 52 North 331543 4321987",
        "UTM 52S 331543.0 4321987.0",
        "EPSG:32652 331543 4321987",
    ],
)
def test_utm_as_people_paste_it(text: str) -> None:
    read = parse_coordinate(text)
    lon, lat = Transformer.from_crs("EPSG:32652", "EPSG:4326", always_xy=True).transform(331543, 4321987)
    assert read.lon == pytest.approx(lon, abs=1e-9)
    assert read.lat == pytest.approx(lat, abs=1e-9)
    assert read.form is Form.UTM


@pytest.mark.parametrize(
    ("text", "lat"),
    [
        ("52S 331543 4321987", 39.03),  # the band from 32 N to 40 N, which wins
        ("52 south 331543 4321987", -51.23),
        ("EPSG:32752 331543 4321987", -51.23),
        ("52F 331543 4321987", -51.23),
        ("52S 331543 6321987", -33.23),  # no northing of the band: the hemisphere
        ("52N 331543 4321987", 39.03),  # the band would end at 8 N: the hemisphere
    ],
)
def test_tells_bands_from_hemispheres(text: str, lat: float) -> None:
    assert parse_coordinate(text).lat == pytest.approx(lat, abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat"), [(124.1, 34.0), (125.9, 39.9), (126.1, 38.0), (130.7, 42.3), (-70.2, -33.4)]
)
def test_zone_and_projection_agree_with_the_register_of_epsg(lon: float, lat: float) -> None:
    crs = utm_crs(Point(lon, lat))
    point = to_utm(lon, lat)
    assert crs == f"EPSG:32{6 if point.is_north else 7}{point.zone}"
    easting, northing = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    assert point.easting_m == pytest.approx(easting)
    assert point.northing_m == pytest.approx(northing)


def test_the_antimeridian_belongs_to_the_first_zone() -> None:
    assert zone_of(180, 10) == zone_of(-180, 10) == 1
    with pytest.raises(CoordinateError, match="outside the UTM zones"):
        zone_of(0, 84.1)


@pytest.mark.parametrize("text", ["51SYD", "51S YD 3 2", "51SYD3722", "60D XH", "01M AP", "60X WT", "31X FG"])
def test_reads_squares_that_zone_or_band_cuts(text: str) -> None:
    assert parse_coordinate(text).form is Form.MGRS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("61S 331543 4321987", "zones run|run from 1 to 60"),
        ("52T 331543 4321987", "does not lie in T"),
        ("52I 331543 4321987", "does not lie in I"),
        ("52S 4321987 331543", "easting comes first"),
        ("52S 331543 10000001", "above 10,000,000"),
        ("51S YD 370 22", "unequal digits"),
        ("51S YD 3702200", "unequal digits"),
        ("51SAD3701522568", "which zone 51 does not have"),
        ("51SYI3701522568", "which zone 51 does not have"),
        ("51SYA3701522568", ""),
        ("51SYQ3701522568", "does not lie in 51S"),
        ("51S YF", "does not lie in 51S"),
        ("51SSD5000050000", "does not lie in 51S"),
        ("51TTE0000000000", "does not lie in 51T"),
        ("36XWF1234", "polar squares"),
        ("61SAA", "polar squares"),
        ("2P9Q+Q6 Pyongyang", "short Plus Code"),
        ("2P9Q+Q6", "short Plus Code"),
        ("8QF72P9Q+Q", "not a whole"),
        ("8Q000000+22", "not a whole"),
        ("XXXXXXXX+XX", "no place on the Earth"),
        ("8QF72P9+Q6", "is not a coordinate"),
    ],
)
def test_refuses_references_to_nothing(text: str, says: str) -> None:
    if not says:
        assert parse_coordinate(text).lat == pytest.approx(36.32, abs=0.01)
        return
    with pytest.raises(CoordinateError, match=says):
        parse_coordinate(text)
