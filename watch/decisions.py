"""An analyst's decision on a detection or a site: one checked value, one line of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

from geo.errors import Where
from sites.checks import allow_text, is_id, require_text, shown
from watch.errors import ReviewError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_NAME = 120
"""Characters of a reviewer's name."""

_KEYS = frozenset({"at", "by", "verdict", "detection", "site", "because", "until", "note"})


class Verdict(StrEnum):
    """What an analyst says."""

    CONFIRM = "confirm"
    """The change is there; a note says what it is."""
    DISMISS = "dismiss"
    """It is no change of the place, or none that matters."""
    MUTE = "mute"
    """No word about this site for a while; it is watched as before."""
    RETRACT = "retract"
    """What the reviewer said before holds no more."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reviewer said at one time; never changed, only followed by another."""

    verdict: Verdict
    by: str
    """The reviewer's name."""
    at: datetime
    """Aware UTC, to the second."""
    site_id: str
    detection_id: str = ""
    """Empty where it is about the site: a mute, or its end."""
    because: str = ""
    """The reason in the reviewer's words, or one of `imagery.change.causes.Cause`."""
    until: date | None = None
    """Of a mute: the first day on which the site is spoken of again."""
    note: str = ""
    """Of a confirmation: id of the note in the catalogue."""

    def __post_init__(self) -> None:
        """Refuse what is no decision.

        Raises:
            ReviewError: With the field's name.
        """
        _require_name(self.by)
        if self.at.tzinfo is None:
            _refuse("a time without its zone", "at", "Write it like 2026-11-22T06:00:00Z")
        for name, value in (("site", self.site_id), ("detection", self.detection_id), ("note", self.note)):
            if value and not is_id(value):
                _refuse(f"{shown(value)} is not an id", name)
        _checked_text(self.because)
        self._check_parts()

    def _check_parts(self) -> None:
        if not self.site_id:
            _refuse("no site is named", "site")
        if self.verdict is Verdict.CONFIRM and not (self.detection_id and self.note):
            _refuse("a confirmation names a detection and its note", "note")
        if self.verdict is Verdict.DISMISS and not (self.detection_id and self.because):
            _refuse("a dismissal names a detection and says why", "because", "Give a reason")
        if (self.verdict is Verdict.MUTE) != (self.until is not None):
            _refuse("a mute has an end, and nothing else has one", "until")
        if self.verdict is Verdict.MUTE and self.detection_id:
            _refuse("what is muted is a site", "detection")

    @property
    def subject(self) -> str:
        """The detection, or the site where it is about no detection."""
        return self.detection_id or self.site_id

    def says_the_same(self, other: Decision) -> bool:
        """Whether another decision of the same reviewer says this again, whenever it was said."""
        return _content(self) == _content(other)

    def to_json(self) -> dict[str, str]:
        """Return the decision as a line holds it; what is empty is left out."""
        values = {
            "at": f"{self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "by": self.by,
            "verdict": self.verdict.value,
            "site": self.site_id,
            "detection": self.detection_id,
            "because": self.because,
            "until": "" if self.until is None else self.until.isoformat(),
            "note": self.note,
        }
        return {key: value for key, value in values.items() if value}


def read_decision(value: Mapping[str, Any]) -> Decision:
    """Return the decision of a line.

    Raises:
        ReviewError: It is none; the message names the field.
    """
    strange = sorted(value.keys() - _KEYS)
    if strange:
        _refuse(f"{shown(strange[0])} is no part of a decision", "line")
    texts = {key: value.get(key, "") for key in sorted(_KEYS)}
    for key, text in texts.items():
        if not isinstance(text, str):
            _refuse(f"{shown(text)} is no text", key)
    return Decision(
        verdict=_verdict(texts["verdict"]),
        by=texts["by"],
        at=_instant(texts["at"]),
        site_id=texts["site"],
        detection_id=texts["detection"],
        because=texts["because"],
        until=_day(texts["until"]) if texts["until"] else None,
        note=texts["note"],
    )


def _content(decision: Decision) -> tuple[object, ...]:
    return (
        decision.verdict,
        decision.by,
        decision.subject,
        decision.because,
        decision.until,
        decision.note,
    )


def _refuse(problem: str, field: str, hint: str | None = None) -> NoReturn:
    raise ReviewError(problem, where=Where(field=field), hint=hint)


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        _refuse(f"{shown(name)} is no name of a reviewer", "by", "Give one with --by")


def _checked_text(text: str) -> None:
    try:
        allow_text(text, "because")
        if text:
            require_text(text, "because")
    except ValueError as error:
        raise ReviewError(str(error), where=Where(field="because")) from error


def _verdict(text: str) -> Verdict:
    if text not in set(Verdict):
        _refuse(f"{shown(text)} is no verdict", "verdict", f"One of {', '.join(Verdict)}")
    return Verdict(text)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        _refuse(f"{shown(text)} is no ISO 8601 time", "at")
    if instant.tzinfo is None:
        _refuse("a time without its zone", "at", "Write it like 2026-11-22T06:00:00Z")
    return instant.astimezone(UTC)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(f"{shown(text)} is no day", "until", "Write it like 2026-11-22")
