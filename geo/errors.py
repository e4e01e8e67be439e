"""The root of every error sitewatch raises, and the errors of places and dates.

    SitewatchError                  exit code 1: something failed
    ├── InputError (ValueError)     exit code 2: refused input; nothing was changed
    │   ├── CoordinateError
    │   ├── DateError
    │   └── (sites, imagery, watch: their own, in their leaf ``errors`` modules)
    └── ...

An error says what was wrong, where (file, feature, field, line) and what to do next. Weather and
missing data are outcomes (`imagery.model.Outcome`), never errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Where:
    """The place an error speaks of; every part may be absent."""

    file: str | None = None
    """Path as the user wrote it."""
    feature: str | None = None
    """Which record of the file: an id, or a position such as ``feature 3``."""
    field: str | None = None
    """Dotted path inside the record: ``observations[0].date``."""
    line: int | None = None
    """Line of a text file, from 1."""

    def __str__(self) -> str:
        """Return the parts that are known, outermost first: ``a.geojson, line 3, feature 'x'``."""
        parts = [
            self.file,
            None if self.line is None else f"line {self.line}",
            self.feature,
            self.field,
        ]
        return ", ".join(part for part in parts if part)


class SitewatchError(Exception):
    """Something went wrong; the message is for a person."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, where: Where | None = None, hint: str | None = None) -> None:
        """Keep the parts apart, so that a report can show them in columns.

        Args:
            problem: What was wrong, with the offending value.
            where: File, feature, field and line, as far as known.
            hint: What to do next.
        """
        super().__init__(problem)
        self.problem = problem
        self.where = where or Where()
        self.hint = hint

    def __str__(self) -> str:
        """Return ``where: problem. hint`` on one line."""
        where = str(self.where)
        text = f"{where}: {self.problem}" if where else self.problem
        return f"{text}. {self.hint}" if self.hint else text

    def located(self, **parts: str | int | None) -> Self:
        """Return self with the parts of `where` that are still empty filled in.

        Lets an inner parser raise without knowing its file, and the reader that does know add it.
        """
        missing = {name: value for name, value in parts.items() if getattr(self.where, name) is None}
        self.where = replace(self.where, **missing)  # type: ignore[arg-type]  # names are Where's own
        return self


class InputError(SitewatchError, ValueError):
    """Input was refused; nothing was changed."""

    exit_code: ClassVar[int] = 2


class CoordinateError(InputError):
    """A coordinate cannot be read or lies off the Earth."""


class DateError(InputError):
    """A date is not EDTF (ISO 8601-2), or has no honest bounds."""
