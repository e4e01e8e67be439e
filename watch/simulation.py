"""A workspace of simulated sites: catalogue, archive, and beside them the truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from shapely.geometry import Point, mapping

from geo.durable import write_bytes
from imagery.simulate.archiving import write_archive
from imagery.simulate.population import ROOF_CONTRAST, Population, random_specs
from imagery.simulate.site import simulate_site, site_rng
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geo.dates import Span
    from imagery.simulate.site import SimulatedSite
    from imagery.simulate.spec import Change, SiteSpec

CATALOGUE_FILE = "simulated.geojson"
TRUTH_FILE = "truth.geojson"

TITLE = "SIMULATED sites: nothing here is real"
STATEMENT = (
    "Every place, image and change on these pages is simulated by sitewatch, to test how changes are found. "
    "No satellite took these images, and nothing is said about the real ground at these coordinates."
)
_DESCRIPTION = (
    "Simulated: made-up {ground} ground, made-up weather. The coordinates only fix sun, season and map grid; "
    "what is really there plays no part."
)
_SEARCH_SIDE_M = 400.0
"""More than twice the half-width of a market: such a site is watched in search mode."""
_RIM_M = 40.0
_WARM_UP_SHARE = 0.45
_SIZES_M = ((30.0, 30.0), (60.0, 60.0), (17.0, 12.0), (40.0, 40.0))


class Planted(StrEnum):
    """What is planted, on two sites of every four; the others stay quiet."""

    NONE = "none"
    ROOF = "roof"
    """Light roofs: 0.15 more in the red, 0.10 more in the near infrared."""
    ANY = "any"
    """Roofs, cleared and demolished ground, floods, loss of trees."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What was made."""

    workspace: Workspace
    sites: tuple[SimulatedSite, ...]
    scenes: tuple[str, ...]

    @property
    def changes(self) -> int:
        """How many changes were planted."""
        return sum(len(site.spec.changes) for site in self.sites)


def simulate_workspace(
    folder: Path,
    span: Span,
    *,
    sites: int,
    seed: int,
    planted: Planted = Planted.ANY,
    frame_px: int = 128,
    progress: Callable[[int, int, str], None] | None = None,
) -> Simulated:
    """Make a workspace of simulated sites in a new or empty folder; the same arguments give the same.

    Raises:
        WorkspaceError: The folder is not empty.
    """
    workspace = Workspace.create(folder, title=TITLE, statement=STATEMENT, builtin=False)
    specs = _specs(span, sites=sites, seed=seed, planted=planted, frame_px=frame_px)
    made = tuple(simulate_site(spec, site_rng(seed, spec.site_id)) for spec in specs)
    _write_features(workspace.catalogue_path / CATALOGUE_FILE, [_feature(site) for site in made])
    truth = [feature for site in made for feature in _truth(site)]
    _write_features(workspace.root / TRUTH_FILE, truth)
    return Simulated(workspace, made, write_archive(made, workspace.archive(), progress))


def _specs(span: Span, *, sites: int, seed: int, planted: Planted, frame_px: int) -> tuple[SiteSpec, ...]:
    among = Population(
        frame_px=frame_px,
        start=span.start,
        end=span.end,
        sizes_m=_SIZES_M,
        contrasts=(None,) if planted is Planted.ANY else (ROOF_CONTRAST,),
        warm_up_days=int(_WARM_UP_SHARE * span.duration.days),
    )
    drawn = random_specs(sites, np.random.default_rng(seed), quiet=False, population=among)
    return tuple(
        replace(
            spec,
            search_side_m=_SEARCH_SIDE_M,
            changes=() if planted is Planted.NONE or number // 2 % 2 else spec.changes,
        )
        for number, spec in enumerate(drawn)
    )


def _feature(site: SimulatedSite) -> dict[str, Any]:
    spec = site.spec
    side_m = max(spec.area.width_m, spec.area.height_m)
    context_m = spec.frame_px * 10 / 2 - side_m / 2 - _RIM_M
    listed = spec.footprint is not None
    centre = Point(site.area.centroid.x, site.area.centroid.y)
    return {
        "type": "Feature",
        "id": spec.site_id,
        "geometry": mapping(site.area if listed else centre),
        "properties": {
            "name": f"SIMULATED site {spec.site_id.rpartition('-')[2]} ({spec.ground})",
            "category": "market",
            "coordinate_source": "made up",
            "coordinate_accuracy_m": 1 if listed else side_m / 2,
            "description": _DESCRIPTION.format(ground=spec.ground),
            "watch": {"cadence": "P5D", "context_m": round(context_m)},
        },
    }


def _truth(site: SimulatedSite) -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "id": f"{site.spec.site_id}-change-{number}",
            "geometry": mapping(site.polygon(change.place)),
            "properties": {"simulated": True, "site": site.spec.site_id, **_planted(change)},
        }
        for number, change in enumerate(site.spec.changes, 1)
    ]


def _planted(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "day": change.day.isoformat(),
        "ramp_days": change.ramp_days,
        "width_m": change.place.width_m,
        "height_m": change.place.height_m,
        "area_m2": change.place.area_m2,
        "contrast": None if change.contrast is None else list(change.contrast),
        "before": change.material_before,
        "after": change.material_after,
    }


def _write_features(path: Path, features: list[dict[str, Any]]) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    write_bytes(path, orjson.dumps({"type": "FeatureCollection", "features": features}, option=options))
