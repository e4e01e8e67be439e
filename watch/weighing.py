"""The end of a run: every detection of the ledger weighed and tested anew, and what to expect of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watch.certainty import Reckoning, reckoning, sureties
from watch.nulls import with_dismissed

if TYPE_CHECKING:
    from watch.ledger import Ledger
    from watch.nulls import Nulls
    from watch.reviews import Reviews


def weigh(ledger: Ledger, chosen: Nulls, reviews: Reviews) -> Reckoning:
    """Note in the ledger how sure each detection is, and return what is to be expected.

    Args:
        ledger: Of all looks and detections.
        chosen: The quiet scores that the settings name.
        reviews: Dismissed detections are quiet places that scored high.
    """
    detections = ledger.detections()
    nulls = with_dismissed(chosen, detections, reviews)
    found = sureties(detections, nulls.by_sensor)
    with ledger.transaction() as transaction:
        transaction.set_sureties(found)
    return reckoning(
        found,
        nulls.by_sensor,
        ledger.watched_years(),
        dismissed=nulls.dismissed,
        notes=nulls.notes,
    )
