from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imagery.errors import ImageError
from imagery.naming import NamingRule, file_name_facts, parse_acquired

NOON = datetime(2008, 4, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "date_format", "expected"),
    [
        ("2008118", "%Y%j", (NOON, True)),
        ("2008-04-27", None, (NOON, True)),
        ("20080427", None, (NOON, True)),
        ("2008-4-27", "%Y-%m-%d", (NOON, True)),
        ("2008-04-27T02:11:30Z", None, (datetime(2008, 4, 27, 2, 11, 30, tzinfo=UTC), False)),
        ("2008-04-27T02:11:30+09:00", None, (datetime(2008, 4, 26, 17, 11, 30, tzinfo=UTC), False)),
        ("20080427 0211 +0000", "%Y%m%d %H%M %z", (datetime(2008, 4, 27, 2, 11, tzinfo=UTC), False)),
    ],
)
def test_acquisitions(text: str, date_format: str | None, expected: tuple[datetime, bool]) -> None:
    assert parse_acquired(text, date_format) == expected


def test_a_time_without_a_zone_is_refused_unless_it_is_said_to_be_utc() -> None:
    with pytest.raises(ImageError, match=r"time without its zone.*--utc"):
        parse_acquired("20190127T110321", "%Y%m%dT%H%M%S")
    moment, day_only = parse_acquired("20190127T110321", "%Y%m%dT%H%M%S", utc=True)
    assert (moment, day_only) == (datetime(2019, 1, 27, 11, 3, 21, tzinfo=UTC), False)


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("2008-13-01", None),
        ("2008400", "%Y%j"),
        ("yesterday", None),
        ("2008118", "%Y%m%d"),
        ("", "%Y"),
        ("0118-01-01", None),
    ],
)
def test_what_is_no_acquisition(text: str, date_format: str | None) -> None:
    with pytest.raises(ImageError) as caught:
        parse_acquired(text, date_format)
    assert caught.value.where.field == "acquired"
    assert caught.value.exit_code == 2


def test_a_name_tells_acquisition_band_and_platform() -> None:
    rule = NamingRule(
        None, r"^(?P<platform>L[ET]\d)\d{6}(?P<acquired>\d{7})\w+_(?P<band>\w+?)\.tif$", "%Y%j", utc=False
    )
    facts = file_name_facts(Path("x/LE70350322008118EDC00_b3.tif"), rule)
    assert (facts.acquired, facts.day_only, facts.band, facts.platform) == (NOON, True, "b3", "LE7")


def test_the_date_format_is_of_the_names_and_not_of_the_option() -> None:
    rule = NamingRule("2008-04-27", r"_(?P<band>\w+)\.tif", "%Y%j", utc=False)
    assert file_name_facts(Path("a_red.tif"), rule).acquired == NOON


def test_a_name_that_does_not_match_is_named() -> None:
    rule = NamingRule(None, r"(?P<acquired>\d{8})", None, utc=False)
    with pytest.raises(ImageError, match=r"holiday\.tif.*does not match"):
        file_name_facts(Path("holiday.tif"), rule)


def test_a_date_that_does_not_parse_is_named_with_its_file() -> None:
    rule = NamingRule(None, r"(?P<acquired>\d{8})", None, utc=False)
    with pytest.raises(ImageError) as caught:
        file_name_facts(Path("20081345.tif"), rule)
    assert (caught.value.where.file, caught.value.where.field) == ("20081345.tif", "acquired")


def test_no_acquisition_at_all() -> None:
    with pytest.raises(ImageError, match=r"acquisition is not known.*--acquired"):
        file_name_facts(Path("a.tif"), NamingRule(None, None, None, utc=False))


@pytest.mark.parametrize(
    "pattern", ["(", r"(?P<acquired>\d+", r"(?P<date>\d+)", r"\d+", "(?P<band>a){99999999999}"]
)
def test_patterns_that_can_not_be_used(pattern: str) -> None:
    with pytest.raises(ImageError) as caught:
        NamingRule(None, pattern, None, utc=False)
    assert caught.value.where.field == "pattern"


def test_a_name_longer_than_a_file_system_takes() -> None:
    with pytest.raises(ImageError, match="more than 255"):
        file_name_facts(Path("a" * 256), NamingRule("2008-04-27", None, None, utc=False))
