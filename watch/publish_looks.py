"""The looks of a site as its pages need them: with what a page tells of them, and without the rest.

A card takes most of a look, and a catalogue of thousands of sites has half a million looks. Pages show the
whole card of a look that raised a detection, and of the others how small a building they would have shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imagery.change.card import Card
from imagery.change.detectable_words import SECTION, TOLD_LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imagery.model import Detection, Look
    from watch.ledger import Ledger


def page_looks(ledger: Ledger, site_id: str, found: Iterable[Detection]) -> tuple[Look, ...]:
    """Return a site's looks, oldest first.

    Args:
        ledger: Where they are.
        site_id: Whose.
        found: Its detections.
    """
    raised = {(each.grid_id, each.series, each.first_with) for each in found}
    return tuple(
        replace(
            look,
            regions=(),
            card=look.card if (look.grid_id, look.series, look.solar_day) in raised else _brief(look.card),
        )
        for look in ledger.looks(site_id)
    )


def _brief(card: Card | None) -> Card | None:
    """Return the sizes that a card tells for the usual number of looks; None where it tells none."""
    section = {} if card is None else card.sections.get(SECTION) or {}
    told = (section.get("looks") or {}).get(str(TOLD_LOOKS))
    if card is None or told is None:
        return None
    sides = {name: told[name] for name in ("half", "nine")}
    brief = {"what": section["what"], "looks": {str(TOLD_LOOKS): sides}}
    return Card(card.outcome, (), sections={SECTION: brief}, method=card.method)
