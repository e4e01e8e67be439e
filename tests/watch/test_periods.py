from __future__ import annotations

from datetime import timedelta

import pytest

from geo.errors import DateError
from watch.periods import in_words, parse_period


@pytest.mark.parametrize(
    ("text", "hours"),
    [("PT30M", 0.5), ("PT6H", 6), ("P1D", 24), ("P1W", 168), ("P1DT12H", 36), ("PT3600S", 1)],
)
def test_reads_what_iso_writes(text: str, hours: float) -> None:
    assert parse_period(text, "--every") == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "30M", "P1M", "P1Y", "PT-1H", "PT0S", "P0D", "PT1.5H", "pt1h", "PT٣H", "PT1H\n"],
)
def test_refuses_the_rest_and_names_the_option(text: str) -> None:
    with pytest.raises(DateError) as caught:
        parse_period(text, "--every")
    assert caught.value.where.field == "--every"


def test_words() -> None:
    assert [in_words(seconds) for seconds in (5, 59.96, 60, 3599.6, 7261, 86400, 90000 * 2)] == [
        "5.0 s",
        "60.0 s",
        "1 min 0 s",
        "1 h 0 min",
        "2 h 1 min",
        "1 day",
        "2 days 2 h",
    ]
