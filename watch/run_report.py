"""What a run did, site by site, and how it went."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagery.model import Outcome
from watch.agenda import NOTHING

if TYPE_CHECKING:
    from datetime import datetime

    from imagery.errors import ArchiveError
    from imagery.model import Detection, Look, NoScene
    from imagery.provenance import Charge
    from watch.agenda import Plan
    from watch.certainty import Reckoning
    from watch.silence import Silence
    from watch.unjudged import Unjudged


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What a run did for one site."""

    site_id: str
    looks: Counter[Outcome] = field(default_factory=Counter)
    """New looks by outcome."""
    no_scenes: tuple[NoScene, ...] = ()
    """Due windows without any scene that this run added."""
    detections: tuple[Detection, ...] = ()
    """Detections that this run made or changed."""
    skipped: str = ""
    """Why the site was not examined; empty when it was."""
    due_on: str = ""
    """What made the site due."""
    pending: int = 0
    """Looks that were there to be made when the run began."""
    unjudged: tuple[Unjudged, ...] = ()
    """Series that are kept and that no detector looks at."""
    failure: str = ""
    """What went wrong with the site as a whole; what it had until then is kept."""
    left: str = ""
    """Why it was not begun, or not brought to its end, though it was its turn."""
    took_s: float = 0.0
    failed_looks: tuple[Look, ...] = ()
    """The looks among them that could not be made; each says why."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    run_id: str
    now: datetime
    sites: tuple[SiteReport, ...]
    stack_trouble: ArchiveError | None = None
    """Why the archive's stacks could not be kept; the looks are the same without them."""
    plan: Plan | None = None
    silence: tuple[Silence, ...] = ()
    """Activity that is expected at the sites looked at, and was looked for often enough and not seen."""
    stages: tuple[tuple[str, float], ...] = ()
    """What the run did one after the other, and how many seconds each took."""
    spent: Charge = NOTHING
    """What was spent on images; a run that reads the archive alone spends nothing."""
    state_trouble: ArchiveError | None = None
    """Why what was learned of a site could not be kept; the next run learns it again."""
    reckoning: Reckoning | None = None
    """How sure all detections of the ledger are together; None after a dry run."""

    @property
    def looks(self) -> Counter[Outcome]:
        """New looks by outcome, every outcome named."""
        total = Counter(dict.fromkeys(Outcome, 0))
        for site in self.sites:
            total.update(site.looks)
        return total

    @property
    def detections(self) -> tuple[Detection, ...]:
        """Detections that this run made or changed, by site."""
        return tuple(detection for site in self.sites for detection in site.detections)

    @property
    def failed(self) -> int:
        """Looks that could not be made."""
        return self.looks[Outcome.FAILED]

    @property
    def exit_code(self) -> int:
        """0 done, 3 done in part, 4 when the budget cut something."""
        if self.plan is not None and self.plan.cut:
            return 4
        return 3 if self.failed or any(site.failure or site.left for site in self.sites) else 0

    @property
    def next_due(self) -> datetime | None:
        """When the next site falls due, what was left or failed being due at once; None without a plan."""
        if self.plan is None:
            return None
        again = {site.site_id for site in self.sites if site.failure or site.left}
        return self.plan.next_due_after(again)

    @property
    def wrong(self) -> tuple[str, ...]:
        """What went wrong or was not done, a line each."""
        sites = [
            f"{site.site_id}: {site.failure or site.left}" for site in self.sites if site.failure or site.left
        ]
        looks = [f"{e.site_id} {e.solar_day}: {e.reason}" for site in self.sites for e in site.failed_looks]
        cut = [f"{site.site_id}: {site.reason}" for site in self.plan.cut] if self.plan is not None else []
        return (*sites, *looks, *cut)

    @property
    def no_scene(self) -> int:
        """Due windows without any scene that this run added."""
        return sum(len(site.no_scenes) for site in self.sites)
