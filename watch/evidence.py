"""What a detection rests on, for the analyst who decides: its card, its looks, its picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from imagery.local import LocalArchive
from imagery.scene_index import SceneIndex
from maps.sheets import pair_picture
from watch.errors import ReviewError
from watch.rowchips import ChipsBehind
from watch.watcher import lattices

if TYPE_CHECKING:
    from datetime import date

    from imagery.change.card import Card
    from imagery.model import Detection, Look
    from sites.model import Site
    from watch.ledger import Ledger
    from watch.reviews import Reviews, Standing
    from watch.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Evidence:
    """One detection with everything that was seen and said."""

    detection: Detection
    site: Site
    standing: Standing
    muted_until: date | None
    looks: tuple[Look, ...]
    """Of the detection's lattice and series, from the last one without it on, oldest first."""

    @property
    def card(self) -> Card | None:
        """What the outcome of the first look with it rests on; None where no card was kept."""
        day = self.detection.first_with
        return next((look.card for look in self.looks if look.solar_day == day), None)


def find_detection(ledger: Ledger, detection_id: str) -> Detection:
    """Return the detection of an id, or of the only id that begins so.

    Raises:
        ReviewError: There is none, or there are several.
    """
    found = [each for each in ledger.detections() if detection_id and each.id.startswith(detection_id)]
    exact = [each for each in found if each.id == detection_id]
    if exact or len(found) == 1:
        return (exact or found)[0]
    hint = "`sitewatch review list --all` shows all; --orphans those that the ledger no longer knows"
    if not found:
        raise ReviewError(f"no detection has the id {detection_id[:64]!r}", hint=hint)
    raise ReviewError(f"{len(found)} detections begin with {detection_id[:64]!r}", hint="Give more of it")


def gather(
    workspace: Workspace, ledger: Ledger, detection: Detection, reviews: Reviews, today: date
) -> Evidence:
    """Return what is known about a detection.

    Raises:
        UnknownSiteError: Its site is no longer in the catalogue.
    """
    site = workspace.catalogue().get(detection.site_id)
    looks = ledger.looks(detection.site_id, grid_id=detection.grid_id, series=detection.series)
    return Evidence(
        detection,
        site,
        reviews.standing(detection.id),
        reviews.muted_until((site.id, *site.former_ids), today),
        tuple(look for look in looks if look.solar_day >= detection.last_without),
    )


def before_after_png(workspace: Workspace, evidence: Evidence) -> bytes:
    """Return the picture: the last clear look without the change beside the first with it.

    Raises:
        ArchiveError: The images are gone.
    """
    detection, site = evidence.detection, evidence.site
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    until = max(look.acquired for look in evidence.looks) + timedelta(days=1)
    chips = ChipsBehind(LocalArchive(archive, index=index), lattices(site, archive, index, until=until))
    before = chips.read(detection.grid_id, detection.series, detection.last_without)
    after = chips.read(detection.grid_id, detection.series, detection.first_with)
    return pair_picture(before, after, detection.geometry, _caption(evidence))


def _caption(evidence: Evidence) -> str:
    detection = evidence.detection
    simulated = " (SIMULATED)" if detection.simulated else ""
    return (
        f"{evidence.site.name}: {detection.state} change of about {detection.area_m2:,.0f} m2 between "
        f"{detection.last_without} and {detection.first_with}{simulated}"
    )
