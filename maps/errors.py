"""Errors of pictures and pages."""

from __future__ import annotations

from geo.errors import SitewatchError


class PageError(SitewatchError):
    """A page can't be made, or would ask the network for something."""
