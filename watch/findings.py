"""What `sitewatch verify` found: one thing in one place, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geo.errors import Where

if TYPE_CHECKING:
    from geo.errors import SitewatchError


class Grade(StrEnum):
    """How bad it is."""

    DAMAGED = "damaged"
    """Something is not what it was, or is gone."""
    STALE = "stale"
    """Nothing is lost: it can be made again, or is only left over."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    part: str
    """``archive``, ``catalogue``, ``reviews``, ``journals``, ``ledger`` or ``pages``."""
    grade: Grade
    where: Where
    problem: str
    hint: str

    def __str__(self) -> str:
        """Return it on one line."""
        hint = f". {self.hint}" if self.hint else ""
        return f"{self.grade}: {self.part}: {self.where}: {self.problem}{hint}"


def damaged(part: str, file: object, problem: str, hint: str, *, feature: str | None = None) -> Finding:
    """Return that a file is not what it was."""
    return Finding(part, Grade.DAMAGED, Where(str(file), feature), problem, hint)


def stale(part: str, file: object, problem: str, hint: str, *, feature: str | None = None) -> Finding:
    """Return that a file is left over, or can be made again."""
    return Finding(part, Grade.STALE, Where(str(file), feature), problem, hint)


def finding_of(part: str, error: SitewatchError, file: object, hint: str) -> Finding:
    """Return what an error says as a finding.

    Args:
        part: Of the workspace.
        error: What a reader raised.
        file: Named where the error names none.
        hint: Given where the error has none.
    """
    located = error.located(file=str(file))
    return Finding(part, Grade.DAMAGED, located.where, located.problem, located.hint or hint)
