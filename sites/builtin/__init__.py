from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def builtin_files() -> tuple[Path, ...]:
    """Return the files of sites and notes that come with sitewatch, by name; `init` copies them."""
    return tuple(sorted(_folder().glob("*.geojson")))


def builtin_context_files() -> tuple[Path, ...]:
    """Return the files of series and events that come with sitewatch, by name; `init` copies them."""
    return tuple(sorted(_folder().glob("*.json")))


def _folder() -> Path:
    return Path(str(files("sites.builtin")))
