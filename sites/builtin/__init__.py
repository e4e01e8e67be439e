from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def builtin_files() -> tuple[Path, ...]:
    """Return the catalogue files that come with sitewatch, by name; `init` copies them."""
    folder = Path(str(files("sites.builtin")))
    return tuple(sorted(folder.glob("*.geojson")))
