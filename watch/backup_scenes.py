"""The scenes of an archive as a list, for a backup that does not hold them: what to have again.

scenes.json                 in a backup
archive/wanted.json         in the workspace that was restored from it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import Where
from imagery.provenance import LOCAL
from imagery.stac import utc_text
from watch.errors import BackupRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.model import Scene

WANTED_FILE = "wanted.json"


@dataclass(frozen=True, slots=True)
class WantedScene:
    """A scene that an archive held."""

    id: str
    platform: str
    acquired: str
    """RFC 3339, UTC."""
    provider: str
    content_sha: str

    @property
    def is_own(self) -> bool:
        """Whether it came from the user's own files, so that no service can be asked for it."""
        return self.provider == LOCAL


def scenes_document(scenes: Sequence[Scene], wanted: bytes | None = None) -> bytes:
    """Return the list of scenes; equal archives give equal bytes.

    Args:
        scenes: Of the archive, in order.
        wanted: The list of an earlier backup, of which the archive may still lack some.

    Raises:
        BackupRefusedError: `wanted` is no such list.
    """
    held = {scene.id for scene in scenes}
    rows = [_row(scene) for scene in scenes]
    if wanted is not None:
        read_wanted(wanted, WANTED_FILE)
        rows += [row for row in orjson.loads(wanted)["scenes"] if row["id"] not in held]
    return orjson.dumps({"scenes": rows}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _row(scene: Scene) -> dict[str, Any]:
    return {
        "id": scene.id,
        "platform": scene.platform,
        "acquired": utc_text(scene.acquired),
        "content_sha": scene.content_sha,
        "provider": scene.provenance.provider,
        "product": scene.provenance.product,
        "request_keys": list(scene.provenance.request_keys),
        "source_ids": list(scene.provenance.source_ids),
        "bands": [band.name for band in scene.bands],
    }


def read_wanted(data: bytes, file: str) -> tuple[WantedScene, ...]:
    """Return the scenes of such a list.

    Args:
        data: The list.
        file: Its path, for the error.

    Raises:
        BackupRefusedError: It is no such list.
    """
    try:
        rows: list[dict[str, Any]] = orjson.loads(data)["scenes"]
        names = ("id", "platform", "acquired", "provider", "content_sha")
        found = tuple(WantedScene(*(row[name] for name in names)) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise BackupRefusedError(f"no list of scenes ({error})", where=Where(file)) from error
    if not all(isinstance(getattr(each, name), str) for each in found for name in names):
        raise BackupRefusedError("no list of scenes (a field is no text)", where=Where(file))
    return found
