"""Detectors on sites whose truth is known: simulated ones, and real ones with a change put into their looks.

Each site is judged by itself, from a generator of its own, so the result does not depend on how many
processes share the work.
"""

from __future__ import annotations

import math
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from geo.durable import write_bytes
from geo.errors import InputError
from imagery.change.bounds import Proportion, Rate
from imagery.change.card import METHOD
from imagery.change.median_detector import MedianDetector
from imagery.change.scorecard import Scorecard, quiet_null, scorecard
from imagery.change.site_detector import SiteDetector
from imagery.change.trials import run_trial
from maps.charts import svg
from watch.evaluation_charts import charts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from imagery.change.detector import DetectorMaker
    from imagery.change.tracks import SiteTrack
    from imagery.change.trials import Trial
    from watch.evaluation_rows import EvaluationRows

DETECTORS: dict[str, DetectorMaker] = {"site": SiteDetector, "season-medians": MedianDetector}
"""What can be evaluated, by name."""


def makers(names: Sequence[str]) -> dict[str, DetectorMaker]:
    """Return detectors by name; all of them when none is named.

    Raises:
        InputError: There is no such detector.
    """
    for name in names:
        if name not in DETECTORS:
            raise InputError(f"no detector {name!r}", hint=f"There are: {', '.join(DETECTORS)}")
    return {name: make for name, make in DETECTORS.items() if not names or name in names}


class Plan(Protocol):
    """A site that can be made anywhere: small, and the same wherever it is made."""

    def trial(self) -> Trial:
        """Return the site with its looks."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What detectors did on the same sites."""

    statement: str
    """One sentence that stands beside every figure: what the data are."""
    settings: Mapping[str, Any]
    """Everything that the figures follow from."""
    tracks: Mapping[str, tuple[SiteTrack, ...]]
    """By detector, in the order of the plans."""
    cards: tuple[Scorecard, ...]

    def document(self) -> dict[str, Any]:
        """Return the evaluation as JSON values; what is infinite or unknown is null."""
        return {
            "format": "sitewatch-evaluation-1",
            "statement": self.statement,
            "settings": dict(self.settings),
            "detectors": [plain(card) for card in self.cards],
        }


def evaluate(
    plans: Sequence[Plan],
    makers: Mapping[str, DetectorMaker],
    *,
    statement: str,
    settings: Mapping[str, Any],
    seed: int,
    workers: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
    rows: EvaluationRows | None = None,
) -> Evaluation:
    """Put every site before every detector.

    Args:
        plans: The sites.
        makers: Detectors by name; with more than one worker they must be importable.
        statement: What the data are.
        settings: What the plans were made from; kept beside the figures.
        seed: Of the splits and the bootstrap.
        workers: Processes.
        progress: Told how many sites are done, of how many, and the last one's id.
        rows: Where the record of each site is kept as it comes; those that are there are not judged again.
    """
    done = list(rows.known) if rows else []
    for row in _judged(plans[len(done) :], makers, workers):
        done.append(row)
        if rows is not None:
            rows.add({name: plain(track) for name, track in row.items()})
        if progress is not None:
            progress(len(done), len(plans), next(iter(row.values())).site_id if row else "")
    tracks = {name: tuple(row[name] for row in done) for name in makers}
    cards = tuple(scorecard(name, tracks[name], seed=seed) for name in makers)
    return Evaluation(statement, settings, tracks, cards)


def _judged(
    plans: Sequence[Plan], makers: Mapping[str, DetectorMaker], workers: int
) -> Iterator[dict[str, SiteTrack]]:
    if workers <= 1:
        yield from (_judge(plan, makers) for plan in plans)
        return
    # A forked child would inherit the locks of compiled code's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_judge, plans, [makers] * len(plans))


def _judge(plan: Plan, makers: Mapping[str, DetectorMaker]) -> dict[str, SiteTrack]:
    trial = plan.trial()
    return {name: run_trial(trial, make(trial.spec, mode=trial.mode)) for name, make in makers.items()}


def plain(value: object) -> Any:  # noqa: ANN401 - JSON values
    """Return a record of figures as JSON values; what is infinite or not a number is None."""
    if isinstance(value, Enum):
        return value.name.lower()
    if is_dataclass(value):
        record = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        if isinstance(value, Proportion | Rate):
            record["estimate"] = plain(value.estimate)
        return record
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def tracks_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return the record of every site, so that figures can be made anew without judging anew."""
    return {
        "format": "sitewatch-tracks-1",
        "method": METHOD,
        "statement": evaluation.statement,
        "settings": dict(evaluation.settings),
        "tracks": {name: [plain(track) for track in tracks] for name, tracks in evaluation.tracks.items()},
    }


def file_stem(name: str) -> str:
    """Return a detector's name as part of a file's.

    >>> file_stem("IR-MAD, two dates")
    'ir-mad-two-dates'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def write_evaluation(evaluation: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write ``evaluation.json``, the records behind it, charts, and each detector's null of quiet scores."""
    contents = {
        "evaluation.json": orjson.dumps(
            evaluation.document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        ),
        "tracks.json": orjson.dumps(tracks_document(evaluation), option=orjson.OPT_APPEND_NEWLINE),
        **{name: svg(chart).encode() for name, chart in charts(evaluation).items()},
        **{
            f"null-{file_stem(name)}.json": quiet_null(tracks, source=evaluation.statement).to_bytes()
            for name, tracks in evaluation.tracks.items()
        },
    }
    for name, data in contents.items():
        write_bytes(folder / name, data)
    return tuple(folder / name for name in contents)
