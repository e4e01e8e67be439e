"""`sitewatch search`."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Json, Orbit, OrbitDirection, Quiet, Workspace, closed_span

if TYPE_CHECKING:
    from geo.dates import Span
    from imagery.model import Scene
    from imagery.provider import Limits
    from watch.cli.output import Output
    from watch.search import Found
    from watch.workspace import Workspace as Folder


class ProviderName(StrEnum):
    """Who is asked."""

    LOCAL = "local"
    SENTINEL_HUB = "sentinelhub"


def search(
    site: Annotated[
        str | None, typer.Argument(metavar="[SITE]", help="Id of the site.", show_default=False)
    ] = None,
    bbox: Annotated[
        str | None,
        typer.Option(metavar="W,S,E,N", help="A box in degrees, instead of a site.", show_default=False),
    ] = None,
    span: Annotated[
        str, typer.Option(metavar="A/B", help="Days, both included: 2021-04-01/2021-10-31, or 2021.")
    ] = ...,  # type: ignore[assignment]  # typer's way to say that an option must be given
    max_cloud: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Leave out days cloudier than that."),
    ] = None,
    orbit: Orbit = None,
    direction: OrbitDirection = None,
    latest: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Only the last N days of each series.", show_default=False),
    ] = None,
    provider: Annotated[ProviderName, typer.Option(help="Who is asked.")] = ProviderName.LOCAL,
    product: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of sentinelhub; the one in sitewatch.toml.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the scenes that a provider has over a site or a box: the archive, or Sentinel Hub.

    Nothing is pulled. Searching the service costs about a hundredth of a processing unit. --json prints a
    FeatureCollection of STAC Items.
    """
    from geo.errors import InputError
    from imagery.item_collection import item_collection
    from imagery.provider import Limits
    from watch.cli.output import Output, number_of
    from watch.workspace import Workspace as Folder

    if (site is None) == (bbox is None):
        raise InputError("one of SITE and --bbox says where", hint="Give a site's id, or --bbox W,S,E,N")
    output = Output(json, quiet)
    folder, days = Folder.open(workspace), closed_span(span)
    limits = Limits(max_cloud, orbit, direction and str(direction), latest)
    if provider is ProviderName.LOCAL:
        found = _in_archive(folder, site, bbox, days, limits)
    else:
        found = _at_service(folder, site, bbox, days, limits, product, output)
    output.document(item_collection(found.scenes, found.archived))
    _print(found, output)
    held = "" if provider is ProviderName.LOCAL else f", {len(found.archived)} of them in the archive"
    output.line(f"{number_of(len(found.scenes), 'scene')}{held}.")


def _in_archive(folder: Folder, site: str | None, bbox: str | None, span: Span, limits: Limits) -> Found:
    from watch.search import box_frame, search_archive, site_frame

    frame = box_frame(bbox or "") if site is None else site_frame(folder, site)
    return search_archive(folder, frame, span, limits)


def _at_service(
    folder: Folder,
    site: str | None,
    bbox: str | None,
    span: Span,
    limits: Limits,
    product: str | None,
    output: Output,
) -> Found:
    from watch.connection import connected
    from watch.search import box_frame, search_service, site_frame

    with connected(folder, os.environ, product=product) as connection:
        side_m = connection.hub.product.resolution_m
        frame = box_frame(bbox or "") if site is None else site_frame(folder, site, resolution_m=side_m)
        found = search_service(connection.hub, frame, span, limits)
        spent = connection.journal.spent_here()
        output.note(f"{spent.requests} requests and {spent.processing_units:.2f} processing units spent.")
        return found


def _print(found: Found, output: Output) -> None:
    output.table(
        ["acquired", "platform", "cloud %#", "orbit", "sun deg#", "baseline", "archived", "id"],
        [_row(scene, is_archived=scene.id in found.archived) for scene in found.scenes],
    )


def _row(scene: Scene, *, is_archived: bool) -> tuple[str, ...]:
    from watch.cli.output import acquired_text

    zenith = scene.geometry.sun_zenith_deg
    return (
        acquired_text(scene.acquired, day_only=scene.day_only),
        scene.platform,
        "" if scene.cloud_percent is None else f"{scene.cloud_percent:.0f}",
        scene.geometry.orbit,
        "" if zenith is None else f"{90.0 - zenith:.0f}",
        scene.processing_baseline,
        "yes" if is_archived else "no",
        scene.id,
    )
