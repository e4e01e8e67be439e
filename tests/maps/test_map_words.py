from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from imagery.change.card import Card
from imagery.model import Detection, DetectionState, Look, NoScene, Outcome
from maps.lengths import length_words
from maps.symbols import SYMBOLS
from maps.view import SiteEntry
from maps.words import accuracy_words, language_words, looks_summary, measurement_words
from sites.categories import Category
from sites.model import Site
from sites.observation import Measurement, Qualifier

Looks = Callable[..., tuple[Look, ...]]


@pytest.fixture
def looks(make_look: Callable[..., Look]) -> Looks:
    def make(**counts: int) -> tuple[Look, ...]:
        outcomes = [Outcome(name) for name, count in counts.items() for _ in range(count)]
        return tuple(
            make_look("valley", date(2020, 1, 1) + timedelta(days=k), o) for k, o in enumerate(outcomes)
        )

    return make


def test_a_site_without_looks_says_that_nothing_is_known(valley: Site) -> None:
    assert looks_summary(SiteEntry(valley)) == ("Never looked at: nothing is known about change here.",)


def test_the_looks_that_say_nothing_are_counted_apart(valley: Site, looks: Looks) -> None:
    rows = looks(Unchanged=41, Obscured=45, Learning=17, Failed=2)
    assert looks_summary(SiteEntry(valley, rows)) == (
        "41 of 105 looks could be judged.",
        "64 say nothing about change: 45 obscured, 17 still learning, 2 failed.",
        "No change was seen in the judged looks.",
    )


def test_only_obscured_looks_never_read_as_no_change(valley: Site, looks: Looks) -> None:
    assert looks_summary(SiteEntry(valley, looks(Obscured=1))) == (
        "0 of 1 look could be judged.",
        "1 says nothing about change: 1 obscured.",
        "Whether anything changed is not known.",
    )


def test_changed_looks_without_a_detection_are_told(valley: Site, looks: Looks) -> None:
    last = looks_summary(SiteEntry(valley, looks(Unchanged=3, Changed=2)))[-1]
    assert last.startswith("2 judged looks differed from earlier ones, but no two agreed")


def test_a_retracted_detection_is_no_change(valley: Site, looks: Looks, detection: Detection) -> None:
    rows = looks(Unchanged=3)
    assert looks_summary(SiteEntry(valley, rows, (), (detection,)))[-1] == "1 change detected."
    retracted = replace(detection, state=DetectionState.RETRACTED)
    assert (
        looks_summary(SiteEntry(valley, rows, (), (retracted,)))[-1]
        == "No change was seen in the judged looks."
    )


def test_windows_without_an_image_are_told(valley: Site, looks: Looks) -> None:
    windows = (NoScene("valley", date(2020, 1, 1), date(2020, 2, 1)),) * 2
    assert "2 due windows had no image at all." in looks_summary(
        SiteEntry(valley, looks(Unchanged=1), windows)
    )
    assert "2 due windows had no image at all." in looks_summary(SiteEntry(valley, (), windows))


@pytest.mark.parametrize(
    ("accuracy_m", "words"),
    [
        (25.0, "good to about 25 m"),
        (1500.0, "good to about 1.5 km"),
        (12_000.0, "only good to about 12 km"),
        (None, "accuracy not stated"),
    ],
)
def test_accuracy_in_words(valley: Site, accuracy_m: float | None, words: str) -> None:
    assert accuracy_words(replace(valley, coordinate_accuracy_m=accuracy_m)) == words


def test_a_site_without_a_place_says_so(valley: Site) -> None:
    assert accuracy_words(replace(valley, geometry=None)) == "not placed yet"


def test_lengths_and_languages_in_words() -> None:
    assert [length_words(value) for value in (500, 999, 1000, 2500)] == ["500 m", "999 m", "1 km", "2.5 km"]
    assert [language_words(tag) for tag in ("ko", "ko-Latn", "mn", None)] == [
        "Korean", "Korean, romanised", "mn", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("measurement", "words"),
    [
        (None, ""),
        (Measurement("footprint", "m", (17.0, 12.0)), "footprint 17 x 12 m"),
        (Measurement("railcars", "railcars", low=20, high=30), "railcars 20 to 30 railcars"),
        (Measurement("railcars", "railcars", low=20), "railcars at least 20 railcars"),
        (Measurement("stalls", "stalls", high=9), "stalls at most 9 stalls"),
        (Measurement("area", "m2", 120.0, Qualifier.PROBABLE), "area 120 m2, probable"),
    ],
)
def test_measurements_in_words(measurement: Measurement | None, words: str) -> None:
    assert measurement_words(measurement) == words


def test_every_category_has_a_sign_of_its_own() -> None:
    assert set(SYMBOLS) == set(Category)
    signs = [(symbol.colour, symbol.path) for symbol in SYMBOLS.values()]
    assert len(set(signs)) == len(signs)
    assert len({symbol.path for symbol in SYMBOLS.values()}) >= len(signs) - 1


def test_no_change_is_said_with_the_size_down_to_which_it_holds(
    valley: Site, make_look: Callable[..., Look]
) -> None:
    seen = {"side_m": 16.2, "low_m": 15.0, "high_m": 18.0, "at_most": False}
    numbers = {"half": seen, "nine": seen | {"side_m": None}, "shares": [0.3]}
    section = {"what": "a bright roof", "trials": 96, "sides_m": [10.0], "looks": {"4": numbers}}
    card = Card("Unchanged", ("nothing stands out",), (), {"detectable": section})
    looks = (
        make_look("valley", date(2020, 5, 1), Outcome.UNCHANGED, card=card),
        make_look("valley", date(2020, 6, 1), Outcome.UNCHANGED),
    )
    assert looks_summary(SiteEntry(valley, looks))[-1] == (
        "No change was seen in the judged looks, down to more than was tried (0.9) / 16 m (0.5) of a "
        "bright roof in 4 clear looks."
    )
    assert looks_summary(SiteEntry(valley, looks[1:]))[-1] == "No change was seen in the judged looks."
