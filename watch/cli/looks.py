"""`sitewatch looks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.model import Look
    from watch.ledger_history import Change


def looks(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    card: Annotated[
        str | None,
        typer.Option(
            metavar="DAY", help="Show what the looks of one day rest on: values, thresholds, reasons."
        ),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show every look at a site and how it ended, and the windows without any scene.

    With --card it shows of one day every number behind the outcome: why it did, and why it did not.
    """
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    folder = Folder.open(workspace)
    site_id = folder.catalogue().get(site).id
    output = Output(json, quiet)
    with folder.ledger() as ledger:
        found, empty = ledger.looks(site_id), ledger.no_scenes(site_id)
        histories = {each.id: ledger.history(each.id) for each in ledger.detections(site_id)}
    if card is not None:
        _show_cards(output, site_id, [look for look in found if str(look.solar_day) == card], card)
        return
    windows = [{"start": str(window.start), "end": str(window.end)} for window in empty]
    output.document(
        {
            "site": site_id,
            "looks": [look_json(look) for look in found],
            "no_scene": windows,
            "detections": [
                {"id": key, "history": [change_json(change) for change in changes]}
                for key, changes in histories.items()
            ],
        }
    )
    output.table(
        ["day", "platform", "outcome", "clear %#", "score#", "threshold#", "why"],
        [
            (
                look.solar_day,
                look.platform,
                look.outcome,
                f"{look.clear_fraction:.0%}",
                _number(look.score),
                _number(look.threshold),
                look.reason,
            )
            for look in found
        ],
    )
    output.line(summary(found, len(empty)))


def _show_cards(output: Any, site_id: str, found: Sequence[Look], day: str) -> None:  # noqa: ANN401 - Output, imported lazily
    from geo.errors import InputError

    if not found:
        hint = "`sitewatch looks SITE` lists the days"
        raise InputError(f"{site_id} has no look on {day!r}", hint=hint)
    cards = [
        {"series": look.series, "card": None if look.card is None else look.card.to_json()} for look in found
    ]
    output.document({"site": site_id, "day": day, "looks": cards})
    for look in found:
        output.line(f"{site_id}, {look.solar_day}, {look.series} ({look.platform})")
        output.line(f"{look.outcome}: {look.reason}" if look.card is None else look.card.text())


def look_json(look: Look) -> dict[str, Any]:
    """Return a look as JSON values."""
    return {
        "site": look.site_id,
        "grid_id": look.grid_id,
        "solar_day": str(look.solar_day),
        "series": look.series,
        "platform": look.platform,
        "scenes": list(look.scene_ids),
        "acquired": str(look.acquired.date()) if look.day_only else look.acquired.isoformat(),
        "outcome": look.outcome.value,
        "reason": look.reason,
        "clear_fraction": round(look.clear_fraction, 4),
        "frame_clear_fraction": round(look.frame_clear_fraction, 4),
        "mask": look.mask_scheme,
        "history": look.history,
        "score": look.score,
        "threshold": look.threshold,
        # Regions of magnitude 1 or less are below the threshold: kept for brackets, no change.
        "changed_area_m2": round(sum(each.area_m2 for each in look.regions if each.magnitude > 1), 1),
        "detectable": _sizes_json(look),
        "simulated": look.simulated,
    }


def _sizes_json(look: Look) -> dict[str, Any] | None:
    """Return how small a building the looks would have shown; None where the look does not tell."""
    import math

    from imagery.change.detectable_words import sizes_of

    sizes = sizes_of(look)
    if sizes is None:
        return None
    half, nine = (None if math.isinf(side) else side for side in (sizes.half_m, sizes.nine_m))
    return {"half_m": half, "nine_m": nine, "looks": sizes.looks, "what": sizes.what}


def change_json(change: Change) -> dict[str, str | None]:
    """Return a change of a detection's state as JSON values: null when it was forgotten."""
    state = None if change.state is None else change.state.value
    return {"solar_day": str(change.solar_day), "state": state}


def summary(found: Sequence[Look], empty: int) -> str:
    """Return one sentence that keeps what was judged apart from what was only looked at."""
    from collections import Counter

    from imagery.model import Outcome
    from watch.cli.output import number_of

    counts = Counter(look.outcome for look in found)
    judged = counts[Outcome.UNCHANGED] + counts[Outcome.CHANGED]
    each = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    return (
        f"{number_of(len(found), 'look')} ({each or 'none yet'}); {judged} could be judged; "
        f"{number_of(empty, 'window')} without a scene."
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
