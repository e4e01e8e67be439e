"""Errors of the catalogue. All are refused input: exit code 2, nothing changed."""

from __future__ import annotations

from geo.errors import InputError


class CatalogueError(InputError):
    """A catalogue file cannot be read or written as asked."""


class SiteError(InputError):
    """A site or one of its notes breaks a rule of the catalogue."""


class UnknownSiteError(CatalogueError, LookupError):
    """No site of the catalogue has this id."""
