"""Everything that can be counted of a workspace, by region."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from maps.regions import Regions
from maps.view import SiteEntry

if TYPE_CHECKING:
    from imagery.model import Detection
    from watch.workspace import Workspace


def regions_of(workspace: Workspace) -> Regions:
    """Return the sites of a workspace with their notes, looks and detections, ready to be counted."""
    with workspace.ledger() as ledger:
        looks = ledger.all_looks()
        found: defaultdict[str, list[Detection]] = defaultdict(list)
        for detection in ledger.detections():
            found[detection.site_id].append(detection)
    return Regions.of(
        [
            SiteEntry(site, looks=tuple(looks.get(site.id, ())), detections=tuple(found[site.id]))
            for site in workspace.catalogue()
        ]
    )
