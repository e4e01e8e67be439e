"""The part of CQL2 that the Catalog takes: comparisons and BETWEEN, joined by AND.

OGC 21-065r2, *Common Query Language (CQL2)*, text and JSON encodings.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitewatch_hub.messages import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Literal = str | float

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>"[^"]+"|[A-Za-z_][\w:.\-]*)
      | (?P<operator><>|<=|>=|=|<|>)
    )\s*""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition on one property."""

    name: str
    operator: str
    value: Literal

    def holds(self, properties: Mapping[str, Any]) -> bool:
        """Return whether it is true; never for a property that is missing or of another type."""
        found = properties.get(self.name)
        if found is None or isinstance(found, str) != isinstance(self.value, str):
            return False
        return _OPERATORS[self.operator](found, self.value)


def parse_filter(value: object) -> tuple[Comparison, ...]:
    """Read a ``filter``: text, JSON, or None; all conditions must hold.

    >>> [c.operator for c in parse_filter("eo:cloud_cover < 20 AND gsd BETWEEN 10 AND 20")]
    ['<', '>=', '<=']
    >>> parse_filter(None)
    ()

    Raises:
        RefusedError: Anything but comparisons and BETWEEN joined by AND.
    """
    if value is None:
        return ()
    try:
        return tuple(_json_conditions(value) if isinstance(value, dict) else _text_conditions(str(value)))
    except (LookupError, TypeError, ValueError) as error:
        raise refusal(400, "COMMON_BAD_PAYLOAD", f"The filter {value!r} can't be used: {error}") from error


def _text_conditions(text: str) -> Iterator[Comparison]:
    tokens = list(_tokens(text))
    while tokens:
        name = _take(tokens, "name")
        if tokens and tokens[0] == ("name", "BETWEEN"):
            tokens.pop(0)
            yield Comparison(name, ">=", _literal(tokens))
            _keyword(tokens, "AND")
            yield Comparison(name, "<=", _literal(tokens))
        else:
            yield Comparison(name, _take(tokens, "operator"), _literal(tokens))
        if tokens:
            _keyword(tokens, "AND")
            if not tokens:
                raise ValueError("nothing follows AND")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"unexpected {text[position:][:20]!r}")
        kind = str(match.lastgroup)
        written = match[kind]
        if kind == "name" and written.upper() in {"AND", "BETWEEN"}:
            written = written.upper()
        yield kind, written.strip('"')
        position = match.end()


def _take(tokens: list[tuple[str, str]], kind: str) -> str:
    found, written = tokens.pop(0)
    if found != kind:
        raise ValueError(f"{written!r} where a {kind} was expected")
    return written


def _keyword(tokens: list[tuple[str, str]], word: str) -> None:
    if _take(tokens, "name") != word:
        raise ValueError(f"only {word} may stand between conditions")


def _literal(tokens: list[tuple[str, str]]) -> Literal:
    kind, written = tokens.pop(0)
    if kind == "text":
        return written[1:-1].replace("''", "'")
    if kind == "number":
        return float(written)
    raise ValueError(f"{written!r} where a value was expected")


def _json_conditions(node: Mapping[str, Any]) -> Iterator[Comparison]:
    name, arguments = node["op"], node["args"]
    if name == "and":
        for argument in arguments:
            yield from _json_conditions(argument)
        return
    subject = arguments[0]["property"]
    values = [float(value) if isinstance(value, int) else value for value in arguments[1:]]
    if name == "between":
        yield Comparison(subject, ">=", values[0])
        yield Comparison(subject, "<=", values[1])
    elif name in _OPERATORS:
        yield Comparison(subject, name, values[0])
    else:
        raise ValueError(f"unknown operator {name!r}")
