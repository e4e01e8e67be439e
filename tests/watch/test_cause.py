from __future__ import annotations

import pytest

from geo.errors import SitewatchError, Where
from watch.cause import MAX_CAUSE, scrubbed, short_cause

SECRET = "hunter2hunter2"  # noqa: S105 - opens nothing


@pytest.mark.parametrize(
    "text",
    [
        f"https://me:{SECRET}@example.org/a",
        f"https://example.org/a?token={SECRET}&b=1",
        f"Authorization: Bearer {SECRET}",
        f"client_secret={SECRET}",
        f"'client_secret': '{SECRET}'",
        f"password {SECRET}",
        f"SITEWATCH_SH_CLIENT_SECRET={SECRET}",
        f"eyJ{SECRET * 4}",
    ],
)
def test_no_secret_gets_through(text: str) -> None:
    assert SECRET not in scrubbed(text)


def test_plain_words_do() -> None:
    text = "the scene S2A_20260101 of sinuiju-customs (red.tif) is damaged: 12 of 40 bytes"
    assert scrubbed(text) == text


def test_ours_are_said_as_they_are_and_others_with_their_place() -> None:
    error = SitewatchError("no such thing", where=Where(file="a.tif"))
    assert short_cause(error) == " ".join(str(error).split())

    def fail() -> None:
        raise KeyError("x" * 39 + " \n" * 400 + "y")

    with pytest.raises(KeyError) as caught:
        fail()
    cause = short_cause(caught.value)
    assert cause.startswith("KeyError: ")
    assert "test_cause.py:" in cause
    assert "\n" not in cause
    assert len(cause) <= MAX_CAUSE
