"""Errors of the catalogue. All are refused input: exit code 2, nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


class CatalogueError(InputError):
    """A catalogue file cannot be read or written as asked."""


class SiteError(InputError):
    """A site or one of its notes breaks a rule of the catalogue."""


class RecordError(SiteError):
    """A record has several faults; the first speaks for all, `faults` holds each."""

    def __init__(self, faults: Sequence[InputError]) -> None:
        """Take the faults, in the order they were found; at least one."""
        first = faults[0]
        more = len(faults) - 1
        super().__init__(f"{first.problem} (and {more} more)", where=first.where, hint=first.hint)
        self.faults = tuple(faults)


class UnknownSiteError(CatalogueError, LookupError):
    """No site of the catalogue has this id."""
