"""`sitewatch sites place|edit|rename|retire`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from sites.catalogue import Catalogue
    from sites.model import Site, SiteGeometry

SiteId = Annotated[str, typer.Argument(metavar="SITE", help="Id, or a former id.")]


def place(
    site: SiteId,
    source: Annotated[str, typer.Option(help="Who placed it, from what.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="COORD", help="Decimal, DMS, UTM, MGRS, a Plus Code, or a link of a map site."),
    ] = None,
    accuracy_m: Annotated[
        float | None, typer.Option("--accuracy-m", help="Radius in which the true place lies.")
    ] = None,
    footprint: Annotated[
        Path | None, typer.Option(help="GeoJSON file with one polygon or line.", show_default=False)
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the coordinate.", show_default=False)
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Place a site, or place it better; where it was before is kept."""
    from shapely.geometry import Point

    from geo.coordinates import parse_coordinate
    from geo.dates import parse_edtf
    from sites.editing import Place
    from sites.editing import place as placed

    coordinate = None if at is None else parse_coordinate(at)
    where = Place(
        geometry=None if coordinate is None else Point(coordinate.lon, coordinate.lat),
        source=source,
        accuracy_m=accuracy_m,
        footprint=None if footprint is None else _outline(footprint),
        licence=licence,
    )
    today = parse_edtf(f"{datetime.now(UTC):%Y-%m-%d}")
    _change(site, lambda found: placed(found, where, today), workspace, json=json, quiet=quiet)


def edit(
    site: SiteId,
    fields: Annotated[
        list[str],
        typer.Argument(metavar="FIELD=VALUE...", help="JSON values, or text; FIELD= alone removes a field."),
    ],
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Change properties of a site; its place, id and notes have commands of their own."""
    from sites.columns import parse_pairs
    from sites.editing import edit as edited

    values = {field: _value(text) for field, text in parse_pairs(fields, "FIELD=VALUE").items()}
    _change(site, lambda found: edited(found, values), workspace, json=json, quiet=quiet)


def retire(
    site: SiteId,
    because: Annotated[str, typer.Option(help="Why it is no longer watched.")],
    date: Annotated[
        str | None, typer.Option(metavar="EDTF", help="Since when; today when absent.", show_default=False)
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Stop watching a site; its looks and notes stay."""
    from geo.dates import parse_edtf
    from sites.editing import retire as retired

    since = parse_edtf(date or f"{datetime.now(UTC):%Y-%m-%d}")
    _change(site, lambda found: retired(found, since, because), workspace, json=json, quiet=quiet)


def rename(
    site: SiteId,
    new_id: Annotated[str, typer.Argument(help="The new id.")],
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Give a site a new id; the old one still finds it, and its looks go with it."""
    from sites.editing import rename as renamed
    from watch.renaming import adopt_former
    from watch.workspace import Workspace as Folder

    def change(catalogue: Catalogue) -> tuple[Catalogue, str]:
        return renamed(catalogue, site, new_id), new_id

    _store(change, workspace, json=json, quiet=quiet)
    folder = Folder.open(workspace)
    with folder.ledger() as ledger:
        adopt_former([folder.catalogue().get(new_id)], folder.archive(), ledger)


def _change(
    site_id: str, change: Callable[[Site], Site], workspace: Path, *, json: bool, quiet: bool
) -> None:
    def whole(catalogue: Catalogue) -> tuple[Catalogue, str]:
        changed = change(catalogue.get(site_id))
        return catalogue.with_records([changed]), changed.id

    _store(whole, workspace, json=json, quiet=quiet)


def _store(
    change: Callable[[Catalogue], tuple[Catalogue, str]], workspace: Path, *, json: bool, quiet: bool
) -> None:
    from sites.geojson import write_document
    from sites.merging import changes
    from watch.cli.output import Output
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with writing(folder.root):
        before = folder.catalogue()
        after, site_id = change(before)
        after.write()
    new = after.get(site_id)
    old = before.get(before.former.get(site_id, site_id)) if site_id in before else None
    if json:
        output.raw(write_document([new], is_single=True))
    for each in changes(old, new) if old is not None else ():
        output.line(f"{each.field}: {each.before} -> {each.after}")
    output.line(f"{new.id}: {new.watch_reason}")


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON value
    import orjson

    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _outline(path: Path) -> SiteGeometry:
    import orjson

    from geo.errors import Where
    from sites.errors import CatalogueError
    from sites.files import read_bounded
    from sites.positions import read_geometry

    where = Where(file=str(path))
    try:
        document = orjson.loads(read_bounded(path))
    except orjson.JSONDecodeError as error:
        raise CatalogueError(f"not valid JSON: {error}", where=where) from error
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list) or len(features) != 1:
            raise CatalogueError("a footprint file holds one feature", where=where)
        (document,) = features
    geometry = document.get("geometry", document) if isinstance(document, dict) else document
    found = read_geometry(geometry)
    if found is None:
        raise CatalogueError("it has no geometry", where=where)
    return found
