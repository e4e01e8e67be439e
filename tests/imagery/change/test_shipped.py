from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from imagery.change.bounds import rate
from imagery.change.card import METHOD
from imagery.change.evidence import alone_mode
from imagery.change.null import null_of, stratum
from imagery.change.shipped import Shipped, all_shipped, read_shipped, shipped_null
from imagery.errors import NullFileError


def made() -> Shipped:
    null = null_of([(stratum("listed", date(2024, 7, 1), 30), 1.0)] * 9, source="made up", min_scores=5)
    alarms = {"candidate": rate(8, 100.0), "probable": rate(3, 100.0), "confirmed": rate(1, 100.0)}
    return Shipped("sentinel-2", 10.0, METHOD, null, 60, alarms)


def test_the_null_that_is_shipped_is_of_the_method_that_judges() -> None:
    found = all_shipped()
    assert [each.series for each in found] == ["sentinel-2"]
    for each in found:
        assert not each.stale, each.stale
        assert each.null.source.startswith("simulated quiet sites, made by sitewatch evaluate --sites ")
        for mode in ("listed", "search"):
            for kept in (mode, alone_mode(mode)):
                assert each.null.p_value(1e9, stratum(kept, date(2024, 7, 1), 30)) is not None
        events = [alarms.events for alarms in each.false_alarms.values()]
        assert events == sorted(events, reverse=True)


def test_it_speaks_for_its_sensor_alone() -> None:
    assert shipped_null("sentinel-2", 10.0) is not None
    assert shipped_null("sentinel-2", 20.0) is None
    assert shipped_null("landsat", 30.0) is None
    assert made().speaks_for("sentinel-2", 10.0, is_reflectance=True)
    assert not made().speaks_for("sentinel-2", 10.0, is_reflectance=False)


def test_a_null_of_another_method_says_nothing_and_why() -> None:
    old = replace(made(), method="site-0")
    assert not old.speaks_for("sentinel-2", 10.0, is_reflectance=True)
    assert old.stale == (
        f"the quiet scores are of method site-0, looks are judged by {METHOD}: "
        "remake them with sitewatch evaluate and scripts/make-null"
    )


def test_its_file_gives_it_back_to_the_byte() -> None:
    again = read_shipped(made().to_bytes())
    assert again.to_bytes() == made().to_bytes()
    assert again.false_alarms == made().false_alarms
    assert again.kept_share == pytest.approx(3.5 / 9)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format": "sitewatch-shipped-null-9"}', b"[1]"])
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(NullFileError):
        read_shipped(data)
