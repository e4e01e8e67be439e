from __future__ import annotations

from imagery.change.card import TITLES, Card
from imagery.change.detectable_words import SECTION, Detectable, Seen, told_section

CASE = {"state": "candidate", "where": "39.00000, 125.00000", "contrast": {"red": 0.1}}


def card() -> Card:
    told = Detectable(4, (10.0, 80.0), (0.3, 0.6), 96, Seen(16.2, 15, 18.4, False), Seen(80, 60, 80, True))
    sections = {
        SECTION: told_section([told]),
        "cases": {"det-1": CASE},
        "clear": {"frame": 0.5},
        "more": {"a": 1},
    }
    return Card("Unchanged", ("nothing stands out",), sections={**sections, "agreed": {}})


def test_the_text_follows_the_order_of_judging_whatever_the_order_of_the_sections() -> None:
    text = card().text()
    heads = [line.split(":")[0] for line in text.splitlines()[1:] if not line.startswith(" ")]
    assert heads == ["clear", "cases", SECTION, "more"]
    assert Card.from_json(dict(sorted(card().to_json().items()))).text() == text


def test_each_section_says_what_it_is_and_an_empty_one_is_left_out() -> None:
    text = card().text()
    assert f"clear: {TITLES['clear']}" in text and "agreed" not in text


def test_a_case_stands_below_its_id_line_by_line() -> None:
    assert (
        "  det-1:\n    state: candidate\n    where: 39.00000, 125.00000\n    contrast: red 0.1"
        in card().text()
    )


def test_sizes_are_told_as_a_sentence_and_a_row() -> None:
    text = card().text()
    assert "in 4 clear looks: half of them from 16 m on (15 to 18)," in text
    assert "nine in ten from 80 m on (the smallest tried)" in text
    assert "seen: 10 m 0.30, 80 m 0.60" in text
