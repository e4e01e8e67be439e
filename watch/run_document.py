"""A run's report as one JSON document: what `run --json` prints and `--report FILE.json` keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import shapely

from imagery.change.evidence import NO_NULL

if TYPE_CHECKING:
    from imagery.change.surety import Surety
    from imagery.model import Detection
    from imagery.provenance import Charge
    from watch.agenda import Plan, Planned
    from watch.run_report import RunReport


def report_json(report: RunReport) -> dict[str, Any]:
    """Return a run's report as JSON values."""
    return {
        "run": report.run_id,
        "now": report.now.isoformat(),
        "exit_code": report.exit_code,
        "looks": {outcome.value: count for outcome, count in report.looks.items()},
        "no_scene": report.no_scene,
        "how_sure": None if report.reckoning is None else report.reckoning.to_json(),
        "detections": [detection_json(detection) for detection in report.detections],
        "silence": [silence.to_json() for silence in report.silence],
        "not_judged": {
            site.site_id: {each.series: f"{each.days} days: {each.reason}" for each in site.unjudged}
            for site in report.sites
            if site.unjudged
        },
        # What a dry run would look at; after a run nothing, unless it failed or was ended.
        "pending": {
            site.site_id: site.pending - site.looks.total()
            for site in report.sites
            if site.pending > site.looks.total()
        },
        "skipped": {site.site_id: site.skipped for site in report.sites if site.skipped},
        "failed": {site.site_id: site.failure for site in report.sites if site.failure},
        "failed_looks": [
            {"site": look.site_id, "day": look.solar_day.isoformat(), "why": look.reason}
            for site in report.sites
            for look in site.failed_looks
        ],
        "left": {site.site_id: site.left for site in report.sites if site.left},
        "plan": None if report.plan is None else plan_json(report.plan),
        "seconds": {stage: round(seconds, 3) for stage, seconds in report.stages},
        # What `--pull` asked a service; the looks themselves read the archive alone.
        "spent": _charge_json(report.spent),
    }


def detection_json(detection: Detection) -> dict[str, Any]:
    """Return a detection as JSON values; the geometry is GeoJSON in lon, lat."""
    return {
        "id": detection.id,
        "site": detection.site_id,
        "state": detection.state.value,
        "bracket": detection.bracket,
        "date_interval_90": detection.date_interval_90 or None,
        "area_m2": round(detection.area_m2, 1),
        "area_interval_m2": _rounded(detection.area_interval_m2),
        "kind": detection.kind or None,
        "flags": list(detection.flags),
        "magnitude": round(detection.magnitude, 3),
        "p_value": detection.p_value,
        **surety_json(detection.surety),
        "simulated": detection.simulated,
        "geometry": orjson.loads(shapely.to_geojson(detection.geometry)),
    }


def surety_json(surety: Surety | None) -> dict[str, Any]:
    """Return what stands beside a p-value as JSON values: what it is of, and what came of the test."""
    if surety is None:
        return {"p_stratum": None, "p_source": NO_NULL, "discovery": None, "level": None, "e_value": None}
    return {
        "p_stratum": f"{surety.stratum}, {surety.count} quiet looks" if surety.stratum else None,
        "p_source": surety.source or NO_NULL,
        "p_later": list(surety.p_later),
        "discovery": surety.discovery,
        "level": surety.level,
        "e_value": surety.e,
        "settled": None if surety.settled is None else surety.settled.isoformat(),
        "how_sure": surety.words,
    }


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(each, 1) for each in interval]


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    next_due = plan.next_due()
    return {
        "due": [_planned_json(site) for site in plan.due],
        "cut": [_planned_json(site) for site in plan.cut],
        "cost": _charge_json(plan.cost),
        "missed": plan.missed,
        "next_due": None if next_due is None else next_due.isoformat(),
    }


def _planned_json(site: Planned) -> dict[str, Any]:
    return {
        "site": site.site_id,
        "priority": site.priority,
        "why": site.reason,
        "fell_due": None if site.fell_due is None else site.fell_due.isoformat(),
        "missed": [[window.start.isoformat(), window.end.isoformat()] for window in site.missed],
        "cost": _charge_json(site.cost),
    }


def _charge_json(charge: Charge) -> dict[str, float]:
    return {"requests": charge.requests, "processing_units": charge.processing_units}
