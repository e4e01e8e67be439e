"""Which scenes cover which ground, answered without reading the archive again for each site."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shapely import STRtree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from imagery.model import Scene


class SceneIndex:
    """The scenes of an archive at one moment, by footprint.

    >>> SceneIndex([]).covering(None)
    ()
    """

    def __init__(self, scenes: Iterable[Scene]) -> None:
        """Order scenes by (acquired, id)."""
        self.scenes = tuple(sorted(scenes, key=lambda scene: (scene.acquired, scene.id)))

    def covering(self, geometry: BaseGeometry | None, *, until: datetime | None = None) -> tuple[Scene, ...]:
        """Return the scenes whose footprint touches a ``lon, lat`` geometry, by (acquired, id).

        Args:
            geometry: None or an empty one touches nothing.
            until: Only scenes acquired at or before this aware instant.
        """
        if geometry is None or not self.scenes:
            return ()
        positions = sorted(self._tree.query(geometry, predicate="intersects").tolist())
        found = (self.scenes[position] for position in positions)
        return tuple(scene for scene in found if until is None or scene.acquired <= until)

    @cached_property
    def _tree(self) -> STRtree:
        return STRtree([scene.footprint for scene in self.scenes])
