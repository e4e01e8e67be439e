"""Errors of pictures and pages."""

from __future__ import annotations

from geo.errors import InputError, SitewatchError


class PageError(SitewatchError):
    """A page can't be made, or would ask the network for something."""


class TilesError(InputError, PageError):
    """An address of map tiles, or whom to credit for them, was refused."""
