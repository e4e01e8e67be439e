"""Whether a workspace is what it was: archive, ledger, catalogue, reviews, journals and pages.

Nothing is mended here. One finding stands for one thing in one place, with what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from maps.page_manifest import fault_of, read_manifest
from watch.findings import Finding, Grade, damaged, finding_of, stale
from watch.reviews import read_reviews
from watch.verify_archive import check_archive
from watch.verify_ledger import ledger_findings
from watch.verify_words import catalogue_findings, journal_findings, review_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagery.archive import Progress
    from watch.workspace import Workspace

_MAP = "Make the pages again with: sitewatch map"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found."""

    findings: tuple[Finding, ...]
    scenes: int
    """How many scenes were looked at."""
    quick: bool

    @property
    def damaged(self) -> int:
        """How many findings are of damage."""
        return sum(finding.grade is Grade.DAMAGED for finding in self.findings)

    @property
    def is_well(self) -> bool:
        """Whether nothing is damaged."""
        return self.damaged == 0


def verify(workspace: Workspace, *, quick: bool = False, progress: Progress | None = None) -> VerifyReport:
    """Hold a workspace against what it says of itself.

    Args:
        workspace: What is verified; only `archive/verified.json` is written.
        quick: Read no pixels and hash no page: sizes and times will do.
        progress: Called after each scene.
    """
    words = [*catalogue_findings(workspace, quick=quick)]
    words += [*review_findings(workspace), *journal_findings(workspace)]
    site_ids = _site_ids(workspace)
    archive = check_archive(workspace.archive(), site_ids, quick=quick, progress=progress)
    ledger = ledger_findings(
        workspace,
        scene_ids=archive.scene_ids,
        wanted=archive.wanted,
        site_ids=site_ids,
        reviews=read_reviews(workspace.reviews_path),
        quick=quick,
    )
    findings = (*words, *archive.findings, *ledger, *_page_findings(workspace, quick=quick))
    return VerifyReport(findings, archive.scenes, quick)


def _site_ids(workspace: Workspace) -> frozenset[str] | None:
    try:
        catalogue = workspace.catalogue()
    except SitewatchError:
        return None  # said already
    return frozenset(catalogue.by_id) | frozenset(catalogue.former)


def _page_findings(workspace: Workspace, *, quick: bool) -> Iterator[Finding]:
    folder = workspace.public_path
    try:
        pages = read_manifest(folder)
    except SitewatchError as error:
        yield finding_of("pages", error, folder, _MAP)
        return
    if pages is None:
        if (folder / "index.html").exists():
            problem = "pages without a manifest: nobody can tell whether they were changed"
            yield stale("pages", folder, problem, _MAP)
        return
    for page in pages:
        fault = fault_of(folder, page, quick=quick)
        if fault:
            yield damaged("pages", folder / page.path, fault, _MAP)
